//! The failure that a reply means which cannot be used, with what was seen of it.
//! Not here: what becomes of it, and the bytes that a reply may begin with (`policy::failure`).

use std::time::Instant;

use http1::{BodyError, ChunkLimits, Decoder, Fields, Framing, FramingError, ResponseError, ResponseLimits};
use policy::failure::{HeadSize, first_bytes};
use policy::{Cause, Failure};

use super::pool::Connection;

/// Bounds on a chunked response's overhead: a chunk's size line, and the trailers.
pub(crate) const CHUNK_LIMITS: ChunkLimits =
    ChunkLimits { line: 1024, excess: 16384, trailer: 8192, trailer_fields: 100 };

/// The same failure with the history of the connection that it happened on.
pub(super) fn on(connection: &Connection, failure: Failure) -> Failure {
    failure.with(|evidence| evidence.connection = Some(connection.history(Instant::now())))
}

/// What a head means that cannot be understood; `bytes` are what was received of it.
pub(crate) fn head_failure(error: &ResponseError, bytes: &[u8], limits: &ResponseLimits) -> Failure {
    match error {
        ResponseError::StatusLine => not_http(bytes),
        ResponseError::TooLarge => too_large(bytes, limits),
        ResponseError::Field(line) => Failure::new(Cause::MalformedField).detail(String::from(line.clone())),
    }
}

/// What fields mean that do not frame a body.
pub(crate) fn framing_failure(error: FramingError, fields: &Fields) -> Failure {
    let cause = match error {
        FramingError::Length => Cause::BadLength,
        FramingError::DuplicateLength => Cause::DuplicateLength,
        FramingError::LengthAndCoding => Cause::LengthAndCoding,
        FramingError::DuplicateCoding => Cause::DuplicateCoding,
        FramingError::UnknownCoding | FramingError::CodingInHttp10 => Cause::UnknownCoding,
    };
    Failure::new(cause).detail(error.told(fields))
}

/// What a body means that breaks its framing.
pub(crate) fn body_failure(error: BodyError) -> Failure {
    let cause = match error {
        BodyError::ChunkSize | BodyError::ChunkEnd | BodyError::LineTooLong | BodyError::Excess => Cause::BadChunk,
        BodyError::Trailer => Cause::BadTrailer,
        BodyError::TrailerTooLong => Cause::TrailerTooLarge,
        BodyError::TrailersTooLarge => Cause::TrailersTooLarge,
        BodyError::Truncated => Cause::ChunksTruncated,
    };
    Failure::new(cause).detail(error.to_string())
}

/// What is wrong with the chunks that came together with the head. Nothing of them was delivered, so that the answer is as bad
/// as one with a bad head; trailers are no part of what is delivered, and are left to the one who delivers.
pub(super) fn bad_chunks(framing: Framing, bytes: &[u8]) -> Option<Failure> {
    if framing != Framing::Chunked {
        return None;
    }
    let (mut decoder, mut at, mut length) = (Decoder::new(framing, CHUNK_LIMITS), 0, 0);
    while at < bytes.len() && !decoder.is_done() {
        match decoder.decode(&bytes[at..]) {
            Ok(decoded) => {
                at += decoded.consumed;
                length += decoded.data.len() as u64;
            }
            Err(error) => {
                let failure = body_failure(error).with(|evidence| evidence.offset = Some(length));
                return (failure.cause == Cause::BadChunk).then_some(failure);
            }
        }
    }
    None
}

fn not_http(bytes: &[u8]) -> Failure {
    Failure::new(first_bytes::speaks(bytes).instead_of_http()).with(|evidence| {
        evidence.saw(bytes);
        evidence.alert = first_bytes::tls_alert(bytes);
    })
}

fn too_large(bytes: &[u8], limits: &ResponseLimits) -> Failure {
    let largest = largest_field(bytes);
    let most_of_it = |(_, size): &(Box<str>, u64)| *size > limits.head as u64 / 2;
    let (cause, limit) = match &largest {
        _ if bytes.len() <= limits.head => (Cause::TooManyFields, limits.fields),
        Some(field) if most_of_it(field) => (Cause::FieldTooLarge, limits.head),
        _ => (Cause::HeadTooLarge, limits.head),
    };
    let head = HeadSize { size: bytes.len() as u64, limit: limit as u64, largest };
    Failure::new(cause).with(|evidence| evidence.head = Some(head))
}

/// The name and the size of the largest field line, the last one as far as it was received.
pub(crate) fn largest_field(head: &[u8]) -> Option<(Box<str>, u64)> {
    /// As much of a name as is worth showing.
    const SHOWN: usize = 64;
    let fields = head.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::trim_ascii_end);
    let largest = fields.max_by_key(|line| line.len())?;
    let name = &largest[..memchr::memchr(b':', largest)?.min(SHOWN)];
    Some((String::from_utf8_lossy(name).into(), largest.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8], limit: usize) -> Failure {
        let limits = ResponseLimits { head: limit, fields: 3 };
        let mut head = http1::ResponseHead::default();
        head_failure(&http1::parse_response(&mut head, bytes, &limits).unwrap_err(), bytes, &limits)
    }

    #[test]
    fn a_large_head_names_its_largest_field() {
        let many = refused(b"HTTP/1.1 200 OK\r\nA: 12345\r\nBc: 1234567890\r\nD: 1234567890", 50);
        assert_eq!(many.cause, Cause::HeadTooLarge);
        let head = many.evidence().head.clone().unwrap();
        assert_eq!((head.size, head.limit, head.largest), (56, 50, Some(("Bc".into(), 14))));
        let one = refused(b"HTTP/1.1 200 OK\r\nSet-Cookie: 12345678901234567890123456789", 50);
        assert_eq!(one.cause, Cause::FieldTooLarge);
        let lines = refused(b"HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n", 500);
        assert_eq!(lines.cause, Cause::TooManyFields);
    }

    #[test]
    fn chunks_that_came_with_the_head_are_judged_with_it() {
        let offset = |bytes: &[u8]| {
            let failure = bad_chunks(Framing::Chunked, bytes)?;
            assert_eq!(failure.cause, Cause::BadChunk);
            failure.evidence().offset
        };
        assert_eq!(offset(b"what\r\n"), Some(0));
        assert_eq!(offset(b"5\r\nhello\r\n4\r\nhello"), Some(9));
        for good in [
            b"".as_slice(),
            b"5",
            b"5\r\nhel",
            b"5\r\nhello\r\n0\r\n\r\n",
            b"0\r\n\r\nmore",
            b"0\r\nno trailer\r\n\r\n",
        ] {
            assert_eq!(offset(good), None, "{}", good.escape_ascii());
        }
        assert!(bad_chunks(Framing::Length(5), b"what\r\n").is_none());
    }

    #[test]
    fn what_is_no_status_line_is_told_by_its_first_bytes() {
        let failure = refused(b"HTTP/2 200\r\n\r\n", 500);
        assert_eq!(failure.cause, Cause::MalformedStatusLine);
        assert_eq!(*failure.evidence().seen, *b"HTTP/2 200\r\n\r\n");
        let alert = refused(b"\x15\x03\x01\x00\x02\x02\x46", 500);
        assert_eq!((alert.cause, alert.evidence().alert), (Cause::SpeaksTls, Some(70)));
    }
}
