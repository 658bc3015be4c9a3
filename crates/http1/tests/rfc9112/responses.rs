//! Heads of responses: what is no answer at all, and what of one is not passed on. Not here: framing.

use http1::{ResponseError, ResponseHead, ResponseLimits, Version};

use crate::read::{lines, response, response_with};

fn is_bad_field(lines: &str) -> bool {
    matches!(response_with(lines), Err(ResponseError::Field(_)))
}

// RFC 9112 §4
#[test]
fn a_status_line_is_version_status_reason() {
    let head = response("HTTP/1.1 404 Not  Found\r\nA: b\r\n\r\n").unwrap();
    assert_eq!((head.version, head.status, head.reason()), (Version::H11, 404, &b"Not  Found"[..]));
    assert_eq!(lines(&head.fields), ["A: b"]);
}

// RFC 9112 §4: the reason may be absent, and means nothing.
#[test]
fn a_reason_may_be_empty_or_any_text() {
    for (line, reason) in [
        (&b"HTTP/1.1 200"[..], &b""[..]),
        (b"HTTP/1.1 200 ", b""),
        (b"HTTP/1.1 200 404 Not Found", b"404 Not Found"),
        (b"HTTP/1.1 200 d\xc3\xa9j\xe0 \t vu", b"d\xc3\xa9j\xe0 \t vu"),
    ] {
        let head = response([line, b"\r\n\r\n"].concat()).unwrap();
        assert_eq!((head.status, head.reason()), (200, reason));
    }
}

// RFC 9112 §4, RFC 9110 §15
#[test]
fn what_is_no_status_line_is_no_answer() {
    for line in [
        &b"HTTP/1.1"[..],
        b"HTTP/1.1 ",
        b"HTTP/1.1 2",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2000",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1 +20 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 000 OK",
        b"HTTP/1.1 2x0 OK",
        b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 \t200 OK",
        b"HTTP/1.1200 OK",
        b"HTTP/1.x 200 OK",
        b"HTTP/1. 200 OK",
        b"HTTP/1.12 200 OK",
        b"HTTP/2 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/0.9 200 OK",
        b"http/1.1 200 OK",
        b" HTTP/1.1 200 OK",
        b"ICY 200 OK",
        b"<html>hello</html>",
        b"HTTP/1.1 200 a\0b",
        b"HTTP/1.1 200 a\rb",
        b"HTTP/1.1 200 a\x1bb",
        b"HTTP/1.1\r200 OK",
        b"",
    ] {
        let text = [line, b"\r\n\r\n"].concat();
        assert_eq!(response(&text).err(), Some(ResponseError::StatusLine), "{}", text.escape_ascii());
    }
}

// RFC 9112 §2.2: servers must not answer anything else first, and an empty line is not skipped here.
#[test]
fn nothing_may_stand_before_the_status_line() {
    for before in ["\r\n", "\n", " "] {
        assert!(response(format!("{before}HTTP/1.1 200 OK\r\n\r\n")).is_err());
    }
}

// What an endpoint says that speaks something else is known at its first byte.
#[test]
fn what_does_not_begin_like_an_answer_is_refused_before_its_line_ends() {
    for text in [&b"\x15\x03"[..], b"S", b"HTTP/2", b"HTTP /", b"HTTPS", b"h"] {
        let mut head = ResponseHead::default();
        let limits = ResponseLimits { head: 8192, fields: 100 };
        let error = http1::parse_response(&mut head, text, &limits).unwrap_err();
        assert_eq!(error, ResponseError::StatusLine, "{}", text.escape_ascii());
    }
}

// RFC 9112 §2.2: a carriage return alone is never passed on; NUL neither (RFC 9110 §5.5).
#[test]
fn carriage_returns_and_nuls_within_a_line_are_refused() {
    for line in ["X: a\rb", "X: a\rY: b", "X\r: a", "X: a\0b", "X\0: a", "X: \r\r", "X@\0: a", "X@: a\rb", "a\rb"] {
        assert!(is_bad_field(line), "{line:?}");
    }
}

// RFC 9112 §5.2: a gateway may answer 502 instead.
#[test]
fn a_folded_line_is_refused() {
    for lines in ["X: a\r\n b", "X: a\r\n\tb: c", "X: a\r\n \r\nY: b", " X: a", "\tX: a"] {
        assert!(is_bad_field(lines), "{lines:?}");
    }
}

// RFC 9112 §5.1
#[test]
fn white_space_before_the_colon_is_removed() {
    for line in ["Content-Length : 5", "Content-Length\t: 5", "Content-Length \t :5"] {
        assert_eq!(lines(&response_with(line).unwrap().fields), ["Content-Length: 5"], "{line:?}");
    }
}

// RFC 9112 §5: no name, or white space within it: nobody can say which field that is.
#[test]
fn a_line_whose_name_is_in_doubt_is_refused() {
    for line in [": a", " : a", "X Y: a", "X\tY: a", "HTTP/1.1 200 OK: a", "X\x01: a"] {
        assert!(is_bad_field(line), "{line:?}");
    }
}

// RFC 9110 §5.4
#[test]
fn a_head_beyond_its_bounds_is_refused_as_soon_as_it_is_known() {
    let limits = ResponseLimits { head: 40, fields: 2 };
    let parse = |text: &str| http1::parse_response(&mut ResponseHead::default(), text.as_bytes(), &limits);
    let of_length = |length: usize| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(length - 24));
    assert_eq!(parse(&of_length(40)), Ok(Some(40)));
    for text in [of_length(41), of_length(41)[..41].to_owned(), format!("HTTP/1.1 200 {}", "a".repeat(28))] {
        assert_eq!(parse(&text), Err(ResponseError::TooLarge), "{text:?}");
    }
    assert_eq!(parse(&of_length(41)[..40]), Ok(None));
    assert_eq!(parse("HTTP/1.1 200 OK\r\nA: a\r\nB: b\r\nC: c\r\n"), Err(ResponseError::TooLarge));
}

#[test]
fn a_head_that_is_used_again_forgets_what_it_held() {
    let mut head = response("HTTP/1.1 404 Not Found\r\nX: y\r\n\r\n").unwrap();
    let limits = ResponseLimits { head: 8192, fields: 100 };
    http1::parse_response(&mut head, b"HTTP/1.0 200\r\n\r\n", &limits).unwrap();
    assert_eq!((head.version, head.status, head.reason()), (Version::H10, 200, &b""[..]));
    assert!(head.fields.is_empty());
}
