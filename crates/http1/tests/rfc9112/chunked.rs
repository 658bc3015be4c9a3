//! Chunked bodies (RFC 9112 §7): what is decoded, what is refused, what is bounded.

use http1::{BodyError, ChunkLimits, Decoder, Framing};

use crate::read::{Body, CHUNKS, chunked, decode, lines, trailers};

// RFC 9112 §7.1
#[test]
fn chunks_are_joined_up_to_the_last_one() {
    assert_eq!(chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), Ok(Body::whole("hello world")));
    assert_eq!(chunked("0\r\n\r\n"), Ok(Body::whole("")));
    assert_eq!(chunked("00\r\n\r\nGET /"), Ok(Body { left: 5, ..Body::whole("") }));
}

// RFC 9112 §7.1: data is octets, line ends within it included.
#[test]
fn data_may_look_like_framing() {
    assert_eq!(chunked("7\r\n0\r\n\r\nab\r\n0\r\n\r\n"), Ok(Body::whole("0\r\n\r\nab")));
}

// RFC 9112 §7.1: hexadecimal, in either case.
#[test]
fn a_size_is_hexadecimal() {
    for size in ["a", "A", "0a", "0A"] {
        assert_eq!(chunked(format!("{size}\r\n0123456789\r\n0\r\n\r\n")), Ok(Body::whole("0123456789")));
    }
}

// RFC 9112 §7.1: a size that is none. A reader that guesses would see another end of the body.
#[test]
fn a_size_that_is_no_number_is_refused() {
    for size in [
        "", " ", ";", ";a=b", "x", "g", "-1", "+1", "0x1", "1x", "1,", "1.0", "1 1", "1\t1", " 1", "\t1", "1:", "1\0",
        "\"1\"", "١", "1\u{a0}",
    ] {
        assert_eq!(chunked(format!("{size}\r\na\r\n0\r\n\r\n")), Err(BodyError::ChunkSize), "{size:?}");
    }
}

// RFC 9112 §7.1: recipients must anticipate large numerals and not overflow.
#[test]
fn a_size_that_overflows_is_refused() {
    for size in ["10000000000000000", "10000000000000001", "fffffffffffffffff", "8000000000000000", "1000000000000000"]
    {
        assert_eq!(chunked(format!("{size}\r\na\r\n0\r\n\r\n")), Err(BodyError::ChunkSize), "{size}");
    }
    let mut decoder = Decoder::new(Framing::Chunked, CHUNKS);
    decode(&mut decoder, b"fffffffffffffff\r\na").unwrap();
    assert_eq!(decoder.chunk(), Some(((1 << 60) - 1, (1 << 60) - 2)));
}

// RFC 9112 §7.1.1
#[test]
fn extensions_are_ignored() {
    for extension in [";a", ";a=b", ";a=\"b;c\"", "; a = b", ";", ";;", " ;a", "\t;a", ";a;b=c", ";\u{e9}"] {
        let input = format!("5{extension}\r\nhello\r\n0{extension}\r\n\r\n");
        assert_eq!(chunked(&input), Ok(Body::whole("hello")), "{extension:?}");
    }
}

// RFC 9112 §2.2, §7.1.1: control bytes in an extension, a carriage return above all, may end a line for another reader.
#[test]
fn control_bytes_beside_a_size_are_refused() {
    for extension in ["\r", "\r;a", ";a\rb", ";\r", ";\0", ";a\x0bb", "\x0b", "\x0c;a", ";a\x7f", ";a\r\r"] {
        let input = format!("5{extension}\r\nhello\r\n0\r\n\r\n");
        assert_eq!(chunked(&input), Err(BodyError::ChunkSize), "{extension:?}");
    }
}

