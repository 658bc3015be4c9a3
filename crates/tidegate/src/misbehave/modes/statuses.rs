//! Who answers in good form, with an error or well.

use super::Mode;
use crate::misbehave::script::{Answer, Script, Step};

pub(super) const ERRORS: &[Mode] = &[
    Mode::new("status-500", "answers 500", "A bug in the application.", |_| status(500, "")),
    Mode::new("status-502", "answers 502", "A gateway in front of the application, which says no more.", |_| {
        status(502, "")
    }),
    Mode::new("status-503", "answers 503 with Retry-After", "Maintenance, or more requests than it takes.", |_| {
        status(503, "Retry-After: 2\r\n")
    }),
    Mode::new("status-504", "answers 504", "A gateway in front of a slow application.", |_| status(504, "")),
    Mode::new("status-429", "answers 429 with Retry-After", "A limit on requests.", |_| {
        status(429, "Retry-After: 2\r\n")
    }),
    Mode::new(
        "status-421",
        "answers 421",
        "A server that serves other hosts on this connection: the request belongs on another one.",
        |_| status(421, ""),
    ),
    Mode::new("status-425", "answers 425", "It does not act on requests that TLS might repeat.", |_| status(425, "")),
];

pub(super) const WELL: &[Mode] = &[
    Mode::new("well", "answers well", "To compare with, and to come back to.", |_| Script::answers(Answer::WELL)),
    Mode::new(
        "flapping",
        "closes each `count`-th connection without an answer, the others are well",
        "One of several workers behind the port is broken.",
        |_| Script::reply([Step::Close]),
    )
    .count("connections", 3)
    .flaps(),
];

fn status(status: u16, fields: &'static str) -> Script {
    Script::answers(Answer::status(status).with(fields))
}
