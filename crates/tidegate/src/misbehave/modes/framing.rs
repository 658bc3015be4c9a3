//! Whose fields do not say where the answer ends, or say it twice.

use super::Mode;
use crate::misbehave::script::Script;

/// An answer with these lines for its length, and this body.
macro_rules! framed {
    ($lines:literal, $body:literal) => {
        concat!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", $lines, "\r\n", $body).as_bytes()
    };
}

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "length-and-chunked",
        "sends Content-Length and Transfer-Encoding both",
        "An application that sets one field while its server sets the other; readers differ, which attackers use.",
        |_| Script::send(framed!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "5\r\nwell\n\r\n0\r\n\r\n")),
    ),
    Mode::new(
        "two-lengths",
        "sends two different Content-Length fields",
        "An application and its server that both count; readers differ.",
        |_| Script::send(framed!("Content-Length: 5\r\nContent-Length: 3\r\n", "well\n")),
    ),
    Mode::new("same-length-twice", "sends the same Content-Length twice", "The same where they agree.", |_| {
        Script::send(framed!("Content-Length: 5\r\nContent-Length: 5\r\n", "well\n"))
    }),
    Mode::new(
        "negative-length",
        "sends Content-Length: -1",
        "A length that is not known, in the words of the standard library.",
        |_| Script::send(framed!("Content-Length: -1\r\n", "well\n")),
    ),
    Mode::new("plus-length", "sends Content-Length: +5", "A number that some readers take and others refuse.", |_| {
        Script::send(framed!("Content-Length: +5\r\n", "well\n"))
    }),
    Mode::new(
        "huge-length",
        "sends a Content-Length beyond 64 bits",
        "Readers that let it overflow take the body for another answer.",
        |_| Script::send(framed!("Content-Length: 18446744073709551621\r\n", "well\n")),
    ),
    Mode::new("unknown-coding", "sends Transfer-Encoding: gzip without chunks", "Content-Encoding was meant.", |_| {
        Script::send(framed!("Transfer-Encoding: gzip\r\n", "well\n"))
    }),
    Mode::new(
        "two-codings",
        "sends Transfer-Encoding: chunked twice",
        "An application that sets the field by hand behind a server that sets it too; seen with Spring.",
        |_| {
            Script::send(framed!(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "5\r\nwell\n\r\n0\r\n\r\n"
            ))
        },
    ),
    Mode::new(
        "chunked-in-http10",
        "sends chunks in an HTTP/1.0 answer",
        "Servers that echo the version of a request and not its rules.",
        |_| Script::send(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwell\n\r\n0\r\n\r\n"),
    ),
];
