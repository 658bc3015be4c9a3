//! The table of nginx's phrases, the more special before the more general. Not here: how it is searched.

use policy::Cause;

use super::{Meant, Phrase};
use crate::explain::reading::{Candidate, likely, possible, said};

const HEADER: &str = "reading response header from upstream";
const SENDING: &str = "sending request to upstream";
const BODY: &str = "reading upstream";
const UPGRADED: &str = "proxying upgraded connection";
const HANDSHAKE: &str = "SSL handshaking to upstream";
const CONNECTING: &str = "connecting to upstream";
const CLIENT: &str = "client";

const CLOSED_PHRASE: &str = "upstream prematurely closed connection";
const TIMED_OUT: &str = "upstream timed out";

/// A phrase that starts so, whatever is going on.
const fn says(starts: &'static str, candidates: &'static [Candidate]) -> Phrase {
    when(starts, "", candidates)
}

/// A phrase that starts so while this is going on.
const fn when(starts: &'static str, action: &'static str, candidates: &'static [Candidate]) -> Phrase {
    Phrase { starts, holds: "", action, meant: Meant { candidates, note: "" } }
}

/// A phrase that starts so and holds this.
const fn holds(starts: &'static str, holds: &'static str, candidates: &'static [Candidate]) -> Phrase {
    Phrase { starts, holds, action: "", meant: Meant { candidates, note: "" } }
}

/// What is no failure of an upstream, or one that no cause fits.
const fn note(starts: &'static str, holds: &'static str, note: &'static str) -> Phrase {
    Phrase { starts, holds, action: "", meant: Meant { candidates: &[], note } }
}

const STALE: Candidate = possible(
    Cause::StaleConnection,
    "if `keepalive` is on in the upstream block (from nginx 1.29.7 on it always is) and such lines come after pauses",
);

/// nginx repeats what may be repeated when a kept connection turns out closed, so that a fresh one is the likelier.
const CLOSED: &[Candidate] = &[
    likely(
        Cause::ClosedBeforeReply,
        "nginx asks again by itself when a kept connection turns out closed, unless the request may not be repeated (POST)",
    ),
    STALE,
];

const RESET: &[Candidate] = &[
    likely(
        Cause::ResetBeforeReply,
        "nginx asks again by itself when a kept connection turns out reset, unless the request may not be repeated (POST)",
    ),
    STALE,
];

const WRITE: &[Candidate] = &[
    likely(
        Cause::WriteFailed,
        "the endpoint closed while the request was being sent to it: mostly a body that it does not want",
    ),
    STALE,
];

const NOT_HTTP: &[Candidate] = &[
    likely(
        Cause::NotHttp,
        "what came first is no status line: mostly a port of another protocol (TLS, HTTP/2, FastCGI)",
    ),
    possible(Cause::MalformedStatusLine, "if the application writes its heads by hand"),
];

const NOT_FASTCGI: &[Candidate] =
    &[likely(Cause::NotHttp, "`fastcgi_pass` was told a port that does not speak FastCGI: use `proxy_pass` for HTTP")];

/// What a `(110: Connection timed out)` means if the rest of the line is lost.
const TIMED_OUT_SOMEWHERE: &[Candidate] = &[
    possible(Cause::ConnectTimeout, "if the line goes on with `while connecting to upstream`"),
    possible(Cause::ReplyTimeout, "if it goes on with `while reading response header from upstream`"),
    possible(Cause::BodyTimeout, "if it goes on with `while reading upstream`"),
];

