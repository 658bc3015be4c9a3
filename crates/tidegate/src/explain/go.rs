//! What Go's standard library says when a request to an endpoint fails: Traefik, Caddy and many gateways pass it on word for
//! word. Not here: the lines around the message.

use policy::Cause;

use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// Go repeats what may be repeated on a fresh connection, so that these are mostly met by a fresh one, or by a POST.
const EOF: &[Candidate] = &[
    possible(
        Cause::StaleConnection,
        "if it comes to requests that may not be repeated (POST) after pauses: Go repeats others itself on a new connection",
    ),
    possible(Cause::ClosedBeforeReply, "if it comes to requests of any kind, or with a line in the application's log"),
];

const RESET: &[Candidate] = &[
    possible(
        Cause::StaleConnection,
        "if it comes to requests that may not be repeated (POST) after pauses: Go repeats others itself on a new connection",
    ),
    possible(Cause::ResetBeforeReply, "if it comes to requests of any kind, or with a line in the application's log"),
];

const BROKEN_PIPE: &[Candidate] = &[
    likely(
        Cause::WriteFailed,
        "the endpoint closed while the request was being sent: mostly a body that it does not want",
    ),
    possible(Cause::StaleConnection, "if the requests are small"),
];

const DEADLINE: &[Candidate] = &[
    likely(Cause::ReplyTimeout, "a timer of the gateway ended the request while it waited"),
    possible(Cause::DeadlineExceeded, "if the timer counts for the whole request"),
];

const PLAIN: &[Candidate] = &[said(Cause::TlsNotSpoken)];
const TLS: &[Candidate] = &[said(Cause::SpeaksTls)];
const HTTP2: &[Candidate] = &[said(Cause::SpeaksHttp2)];
const NOT_FOUND: &[Candidate] = &[said(Cause::NameNotFound)];
const UNTRUSTED: &[Candidate] = &[said(Cause::CertificateUntrusted)];
const WRONG_NAME: &[Candidate] = &[said(Cause::CertificateWrongName)];
const REFUSED: &[Candidate] = &[said(Cause::ConnectRefused)];
const CONNECT_TIMEOUT: &[Candidate] = &[said(Cause::ConnectTimeout)];
const H2_BROKEN: &[Candidate] = &[said(Cause::H2ProtocolError)];

