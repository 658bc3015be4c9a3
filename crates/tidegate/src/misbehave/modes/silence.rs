//! Who says nothing, too late, or too slowly.

use super::Mode;
use super::body::HEAD;
use crate::misbehave::script::{Answer, Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "silent",
        "takes the request and never answers",
        "A deadlock, a worker that waits for a database, a breakpoint.",
        |_| Script::reply([Step::Silence]),
    ),
    Mode::new(
        "deaf",
        "accepts and does not even read",
        "A process that hangs: the kernel takes what fits into its buffers, and a large body gets stuck.",
        |_| Script::open(vec![Step::Deafness]),
    ),
    Mode::new(
        "silent-in-head",
        "stops within the head of its answer",
        "An application that writes its head in pieces and gets stuck between them.",
        |_| Script::reply(["HTTP/1.1 200 OK\r\nContent-Ty".into(), Step::Silence]),
    ),
    Mode::new(
        "drip-head",
        "sends the head of its answer byte by byte",
        "No pause is longer than `after`, so that a limit on the time between two reads never ends it.",
        |with| Script::reply([Step::Drip(HEAD.as_bytes().into(), with.after), "well\n".into(), Step::From(0)]),
    )
    .after(1000),
    Mode::new(
        "delayed",
        "answers well, but late",
        "A slow query or a cold start; the answer comes `after` the request.",
        |with| {
            let answer = Step::Answer(Answer::WELL);
            Script::open(vec![Step::Request(None), Step::Wait(with.after), answer, Step::From(0)])
        },
    )
    .after(2000),
    Mode::new(
        "stall-in-body",
        "stops within the body of its answer",
        "The head and a part of the body are there, then nothing more comes.",
        |_| Script::reply([HEAD.into(), "we".into(), Step::Silence]),
    ),
    Mode::new("drip-body", "sends the body of its answer byte by byte", "A slow stream that ends well.", |with| {
        Script::reply([HEAD.into(), Step::Drip(b"well\n".into(), with.after), Step::From(0)])
    })
    .after(1000),
];
