//! Who answers before the request is complete, or sends interim answers nobody expects.

use super::Mode;
use super::body::WELL;
use crate::misbehave::script::{Answer, Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "early-413",
        "answers 413 and closes while the body is still sent",
        "A limit on uploads. The unread body turns the close into a reset, which may eat the answer.",
        |_| early(Answer::status(413).with("Connection: close\r\n"), Step::Close),
    ),
    Mode::new(
        "early-401-reset",
        "answers 401 and resets while the body is still sent",
        "A guard in front of the application that does not want the body.",
        |_| early(Answer::status(401).with("WWW-Authenticate: Basic\r\nConnection: close\r\n"), Step::Reset),
    ),
    Mode::new(
        "early-answer",
        "answers well while the body is still sent, then reads it",
        "It is no failure: an application that knows its answer from the head.",
        |_| Script::open(vec![Step::Head, Step::Answer(Answer::WELL), Step::From(0)]),
    ),
    Mode::new(
        "close-in-request",
        "closes with the body unread, without an answer",
        "A crash during an upload, or a limit that is not answered.",
        |_| Script::open(vec![Step::Head, Step::BodyBegins, Step::Close]),
    ),
    Mode::new(
        "no-continue",
        "never says 100 Continue, and answers when the body is there",
        "It is no failure: an old server. Who waits for its word without a limit waits for ever.",
        |_| Script::open(vec![Step::Uninvited, Step::Answer(Answer::WELL), Step::From(0)]),
    ),
    Mode::new(
        "unasked-101",
        "switches protocols without being asked",
        "An application that takes every request for a WebSocket's: what follows is no HTTP any more.",
        |_| {
            Script::send(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
            )
        },
    ),
    Mode::new(
        "unasked-100s",
        "says 100 Continue `count` times, then answers",
        "It is no failure as long as they are few.",
        |with| {
            let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(usize::try_from(with.count).unwrap_or_default());
            let answer = [interim.as_slice(), WELL.as_bytes()].concat();
            Script::reply([Step::Send(answer.into()), Step::From(0)])
        },
    )
    .count("answers", 3),
    Mode::new(
        "endless-interim",
        "sends 103 Early Hints without end",
        "A reader that only waits for the final answer waits for ever.",
        |_| Script::reply([Step::Endless(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n".into())]),
    ),
];

/// Answers when the body has begun, and ends the connection with the rest unread.
fn early(answer: Answer, end: Step) -> Script {
    Script::open(vec![Step::Head, Step::BodyBegins, Step::Answer(answer), end])
}
