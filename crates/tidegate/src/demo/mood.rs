//! The ways in which the moody origin fails, one after the other. Not here: the sockets.

use std::time::Duration;

/// How long a mood lasts.
pub(super) const LASTS: Duration = Duration::from_secs(4);

/// What an origin does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Answers as it should.
    Well,
    /// Nobody listens on the port.
    Refuses,
    /// Resets the connection when the request is in.
    Resets,
    /// Closes the connection without an answer.
    Closes,
    /// Accepts the request and says nothing.
    Stalls,
    /// Answers something that is not HTTP.
    Babbles,
    /// Announces a body and stops in the middle of it.
    Truncates,
    /// Answers with a head larger than any buffer.
    Bloats,
    /// Answers 503.
    Unavailable,
}

/// The order of moods; it goes round.
const ROUND: [Mood; 9] = [
    Mood::Refuses,
    Mood::Unavailable,
    Mood::Stalls,
    Mood::Resets,
    Mood::Babbles,
    Mood::Closes,
    Mood::Bloats,
    Mood::Truncates,
    Mood::Well,
];

impl Mood {
    /// The mood this long after the start.
    pub(super) fn at(elapsed: Duration) -> Self {
        let turn = elapsed.as_secs() / LASTS.as_secs();
        let index = usize::try_from(turn).unwrap_or_default() % ROUND.len();
        ROUND.get(index).copied().unwrap_or(Mood::Well)
    }

    /// What to say of it, after "moody now".
    pub(super) fn says(self) -> &'static str {
        match self {
            Mood::Well => "is well",
            Mood::Refuses => "refuses connections",
            Mood::Resets => "resets connections",
            Mood::Closes => "closes without an answer",
            Mood::Stalls => "accepts and says nothing",
            Mood::Babbles => "answers something that is not HTTP",
            Mood::Truncates => "stops in the middle of its answers: no retry can hide that",
            Mood::Bloats => "answers with a head of 256 KiB",
            Mood::Unavailable => "answers 503",
        }
    }

    /// The bytes of its answer, if it answers; the connection is closed after them.
    pub(super) fn answer(self, name: &str) -> Option<Vec<u8>> {
        let text = match self {
            Mood::Well => answer("200 OK", "", &format!("hello from {name}\n")),
            Mood::Unavailable => answer("503 Service Unavailable", "", "not now\n"),
            Mood::Babbles => "what are you talking about?\r\n\r\n".into(),
            Mood::Truncates => answer("200 OK", "", &"x".repeat(100)).trim_end_matches(['x']).to_owned() + "xxxx",
            Mood::Bloats => answer("200 OK", &format!("X-Bloat: {}\r\n", "x".repeat(256 << 10)), ""),
            Mood::Refuses | Mood::Resets | Mood::Closes | Mood::Stalls => return None,
        };
        Some(text.into_bytes())
    }
}

fn answer(status: &str, field: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n{field}\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods_change_and_come_round() {
        assert_eq!(Mood::at(Duration::ZERO), Mood::Refuses);
        assert_eq!(Mood::at(LASTS), Mood::Unavailable);
        assert_eq!(Mood::at(LASTS * 9), Mood::Refuses);
        assert_eq!(Mood::at(LASTS * 9 - Duration::from_millis(1)), Mood::Well);
    }

    #[test]
    fn every_mood_has_its_turn_once() {
        let mut said: Vec<_> = ROUND.iter().map(|mood| mood.says()).collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), 9);
    }

    #[test]
    fn a_truncated_answer_is_shorter_than_it_says() {
        let text = String::from_utf8(Mood::Truncates.answer("m").unwrap()).unwrap();
        assert!(text.contains("Content-Length: 100\r\n"));
        assert!(text.ends_with("\r\n\r\nxxxx"));
    }

    #[test]
    fn a_good_answer_is_as_long_as_it_says() {
        let text = String::from_utf8(Mood::Well.answer("m").unwrap()).unwrap();
        assert!(text.contains("Content-Length: 13\r\n") && text.ends_with("\r\n\r\nhello from m\n"));
    }
}
