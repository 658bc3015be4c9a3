//! What is taken although it is not quite right: nginx takes it too, and whoever reads what becomes of it sees one meaning.

use http1::{Framing, RequestLimits, response_framing};

use crate::read::{Body, REQUEST, chunked, lines, request, request_within, response, response_with};

// RFC 9112 §2.2: empty lines before a request, which some clients send after a body.
#[test]
fn empty_lines_before_a_request_are_skipped() {
    for before in ["\r\n", "\n", "\r\n\r\n", "\n\r\n\n", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"] {
        let head = request(format!("{before}GET / HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(head.target(), b"/", "{before:?}");
    }
    assert!(request("\r\n".repeat(9) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_err());
}

// RFC 9112 §2.2
#[test]
fn a_line_feed_alone_ends_a_line_of_a_head() {
    let head = request("GET / HTTP/1.1\nHost: a\r\nX: y\n\n").unwrap();
    assert_eq!(lines(&head.fields), ["Host: a", "X: y"]);
    let head = response("HTTP/1.1 200 OK\nX: y\n\r\n").unwrap();
    assert_eq!(lines(&head.fields), ["X: y"]);
}

// RFC 9112 §3: more than one space; a tab or anything else is refused.
#[test]
fn spaces_in_a_request_line_may_be_many() {
    for line in ["GET   /a HTTP/1.1", "GET /a   HTTP/1.1", "GET /a HTTP/1.1  ", "GET  /a  HTTP/1.1 "] {
        let head = request(format!("{line}\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!((head.target(), head.protocol()), (&b"/a"[..], &b"HTTP/1.1"[..]), "{line:?}");
    }
}

#[test]
fn methods_that_nobody_knows_are_methods() {
    for method in ["FOO", "A", "M-SEARCH", "VERSION_CONTROL", "-", "_", &"A".repeat(32)] {
        let head = request(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(head.method.as_str(), method);
    }
}

// nginx's `ignore_invalid_headers` and `underscores_in_headers`.
#[test]
fn fields_with_unusual_names_are_left_out_unless_asked_for() {
    let text = "GET / HTTP/1.1\r\nA_B: 1\r\nA.B: 2\r\nA(B: 3\r\nA-B: 4\r\n\r\n";
    let names = |underscores, ignore_invalid| {
        let limits = RequestLimits { underscores, ignore_invalid, ..REQUEST };
        request_within(&limits, text).map(|head| lines(&head.fields))
    };
    assert_eq!(names(false, true).unwrap(), ["A-B: 4"]);
    assert_eq!(names(true, true).unwrap(), ["A_B: 1", "A-B: 4"]);
    assert!(names(true, false).is_err());
    let limits = RequestLimits { ignore_invalid: false, ..REQUEST };
    let head = request_within(&limits, "GET / HTTP/1.1\r\nA_B: 1\r\nA.B: 2\r\n\r\n").unwrap();
    assert_eq!(lines(&head.fields), ["A_B: 1", "A.B: 2"]);
}

#[test]
fn spaces_before_a_status_may_be_many_and_parts_may_follow_it() {
    for (line, status, reason) in [
        ("HTTP/1.1  200 OK", 200, "OK"),
        ("HTTP/1.1 403.1 Forbidden", 403, "Forbidden"),
        ("HTTP/1.1 403.14", 403, ""),
        ("HTTP/1.1 999 Odd", 999, "Odd"),
    ] {
        let head = response(format!("{line}\r\n\r\n")).unwrap();
        assert_eq!((head.status, head.reason()), (status, reason.as_bytes()), "{line:?}");
    }
}

// A line of an answer that is no field line is left out where no client could take it for one.
#[test]
fn lines_of_an_answer_that_name_no_field_are_left_out() {
    for line in ["nonsense", "more nonsense here", "HTTP/1.1 200 OK", "X(1): y", "<b>: y", "X\u{e9}: y", "X@: a\x01b"] {
        let head = response_with(&format!("A: 1\r\n{line}\r\nB: 2")).unwrap();
        assert_eq!(lines(&head.fields), ["A: 1", "B: 2"], "{line:?}");
    }
}

// RFC 9110 §5.5: control bytes in a value become spaces.
#[test]
fn control_bytes_in_an_answers_value_become_spaces() {
    let head = response_with("X: a\x01b\x1bc\x7fd\te").unwrap();
    assert_eq!(lines(&head.fields), ["X: a b c d\te"]);
}

#[test]
fn a_size_may_be_padded_with_zeros_before_and_blanks_behind() {
    for size in ["5", "05", "00000005", "0000000000000000000000005", "5 ", "5\t", "5   ", "00000005  "] {
        assert_eq!(chunked(format!("{size}\r\nhello\r\n0 \r\n\r\n")), Ok(Body::whole("hello")), "{size:?}");
    }
}

// A server that says HTTP/1.0 and sends chunks all the same; see `framing` for what becomes of the connection.
#[test]
fn chunks_of_an_http_1_0_server_are_read() {
    let head = response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    assert_eq!(response_framing(&head, &http::Method::GET), Ok(Framing::Chunked));
}
