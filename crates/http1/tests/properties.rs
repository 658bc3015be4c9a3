//! Bytes that are drawn at random, most of them nearly a message, through the checks that hold for any bytes; and messages
//! that are right, written and read back. Not here: particular messages (`rfc9112/`).

mod checks;

use checks::{chunked_body, request_head, response_head};
use http1::{ChunkLimits, Decoder, Framing, RequestHead, RequestLimits, ResponseHead, ResponseLimits, Version, encode};
use proptest::prelude::*;
use proptest::sample::select;

/// What heads are made of, and what breaks them.
const HEAD_PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" ",
    b"  ",
    b"\t",
    b":",
    b": ",
    b",",
    b";",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"GET",
    b"POST ",
    b"GET / HTTP/1.1\r\n",
    b"/",
    b"/a?b",
    b"HTTP/1.1",
    b" HTTP/1.0\r\n",
    b"HTTP/2.0",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 ",
    b"204",
    b"403.1 ",
    b"Host: a\r\n",
    b"host",
    b"Content-Length: 5\r\n",
    b"Content-Length",
    b"Transfer-Encoding: chunked\r\n",
    b"chunked",
    b"Connection: close\r\n",
    b"X_Y: z\r\n",
    b"X(: z\r\n",
    b"X",
    b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    b"5",
];

/// What chunked bodies are made of, and what breaks them.
const BODY_PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"0",
    b"0\r\n\r\n",
    b"0\r\n",
    b"1\r\na\r\n",
    b"5\r\nhello\r\n",
    b"5",
    b"a",
    b"A",
    b"ff",
    b"fffffffffffffff",
    b"1000000000000000",
    b"00000000",
    b"-",
    b"+",
    b"0x",
    b" ",
    b"\t",
    b";",
    b";a=b",
    b";a=\"b\"",
    b"X: y\r\n",
    b"X",
    b": ",
    b"\0",
    b"\x0c",
    b"hello",
];

fn made_of(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(select(pieces), 0..14).prop_map(|pieces| pieces.concat());
    (any::<u8>(), pieces).prop_map(|(flags, mut input)| {
        input.insert(0, flags);
        input
    })
}

/// A start that is right before pieces that need not be.
fn begun_with(start: &'static [u8], pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    made_of(pieces).prop_map(move |mut input| {
        input.splice(1..1, start.iter().copied());
        input
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let visible = prop::collection::vec(prop_oneof![0x21u8..0x7f, 0x80u8..=0xff], 1..4);
    let words = prop::collection::vec(visible, 0..4).prop_map(|words| words.join(&b" \t"[..]));
    ("[A-Za-z0-9-]{1,12}".prop_filter("Host is written once", |name| !name.eq_ignore_ascii_case("host")), words)
}

fn version() -> impl Strategy<Value = Version> {
    select(vec![Version::H10, Version::H11])
}

fn written(fields: &[(String, Vec<u8>)], mut out: Vec<u8>) -> Vec<u8> {
    fields.iter().for_each(|(name, value)| encode::field(&mut out, name.as_bytes(), value));
    encode::end(&mut out);
    out
}

fn read_back(fields: &http1::Fields) -> Vec<(String, Vec<u8>)> {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    fields.iter().map(|field| (text(field.name), field.value.to_vec())).collect()
}

