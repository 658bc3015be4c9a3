//! The ways in which the moody origin fails, one after the other. Not here: how it does so (`misbehave`).

use std::time::Duration;

use crate::misbehave::Act;

/// How long a mood lasts.
pub(super) const LASTS: Duration = Duration::from_secs(4);

/// The row of the table of modes when all is well.
pub(super) const WELL: &str = "well";

/// What an origin does for a while.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mood {
    mode: &'static str,
    /// What to say of it, after "moody now".
    pub(super) says: &'static str,
}

/// The order of moods; it goes round.
const ROUND: [Mood; 9] = [
    Mood { mode: "refuse", says: "refuses connections" },
    Mood { mode: "status-503", says: "answers 503" },
    Mood { mode: "silent", says: "accepts and says nothing" },
    Mood { mode: "reset-before-reply", says: "resets connections" },
    Mood { mode: "garbage", says: "answers something that is not HTTP" },
    Mood { mode: "close-before-reply", says: "closes without an answer" },
    Mood { mode: "big-head", says: "answers with a head of 64 KiB" },
    Mood { mode: "truncated-length", says: "stops in the middle of its answers" },
    Mood { mode: WELL, says: "is well" },
];

impl Mood {
    /// The mood this long after the start.
    pub(super) fn at(elapsed: Duration) -> &'static Self {
        let turn = usize::try_from(elapsed.as_secs() / LASTS.as_secs()).unwrap_or_default();
        &ROUND[turn % ROUND.len()]
    }

    /// What a server in this mood does. Rows are named by the program alone: one that is not there changes nothing.
    pub(super) fn act(&self) -> Option<Act> {
        Act::named(self.mode).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods_change_and_come_round() {
        let mode = |elapsed| Mood::at(elapsed).mode;
        assert_eq!(mode(Duration::ZERO), "refuse");
        assert_eq!(mode(LASTS), "status-503");
        assert_eq!(mode(LASTS * 9), "refuse");
        assert_eq!(mode(LASTS * 9 - Duration::from_millis(1)), WELL);
    }

    #[test]
    fn every_mood_is_a_mode() {
        assert!(ROUND.iter().all(|mood| mood.act().is_some()));
    }

    #[test]
    fn every_mood_has_its_turn_once() {
        let mut said: Vec<_> = ROUND.iter().map(|mood| mood.says).collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), 9);
    }
}
