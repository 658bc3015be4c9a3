//! How often the same failure came lately, so that its advice is given once and not a thousand times.
//! Not here: how it is said.

use std::time::{Duration, Instant};

use super::Cause;

/// How long advice is not given again.
const SILENCE: Duration = Duration::from_secs(60);
/// The most places that are remembered; beyond it the one that has been silent for longest is forgotten.
const MOST: usize = 256;

/// What came lately, each cause at each place.
#[derive(Debug, Default)]
pub struct Repeats(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    cause: Cause,
    place: Box<str>,
    /// When advice was given.
    advised: Instant,
    last: Instant,
    /// Failures since then.
    since: u64,
}

/// What to say of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saying {
    /// Whether to give the advice.
    pub advise: bool,
    /// The same failures that were said without advice since it was given last, and how long that is ago.
    pub unadvised: Option<(u64, Duration)>,
}

impl Repeats {
    /// A failure happens at a place, such as an endpoint's address.
    pub fn saw(&mut self, cause: Cause, place: &str, now: Instant) -> Saying {
        let known = self.0.iter_mut().find(|entry| entry.cause == cause && *entry.place == *place);
        let Some(entry) = known else {
            self.remember(cause, place, now);
            return Saying { advise: true, unadvised: None };
        };
        entry.last = now;
        let silent = now.saturating_duration_since(entry.advised);
        if silent < SILENCE {
            entry.since += 1;
            return Saying { advise: false, unadvised: None };
        }
        entry.advised = now;
        let since = std::mem::take(&mut entry.since);
        Saying { advise: true, unadvised: (since > 0).then_some((since, silent)) }
    }

    fn remember(&mut self, cause: Cause, place: &str, now: Instant) {
        let oldest = self.0.iter().enumerate().min_by_key(|(_, entry)| entry.last).map(|(at, _)| at);
        if let Some(at) = oldest.filter(|_| self.0.len() >= MOST) {
            self.0.swap_remove(at);
        }
        self.0.push(Entry { cause, place: place.into(), advised: now, last: now, since: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn advice_is_given_once_a_minute_and_what_came_between_is_counted() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let mut saw = |seconds| repeats.saw(Cause::ConnectRefused, "127.0.0.1:1", start + seconds * SECOND);
        assert_eq!(saw(0), Saying { advise: true, unadvised: None });
        for seconds in [1, 2, 59] {
            assert_eq!(saw(seconds), Saying { advise: false, unadvised: None });
        }
        assert_eq!(saw(70), Saying { advise: true, unadvised: Some((3, 70 * SECOND)) });
        assert_eq!(saw(140), Saying { advise: true, unadvised: None });
    }

    #[test]
    fn each_cause_and_each_place_has_its_own_advice() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.saw(Cause::ConnectRefused, "127.0.0.1:1", now).advise);
        assert!(repeats.saw(Cause::ConnectRefused, "127.0.0.1:2", now).advise);
        assert!(repeats.saw(Cause::ReplyTimeout, "127.0.0.1:1", now).advise);
        assert!(!repeats.saw(Cause::ReplyTimeout, "127.0.0.1:1", now).advise);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_quietest_goes_first() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        for place in 0..10_000u32 {
            let now = start + place * Duration::from_millis(1);
            repeats.saw(Cause::ConnectRefused, &place.to_string(), now);
            repeats.saw(Cause::ConnectRefused, "busy", now);
        }
        assert_eq!(repeats.0.len(), MOST);
        assert!(!repeats.saw(Cause::ConnectRefused, "busy", start + 20 * SECOND).advise);
    }
}
