//! Heads of requests: what is refused, and as what. Not here: framing.

use http1::{RequestError, RequestLimits, Version};

use crate::read::{REQUEST, lines, request, request_with, request_within};

fn is_bad_field(lines: &str) -> bool {
    matches!(request_with(lines), Err(RequestError::Field(_)))
}

// RFC 9112 §2.1, §3
#[test]
fn a_request_line_is_method_target_version() {
    let head = request("GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.method, http::Method::GET);
    assert_eq!(head.target(), b"/a?b");
    assert_eq!(head.version, Version::H11);
    assert_eq!(head.line(), b"GET /a?b HTTP/1.1");
}

// RFC 9112 §3.2: all four forms of a target are syntax; what they mean is the gateway's.
#[test]
fn every_form_of_a_target_is_passed_on_as_received() {
    for target in ["/", "*", "http://a/b", "a:443", "/%0d%0a", "/a;b=c?d=e&f"] {
        let head = request(format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(head.target(), target.as_bytes());
    }
}

// RFC 9112 §2.2: a message is octets, not characters of some encoding.
#[test]
fn bytes_beyond_ascii_are_kept_as_they_are() {
    let head = request(b"GET /\xff HTTP/1.1\r\nX: \xc3\xa9\xff\r\n\r\n").unwrap();
    assert_eq!(head.target(), b"/\xff");
    assert_eq!(head.fields.get("x"), Some(&b"\xc3\xa9\xff"[..]));
}

// RFC 9112 §2.2
#[test]
fn a_carriage_return_alone_is_refused_wherever_it_stands() {
    for line in ["G\rET / HTTP/1.1", "GET\r/ HTTP/1.1", "GET /\ra HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP\r/1.1"] {
        assert!(request(format!("{line}\r\nHost: a\r\n\r\n")).is_err(), "{line:?}");
    }
    for line in ["X: a\rb", "X: a\rY: b", "X\r: a", "\rX: a", "X: a\r\r"] {
        assert!(is_bad_field(line), "{line:?}");
    }
}

// RFC 9112 §2.2, §5.2
#[test]
fn white_space_before_the_first_field_is_refused() {
    for first in [" X: a", "\tX: a", " ", "\t", " Transfer-Encoding: chunked"] {
        let refused = request(format!("GET / HTTP/1.1\r\n{first}\r\nHost: a\r\n\r\n"));
        assert!(matches!(refused, Err(RequestError::Field(_))), "{first:?}");
    }
}

// RFC 9112 §5.2
#[test]
fn a_folded_line_is_refused() {
    for lines in ["X: a\r\n b", "X: a\r\n\tb", "X:\r\n a", "Transfer-Encoding:\r\n chunked", "X: a\r\n \r\nY: b"] {
        assert!(is_bad_field(lines), "{lines:?}");
    }
}

// RFC 9112 §5.1
#[test]
fn white_space_before_the_colon_is_refused() {
    for line in ["X : a", "X\t: a", "Content-Length : 5", "Transfer-Encoding\t: chunked", "X \t : a"] {
        assert!(is_bad_field(line), "{line:?}");
    }
}

// RFC 9112 §5.1
#[test]
fn white_space_around_a_value_is_not_part_of_it() {
    for line in ["X:a", "X: a", "X:\ta", "X: a ", "X: \t a\t \t"] {
        assert_eq!(request_with(line).unwrap().fields.get("x"), Some(&b"a"[..]), "{line:?}");
    }
    assert_eq!(request_with("X:").unwrap().fields.get("x"), Some(&b""[..]));
    assert_eq!(request_with("X: a  b").unwrap().fields.get("x"), Some(&b"a  b"[..]));
}

// RFC 9110 §5.5
#[test]
fn control_bytes_in_a_value_are_refused() {
    for byte in (0..=0x1f).chain([0x7f]).filter(|byte| !matches!(byte, b'\t' | b'\n')) {
        let line = format!("X: a{}b", char::from(byte));
        assert!(is_bad_field(&line), "{byte:#x}");
    }
}

// RFC 9112 §5: a field line is a name, a colon and a value.
#[test]
fn a_line_without_a_name_or_a_colon_is_refused() {
    for line in [": a", ":", "X", "Content-Length", "HTTP/1.1 200 OK"] {
        assert!(is_bad_field(line), "{line:?}");
    }
}

// RFC 9110 §5.1: a name is a token. Control bytes and white space could hide a line from another reader.
#[test]
fn control_bytes_in_a_name_are_refused() {
    for byte in (0..=0x20).chain([0x7f]).filter(|byte| *byte != b'\n') {
        let line = format!("X{}Y: a", char::from(byte));
        assert!(is_bad_field(&line), "{byte:#x}");
    }
}

// RFC 9112 §3.2. A request without one, or with one that is no host, is refused by the gateway.
#[test]
fn a_second_host_is_refused_whatever_it_says() {
    for lines in ["Host: a", "host: a", "HOST: b", "Host:"] {
        assert!(matches!(request_with(lines), Err(RequestError::DuplicateHost(..))), "{lines:?}");
    }
}

// RFC 9112 §3: white space within the target, or something else than three words.
#[test]
fn what_is_no_request_line_is_a_400() {
    for line in [
        "GET",
        "GET ",
        "GET /",
        "GET / ",
        "GET  HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /a\tb HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET \t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET / HTTP/1.1\t",
        "GET / HTTP/1.1 x",
        "GET / HTTP/1.1 HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        " GET / HTTP/1.1",
        "get / HTTP/1.1",
        "GeT / HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/1.",
        "GET / HTTP/1.x",
        "GET / HTTP/1.1.1",
        "GET / HTTP/1.11",
        "GET / HTTP/01.1",
        "GET / HTTP /1.1",
        "GET / HTTPS/1.1",
        "GET / HTTP/+1.1",
        "GET / HTTP/0.9",
        "GET / FTP/1.1",
    ] {
        let error = request(format!("{line}\r\nHost: a\r\n\r\n")).unwrap_err();
        assert_eq!(error.status(), 400, "{line:?}: {error}");
    }
}

// RFC 9112 §2.3, RFC 9110 §2.5, §15.6.6
#[test]
fn a_higher_major_version_is_a_505_and_a_higher_minor_one_is_ours() {
    for version in ["HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/9.9", "HTTP/10.0"] {
        let error = request(format!("GET / {version}\r\nHost: a\r\n\r\n")).unwrap_err();
        assert_eq!(error.status(), 505, "{version}");
    }
    for (version, read) in [("HTTP/1.0", Version::H10), ("HTTP/1.1", Version::H11), ("HTTP/1.2", Version::H11)] {
        assert_eq!(request(format!("GET / {version}\r\nHost: a\r\n\r\n")).unwrap().version, read);
    }
}

// RFC 9113 §3.4
#[test]
fn the_preface_of_http_2_is_refused_and_not_taken_for_a_request() {
    let refused = request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap_err();
    assert_eq!(refused, RequestError::Version);
}

// RFC 9112 §3: a simple request of HTTP/0.9 has no version; its answer would have no head.
#[test]
fn http_0_9_is_refused() {
    assert_eq!(request("GET /\r\n").unwrap_err(), RequestError::Http09);
}

// RFC 9112 §3
#[test]
fn a_line_longer_than_the_bound_is_a_414_as_soon_as_it_is_known() {
    let limits = RequestLimits { line: 20, ..REQUEST };
    let of_length = |length: usize| format!("GET /{} HTTP/1.1", "a".repeat(length - 14));
    assert!(request_within(&limits, of_length(20) + "\r\n\r\n").is_ok());
    for text in [of_length(21) + "\r\n\r\n", of_length(21), of_length(22)[..21].to_owned()] {
        let mut head = http1::RequestHead::default();
        let error = http1::parse_request(&mut head, text.as_bytes(), &limits).unwrap_err();
        assert_eq!((error.status(), error), (414, RequestError::LineTooLong));
    }
}

// RFC 9110 §5.4: a server that wants no more fields says so rather than ignoring some.
#[test]
fn fields_beyond_a_bound_are_refused_as_soon_as_it_is_known() {
    let limits = RequestLimits { field: 10, head: 60, fields: 3, ..REQUEST };
    let refused = |fields: &str| {
        let text = format!("GET / HTTP/1.1\r\n{fields}");
        http1::parse_request(&mut http1::RequestHead::default(), text.as_bytes(), &limits).unwrap_err()
    };
    assert!(request_within(&limits, "GET / HTTP/1.1\r\nA: 3456789\r\nB: b\r\nC: c\r\n\r\n").is_ok());
    for fields in ["A: 3456789a\r\n\r\n", "A: 3456789a", "A: b\r\nB: 3456789a"] {
        assert!(matches!(refused(fields), RequestError::FieldTooLong(_)), "{fields:?}");
    }
    for fields in ["A: a\r\nB: b\r\nC: c\r\nD: d\r\n", "A: a\r\nB: b\r\nC: c\r\nD: d\r\n\r\n"] {
        assert_eq!(refused(fields), RequestError::TooManyFields);
    }
    let long = "A: 3456789\r\n".repeat(4);
    assert!(matches!(refused(&long), RequestError::TooManyFields | RequestError::HeadTooLong(_)));
    let limits = RequestLimits { fields: 100, ..limits };
    let text = format!("GET / HTTP/1.1\r\n{long}\r\n");
    let error = http1::parse_request(&mut http1::RequestHead::default(), text.as_bytes(), &limits).unwrap_err();
    assert!(matches!(error, RequestError::HeadTooLong(_)) && error.is_head_too_large());
}

// A line may be as long as the whole head may: `large_client_header_buffers 1 8k`.
#[test]
fn a_line_that_leaves_no_room_for_fields_is_refused_without_ado() {
    let limits = RequestLimits { line: 16, head: 16, ..REQUEST };
    for end in ["\r\n\r\n", "\r\nHost: a\r\n\r\n", "\r\nHost: a"] {
        let text = format!("GET /a HTTP/1.1{end}");
        let error = http1::parse_request(&mut http1::RequestHead::default(), text.as_bytes(), &limits).unwrap_err();
        assert!(error.is_head_too_large(), "{error}");
    }
}

// Bytes of other protocols must not keep a connection waiting for a line end.
#[test]
fn what_does_not_begin_like_a_request_is_refused_before_its_line_ends() {
    for text in [&b"\x16\x03\x01"[..], b"SSH-2.0-x", b"\0\0", b"get", b"{\"a\"", b"GET\0", b"-GET%", &[b'A'; 33]] {
        let mut head = http1::RequestHead::default();
        let error = http1::parse_request(&mut head, text, &REQUEST).unwrap_err();
        assert_eq!(error, RequestError::Method, "{}", text.escape_ascii());
    }
}

// RFC 9112 §2.1: nothing beyond the empty line belongs to the head.
#[test]
fn what_follows_the_head_is_not_touched() {
    let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n\0";
    let mut head = http1::RequestHead::default();
    assert_eq!(http1::parse_request(&mut head, text, &REQUEST), Ok(Some(27)));
}

// RFC 9110 §5.3: order and duplicates may matter to whoever comes next.
#[test]
fn order_case_and_duplicates_are_kept() {
    let head = request_with("B: 1\r\na: 2\r\nB: 3").unwrap();
    assert_eq!(lines(&head.fields), ["Host: a", "B: 1", "a: 2", "B: 3"]);
    assert_eq!(head.fields.get_all("b").collect::<Vec<_>>(), [b"1", b"3"]);
}

#[test]
fn a_head_that_is_used_again_forgets_what_it_held() {
    let mut head = request("GET /first HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n").unwrap();
    http1::parse_request(&mut head, b"PUT /other HTTP/1.0\r\nHost: b\r\n\r\n", &REQUEST).unwrap();
    assert_eq!((head.method.as_str(), head.target(), head.version), ("PUT", &b"/other"[..], Version::H10));
    assert_eq!(lines(&head.fields), ["Host: b"]);
    assert!(http1::parse_request(&mut head, b"PUT /oth\0r HTTP/1.0\r\n", &REQUEST).is_err());
    assert!(!head.has_line());
    assert!(http1::parse_request(&mut head, b"PUT /oth\0r HTTP/1.0\r\n", &REQUEST).is_err());
}
