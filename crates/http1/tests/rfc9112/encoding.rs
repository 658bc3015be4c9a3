//! What is written: nothing that is put into a message can become another line or another message.

use http1::{Fields, Version, encode};

use crate::read::{Body, chunked, lines, request, response, trailers};

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("text")
}

// RFC 9112 §3, §4, §5
#[test]
fn heads_are_written_as_they_are_read() {
    let text = written(|out| {
        encode::request_line(out, b"GET", b"/a?b", Version::H11);
        encode::field(out, b"Host", b"a");
        encode::length(out, 18_446_744_073_709_551_615);
        encode::end(out);
    });
    assert_eq!(text, "GET /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
    let text = written(|out| {
        encode::status_line(out, Version::H10, 404, b"Not Found");
        encode::field(out, b"X", b"");
        encode::end(out);
    });
    assert_eq!(text, "HTTP/1.0 404 Not Found\r\nX: \r\n\r\n");
}

// RFC 9112 §4: the space stays even if no reason follows.
#[test]
fn a_status_line_keeps_its_second_space() {
    assert_eq!(written(|out| encode::status_line(out, Version::H11, 200, b"")), "HTTP/1.1 200 \r\n");
}

// RFC 9112 §2.2, RFC 9110 §5.5: `add_header X $uri` and `return 302 $uri` put decoded bytes into values.
#[test]
fn no_value_splits_a_response() {
    for value in ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\r\n\r\nHTTP/1.1 200 OK", "a\0b"] {
        let text = written(|out| {
            encode::status_line(out, Version::H11, 302, value.as_bytes());
            encode::field(out, b"Location", value.as_bytes());
            encode::end(out);
        });
        let head = response(&text).unwrap();
        assert_eq!(head.fields.len(), 1, "{text:?}");
        let expected = value.replace(['\r', '\n', '\0'], " ");
        assert_eq!(lines(&head.fields), [format!("Location: {}", expected.trim())]);
    }
}

// RFC 9112 §3.2: `proxy_pass http://app$uri` puts decoded bytes into the target.
#[test]
fn no_target_splits_a_request() {
    for (target, sent) in [
        ("/a b", "/a%20b"),
        ("/a HTTP/1.1\r\nX: y\r\n\r\nGET /b", "/a%20HTTP/1.1%0D%0AX:%20y%0D%0A%0D%0AGET%20/b"),
        ("/a\tb\0c\x7f", "/a%09b%00c%7F"),
        ("/%0d%0a", "/%0d%0a"),
        ("", "/"),
    ] {
        let text = written(|out| {
            encode::request_line(out, b"GET", target.as_bytes(), Version::H11);
            encode::end(out);
        });
        assert_eq!(request(text).unwrap().target(), sent.as_bytes());
    }
    let bytes = "/é".as_bytes();
    let text = written(|out| encode::request_line(out, b"GET", bytes, Version::H11));
    assert_eq!(text, "GET /é HTTP/1.1\r\n");
}

// RFC 9110 §9.1
#[test]
fn no_method_splits_a_request() {
    let text = written(|out| encode::request_line(out, b"GET /x HTTP/1.1\r\nX:", b"/", Version::H11));
    assert_eq!(text, "GETxHTTP1.1X / HTTP/1.1\r\n");
}

// RFC 9110 §6.5.1: a reader that merges trailers into the head must find none that frames, routes or authenticates.
#[test]
fn trailers_that_must_not_be_any_are_not_written() {
    let mut given = Fields::new();
    for name in ["Content-Length", "transfer-encoding", "Host", "TE", "Connection", "Set-Cookie", "Authorization"] {
        given.push(name.as_bytes(), b"x");
    }
    for name in ["Content-Encoding", "Content-Type", "Content-Range", "Trailer", "Cookie", "Expect", "Location"] {
        given.push(name.as_bytes(), b"x");
    }
    given.push(b"X-Checksum", b"abc");
    given.push(b"Server-Timing", b"a;dur=1");
    let text = written(|out| encode::last_chunk(out, Some(&given)));
    assert_eq!(lines(&trailers(&text).unwrap()), ["X-Checksum: abc", "Server-Timing: a;dur=1"]);
}

// RFC 9112 §7.1
#[test]
fn chunks_are_written_as_they_are_read() {
    for length in [1, 15, 16, 255, 256, 4096] {
        let data = "x".repeat(length);
        let mut text = encode::ChunkHead::new(length).as_bytes().to_vec();
        text.extend_from_slice(data.as_bytes());
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(encode::LAST_CHUNK);
        assert_eq!(chunked(text), Ok(Body::whole(&data)));
    }
    assert_eq!(encode::ChunkHead::new(usize::MAX).as_bytes(), format!("{:x}\r\n", usize::MAX).as_bytes());
}

// RFC 9112 §4: a reason is of visible characters, spaces and tabs.
#[test]
fn known_reasons_can_be_read_back() {
    for status in 100..600 {
        let text = written(|out| {
            encode::status_line(out, Version::H11, status, encode::reason(status).as_bytes());
            encode::end(out);
        });
        let head = response(text).unwrap();
        assert_eq!((head.status, head.reason()), (status, encode::reason(status).as_bytes()));
    }
}
