//! The reply is not HTTP/1.x: which protocol the endpoint speaks, by its first bytes (`first_bytes`).

use super::head::HEAD;
use super::user;
use crate::failure::Cause;
use crate::failure::row::{Code, Row, Treatment, elsewhere};

/// As for any head that cannot be used, but somebody has set the wrong port or the wrong words.
const PROTOCOL: Treatment = Treatment { user: user::MISSET, ..HEAD };

const NOT_HTTP: &str = "upstream sent no valid HTTP/1.0 header";
const TYPE: &str = "http_protocol_error";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::NotHttp,
        code: Code(6001),
        name: "not_http",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint's answer is not HTTP.",
        advice: "Let `proxy_pass` name the port on which the application speaks HTTP; `curl -v ADDRESS` on this machine shows the \
                 same.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksTls,
        code: Code(6002),
        name: "speaks_tls",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint speaks TLS, and was asked in plain text.",
        advice: "Write `proxy_pass https://…` in place of `http://…`, or name the application's plain HTTP port.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksHttp2,
        code: Code(6003),
        name: "speaks_http2",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint speaks HTTP/2 only, and was asked in HTTP/1.1.",
        advice: "Write `proxy_http_version 2`; for a gRPC server `grpc_pass`; or name its HTTP/1.1 port.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksFastcgi,
        code: Code(6004),
        name: "speaks_fastcgi",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint speaks FastCGI.",
        advice: "Write `fastcgi_pass ADDRESS; include fastcgi_params;` in place of `proxy_pass`: it is php-fpm or the like.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksSsh,
        code: Code(6005),
        name: "speaks_ssh",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is an SSH server.",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 22) is SSH's.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksMail,
        code: Code(6006),
        name: "speaks_mail",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a mail server (SMTP, IMAP or POP3).",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 25, 587, 143 or 110) is for mail.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksFtp,
        code: Code(6007),
        name: "speaks_ftp",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is an FTP server.",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 21) is FTP's.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksMysql,
        code: Code(6008),
        name: "speaks_mysql",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a MySQL or MariaDB server.",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 3306) is the database's.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksPostgres,
        code: Code(6009),
        name: "speaks_postgres",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a PostgreSQL server.",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 5432) is the database's.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksRedis,
        code: Code(6010),
        name: "speaks_redis",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a Redis or Valkey server.",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 6379) is the database's.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksMemcached,
        code: Code(6011),
        name: "speaks_memcached",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a memcached server.",
        advice: "Write `memcached_pass ADDRESS` if its values are to be served; otherwise let `proxy_pass` name the application's \
                 port.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::EchoesProxyHeader,
        code: Code(6012),
        name: "echoes_proxy_header",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint's answer begins with a PROXY header.",
        advice: "Turn the PROXY protocol off where it is sent back to us: `proxy_protocol` or `send-proxy` is set on the wrong side \
                 of a proxy between here and the application.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::BodyWithoutHead,
        code: Code(6013),
        name: "body_without_head",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint sent content without a status line and fields before it.",
        advice: "Let the application write a whole HTTP answer, `HTTP/1.1 200 OK` first: it mostly writes to the socket by itself, or \
                 is a CGI script without its server. If bytes of the answer before are left over, its `Content-Length` is too small.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::SpeaksAmqp,
        code: Code(6014),
        name: "speaks_amqp",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint is a message broker (AMQP).",
        advice: "Let `proxy_pass` name the application's port; this one (mostly 5672) is the broker's. RabbitMQ's management \
                 pages are on 15672.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
    Row {
        cause: Cause::EchoesRequest,
        code: Code(6015),
        name: "echoes_request",
        error_type: TYPE,
        treatment: PROTOCOL,
        happened: "The endpoint sent the request itself back, where an answer should be.",
        advice: "Let `proxy_pass` name the application's port; behind this one is an echo service, or a forwarder that leads back \
                 to its own start.",
        elsewhere: elsewhere(NOT_HTTP, "PH", "UPE"),
    },
];