pub(super) static TABLE: &[Phrase] = &[
    // Choosing and looking up.
    says("no live upstreams", &[said(Cause::NoLiveEndpoints)]),
    says("no resolver defined to resolve", &[said(Cause::NoResolver)]),
    says("host not found in", &[said(Cause::NameNotFound)]),
    says(
        "upstream server temporarily disabled",
        &[possible(
            Cause::NoLiveEndpoints,
            "once all servers are: this one is left out for `fail_timeout` after the failure before this line",
        )],
    ),
    holds("", "could not be resolved (3: Host not found)", &[said(Cause::NameNotFound)]),
    holds("", "could not be resolved (110: Operation timed out)", &[said(Cause::DnsTimeout)]),
    holds("", "could not be resolved (2: Server failure)", &[said(Cause::DnsServerFailed)]),
    holds("", "could not be resolved (5: Operation refused)", &[said(Cause::DnsServerFailed)]),
    holds(
        "",
        "could not be resolved",
        &[likely(Cause::DnsServerFailed, "what is in brackets is the DNS server's answer")],
    ),
    // This machine.
    says("socket() failed (24", &[said(Cause::DescriptorsExhausted)]),
    says("socket() failed (23", &[said(Cause::DescriptorsExhausted)]),
    says("accept4() failed (24", &[said(Cause::DescriptorsExhausted)]),
    holds("bind(", "failed (99", &[said(Cause::LocalAddressMissing)]),
    Phrase {
        starts: "bind(",
        holds: "failed (98",
        action: CONNECTING,
        meant: Meant { candidates: &[said(Cause::LocalPortsExhausted)], note: "" },
    },
    holds(
        "",
        "worker_connections are not enough",
        &[likely(
            Cause::DescriptorsExhausted,
            "nginx's own bound is met first: raise `worker_connections` in the events block, then that of the system",
        )],
    ),
    // TLS to the upstream.
    when("peer closed connection in SSL handshake", HANDSHAKE, &[said(Cause::TlsClosed)]),
    says("upstream SSL certificate verify error: (10:", &[said(Cause::CertificateExpired)]),
    says("upstream SSL certificate verify error: (9:", &[said(Cause::CertificateNotYetValid)]),
    says("upstream SSL certificate verify error: (62:", &[said(Cause::CertificateWrongName)]),
    says("upstream SSL certificate verify error", &[said(Cause::CertificateUntrusted)]),
    says("upstream SSL certificate does not match", &[said(Cause::CertificateWrongName)]),
    // Timers.
    when(TIMED_OUT, CONNECTING, &[said(Cause::ConnectTimeout)]),
    when(TIMED_OUT, HANDSHAKE, &[said(Cause::TlsTimeout)]),
    when(TIMED_OUT, SENDING, &[said(Cause::WriteTimeout)]),
    when(
        TIMED_OUT,
        HEADER,
        &[
            likely(Cause::ReplyTimeout, "the request was sent, and nothing came back within `proxy_read_timeout`"),
            possible(
                Cause::SilentPath,
                "if it happens to the first request after minutes of quiet, whatever it asks for",
            ),
        ],
    ),
    when(TIMED_OUT, BODY, &[said(Cause::BodyTimeout)]),
    when(TIMED_OUT, UPGRADED, &[said(Cause::TunnelTimeout)]),
    says(TIMED_OUT, TIMED_OUT_SOMEWHERE),
    // The connection ends.
    when(CLOSED_PHRASE, SENDING, WRITE),
    when(
        CLOSED_PHRASE,
        BODY,
        &[
            likely(Cause::BodyTruncated, "fewer bytes came than `Content-Length` said"),
            possible(Cause::ChunksTruncated, "if the answer came in chunks"),
        ],
    ),
    when(CLOSED_PHRASE, UPGRADED, &[said(Cause::TunnelReset)]),
    says(CLOSED_PHRASE, CLOSED),
    says("upstream prematurely closed FastCGI stdout", &[said(Cause::ClosedBeforeReply)]),
    says(
        "upstream prematurely sent response",
        &[likely(
            Cause::StaleConnection,
            "bytes came on an idle connection: an answer to nothing (408), or one too many",
        )],
    ),
    says("recv() failed (110", &[said(Cause::SilentPath)]),
    when("recv() failed", SENDING, WRITE),
    when("recv() failed", BODY, &[said(Cause::BodyReset)]),
    when("recv() failed", UPGRADED, &[likely(Cause::TunnelReset, "one of both sides reset a WebSocket or the like")]),
    when("recv() failed", CLIENT, &[said(Cause::ClientGone)]),
    says("recv() failed", RESET),
    says("readv() failed (110", &[said(Cause::BodyTimeout)]),
    says("readv() failed", &[said(Cause::BodyReset)]),
    when("SSL_read() failed", BODY, &[said(Cause::BodyReset)]),
    when("SSL_read() failed", HEADER, RESET),
    when("writev() failed", CLIENT, &[said(Cause::ClientGone)]),
    when("send() failed", CLIENT, &[said(Cause::ClientGone)]),
    when("sendfile() failed", CLIENT, &[said(Cause::ClientGone)]),
    when("SSL_write() failed", CLIENT, &[said(Cause::ClientGone)]),
    says("writev() failed", WRITE),
    says("send() failed", WRITE),
    says("sendfile() failed", WRITE),
    says("SSL_write() failed", WRITE),
    // The head of the answer.
    says("upstream sent no valid HTTP", NOT_HTTP),
    says("upstream sent invalid header", &[said(Cause::MalformedField)]),
    says(
        "upstream sent too big header",
        &[
            likely(Cause::HeadTooLarge, "the head is larger than `proxy_buffer_size`, 4k or 8k unless it is set"),
            possible(Cause::FieldTooLarge, "if one field alone is that large: a cookie, a token"),
        ],
    ),
    says("upstream sent too big early hints", &[said(Cause::HeadTooLarge)]),
    says("upstream sent HTTP/1.0 response with early hints", &[said(Cause::MalformedStatusLine)]),
    says("upstream sent duplicate header line: \"Transfer-Encoding", &[said(Cause::DuplicateCoding)]),
    says("upstream sent duplicate header line: \"Content-Length", &[said(Cause::DuplicateLength)]),
    says("upstream sent duplicate header line", &[said(Cause::MalformedField)]),
    says("upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers", &[said(Cause::LengthAndCoding)]),
    says("upstream sent \"Transfer-Encoding\" and \"Content-Length\" headers", &[said(Cause::LengthAndCoding)]),
    says("upstream sent unknown \"Transfer-Encoding\"", &[said(Cause::UnknownCoding)]),
    says("upstream sent invalid \"Content-Length\"", &[said(Cause::BadLength)]),
    // Its body.
    says("upstream sent invalid chunked response", &[said(Cause::BadChunk)]),
    says("upstream sent data after", &[said(Cause::BadChunk)]),
    note(
        "upstream sent more data than specified in \"Content-Length\"",
        "",
        "The answer is longer than it said; what is too much is cut off, and the connection is not used again. The application \
         counts wrongly, mostly characters in place of bytes.",
    ),
    says("upstream sent invalid trailer", &[said(Cause::BadTrailer)]),
    says("upstream sent too big trailers", &[said(Cause::TrailersTooLarge)]),
    says("inflate() failed", &[said(Cause::BadContentCoding)]),
    // HTTP/2.
    says("upstream sent goaway", &[said(Cause::H2Goaway)]),
    says("upstream rejected request with error 7", &[said(Cause::H2StreamRefused)]),
    says("upstream rejected request with error", &[said(Cause::H2StreamReset)]),
    says("upstream prematurely closed stream", &[said(Cause::H2StreamReset)]),
    says("upstream sent frame for", &[said(Cause::H2ProtocolError)]),
    holds("upstream violated", "flow control", &[said(Cause::H2ProtocolError)]),
    holds("upstream sent", ":status", &[said(Cause::H2ProtocolError)]),
    holds("upstream sent", "http2", &[said(Cause::H2ProtocolError)]),
    says("upstream sent response body larger than indicated", &[said(Cause::H2ProtocolError)]),
    says("upstream sent invalid status", &[said(Cause::MalformedStatusLine)]),
    says(
        "no connection data found for keepalive http2 connection",
        &[likely(
            Cause::ConfigurationError,
            "one upstream block serves both `grpc_pass` and `proxy_pass`: give each a block of its own",
        )],
    ),
    // FastCGI.
    holds(
        "FastCGI sent in stderr",
        "Primary script unknown",
        &[likely(
            Cause::ConfigurationError,
            "the script of `fastcgi_param SCRIPT_FILENAME` is not there, as PHP sees the file system: check `root`",
        )],
    ),
    note("FastCGI sent in stderr", "", "A message of the application (PHP) itself, not of the way to it."),
    says("upstream sent unsupported FastCGI protocol version", NOT_FASTCGI),
    says("upstream sent unexpected FastCGI record", NOT_FASTCGI),
    // The client.
    when("client prematurely closed connection", "reading client request", &[said(Cause::ClientCutOff)]),
    when("client prematurely closed connection", SENDING, &[said(Cause::ClientCutOff)]),
    says("client prematurely closed connection", &[said(Cause::ClientGone)]),
    holds("", "reported that client prematurely closed connection", &[said(Cause::ClientGone)]),
    when("client timed out", "sending to client", &[said(Cause::ClientStalled)]),
    when("client timed out", BODY, &[said(Cause::ClientStalled)]),
    says("client timed out", &[said(Cause::ClientTimeout)]),
    says("client intended to send too large", &[said(Cause::ClientBodyTooLarge)]),
    says("client sent too long", &[said(Cause::ClientHeadTooLarge)]),
    says("client sent", &[said(Cause::ClientMalformed)]),
    says("access forbidden by rule", &[said(Cause::ClientDenied)]),
    says("no user/password was provided", &[said(Cause::ClientDenied)]),
    holds("user \"", "was not found in", &[said(Cause::ClientDenied)]),
    holds("user \"", "password mismatch", &[said(Cause::ClientDenied)]),
    holds("directory index of", "is forbidden", &[said(Cause::ClientDenied)]),
    says("limiting requests", &[said(Cause::ClientLimited)]),
    says("limiting connections", &[said(Cause::ClientLimited)]),
    note("delaying request", "", "`limit_req` lets this client wait; nothing failed."),
    // nginx itself.
    says("rewrite or internal redirection cycle", &[said(Cause::RedirectCycle)]),
    holds("open() \"", "client_body", &[said(Cause::TempFileFailed)]),
    holds("mkdir() \"", "client_body", &[said(Cause::TempFileFailed)]),
    holds("pwrite() \"", "failed (28", &[said(Cause::TempFileFailed)]),
    note("open() \"", "(2: No such file", "A file that was asked for is not there: 404, no failure of an upstream."),
    note(
        "open() \"",
        "(13: Permission denied)",
        "nginx's user may not read the file, or enter a folder above it: `namei -l PATH` shows which.",
    ),
    note("an upstream response is buffered", "", "The answer is larger than `proxy_buffers`; nothing failed."),
    note("a client request body is buffered", "", "The body is larger than `client_body_buffer_size`; nothing failed."),
    note(
        "worker process",
        "exited on signal",
        "A worker of nginx crashed or was killed (9 is often the kernel, out of memory): its requests were cut.",
    ),
    note(
        "SSL_do_handshake() failed",
        "",
        "A client's TLS handshake with nginx failed: mostly a scanner, or a client that is too old.",
    ),
    note(
        "peer closed connection in SSL handshake",
        "",
        "A client ended its TLS handshake with nginx: mostly a scanner.",
    ),
];