// RFC 9112 §7.1: only CRLF ends a line of chunked framing; a line feed alone is where readers are known to differ.
#[test]
fn a_line_feed_alone_is_refused_everywhere_in_the_framing() {
    for (input, error) in [
        ("5\nhello\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("5;a\nhello\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("5;a\nb\r\nhello\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("5\r\nhello\n0\r\n\r\n", BodyError::ChunkEnd),
        ("5\r\nhello\r\n0\n\r\n", BodyError::ChunkSize),
        ("5\r\nhello\r\n0\r\n\n", BodyError::Trailer),
        ("0\r\nX: y\n\r\n", BodyError::Trailer),
        ("0\r\nX: y\r\n\n", BodyError::Trailer),
    ] {
        assert_eq!(chunked(input), Err(error), "{input:?}");
    }
}

// RFC 9112 §7.1: data longer or shorter than its size.
#[test]
fn data_that_does_not_end_where_its_size_says_is_refused() {
    for input in
        ["4\r\nhello\r\n0\r\n\r\n", "6\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\rX", "5\r\nhelloX\n"]
    {
        assert_eq!(chunked(input), Err(BodyError::ChunkEnd), "{input:?}");
    }
}

// RFC 9112 §7.1.2
#[test]
fn trailers_are_kept_apart_from_the_data() {
    let input = "5\r\nhello\r\n0\r\nX: y\r\nContent-Length:  9 \r\n\r\n";
    assert_eq!(chunked(input), Ok(Body::whole("hello")));
    assert_eq!(lines(&trailers(input).unwrap()), ["X: y", "Content-Length: 9"]);
    assert!(trailers("0\r\n\r\n").is_none());
}

// RFC 9112 §5, §5.1, §5.2 hold for trailers too; behind them the next message begins.
#[test]
fn a_malformed_trailer_is_refused() {
    for trailer in [" X: y", "X : y", "X", ": y", "X: y\r\n z", "X: a\rb", "X: a\0", "GET / HTTP/1.1", "X@: y"] {
        assert_eq!(chunked(format!("0\r\n{trailer}\r\n\r\n")), Err(BodyError::Trailer), "{trailer:?}");
    }
}

// RFC 9112 §7.1.1: the length of extensions is bounded, of a line and of them all.
#[test]
fn a_line_of_framing_is_bounded() {
    let limits = ChunkLimits { line: 10, ..CHUNKS };
    let decode = |input: &str| decode(&mut Decoder::new(Framing::Chunked, limits), input.as_bytes());
    assert!(decode("0;23456789\r\n\r\n").unwrap().done);
    for input in ["0;23456789a\r\n\r\n", "0;23456789abc", "0000000000000"] {
        assert_eq!(decode(input), Err(BodyError::LineTooLong), "{input:?}");
    }
}

// RFC 9112 §7.1.1
#[test]
fn extensions_without_data_to_match_are_bounded() {
    let limits = ChunkLimits { excess: 100, ..CHUNKS };
    let decode = |input: &str| decode(&mut Decoder::new(Framing::Chunked, limits), input.as_bytes());
    let padded = format!("1;{}\r\na\r\n", "x".repeat(40));
    assert!(decode(&padded.repeat(3)).is_ok());
    assert_eq!(decode(&padded.repeat(4)), Err(BodyError::Excess));
    let honest = format!("40;{}\r\n{}\r\n", "x".repeat(40), "a".repeat(64));
    assert_eq!(decode(&honest.repeat(1000)).unwrap().data.len(), 64_000);
    assert_eq!(decode(&"1\r\na\r\n".repeat(1000)).unwrap().data.len(), 1000);
}

// RFC 9110 §5.4
#[test]
fn trailers_are_bounded() {
    let limits = ChunkLimits { trailer: 20, trailer_fields: 3, ..CHUNKS };
    let decode = |input: &str| decode(&mut Decoder::new(Framing::Chunked, limits), input.as_bytes());
    assert!(decode("0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n").unwrap().done);
    for (trailers, error) in [
        ("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n".to_owned(), BodyError::TrailersTooLarge),
        ("A: 34567890\r\n".repeat(3), BodyError::TrailersTooLarge),
        (format!("A: {}", "x".repeat(20)), BodyError::TrailerTooLong),
    ] {
        assert_eq!(decode(&format!("0\r\n{trailers}")), Err(error), "{trailers:?}");
    }
}

#[test]
fn a_decoder_that_failed_never_yields_anything_again() {
    let mut decoder = Decoder::new(Framing::Chunked, CHUNKS);
    for input in ["x\r\n", "5\r\nhello\r\n", "0\r\n\r\n"] {
        assert_eq!(decoder.decode(input.as_bytes()), Err(BodyError::ChunkSize));
    }
    assert_eq!(decoder.end_of_input(), Err(BodyError::ChunkSize));
    assert!(!decoder.is_done());
}
