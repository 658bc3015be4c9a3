//! Which protocol a peer speaks, by the first bytes that it sent where others were awaited.
//!
//! A guess that is made only after the bytes turned out to be of no use: it names the cause, and decides nothing else.
//! Not here: reading them.

use super::Cause;

/// What a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaks {
    /// TLS: a ServerHello or an alert.
    Tls,
    /// HTTP/1, well formed or not.
    Http1,
    /// HTTP/2 frames, or its preface.
    Http2,
    /// FastCGI records.
    Fastcgi,
    /// SSH's greeting.
    Ssh,
    /// A greeting or an error of SMTP, IMAP or POP3.
    Mail,
    /// FTP's greeting.
    Ftp,
    /// MySQL's handshake or error packet.
    Mysql,
    /// PostgreSQL's error or authentication request.
    Postgres,
    /// Redis's protocol.
    Redis,
    /// memcached's text protocol.
    Memcached,
    /// AMQP's header.
    Amqp,
    /// A PROXY header, version 1 or 2.
    ProxyHeader,
    /// A request in place of an answer.
    Request,
    /// Content, or fields, without a status line.
    Content,
    /// Nothing that is known here.
    Unknown,
}

/// So many bytes tell.
const LOOKED_AT: usize = 256;

/// What the bytes are of. The first test that holds wins: those by magic numbers come before those by words.
pub fn speaks(bytes: &[u8]) -> Speaks {
    type Test = fn(&[u8]) -> bool;
    const TESTS: [(Test, Speaks); 15] = [
        (is_tls, Speaks::Tls),
        (|bytes| bytes.starts_with(b"HTTP/"), Speaks::Http1),
        (is_proxy_header, Speaks::ProxyHeader),
        (is_http2, Speaks::Http2),
        (is_fastcgi, Speaks::Fastcgi),
        (|bytes| bytes.starts_with(b"SSH-"), Speaks::Ssh),
        (|bytes| bytes.starts_with(b"AMQP"), Speaks::Amqp),
        (is_mysql, Speaks::Mysql),
        (is_postgres, Speaks::Postgres),
        (is_memcached, Speaks::Memcached),
        (is_redis, Speaks::Redis),
        (is_ftp, Speaks::Ftp),
        (is_mail, Speaks::Mail),
        (is_request, Speaks::Request),
        (is_content, Speaks::Content),
    ];
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    TESTS.iter().find(|(test, _)| test(start)).map_or(Speaks::Unknown, |(_, speaks)| *speaks)
}

impl Speaks {
    /// The cause, where the head of an HTTP/1 answer was awaited.
    pub fn instead_of_http(self) -> Cause {
        match self {
            Speaks::Tls => Cause::SpeaksTls,
            Speaks::Http1 => Cause::MalformedStatusLine,
            Speaks::Http2 => Cause::SpeaksHttp2,
            Speaks::Fastcgi => Cause::SpeaksFastcgi,
            Speaks::Ssh => Cause::SpeaksSsh,
            Speaks::Mail => Cause::SpeaksMail,
            Speaks::Ftp => Cause::SpeaksFtp,
            Speaks::Mysql => Cause::SpeaksMysql,
            Speaks::Postgres => Cause::SpeaksPostgres,
            Speaks::Redis => Cause::SpeaksRedis,
            Speaks::Memcached => Cause::SpeaksMemcached,
            Speaks::Amqp => Cause::SpeaksAmqp,
            Speaks::ProxyHeader => Cause::EchoesProxyHeader,
            Speaks::Request => Cause::EchoesRequest,
            Speaks::Content => Cause::BodyWithoutHead,
            Speaks::Unknown => Cause::NotHttp,
        }
    }

    /// The cause, where a ServerHello was awaited. Who speaks HTTP may well have been meant, but without TLS.
    pub fn instead_of_tls(self) -> Cause {
        match self {
            Speaks::Tls => Cause::TlsProtocolError,
            Speaks::Http1 | Speaks::Http2 | Speaks::Request | Speaks::Content | Speaks::Unknown => Cause::TlsNotSpoken,
            other => other.instead_of_http(),
        }
    }

    /// The cause, where HTTP/2 frames were awaited.
    pub fn instead_of_http2(self) -> Cause {
        match self {
            Speaks::Http2 => Cause::H2ProtocolError,
            Speaks::Http1 | Speaks::Request | Speaks::Content | Speaks::Unknown => Cause::H2NotSpoken,
            other => other.instead_of_http(),
        }
    }
}

/// The number of a TLS alert, if the bytes are one that is not encrypted (RFC 8446 §6).
pub fn tls_alert(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [21, 3, _, 0, 2, 1 | 2, number, ..] => Some(*number),
        _ => None,
    }
}

/// A record: change_cipher_spec, alert, handshake or data, of SSL 3.0 to TLS 1.3 (RFC 8446 §5.1).
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [20..=23, 3, 0..=4, ..])
}

