//! Any bytes taken for a body. The first byte chooses framing, bounds and the sizes of pieces, the rest is the body.

use http1::{BodyError, ChunkLimits, Decoder, Framing};

use super::reference::{End, Read, read};

/// Checks that the decoder says what the reference does, whatever the pieces.
pub(crate) fn check(data: &[u8]) {
    let Some((flags, input)) = data.split_first() else { return };
    let framing = match flags & 7 {
        0 => Framing::Empty,
        1 => Framing::Close,
        2 => Framing::Length(u64::from(flags >> 3)),
        3 => Framing::Length(u64::MAX),
        _ => Framing::Chunked,
    };
    let limits = match flags >> 3 & 1 {
        0 => ChunkLimits { line: 256, excess: 512, trailer: 256, trailer_fields: 10 },
        _ => ChunkLimits { line: 12, excess: 20, trailer: 16, trailer_fields: 2 },
    };
    let expected = read(framing, &limits, input);
    let piece = usize::from(flags >> 4);
    for length in [input.len(), 1, 2, piece + 3] {
        assert_eq!(decode(framing, limits, input, length), expected, "in pieces of {length}");
    }
}

/// Decodes in pieces of so many bytes, as the gateway does: what a call leaves is given again, with more behind it.
fn decode(framing: Framing, limits: ChunkLimits, input: &[u8], length: usize) -> Read {
    let mut decoder = Decoder::new(framing, limits);
    let mut found = Read { data: Vec::new(), trailers: Vec::new(), end: End::Open };
    let mut at = 0;
    for piece in input.chunks(length.max(1)) {
        let until = at + piece.len();
        while at < until && !decoder.is_done() {
            let given = &input[at..until];
            let Ok(decoded) = decoder.decode(given) else {
                assert!(matches!(decoder.decode(given), Err(error) if decoder.end_of_input() == Err(error)));
                found.trailers = trailers(&mut decoder);
                return Read { end: End::Broken, ..found };
            };
            assert!(decoded.consumed > 0 && decoded.consumed <= given.len(), "no progress, or too much");
            assert!(decoded.data.end <= decoded.consumed);
            assert_eq!(decoded.done, decoder.is_done());
            found.data.extend_from_slice(&given[decoded.data]);
            at += decoded.consumed;
        }
    }
    if decoder.is_done() {
        found.end = End::Whole(at);
        assert_eq!(decoder.decode(b"next").map(|decoded| (decoded.data, decoded.consumed)), Ok((0..0, 0)));
        assert_eq!(decoder.end_of_input(), Ok(()));
    } else {
        let end = if framing == Framing::Close { Ok(()) } else { Err(BodyError::Truncated) };
        assert_eq!(decoder.end_of_input(), end);
    }
    found.trailers = trailers(&mut decoder);
    found
}

fn trailers(decoder: &mut Decoder) -> Vec<(Vec<u8>, Vec<u8>)> {
    decoder.take_trailers().map(|trailers| super::lines(&trailers)).unwrap_or_default()
}
