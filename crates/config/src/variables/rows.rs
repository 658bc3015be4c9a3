//! The rows of the variable table. Not here: looking one up.

use super::{Family, Row};
use crate::model::Variable;

/// The families.
pub const FAMILIES: &[Family] = &[
    family("arg_", "name", "The argument of this name in the request line.", Variable::Arg),
    family("cookie_", "name", "The cookie of this name.", Variable::Cookie),
    family("http_", "name", "The request field of this name, dashes as underscores.", Variable::Http),
    family("sent_http_", "name", "The response field of this name, as sent.", Variable::SentHttp),
    family("sent_trailer_", "name", "The trailer field of this name, as sent.", Variable::SentTrailer),
    family("upstream_http_", "name", "The field of this name in the endpoint's response.", Variable::UpstreamHttp),
    family("upstream_cookie_", "name", "The cookie that the endpoint sets under this name.", Variable::UpstreamCookie),
    family("upstream_trailer_", "name", "The trailer field of this name from the endpoint.", Variable::UpstreamTrailer),
];

const fn family(
    prefix: &'static str,
    rest: &'static str,
    help: &'static str,
    make: fn(Box<str>) -> Variable,
) -> Family {
    Family { prefix, rest, help, make }
}

const fn row(name: &'static str, variable: Variable, help: &'static str) -> Row {
    Row { name, help, variable }
}

/// The variables that are of no family: of the request, the connection, the response, the process, and upstreams.
pub const ROWS: &[Row] = &[
    row("args", Variable::Args, "The arguments in the request line."),
    row("content_length", Variable::ContentLength, "The request's Content-Length."),
    row("content_type", Variable::ContentType, "The request's Content-Type."),
    row("document_root", Variable::DocumentRoot, "The value of root or alias for this request."),
    row("document_uri", Variable::DocumentUri, "The same as $uri."),
    row("host", Variable::Host, "The host of the request line, else of the Host field, else the server's name."),
    row("is_args", Variable::IsArgs, "A question mark if the request line has arguments, else nothing."),
    row("query_string", Variable::QueryString, "The same as $args."),
    row("realpath_root", Variable::RealpathRoot, "$document_root with its symbolic links resolved."),
    row("remote_user", Variable::RemoteUser, "The user name of Basic authentication."),
    row("request", Variable::Request, "The whole request line."),
    row("request_body", Variable::RequestBody, "The request's body, if it was read into memory."),
    row("request_body_file", Variable::RequestBodyFile, "The temporary file that holds the request's body."),
    row("request_completion", Variable::RequestCompletion, "OK if the request was completed, else nothing."),
    row("request_filename", Variable::RequestFilename, "The path of the file that the request names."),
    row("request_id", Variable::RequestId, "32 random hexadecimal digits that name the request."),
    row("request_length", Variable::RequestLength, "The bytes of the request: line, head and body."),
    row("request_method", Variable::RequestMethod, "The request's method."),
    row("request_time", Variable::RequestTime, "Seconds since the first byte of the request, to the millisecond."),
    row("request_uri", Variable::RequestUri, "The target as the client sent it, with arguments."),
    row("server_protocol", Variable::ServerProtocol, "The request's protocol, such as HTTP/1.1."),
    row("uri", Variable::Uri, "The request's path, decoded and normalised; internal redirects change it."),
    row("binary_remote_addr", Variable::BinaryRemoteAddr, "The client's address as 4 or 16 bytes."),
    row("connection", Variable::Connection, "The connection's serial number."),
    row("connection_requests", Variable::ConnectionRequests, "The number of requests on the connection so far."),
    row("connection_time", Variable::ConnectionTime, "The connection's age in seconds, to the millisecond."),
    row("https", Variable::Https, "The word on if the connection is TLS, else nothing."),
    row("pipe", Variable::Pipe, "p if the request was pipelined, else a dot."),
    row("proxy_protocol_addr", Variable::ProxyProtocolAddr, "The client's address in the PROXY header."),
    row("proxy_protocol_port", Variable::ProxyProtocolPort, "The client's port in the PROXY header."),
    row(
        "proxy_protocol_server_addr",
        Variable::ProxyProtocolServerAddr,
        "The address in the PROXY header that the client connected to.",
    ),
    row(
        "proxy_protocol_server_port",
        Variable::ProxyProtocolServerPort,
        "The port in the PROXY header that the client connected to.",
    ),
    row("remote_addr", Variable::RemoteAddr, "The client's address."),
    row("remote_port", Variable::RemotePort, "The client's port."),
    row("scheme", Variable::Scheme, "http or https."),
    row("server_addr", Variable::ServerAddr, "The address that the client connected to."),
    row("server_name", Variable::ServerName, "The first name of the virtual host that took the request."),
    row("server_port", Variable::ServerPort, "The port that the client connected to."),
    row("body_bytes_sent", Variable::BodyBytesSent, "The bytes of the response's body that were sent."),
    row("bytes_sent", Variable::BytesSent, "The bytes sent to the client."),
    row("status", Variable::Status, "The status of the response."),
    row("hostname", Variable::Hostname, "This machine's name."),
    row("msec", Variable::Msec, "The time in seconds since 1970, to the millisecond."),
    row("nginx_version", Variable::NginxVersion, "The version of nginx that this program stands for."),
    row("pid", Variable::Pid, "The number of the process."),
    row("time_iso8601", Variable::TimeIso8601, "The local time in ISO 8601."),
    row("time_local", Variable::TimeLocal, "The local time in the format of the common log."),
    row(
        "proxy_add_x_forwarded_for",
        Variable::ProxyAddXForwardedFor,
        "The request's X-Forwarded-For with $remote_addr appended.",
    ),
    row("proxy_host", Variable::ProxyHost, "The name and port that proxy_pass names."),
    row("proxy_port", Variable::ProxyPort, "The port that proxy_pass names, or its protocol's."),
    row("upstream_addr", Variable::UpstreamAddr, "The address of each endpoint that was tried."),
    row("upstream_bytes_received", Variable::UpstreamBytesReceived, "The bytes received in each attempt."),
    row("upstream_bytes_sent", Variable::UpstreamBytesSent, "The bytes sent in each attempt."),
    row("upstream_connect_time", Variable::UpstreamConnectTime, "The seconds that each attempt took to connect."),
    row("upstream_header_time", Variable::UpstreamHeaderTime, "The seconds until each attempt's response head."),
    row("upstream_response_length", Variable::UpstreamResponseLength, "The bytes of each attempt's response body."),
    row("upstream_response_time", Variable::UpstreamResponseTime, "The seconds that each attempt took."),
    row("upstream_status", Variable::UpstreamStatus, "The status that each attempt ended with."),
    row("attempts", Variable::Attempts, "How often an endpoint was asked. Not of nginx."),
    row("failure", Variable::Failure, "The cause of the request's failure, such as connect_refused. Not of nginx."),
    row("failure_blame", Variable::FailureBlame, "Whose fault it was: client, endpoint or gateway. Not of nginx."),
    row("failure_code", Variable::FailureCode, "The cause's code, such as TG-2001. Not of nginx."),
    row("failure_phase", Variable::FailurePhase, "What was being done when it failed, such as connect. Not of nginx."),
    row("proxy_status", Variable::ProxyStatus, "The failure as RFC 9209 writes it, with all details. Not of nginx."),
    row("upstream_failure", Variable::UpstreamFailure, "The cause of each attempt's failure. Not of nginx."),
];
