//! Where bodies end: the rules of RFC 9112 §6.3 in their order, and every way known to make two readers disagree.

use http::Method;
use http1::{BodyError, Decoder, Framing, FramingError, request_framing, response_framing};

use crate::read::{Body, CHUNKS, body, request, request_with, response, response_with};

fn of_request(lines: &str) -> Result<Framing, FramingError> {
    request_framing(&request_with(lines).expect("a head"))
}

fn of_response(lines: &str) -> Result<Framing, FramingError> {
    response_framing(&response_with(lines).expect("a head"), &Method::GET)
}

// RFC 9112 §6.3, rule 1
#[test]
fn answers_to_head_and_1xx_204_304_have_no_body_whatever_they_say() {
    for status in [100, 101, 103, 199, 204, 304] {
        for lines in ["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"] {
            let head = response(format!("HTTP/1.1 {status} x\r\n{lines}\r\n\r\n")).unwrap();
            assert_eq!(response_framing(&head, &Method::GET), Ok(Framing::Empty), "{status} {lines}");
        }
    }
    for lines in ["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"] {
        assert_eq!(response_framing(&response_with(lines).unwrap(), &Method::HEAD), Ok(Framing::Empty));
    }
}

// RFC 9112 §6.3, rule 2
#[test]
fn a_successful_answer_to_connect_has_no_body() {
    let head = response_with("Content-Length: 5").unwrap();
    assert_eq!(response_framing(&head, &Method::CONNECT), Ok(Framing::Empty));
    let refused = response("HTTP/1.1 403 x\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert_eq!(response_framing(&refused, &Method::CONNECT), Ok(Framing::Length(5)));
}

// RFC 9112 §6.3, rule 3: both are an error, in either order, on both sides, however odd each is. CL.TE and TE.CL.
#[test]
fn a_length_beside_a_transfer_coding_is_refused() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Content-Length: x\r\nTransfer-Encoding: x",
        "content-length: 5\r\nTRANSFER-ENCODING: Chunked",
        "Content-Length:\r\nTransfer-Encoding:",
        "Transfer-Encoding: identity\r\nContent-Length: 5",
    ] {
        assert_eq!(of_request(lines), Err(FramingError::LengthAndCoding), "{lines:?}");
        assert_eq!(of_response(lines), Err(FramingError::LengthAndCoding), "{lines:?}");
    }
}

// RFC 9112 §6.3, rule 4: chunked
#[test]
fn chunked_alone_frames_by_chunks() {
    for lines in ["Transfer-Encoding: chunked", "transfer-encoding:CHUNKED", "Transfer-Encoding: \tchunked \t"] {
        assert_eq!(of_request(lines), Ok(Framing::Chunked));
        assert_eq!(of_response(lines), Ok(Framing::Chunked));
    }
}

// RFC 9112 §6.3, rule 4, §6.1: what is not plainly chunked has no length that all agree on. TE.TE.
// The RFC asks for 400 where chunked is not last; nginx answers 501 to all of these, and so does the gateway. It closes.
#[test]
fn any_other_transfer_coding_is_refused() {
    for value in [
        "xchunked",
        "chunkedx",
        "chunked, identity",
        "identity, chunked",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked ,",
        "gzip, chunked",
        "gzip",
        "identity",
        "chunked;q=1",
        "chunked;a",
        "\"chunked\"",
        "chun ked",
        "cow",
        "",
        "chunked\u{a0}",
        "\u{212a}hunked",
        "chunKed\u{130}",
    ] {
        let lines = format!("Transfer-Encoding: {value}");
        assert_eq!(of_request(&lines), Err(FramingError::UnknownCoding), "{value:?}");
        assert_eq!(of_response(&lines), Err(FramingError::UnknownCoding), "{value:?}");
        assert_eq!(FramingError::UnknownCoding.status(), 501);
    }
}

// RFC 9112 §6.1: a second line could be read as a list, as the last or as the first.
#[test]
fn a_second_transfer_coding_is_refused() {
    for second in ["chunked", "identity", "", "gzip"] {
        for lines in [
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: {second}"),
            format!("Transfer-Encoding: {second}\r\nX: y\r\ntransfer-encoding: chunked"),
        ] {
            assert_eq!(of_request(&lines), Err(FramingError::DuplicateCoding), "{lines:?}");
            assert_eq!(of_response(&lines), Err(FramingError::DuplicateCoding), "{lines:?}");
        }
    }
}

// RFC 9112 §6.1: HTTP/1.0 has no transfer codings; who sent one is not to be trusted with the connection.
#[test]
fn chunks_in_an_http_1_0_request_are_refused() {
    let head = request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    assert_eq!(request_framing(&head), Err(FramingError::CodingInHttp10));
    assert_eq!(FramingError::CodingInHttp10.status(), 400);
}

