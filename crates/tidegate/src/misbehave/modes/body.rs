//! Whose body is not what its framing says, chunk by chunk; and the parts of a good answer that others cut up.

use super::Mode;
use crate::misbehave::script::Script;

/// The head of a good answer with five bytes.
pub(super) const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";

/// A good answer.
pub(super) const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nwell\n";

/// A head behind which chunks follow.
macro_rules! chunks {
    ($body:literal) => {
        concat!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", $body).as_bytes()
    };
}

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "bad-chunk-size",
        "sends a chunk size that is no number",
        "An application that announces chunks and sends its text plain.",
        |_| Script::send(chunks!("well\n")),
    ),
    Mode::new(
        "huge-chunk-size",
        "sends a chunk size beyond 64 bits",
        "Readers that let it overflow take the rest for another answer.",
        |_| Script::send(chunks!("10000000000000005\r\nwell\n\r\n0\r\n\r\n")),
    ),
    Mode::new(
        "long-chunk",
        "sends more than the chunk's size says",
        "A size that was counted in characters, not in bytes.",
        |_| Script::send(chunks!("4\r\nwell\n\r\n0\r\n\r\n")),
    ),
    Mode::new(
        "bare-lf-chunk",
        "ends lines of its chunks without a carriage return",
        "Readers differ about such lines: what one takes for data is a chunk to the next.",
        |_| Script::send(chunks!("5\nwell\n\n0\n\n")),
    ),
    Mode::new(
        "big-trailer",
        "sends a trailer of `size` bytes behind its chunks",
        "Beyond any buffer that is meant for a few fields.",
        |with| Script::send([chunks!("5\r\nwell\n\r\n0\r\nX-Big: "), &vec![b'x'; with.size], b"\r\n\r\n"].concat()),
    )
    .size(256 << 10),
    Mode::new(
        "surplus",
        "sends bytes behind the end of its answer",
        "A length that is too small; on a kept connection the rest would begin the next answer.",
        |_| Script::send([WELL, "surplus\n"].concat().into_bytes()),
    ),
    Mode::new(
        "second-answer",
        "sends a second answer that nobody asked for",
        "What is left of an aborted request, or an attack: it must never answer the next request.",
        |_| Script::send([WELL, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforged\n"].concat().into_bytes()),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_answer_is_as_long_as_it_says() {
        assert_eq!(WELL.strip_prefix(HEAD), Some("well\n"));
    }
}