const REQUEST: RequestLimits =
    RequestLimits { line: 8192, field: 8192, head: 65536, fields: 100, underscores: true, ignore_invalid: false };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_keep_the_promises_of_heads_and_bodies(data in any_bytes()) {
        request_head::check(&data);
        response_head::check(&data);
        chunked_body::check(&data);
    }

    #[test]
    fn nearly_requests_keep_the_promises_of_requests(data in made_of(HEAD_PIECES)) {
        request_head::check(&data);
    }

    #[test]
    fn begun_requests_keep_the_promises_of_requests(data in begun_with(b"GET / HTTP/1.1\r\n", HEAD_PIECES)) {
        request_head::check(&data);
    }

    #[test]
    fn nearly_responses_keep_the_promises_of_responses(data in made_of(HEAD_PIECES)) {
        response_head::check(&data);
    }

    #[test]
    fn begun_responses_keep_the_promises_of_responses(data in begun_with(b"HTTP/1.1 200 OK\r\n", HEAD_PIECES)) {
        response_head::check(&data);
    }

    #[test]
    fn nearly_chunked_bodies_are_decoded_like_the_reference(data in made_of(BODY_PIECES)) {
        chunked_body::check(&data);
    }

    #[test]
    fn a_request_is_read_back_as_written(
        method in "[A-Z_-]{1,32}",
        target in "[!-~]{1,60}",
        version in version(),
        fields in prop::collection::vec(field(), 0..20),
        behind in any_bytes(),
    ) {
        let mut line = Vec::new();
        encode::request_line(&mut line, method.as_bytes(), target.as_bytes(), version);
        let mut text = written(&fields, line);
        let length = text.len();
        text.extend_from_slice(&behind);
        let mut head = RequestHead::default();
        prop_assert_eq!(http1::parse_request(&mut head, &text, &REQUEST), Ok(Some(length)));
        prop_assert_eq!((head.method.as_str(), head.target(), head.version), (&*method, target.as_bytes(), version));
        prop_assert_eq!(read_back(&head.fields), fields);
    }

    #[test]
    fn a_response_is_read_back_as_written(
        status in 100u16..1000,
        reason in "[ -~]{0,30}",
        version in version(),
        fields in prop::collection::vec(field(), 0..20),
        behind in any_bytes(),
    ) {
        let mut line = Vec::new();
        encode::status_line(&mut line, version, status, reason.as_bytes());
        let mut text = written(&fields, line);
        let length = text.len();
        text.extend_from_slice(&behind);
        let mut head = ResponseHead::default();
        let limits = ResponseLimits { head: 65536, fields: 100 };
        prop_assert_eq!(http1::parse_response(&mut head, &text, &limits), Ok(Some(length)));
        prop_assert_eq!((head.status, head.reason(), head.version), (status, reason.as_bytes(), version));
        prop_assert_eq!(read_back(&head.fields), fields);
    }

    #[test]
    fn chunks_are_read_back_as_written(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 0..10),
        trailers in prop::collection::vec(("X-[a-z]{1,8}", "[!-~]{0,20}"), 0..4),
        piece in 1usize..64,
    ) {
        let mut text = Vec::new();
        for chunk in &chunks {
            text.extend_from_slice(encode::ChunkHead::new(chunk.len()).as_bytes());
            text.extend_from_slice(chunk);
            text.extend_from_slice(b"\r\n");
        }
        let mut written = http1::Fields::new();
        trailers.iter().for_each(|(name, value)| written.push(name.as_bytes(), value.as_bytes()));
        encode::last_chunk(&mut text, Some(&written));
        let limits = ChunkLimits { line: 64, excess: 64, trailer: 1024, trailer_fields: 10 };
        let mut decoder = Decoder::new(Framing::Chunked, limits);
        let mut data = Vec::new();
        for mut given in text.chunks(piece) {
            while !given.is_empty() {
                let decoded = decoder.decode(given).unwrap();
                data.extend_from_slice(&given[decoded.data]);
                given = &given[decoded.consumed..];
            }
        }
        prop_assert!(decoder.is_done());
        prop_assert_eq!(data, chunks.concat());
        let names = |fields: &http1::Fields| read_back(fields);
        prop_assert_eq!(decoder.take_trailers().map(|found| names(&found)).unwrap_or_default(), names(&written));
    }

    /// Whatever a configuration makes of a client's bytes, what is written is one head with as many fields.
    #[test]
    fn whatever_is_written_is_one_message(
        method in any_bytes(), target in any_bytes(), reason in any_bytes(), values in prop::collection::vec(any_bytes(), 0..5),
    ) {
        let mut out = Vec::new();
        encode::request_line(&mut out, &[b"M", &*method].concat(), &target, Version::H11);
        values.iter().for_each(|value| encode::field(&mut out, b"X", value));
        encode::end(&mut out);
        let ends = out.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count();
        prop_assert_eq!((ends, out.iter().filter(|byte| **byte == b'\n').count()), (1, values.len() + 2));
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\r').count(), values.len() + 2);
        let mut out = Vec::new();
        encode::status_line(&mut out, Version::H11, 200, &reason);
        values.iter().for_each(|value| encode::field(&mut out, b"X", value));
        encode::end(&mut out);
        prop_assert_eq!(out.iter().filter(|byte| matches!(byte, b'\n' | b'\r' | b'\0')).count(), 2 * values.len() + 4);
    }
}
