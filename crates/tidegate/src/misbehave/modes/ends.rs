//! Who ends the connection before the answer is complete.

use super::Mode;
use super::body::{HEAD, WELL};
use crate::misbehave::parameters::Parameters;
use crate::misbehave::script::{Bytes, Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "close-before-reply",
        "takes the request and closes",
        "A worker that crashes or is killed: out of memory, a timeout of its supervisor.",
        |_| Script::reply([Step::Close]),
    ),
    Mode::new(
        "reset-before-reply",
        "takes the request and resets",
        "A process that ends with bytes unread, or a device on the way that has lost the connection.",
        |_| Script::reply([Step::Reset]),
    ),
    Mode::new(
        "worker-dies",
        "takes the request, and closes when the connection is so old",
        "A supervisor kills workers that take longer than its limit, as gunicorn does after 30 s.",
        |with| Script::reply([Step::Age(with.after), Step::Close]),
    )
    .after(3000),
    Mode::new(
        "close-in-head",
        "closes within the head of its answer",
        "A crash while the head is written; `count` bytes of it are sent.",
        |with| Script::reply([Step::Send(beginning(with)), Step::Close]),
    )
    .count("bytes", 20),
    Mode::new(
        "reset-in-head",
        "resets within the head of its answer",
        "The same with a reset behind `count` bytes.",
        |with| Script::reply([Step::Send(beginning(with)), Step::Reset]),
    )
    .count("bytes", 20),
    Mode::new(
        "truncated-length",
        "closes within a body whose length it announced",
        "A crash while the body is written, or a file that shrinks under its server.",
        |_| Script::reply([HEAD.into(), "we".into(), Step::Close]),
    ),
    Mode::new("reset-in-body", "resets within a body whose length it announced", "The same with a reset.", |_| {
        Script::reply([HEAD.into(), "we".into(), Step::Reset])
    }),
    Mode::new("truncated-chunk", "closes within a chunk", "A crash while the body is written in chunks.", |_| {
        Script::send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwe")
    }),
    Mode::new(
        "no-last-chunk",
        "closes between chunks, without the last one",
        "What a generator that throws makes of its answer; only the missing end tells it from a complete one.",
        |_| Script::send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwell\n\r\n"),
    ),
];

/// The first bytes of an answer; at most all but its last.
fn beginning(with: &Parameters) -> Bytes {
    let most = HEAD.len() - 1;
    let count = usize::try_from(with.count).unwrap_or(most).min(most);
    WELL.as_bytes().get(..count).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_cut_is_never_complete() {
        let beginning = |count| beginning(&Parameters { count, ..Parameters::default() }).len();
        assert_eq!(beginning(20), 20);
        assert_eq!(beginning(5000), HEAD.len() - 1);
    }
}