/// A part of the message, another that it must hold too, and what they mean; the first that fits counts.
const WORDS: &[(&str, &str, &[Candidate])] = &[
    // Looking up.
    ("lookup ", "no such host", NOT_FOUND),
    ("lookup ", "server misbehaving", &[said(Cause::DnsServerFailed)]),
    ("lookup ", "i/o timeout", &[said(Cause::DnsTimeout)]),
    // Connecting.
    ("dial unix", "no such file or directory", &[said(Cause::UnixSocketMissing)]),
    ("dial unix", "permission denied", &[said(Cause::UnixSocketForbidden)]),
    ("dial unix", "connection refused", &[said(Cause::UnixSocketRefused)]),
    ("dial unix", "resource temporarily unavailable", &[said(Cause::BacklogFull)]),
    ("connect: connection refused", "", REFUSED),
    ("dial tcp", "connection refused", REFUSED),
    ("connect: no route to host", "", &[said(Cause::HostUnreachable)]),
    ("connect: network is unreachable", "", &[said(Cause::NetworkUnreachable)]),
    ("connect: permission denied", "", &[said(Cause::ConnectForbidden)]),
    ("cannot assign requested address", "", &[said(Cause::LocalPortsExhausted)]),
    ("too many open files", "", &[said(Cause::DescriptorsExhausted)]),
    ("connect: connection timed out", "", CONNECT_TIMEOUT),
    ("connect: connection reset by peer", "", &[said(Cause::ConnectReset)]),
    ("dial tcp", "i/o timeout", CONNECT_TIMEOUT),
    ("dial tcp", "operation was canceled", &[said(Cause::ClientGone)]),
    // TLS.
    ("server gave HTTP response to HTTPS client", "", PLAIN),
    ("first record does not look like a TLS handshake", "", PLAIN),
    ("TLS handshake timeout", "", &[said(Cause::TlsTimeout)]),
    ("x509: certificate has expired", "is before", &[said(Cause::CertificateNotYetValid)]),
    ("x509: certificate has expired", "", &[said(Cause::CertificateExpired)]),
    ("x509: certificate is valid for", "", WRONG_NAME),
    ("x509: certificate is not valid for", "", WRONG_NAME),
    ("doesn't contain any IP SANs", "", WRONG_NAME),
    ("x509: cannot validate certificate", "", WRONG_NAME),
    ("x509: ", "", UNTRUSTED),
    ("tls: unrecognized name", "", &[said(Cause::TlsNameUnknown)]),
    ("tls: certificate required", "", &[said(Cause::TlsClientCertificateWanted)]),
    ("remote error: tls: bad certificate", "", &[said(Cause::TlsClientCertificateWanted)]),
    (
        "remote error: tls: handshake failure",
        "",
        &[
            possible(Cause::TlsNoCommonParameters, "if the endpoint is old, or knows only old versions"),
            possible(Cause::TlsNameUnknown, "if the gateway was told another server name, or asks for an address"),
            possible(Cause::TlsClientCertificateWanted, "if the endpoint asks for client certificates"),
        ],
    ),
    ("tls: protocol version not supported", "", &[said(Cause::TlsNoCommonParameters)]),
    ("remote error: tls:", "", &[said(Cause::TlsAlert)]),
    // The answer.
    ("malformed HTTP response \"\\x15\\x03", "", TLS),
    ("malformed HTTP response \"\\\\x15\\\\x03", "", TLS),
    ("malformed HTTP response \"\\x00\\x00", "", HTTP2),
    ("malformed HTTP response \"\\\\x00\\\\x00", "", HTTP2),
    ("malformed HTTP response \"SSH-", "", &[said(Cause::SpeaksSsh)]),
    ("malformed HTTP response \"-ERR", "", &[said(Cause::SpeaksRedis)]),
    ("malformed HTTP response", "", &[likely(Cause::NotHttp, "the message quotes what came: no status line")]),
    ("malformed HTTP status code", "", &[said(Cause::MalformedStatusLine)]),
    ("malformed HTTP version", "", &[said(Cause::MalformedStatusLine)]),
    ("malformed MIME header", "", &[said(Cause::MalformedField)]),
    ("too many transfer encodings", "", &[said(Cause::DuplicateCoding)]),
    ("unsupported transfer encoding", "", &[said(Cause::UnknownCoding)]),
    ("bad Content-Length", "", &[said(Cause::BadLength)]),
    ("server response headers exceeded", "", &[said(Cause::HeadTooLarge)]),
    ("invalid byte in chunk length", "", &[said(Cause::BadChunk)]),
    ("malformed chunked encoding", "", &[said(Cause::BadChunk)]),
    ("timeout awaiting response headers", "", &[said(Cause::ReplyTimeout)]),
    ("server closed idle connection", "", &[said(Cause::StaleConnection)]),
    ("transport connection broken: unexpected EOF", "", &[said(Cause::ClosedWithinHead)]),
    // HTTP/2.
    ("GOAWAY", "", &[said(Cause::H2Goaway)]),
    ("REFUSED_STREAM", "", &[said(Cause::H2StreamRefused)]),
    ("stream error:", "", &[said(Cause::H2StreamReset)]),
    ("http2: client connection lost", "", &[said(Cause::SilentPath)]),
    ("http2: ", "PROTOCOL_ERROR", H2_BROKEN),
    ("connection error: PROTOCOL_ERROR", "", H2_BROKEN),
    // How connections end.
    ("context canceled", "", &[said(Cause::ClientGone)]),
    ("context deadline exceeded", "", DEADLINE),
    ("write: broken pipe", "", BROKEN_PIPE),
    ("write: connection reset by peer", "", BROKEN_PIPE),
    ("read: connection reset by peer", "", RESET),
    ("connection reset by peer", "", RESET),
    ("i/o timeout", "", &[likely(Cause::ReplyTimeout, "the connection stood, and nothing was read from it in time")]),
    (
        "unexpected EOF",
        "",
        &[
            likely(Cause::BodyTruncated, "Go says `unexpected` where it knows that more had to come"),
            possible(Cause::ClosedWithinHead, "if no part of the answer was delivered"),
        ],
    ),
    ("EOF", "", EOF),
];

/// What a message means; none if it is none of Go's.
pub(super) fn candidates(message: &str) -> Option<&'static [Candidate]> {
    find(WORDS, message)
}

/// What a message about a body means: the same words mean something else after the head.
const BODY_WORDS: &[(&str, &str, &[Candidate])] = &[
    ("chunked line", "", &[said(Cause::BadChunk)]),
    ("chunked encoding", "", &[said(Cause::BadChunk)]),
    ("invalid byte in chunk length", "", &[said(Cause::BadChunk)]),
    ("chunk length too large", "", &[said(Cause::BadChunk)]),
    ("connection reset by peer", "", &[said(Cause::BodyReset)]),
    ("i/o timeout", "", &[said(Cause::BodyTimeout)]),
    ("context deadline exceeded", "", &[said(Cause::BodyTimeout)]),
    ("context canceled", "", &[said(Cause::ClientGone)]),
    ("broken pipe", "", &[said(Cause::ClientGone)]),
    (
        "EOF",
        "",
        &[
            likely(Cause::BodyTruncated, "the connection ended before the length that was announced"),
            possible(Cause::ChunksTruncated, "if the answer came in chunks"),
        ],
    ),
];