/// The preface, or a SETTINGS or GOAWAY frame of stream 0 (RFC 9113 §3.4, §4.1).
fn is_http2(bytes: &[u8]) -> bool {
    match bytes {
        [0, _, length, 4, 0 | 1, 0, 0, 0, 0, ..] => length % 6 == 0,
        [0, _, 8..=255, 7, 0, 0, 0, 0, 0, ..] => true,
        _ => bytes.starts_with(b"PRI * HTTP/2.0"),
    }
}

/// A record of version 1 and a type that there is; its last header byte is reserved (FastCGI specification §3.3).
fn is_fastcgi(bytes: &[u8]) -> bool {
    matches!(bytes, [1, 1..=11, _, _, _, _, _, 0, ..])
}

/// A packet with sequence number 0: the handshake of protocol 10 with a version's digit, or an error.
fn is_mysql(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, 0, 0, 10, b'0'..=b'9', ..] | [_, _, 0, 0, 0xff, _, _, ..])
}

/// An error of the startup with its severity, or a request for authentication.
fn is_postgres(bytes: &[u8]) -> bool {
    match bytes {
        [b'E', 0, 0, _, _, b'S', severity @ ..] => {
            [b"FATAL".as_slice(), b"ERROR", b"PANIC"].iter().any(|word| severity.starts_with(word))
        }
        [b'E', text @ ..] => text.starts_with(b"FATAL: "),
        [b'R', 0, 0, 0, 8..=255, 0, 0, 0, ..] => true,
        _ => false,
    }
}

/// An error's word in capitals, or a reply of one word.
fn is_redis(bytes: &[u8]) -> bool {
    match bytes {
        [b'-', error @ ..] => {
            let word = error.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            word >= 3 && error.get(word) == Some(&b' ')
        }
        _ => [b"+OK\r\n".as_slice(), b"+PONG\r\n", b"$-1\r\n"].iter().any(|reply| bytes.starts_with(reply)),
    }
}

fn is_memcached(bytes: &[u8]) -> bool {
    [b"ERROR\r\n".as_slice(), b"CLIENT_ERROR ", b"SERVER_ERROR "].iter().any(|reply| bytes.starts_with(reply))
}

/// FTP and SMTP both greet with 220: their names tell them apart, and their programs'.
fn is_ftp(bytes: &[u8]) -> bool {
    is_greeting(bytes) && contains(bytes, b"ftp") && !contains(bytes, b"smtp") && !contains(bytes, b"mail")
}

fn is_mail(bytes: &[u8]) -> bool {
    const GREETINGS: [&[u8]; 4] = [b"+OK ", b"* OK ", b"* BYE ", b"* PREAUTH "];
    is_greeting(bytes) || GREETINGS.iter().any(|greeting| bytes.starts_with(greeting))
}

/// The codes that mail and FTP servers greet with: welcome, busy, refused. They speak first, so it is always one of these.
fn is_greeting(bytes: &[u8]) -> bool {
    let code = [b"220".as_slice(), b"421", b"554"].iter().any(|code| bytes.starts_with(code));
    code && matches!(bytes.get(3), Some(b' ' | b'-'))
}

fn is_proxy_header(bytes: &[u8]) -> bool {
    const VERSION_2: &[u8] = b"\r\n\r\n\x00\r\nQUIT\n";
    bytes.starts_with(VERSION_2) || bytes.starts_with(b"PROXY TCP") || bytes.starts_with(b"PROXY UNKNOWN")
}

/// A method, a target and HTTP's version.
fn is_request(bytes: &[u8]) -> bool {
    let line = first_line(bytes);
    let method = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method >= 3 && line.get(method) == Some(&b' ') && contains(line, b" http/1.")
}

/// Markup, JSON, gzip, an image or a document; or fields without a status line before them, as CGI scripts write them.
fn is_content(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 6] = [b"\x1f\x8b\x08", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"PK\x03\x04"];
    const TEXT: [&[u8]; 6] = [b"<", b"{", b"[", b"content-", b"status:", b"x-powered-by:"];
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
    let starts = |start: &&[u8]| text.len() >= start.len() && text[..start.len()].eq_ignore_ascii_case(start);
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) || TEXT.iter().any(starts)
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default()
}

