//! What a misbehaving connection does, step by step. Not here: the doing (`play`), and who does what (`modes`).

use std::borrow::Cow;
use std::time::Duration;

/// Bytes that are sent as they are.
pub type Bytes = Cow<'static, [u8]>;

/// What happens to one who connects, and then on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What the port does.
    pub door: Door,
    /// What a connection does, in order; behind the last step it is closed.
    pub steps: Vec<Step>,
}

/// What a port does with one who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Accepts.
    Open,
    /// Is held, and nobody listens on it.
    Refuses,
    /// Listens with a full queue, and never accepts.
    Full,
}

/// One thing that a connection does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Waits for a request's head; the body stays where it is.
    Head,
    /// Waits for a request, head and body, and says 100 Continue where that is waited for. One that does not begin within
    /// the time ends the connection.
    Request(Option<Duration>),
    /// Waits for a request, and never says 100 Continue.
    Uninvited,
    /// Waits for the first byte of the body, and leaves it unread.
    BodyBegins,
    /// Sends bytes, whatever was asked.
    Send(Bytes),
    /// Sends bytes one by one, so long apart.
    Drip(Bytes, Duration),
    /// Sends bytes over and over until the peer is gone.
    Endless(Bytes),
    /// Sends a head back as it was received.
    Echo,
    /// Answers as HTTP wants it: no body to HEAD, and a close where the request asks for it.
    Answer(Answer),
    /// Does nothing for so long.
    Wait(Duration),
    /// Does nothing until the connection is so old.
    Age(Duration),
    /// Reads on and says nothing until the peer is gone.
    Silence,
    /// Does not even read, until the peer is gone.
    Deafness,
    /// Ends the connection after so many requests.
    CloseAfter(u64),
    /// Ends the connection in order.
    Close,
    /// Ends the connection by a reset.
    Reset,
    /// Goes on with the step of this number, unless the request wants the connection closed.
    From(usize),
}

/// A right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Fields beside `Content-Type` and `Content-Length`, as lines.
    pub fields: Cow<'static, str>,
    /// The body.
    pub body: Body,
}

/// The body of a right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The server's own text.
    Hello,
    /// The status in a line.
    Status,
    /// This.
    Text(String),
}

impl Answer {
    /// The server's text, with 200.
    pub const WELL: Answer = Answer { status: 200, fields: Cow::Borrowed(""), body: Body::Hello };

    /// A status that says what it is.
    pub fn status(status: u16) -> Self {
        Answer { status, body: Body::Status, ..Answer::WELL }
    }

    /// The same with these lines in its head.
    pub fn with(self, fields: impl Into<Cow<'static, str>>) -> Self {
        Answer { fields: fields.into(), ..self }
    }

    /// Its bytes. `hello` is the server's own text.
    pub(super) fn bytes(&self, hello: &str, to_head: bool) -> Vec<u8> {
        let reason = http1::encode::reason(self.status);
        let status_line = format!("{} {reason}\n", self.status);
        let body = match &self.body {
            Body::Hello => hello,
            Body::Status => &status_line,
            Body::Text(text) => text,
        };
        let (status, fields, length) = (self.status, &self.fields, body.len());
        let sent = if to_head { "" } else { body };
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n{fields}\r\n{sent}"
        )
        .into_bytes()
    }
}

impl Script {
    /// Waits for a request, and does this.
    pub fn reply(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::open([Step::Request(None)].into_iter().chain(steps).collect())
    }

    /// Waits for a request, sends this, and closes.
    pub fn send(bytes: impl Into<Bytes>) -> Self {
        Self::reply([Step::Send(bytes.into())])
    }

    /// Accepts, and does this.
    pub fn open(steps: Vec<Step>) -> Self {
        Self { door: Door::Open, steps }
    }

    /// Lets nobody in.
    pub fn shut(door: Door) -> Self {
        Self { door, steps: Vec::new() }
    }

    /// Answers each request.
    pub fn answers(answer: Answer) -> Self {
        Self::open(vec![Step::Request(None), Step::Answer(answer), Step::From(0)])
    }
}

/// Text that is sent as it is.
impl From<&'static str> for Step {
    fn from(text: &'static str) -> Self {
        Step::Send(Cow::Borrowed(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_as_long_as_they_say() {
        let text = |answer: Answer, to_head| String::from_utf8(answer.bytes("hello\n", to_head)).unwrap();
        let well = text(Answer::WELL, false);
        assert_eq!(well, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n");
        assert!(text(Answer::WELL, true).ends_with("Content-Length: 6\r\n\r\n"));
        let unavailable = text(Answer::status(503).with("Retry-After: 2\r\n"), false);
        assert!(
            unavailable.ends_with("Content-Length: 36\r\nRetry-After: 2\r\n\r\n503 Service Temporarily Unavailable\n")
        );
    }
}
