//! Checks one HTTP/1.1 answer as its bytes arrive: its status, its framing, its length.
//!
//! Strict on purpose: the origin always sends `Content-Length`, so whatever else comes back was
//! changed on the way and is a fault. It does not look at the content and does not read from a
//! socket.

use std::fmt;

/// An answer's head that is longer than this is a fault, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;
/// More header fields than this are a fault.
const FIELD_LIMIT: usize = 64;

/// Why an answer is not the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    MalformedHead,
    HeadTooLong,
    Status(u16),
    /// `Content-Length` is missing, repeated, not a number, or beside `Transfer-Encoding`.
    Framing,
    Length(u64),
    SurplusBytes,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedHead => write!(f, "malformed answer head"),
            Self::HeadTooLong => write!(f, "answer head longer than {HEAD_LIMIT} bytes"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Framing => write!(f, "answer without exactly one valid Content-Length"),
            Self::Length(length) => {
                write!(f, "Content-Length {length} is not the length asked for")
            }
            Self::SurplusBytes => write!(f, "bytes after the end of the answer"),
        }
    }
}

/// Whether the answer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Complete,
}

/// One answer on its way in.
///
/// ```text
/// Head ──empty line──▶ Body{left} ──left = 0──▶ complete
/// ```
#[derive(Debug)]
pub(crate) struct Answer {
    expected_length: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The part of the head seen so far; stays empty when the head arrives in one piece.
    Head(Vec<u8>),
    Body {
        left: u64,
    },
}

impl Answer {
    /// An answer that must have status 200 and a body of `expected_length` bytes.
    pub(crate) fn expecting(expected_length: u64) -> Self {
        Self { expected_length, state: State::Head(Vec::new()) }
    }

    /// Takes the next bytes of the connection.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Progress, Fault> {
        match &mut self.state {
            State::Body { left } => take_body(left, bytes),
            State::Head(seen) if seen.is_empty() => self.feed_head(bytes),
            State::Head(seen) => {
                let mut head = std::mem::take(seen);
                head.extend_from_slice(bytes);
                self.feed_head(&head)
            }
        }
    }

    fn feed_head(&mut self, bytes: &[u8]) -> Result<Progress, Fault> {
        let Some(head_length) = check_head(bytes, self.expected_length)? else {
            if bytes.len() > HEAD_LIMIT {
                return Err(Fault::HeadTooLong);
            }
            self.state = State::Head(bytes.to_vec());
            return Ok(Progress::More);
        };
        let mut left = self.expected_length;
        let progress = take_body(&mut left, bytes.get(head_length..).unwrap_or_default());
        self.state = State::Body { left };
        progress
    }
}

/// The length of the head that `bytes` begin with, or `None` while its end is missing.
fn check_head(bytes: &[u8], expected_length: u64) -> Result<Option<usize>, Fault> {
    let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let mut head = httparse::Response::new(&mut fields);
    let parsed = head.parse(bytes).map_err(|_| Fault::MalformedHead)?;
    let httparse::Status::Complete(head_length) = parsed else {
        return Ok(None);
    };
    match head.code {
        Some(200) => {}
        Some(status) => return Err(Fault::Status(status)),
        None => return Err(Fault::MalformedHead),
    }
    match content_length(head.headers)? {
        length if length == expected_length => Ok(Some(head_length)),
        length => Err(Fault::Length(length)),
    }
}

/// The one `Content-Length` of a message (RFC 9112 §6.3); any other framing is a fault here.
pub(crate) fn content_length(fields: &[httparse::Header<'_>]) -> Result<u64, Fault> {
    let mut length = None;
    for field in fields {
        if field.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Fault::Framing);
        }
        if field.name.eq_ignore_ascii_case("content-length") {
            let digits = field.value.iter().all(u8::is_ascii_digit).then_some(field.value);
            let value = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            if length.is_some() || value.is_none() {
                return Err(Fault::Framing);
            }
            length = value;
        }
    }
    length.ok_or(Fault::Framing)
}

fn take_body(left: &mut u64, bytes: &[u8]) -> Result<Progress, Fault> {
    *left = left.checked_sub(bytes.len() as u64).ok_or(Fault::SurplusBytes)?;
    Ok(if *left == 0 { Progress::Complete } else { Progress::More })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello";

    fn feed(bytes: &[u8]) -> Result<Progress, Fault> {
        Answer::expecting(5).feed(bytes)
    }

    #[test]
    fn a_whole_answer_in_one_piece_is_complete() {
        assert_eq!(feed(GOOD), Ok(Progress::Complete));
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_answer() {
        for at in 1..GOOD.len() {
            let (first, second) = GOOD.split_at(at);
            let mut answer = Answer::expecting(5);
            assert_eq!(answer.feed(first), Ok(Progress::More), "split at {at}");
            assert_eq!(answer.feed(second), Ok(Progress::Complete), "split at {at}");
        }
    }

    #[test]
    fn byte_by_byte_is_complete_at_the_last_byte_only() {
        let mut answer = Answer::expecting(5);
        let seen: Vec<_> = GOOD.iter().map(|byte| answer.feed(&[*byte])).collect();
        let complete = seen.iter().position(|progress| *progress == Ok(Progress::Complete));
        assert_eq!(complete, Some(GOOD.len() - 1));
    }

    #[test]
    fn an_empty_body_is_complete_with_the_head() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(Answer::expecting(0).feed(head), Ok(Progress::Complete));
    }

    #[test]
    fn another_status_is_a_fault() {
        let answer = feed(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!(answer, Err(Fault::Status(502)));
    }

    #[test]
    fn another_length_is_a_fault() {
        assert_eq!(feed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!"), Err(Fault::Length(6)));
    }

    #[test]
    fn bytes_after_the_answer_are_a_fault() {
        let surplus = [GOOD, b"x"].concat();
        assert_eq!(feed(&surplus), Err(Fault::SurplusBytes));
    }

    #[test]
    fn any_framing_but_one_content_length_is_a_fault() {
        for fields in [
            "",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: \r\n",
        ] {
            let answer = feed(format!("HTTP/1.1 200 OK\r\n{fields}\r\nhello").as_bytes());
            assert_eq!(answer, Err(Fault::Framing), "with {fields:?}");
        }
    }

    #[test]
    fn garbage_instead_of_a_status_line_is_a_fault() {
        assert_eq!(feed(b"hello, world\r\n\r\n"), Err(Fault::MalformedHead));
    }

    #[test]
    fn an_endless_head_is_a_fault() {
        let head = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'x'; HEAD_LIMIT]].concat();
        assert_eq!(feed(&head), Err(Fault::HeadTooLong));
    }
}