/// Whether the word, in lower case, is in the text.
fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What real servers send: to an HTTP/1.1 request, or as their greeting.
    const SAMPLES: &[(Speaks, &[u8])] = &[
        (Speaks::Tls, b"\x15\x03\x01\x00\x02\x02\x46"),
        (Speaks::Tls, b"\x15\x03\x03\x00\x02\x02\x0a"),
        (Speaks::Tls, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"),
        (Speaks::Http1, b"HTTP/1.1 400 Bad Request\r\n"),
        (Speaks::Http1, b"HTTP/2 200\r\n"),
        (Speaks::Http2, b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"),
        (Speaks::Http2, b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
        (Speaks::Http2, b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
        (Speaks::Http2, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (Speaks::Fastcgi, b"\x01\x0b\x00\x00\x00\x08\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"),
        (Speaks::Fastcgi, b"\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        (Speaks::Ssh, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
        (Speaks::Mail, b"220 mail.example ESMTP Postfix (Debian/GNU)\r\n"),
        (Speaks::Mail, b"220-smtp.example ESMTP Exim 4.96\r\n"),
        (Speaks::Mail, b"554 5.7.1 mail.example Error: no SMTP service\r\n"),
        (Speaks::Mail, b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS] Dovecot ready.\r\n"),
        (Speaks::Mail, b"+OK Dovecot (Debian) ready.\r\n"),
        (Speaks::Ftp, b"220 (vsFTPd 3.0.3)\r\n"),
        (Speaks::Ftp, b"220 ProFTPD Server (Debian) [::ffff:127.0.0.1]\r\n"),
        (Speaks::Ftp, b"220-FileZilla Server 1.7.0\r\n220 Welcome to my FTP\r\n"),
        (Speaks::Mysql, b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00"),
        (Speaks::Mysql, b"\x6d\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00"),
        (Speaks::Mysql, b"\x45\x00\x00\x00\xff\x6a\x04Host '172.17.0.1' is not allowed to connect"),
        (Speaks::Postgres, b"E\x00\x00\x00\x90SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol"),
        (Speaks::Postgres, b"EFATAL:  unsupported frontend protocol 18245.21536"),
        (Speaks::Postgres, b"R\x00\x00\x00\x0c\x00\x00\x00\x05\x01\x02\x03\x04"),
        (Speaks::Redis, b"-ERR wrong number of arguments for 'get' command\r\n"),
        (Speaks::Redis, b"-NOAUTH Authentication required.\r\n"),
        (Speaks::Redis, b"-DENIED Redis is running in protected mode\r\n"),
        (Speaks::Memcached, b"ERROR\r\nERROR\r\n"),
        (Speaks::Memcached, b"CLIENT_ERROR line too long\r\n"),
        (Speaks::Amqp, b"AMQP\x00\x00\x09\x01"),
        (Speaks::ProxyHeader, b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nHTTP/1.1 200 OK\r\n"),
        (Speaks::ProxyHeader, b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"),
        (Speaks::Request, b"GET /x HTTP/1.1\r\nHost: example.com\r\n\r\n"),
        (Speaks::Content, b"<!DOCTYPE html>\n<html>"),
        (Speaks::Content, b"\xef\xbb\xbf\r\n<?xml version='1.0'?>"),
        (Speaks::Content, b"{\"error\": \"not found\"}"),
        (Speaks::Content, b"[1,2]"),
        (Speaks::Content, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"),
        (Speaks::Content, b"Content-type: text/html\r\n\r\n<html>"),
        (Speaks::Content, b"Status: 404 Not Found\r\n"),
        (Speaks::Unknown, b""),
        (Speaks::Unknown, b"hello\n"),
        (Speaks::Unknown, b"\x00\x00\x00\x00\x00\x00\x00\x00"),
        (Speaks::Unknown, b"200 OK"),
        (Speaks::Unknown, b"502 Bad Gateway"),
    ];

    #[test]
    fn what_real_servers_send_is_known() {
        for (expected, bytes) in SAMPLES {
            assert_eq!(speaks(bytes), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_cause_depends_on_what_was_awaited() {
        assert_eq!(speaks(b"HTTP/1.1 400 Bad Request").instead_of_tls(), Cause::TlsNotSpoken);
        assert_eq!(speaks(b"HTTP/1.1 400 Bad Request").instead_of_http2(), Cause::H2NotSpoken);
        assert_eq!(speaks(b"SSH-2.0-x").instead_of_tls(), Cause::SpeaksSsh);
        assert_eq!(speaks(b"\x15\x03\x01\x00\x02\x02\x46").instead_of_http(), Cause::SpeaksTls);
    }

    #[test]
    fn an_alert_is_read_by_its_number() {
        assert_eq!(tls_alert(b"\x15\x03\x01\x00\x02\x02\x46"), Some(70));
        assert_eq!(tls_alert(b"\x15\x03\x03\x00\x1a\x02\x46"), None, "it is encrypted");
        assert_eq!(tls_alert(b"\x15\x03"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_something_and_more_of_a_known_start_never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            sample in 0..SAMPLES.len(),
            cut in 0..64usize,
        ) {
            let (_, known) = SAMPLES[sample];
            let mixed = [&known[..cut.min(known.len())], &bytes[..]].concat();
            for bytes in [&bytes, &mixed] {
                let speaks = speaks(bytes);
                let _ = (speaks.instead_of_http(), speaks.instead_of_tls(), speaks.instead_of_http2(), tls_alert(bytes));
            }
        }
    }
}
