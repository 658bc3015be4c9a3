//! Who speaks something else. Those that greet speak before they are asked, as their protocols have it.

use super::Mode;
use crate::misbehave::script::{Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "tls-alert",
        "answers a TLS alert: a TLS port that is asked in plain HTTP",
        "`proxy_pass http://` to a port that wants https://.",
        |_| asked(b"\x15\x03\x01\x00\x02\x02\x46"),
    ),
    Mode::new(
        "http2-settings",
        "answers HTTP/2 frames: a port that speaks HTTP/2 only",
        "A gRPC server, or one with HTTP/2 prior knowledge.",
        |_| asked(HTTP2),
    ),
    Mode::new("fastcgi", "answers a FastCGI record", "PHP-FPM: `fastcgi_pass` is the directive for it.", |_| {
        asked(b"\x01\x0b\x00\x00\x00\x08\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00")
    }),
    Mode::new("ssh", "greets as an SSH server", "A port that was mixed up.", |_| {
        greets(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", b"Invalid SSH identification string.\r\n")
    }),
    Mode::new("smtp", "greets as a mail server", "A port that was mixed up.", |_| {
        greets(b"220 mail.example ESMTP Postfix\r\n", b"500 5.5.2 Error: bad syntax\r\n")
    }),
    Mode::new("mysql", "greets as a MySQL server", "The database's port instead of the application's.", |_| {
        greets(MYSQL, b"")
    }),
    Mode::new("postgresql", "answers a PostgreSQL error", "The database's port instead of the application's.", |_| {
        asked(POSTGRESQL)
    }),
    Mode::new("redis", "answers a Redis error", "The cache's port instead of the application's.", |_| {
        asked(b"-ERR wrong number of arguments for 'get' command\r\n")
    }),
    Mode::new("amqp", "answers an AMQP header", "The message broker's port instead of its management's.", |_| {
        asked(b"AMQP\x00\x00\x09\x01")
    }),
    Mode::new(
        "gzip-only",
        "answers compressed bytes without any head",
        "A script that prints its compressed page and no header.",
        |_| asked(GZIP),
    ),
    Mode::new(
        "proxy-echo",
        "sends a PROXY protocol line in front of its answer",
        "A forwarder that adds the line in the wrong direction.",
        |_| asked(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwell\n"),
    ),
    Mode::new(
        "echo",
        "sends the request back",
        "A loop in the network, or an echo service: a request where an answer should be.",
        |_| Script::open(vec![Step::Head, Step::Echo]),
    ),
];

/// SETTINGS, then GOAWAY with PROTOCOL_ERROR (RFC 9113 §6.5, §6.8).
const HTTP2: &[u8] = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\
                       \x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";

/// A handshake packet of protocol 10: 8.0.36, thread 8, with its capabilities and salt.
const MYSQL: &[u8] = b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x00\
                       \xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
                       \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x00caching_sha2_password\x00";

/// `ErrorResponse` with severity, code and message.
const POSTGRESQL: &[u8] = b"E\x00\x00\x00\x5aSFATAL\x00VFATAL\x00C0A000\x00\
                            Munsupported frontend protocol 18245.21536: server supports 3.0\x00\x00";

/// `well` and a line end, by gzip.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\x4f\xcd\xc9\xe1\x02\x00\x02\x33\x78\xe9\x05\x00\x00\x00";

/// Answers what was asked with bytes of its own, and closes.
fn asked(bytes: &'static [u8]) -> Script {
    Script::open(vec![Step::Head, Step::Send(bytes.into())])
}

/// Speaks first, and complains about what it then reads.
fn greets(bytes: &'static [u8], complaint: &'static [u8]) -> Script {
    Script::open(vec![Step::Send(bytes.into()), Step::Head, Step::Send(complaint.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_as_long_as_they_say() {
        assert_eq!(usize::from(MYSQL[0]), MYSQL.len() - 4);
        let length = u32::from_be_bytes(POSTGRESQL[1..5].try_into().unwrap());
        assert_eq!(length as usize, POSTGRESQL.len() - 1);
        let (settings, goaway) = HTTP2.split_at(9 + 6);
        assert_eq!((settings[2], goaway[2]), (6, 8));
        assert_eq!(goaway.len(), 9 + 8);
    }
}