/// What a message means that is about the body of an answer.
pub(super) fn body_candidates(message: &str) -> Option<&'static [Candidate]> {
    find(BODY_WORDS, message)
}

/// Go's reverse proxy, which Traefik and others are built on, says so of a body.
pub(super) const BODY_COPY: &str = "ReverseProxy read error during body copy: ";

fn find(words: &[(&str, &str, &'static [Candidate])], message: &str) -> Option<&'static [Candidate]> {
    let fits = |(part, other, _): &&(&str, &str, &[Candidate])| message.contains(part) && message.contains(other);
    words.iter().find(fits).map(|(_, _, candidates)| *candidates)
}

/// Whether the message is surely Go's: `EOF` alone, and short words, others write too.
pub(super) fn wrote(line: &str) -> bool {
    const MARKS: [&str; 12] = [
        "dial tcp",
        "dial unix",
        "read tcp",
        "write tcp",
        "net/http:",
        "x509: ",
        "tls: ",
        "http2: ",
        "malformed HTTP",
        "server gave HTTP response",
        "context deadline exceeded",
        "context canceled",
    ];
    line == "EOF" || line.ends_with(": EOF") || line.contains(BODY_COPY) || MARKS.iter().any(|mark| line.contains(mark))
}

/// What such a message alone says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let candidates = match line.split_once(BODY_COPY) {
        Some((_, message)) => body_candidates(message)?,
        None => candidates(line)?,
    };
    Some(Reading::new(Vendor::Go, line, candidates).fact("upstream", address(line)))
}

/// The address in `dial tcp 172.24.0.2:80: i/o timeout`.
pub(super) fn address(message: &str) -> &str {
    let starts = ["dial tcp ", "dial unix ", "dial tcp4 ", "dial tcp6 "];
    let after = starts.iter().find_map(|start| message.split_once(start)).map(|(_, after)| after);
    let arrow = || message.split_once("->").map(|(_, after)| after);
    let address = after.or_else(arrow).and_then(|after| after.split(": ").next()).unwrap_or_default();
    if address.starts_with("lookup") { "" } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let cases = [
            ("dial tcp 172.24.0.2:80: i/o timeout", Cause::ConnectTimeout),
            ("dial tcp: lookup app on 127.0.0.11:53: no such host", Cause::NameNotFound),
            (
                "dial tcp: lookup app on 127.0.0.11:53: read udp 127.0.0.1:1->127.0.0.11:53: i/o timeout",
                Cause::DnsTimeout,
            ),
            ("dial tcp 10.0.0.1:80: connect: connection refused", Cause::ConnectRefused),
            ("dial unix /run/a.sock: connect: no such file or directory", Cause::UnixSocketMissing),
            ("read tcp 10.0.0.1:2->10.0.0.2:80: read: connection reset by peer", Cause::StaleConnection),
            (
                "net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\\x03\\x01\\x00\\x02\\x02\"",
                Cause::SpeaksTls,
            ),
            (
                "net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x00\\x00\\x12\\x04\"",
                Cause::SpeaksHttp2,
            ),
            ("http: server gave HTTP response to HTTPS client", Cause::TlsNotSpoken),
            (
                "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
                Cause::CertificateWrongName,
            ),
            ("x509: certificate signed by unknown authority", Cause::CertificateUntrusted),
            (
                "http2: Transport: cannot retry err [http2: Transport received Server's graceful shutdown GOAWAY] after Request.Body was written; define Request.GetBody to avoid this error",
                Cause::H2Goaway,
            ),
            ("net/http: timeout awaiting response headers", Cause::ReplyTimeout),
            ("EOF", Cause::StaleConnection),
            ("unexpected EOF", Cause::BodyTruncated),
            ("context canceled", Cause::ClientGone),
        ];
        for (message, cause) in cases {
            let found = candidates(message).unwrap_or_else(|| panic!("{message}"));
            assert_eq!(found[0].cause, cause, "{message}");
        }
        assert_eq!(candidates("all is well"), None);
    }

    #[test]
    fn the_address_is_the_endpoints() {
        assert_eq!(address("dial tcp 172.24.0.2:80: i/o timeout"), "172.24.0.2:80");
        assert_eq!(address("dial tcp [::1]:80: connect: connection refused"), "[::1]:80");
        assert_eq!(address("read tcp 10.0.0.1:2->10.0.0.2:80: read: connection reset by peer"), "10.0.0.2:80");
        assert_eq!(address("dial tcp: lookup app on 127.0.0.11:53: no such host"), "");
        assert_eq!(address("EOF"), "");
    }
}
