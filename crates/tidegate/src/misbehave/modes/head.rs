//! Whose head is not HTTP, not quite, or too much of it.

use super::Mode;
use super::body::WELL;
use crate::misbehave::script::{Script, Step};

/// A good answer with lines of one's own after its status line.
macro_rules! answer {
    ($lines:literal) => {
        concat!("HTTP/1.1 200 OK\r\n", $lines, "Content-Length: 5\r\n\r\nwell\n").as_bytes()
    };
}

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "garbage",
        "answers text that is not HTTP",
        "A debug line that was printed before the answer, or a service of another kind.",
        |_| Script::send(b"what are you talking about?\r\n\r\n"),
    ),
    Mode::new(
        "html-only",
        "answers HTML without any head, as HTTP/0.9 did",
        "A script that prints its page and no header.",
        |_| Script::send(b"<!DOCTYPE html>\n<html><title>hello</title><p>well</html>\n"),
    ),
    Mode::new("no-status", "begins with fields, without a status line", "A CGI script that is asked by HTTP.", |_| {
        Script::send(b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nwell\n")
    }),
    Mode::new(
        "bad-status",
        "has a word where the status should be",
        "A framework that formats its enum instead of the number.",
        |_| Script::send(b"HTTP/1.1 OK 200\r\nContent-Length: 5\r\n\r\nwell\n"),
    ),
    Mode::new(
        "status-out-of-range",
        "answers with status 42",
        "A number of the application's own in the wrong place.",
        |_| Script::send(b"HTTP/1.1 42 Fine\r\nContent-Length: 5\r\n\r\nwell\n"),
    ),
    Mode::new(
        "wrong-version",
        "claims to be HTTP/3.0 in a line of text",
        "A server that writes the version it wishes it had.",
        |_| Script::send(b"HTTP/3.0 200 OK\r\nContent-Length: 5\r\n\r\nwell\n"),
    ),
    Mode::new(
        "bare-lf-head",
        "ends the lines of its head without a carriage return",
        "Shell scripts and small devices; nginx and others take it.",
        |_| Script::send(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nwell\n"),
    ),
    Mode::new(
        "obs-fold",
        "folds a field over two lines",
        "Old libraries for mail and HTTP; readers differ about the second line.",
        |_| Script::send(answer!("X-Folded: one\r\n two\r\n")),
    ),
    Mode::new(
        "space-before-colon",
        "has a space between a field's name and its colon",
        "Hand-written heads; readers differ about the name.",
        |_| Script::send(answer!("X-Spaced : one\r\n")),
    ),
    Mode::new(
        "no-colon",
        "has a line without a colon among its fields",
        "A message or a warning that got into the head.",
        |_| Script::send(answer!("Warning this is no field\r\n")),
    ),
    Mode::new(
        "nul-in-field",
        "has a NUL byte in a field",
        "A string of C with its end, or binary data in a cookie.",
        |_| Script::send(answer!("X-Binary: a\0b\r\n")),
    ),
    Mode::new(
        "cr-in-field",
        "has a carriage return within a field",
        "User input that was put into a field: some readers see two fields.",
        |_| Script::send(answer!("X-Split: a\rX-Forged: b\r\n")),
    ),
    Mode::new(
        "big-head",
        "sends a head of more than `size` bytes, in many fields",
        "Cookies of a single sign-on, a list of policies: beyond the reader's buffer.",
        |with| Script::send(head(with.size.div_ceil(FIELD.len()))),
    )
    .size(64 << 10),
    Mode::new("big-field", "sends a field of `size` bytes", "A token that grew; one field is to blame.", |with| {
        let field = [b"Set-Cookie: token=", vec![b'x'; with.size].as_slice(), b"\r\n"].concat();
        Script::send([b"HTTP/1.1 200 OK\r\n", field.as_slice(), END].concat())
    })
    .size(64 << 10),
    Mode::new("many-fields", "sends `count` fields in its head", "A loop that adds a field each time round.", |with| {
        let fields = b"X: y\r\n".repeat(usize::try_from(with.count).unwrap_or_default());
        Script::send([b"HTTP/1.1 200 OK\r\n", fields.as_slice(), END].concat())
    })
    .count("fields", 2000),
    Mode::new(
        "endless-head",
        "sends fields without end",
        "The same loop without an end: a reader without a bound runs out of memory.",
        |_| Script::reply(["HTTP/1.1 200 OK\r\n".into(), Step::Endless(FIELD.into())]),
    ),
    Mode::new(
        "answer-in-pieces",
        "sends a good answer in three writes",
        "It is no failure: pieces end within the status line and within a field.",
        |_| {
            let piece = |from, to| Step::Send(WELL.as_bytes().get(from..to).unwrap_or_default().into());
            Script::reply([piece(0, 7), piece(7, 30), piece(30, WELL.len()), Step::From(0)])
        },
    ),
];

const FIELD: &[u8] = b"Set-Cookie: session=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax\r\n";
const END: &[u8] = b"Content-Length: 5\r\n\r\nwell\n";

/// A good answer with so many more fields.
fn head(fields: usize) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n", FIELD.repeat(fields).as_slice(), END].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_head_is_larger_than_asked_by_less_than_a_field() {
        let size = 64 << 10;
        let length = head(usize::div_ceil(size, FIELD.len())).len() - "well\n".len();
        assert!((size..size + 2 * FIELD.len()).contains(&length), "{length}");
    }
}