// RFC 9112 §6.1: the same in a response may be processed, but the connection must end.
#[test]
fn chunks_in_an_http_1_0_response_are_read_and_end_the_connection() {
    let head = response("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    assert_eq!(response_framing(&head, &Method::GET), Ok(Framing::Chunked));
    assert!(!http1::persistent(head.version, &head.fields));
}

// RFC 9112 §6.3, rule 5; RFC 9110 §8.6: one number, in digits.
#[test]
fn a_length_that_is_not_one_number_is_refused() {
    for value in [
        "", "+5", "-5", "-0", "5 5", "5,5", "5, 5", "5, 6", "5,", ",5", "0x5", "5.0", "5e1", "five", "5;a", "\"5\"",
        "1_000", "٥", "5\u{a0}", "²",
    ] {
        let lines = format!("Content-Length: {value}");
        assert_eq!(of_request(&lines), Err(FramingError::Length), "{value:?}");
        assert_eq!(of_response(&lines), Err(FramingError::Length), "{value:?}");
        assert_eq!(FramingError::Length.status(), 400);
    }
}

// RFC 9110 §8.6: recipients must anticipate large numbers. Beyond 2⁶³-1 a reader with signed numbers sees a negative one.
#[test]
fn a_length_that_overflows_is_refused() {
    for (value, framing) in [
        ("9223372036854775807", Ok(Framing::Length(i64::MAX as u64))),
        ("9223372036854775808", Err(FramingError::Length)),
        ("18446744073709551615", Err(FramingError::Length)),
        ("18446744073709551617", Err(FramingError::Length)),
        ("99999999999999999999999999999999999999", Err(FramingError::Length)),
        ("4294967297", Ok(Framing::Length(4_294_967_297))),
    ] {
        assert_eq!(of_request(&format!("Content-Length: {value}")), framing, "{value}");
        assert_eq!(of_response(&format!("Content-Length: {value}")), framing, "{value}");
    }
}

// RFC 9110 §8.6: equal ones might be merged; nobody who means well sends two.
#[test]
fn a_second_length_is_refused_even_if_equal() {
    for lines in ["Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-length: 6"] {
        assert_eq!(of_request(lines), Err(FramingError::DuplicateLength));
        assert_eq!(of_response(lines), Err(FramingError::DuplicateLength));
        assert_eq!(FramingError::DuplicateLength.status(), 400);
    }
}

// RFC 9112 §6.3, rule 6
#[test]
fn a_length_frames_by_length() {
    for (value, length) in [("0", 0), ("5", 5), ("0005", 5), ("  7\t", 7)] {
        assert_eq!(of_request(&format!("Content-Length: {value}")), Ok(Framing::Length(length)));
        assert_eq!(of_response(&format!("Content-Length: {value}")), Ok(Framing::Length(length)));
    }
}

// RFC 9112 §6.3, rules 7 and 8; the method of a request says nothing about its body.
#[test]
fn without_a_word_a_request_has_no_body_and_an_answer_ends_with_its_connection() {
    assert_eq!(of_request("X: y"), Ok(Framing::Empty));
    assert_eq!(of_response("X: y"), Ok(Framing::Close));
    let head = request("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert_eq!(request_framing(&head), Ok(Framing::Length(5)));
}

// 0.CL and its like: names that only resemble the framing's are either refused or not passed on, so that no reader behind
// sees a length that this one did not.
#[test]
fn names_that_resemble_framing_never_reach_anybody() {
    for line in [
        "Content_Length: 5",
        "Content-Length\u{a0}: 5",
        "Content.Length: 5",
        "Transfer_Encoding: chunked",
        "Transfer-Encoding@: chunked",
        "\u{130}Content-Length: 5",
    ] {
        let head = request_with(line).unwrap();
        assert_eq!(request_framing(&head), Ok(Framing::Empty));
        assert_eq!(head.fields.len(), 1, "{line:?}");
        assert_eq!(head.ignored().collect::<Vec<_>>(), [line.as_bytes()]);
    }
    for line in ["Content-Length : 5", "Content-Length\0: 5", "Content-Length\x0b: 5", "Content-Length: 5\x0c"] {
        assert!(request_with(line).is_err(), "{line:?}");
    }
}

// Control bytes that a response's value is cleaned of do not make a number or a coding of it.
#[test]
fn control_bytes_in_framing_fields_of_a_response_are_refused() {
    for lines in ["Content-Length: 5\x01", "Content-Length: \x015", "Content-Length: 5\x0c5"] {
        assert_eq!(of_response(lines), Err(FramingError::Length), "{lines:?}");
    }
    for lines in ["Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x01"] {
        assert_eq!(of_response(lines), Err(FramingError::UnknownCoding), "{lines:?}");
    }
}

// RFC 9112 §6.3: what comes behind the length belongs to the next message.
#[test]
fn a_body_by_length_takes_exactly_that_much() {
    assert_eq!(body(Framing::Length(5), "hello"), Ok(Body::whole("hello")));
    assert_eq!(body(Framing::Length(5), "helloGET /"), Ok(Body { left: 5, ..Body::whole("hello") }));
    for framing in [Framing::Length(0), Framing::Empty] {
        assert_eq!(body(framing, "GET /"), Ok(Body { left: 5, ..Body::whole("") }));
    }
}

// RFC 9112 §8
#[test]
fn an_end_of_input_within_a_body_is_a_truncation() {
    for (framing, input, end) in [
        (Framing::Length(5), "hell", Err(BodyError::Truncated)),
        (Framing::Length(5), "hello", Ok(())),
        (Framing::Empty, "", Ok(())),
        (Framing::Close, "", Ok(())),
        (Framing::Close, "anything", Ok(())),
        (Framing::Chunked, "", Err(BodyError::Truncated)),
        (Framing::Chunked, "5\r\nhel", Err(BodyError::Truncated)),
        (Framing::Chunked, "5\r\nhello\r\n", Err(BodyError::Truncated)),
        (Framing::Chunked, "5\r\nhello\r\n0\r\n", Err(BodyError::Truncated)),
        (Framing::Chunked, "0\r\nX: y\r\n", Err(BodyError::Truncated)),
        (Framing::Chunked, "0\r\n\r\n", Ok(())),
    ] {
        let mut decoder = Decoder::new(framing, CHUNKS);
        crate::read::decode(&mut decoder, input.as_bytes()).unwrap();
        assert_eq!(decoder.end_of_input(), end, "{framing:?} {input:?}");
    }
}
