//! Who ends connections that others want to use again.

use super::Mode;
use crate::misbehave::script::{Answer, Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "closes-idle",
        "closes idle connections, and does not say so before",
        "Node after 5 s, gunicorn after 2 s, uvicorn after 5 s: a request that meets the close gets no answer.",
        |with| {
            Script::open(vec![
                Step::Request(None),
                Step::Answer(Answer::WELL),
                Step::Request(Some(with.after)),
                Step::From(1),
            ])
        },
    )
    .after(500),
    Mode::new(
        "announces-idle",
        "closes idle connections as its Keep-Alive field says",
        "What Node and Apache announce; `after` is rounded up to seconds, as the field has them.",
        |with| {
            let seconds = with.after.as_millis().div_ceil(1000);
            let answer = Answer::WELL.with(format!("Connection: keep-alive\r\nKeep-Alive: timeout={seconds}\r\n"));
            let request =
                Step::Request(Some(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX))));
            Script::open(vec![Step::Request(None), Step::Answer(answer), request, Step::From(1)])
        },
    )
    .after(2000),
    Mode::new(
        "closes-after-requests",
        "closes after `count` requests, and does not say so before",
        "Workers that are replaced after so many requests.",
        |with| {
            Script::open(vec![
                Step::Request(None),
                Step::Answer(Answer::WELL),
                Step::CloseAfter(with.count),
                Step::From(0),
            ])
        },
    )
    .count("requests", 2),
    Mode::new(
        "lies-about-keep-alive",
        "says keep-alive and closes at once, each time",
        "Servers that forget to say close, after HEAD or 204 for instance.",
        |_| {
            Script::reply([
                Step::Answer(Answer::WELL.with("Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n")),
                Step::Close,
            ])
        },
    ),
    Mode::new(
        "close-on-reuse",
        "answers once, takes the second request and closes",
        "The race of a request with an idle timeout, made certain.",
        |_| reused([Step::Close]),
    ),
    Mode::new(
        "reset-on-reuse",
        "answers once, takes the second request and resets",
        "The same on the other side of the close: a device that forgot the connection.",
        |_| reused([Step::Reset]),
    ),
    Mode::new(
        "408-on-reuse",
        "answers once, and 408 to the second request",
        "A server whose patience ended as the request came: nothing was done, any request may be sent again.",
        |_| reused([Step::Answer(Answer::status(408).with("Connection: close\r\n")), Step::Close]),
    ),
];

/// One good answer, and this to the second request.
fn reused(steps: impl IntoIterator<Item = Step>) -> Script {
    let first = [Step::Request(None), Step::Answer(Answer::WELL), Step::Request(None)];
    Script::open(first.into_iter().chain(steps).collect())
}
