//! When a name is looked up again: by the time to live of its answer, at once when its endpoints cannot be reached, and
//! with patience while nobody answers. Not here: asking, and the addresses themselves, which are kept until others are found.

use std::time::{Duration, Instant};

/// An answer is believed for so long at least, whatever it says: names with no time to live are asked about once a second.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// And for so long at most.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// The longest pause between two look-ups of a name that nobody knows any more.
pub const MOST_PATIENT: Duration = Duration::from_secs(30);

/// What is known of when a name was asked about, and when it is to be asked about again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    asked: Option<Instant>,
    due: Instant,
    /// Look-ups without an answer since the last that had one.
    failures: u32,
    /// It had an answer once.
    known: bool,
}

impl Freshness {
    /// A name that was never asked about: it is due.
    pub fn new(now: Instant) -> Self {
        Self { asked: None, due: now, failures: 0, known: false }
    }

    /// When it is to be looked up.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// It was looked up, and the answer holds for so long.
    pub fn answered(&mut self, ttl: Duration, now: Instant) {
        *self = Self { asked: Some(now), due: now + ttl.clamp(SHORTEST, LONGEST), failures: 0, known: true };
    }

    /// It was looked up, and nobody had an address. Who waits for a first answer is not kept waiting; a name that had one
    /// is asked about less and less often.
    pub fn failed(&mut self, now: Instant) {
        let pause = if self.known { SHORTEST.saturating_mul(1 << self.failures.min(5)) } else { SHORTEST };
        self.asked = Some(now);
        self.due = now + pause.min(MOST_PATIENT);
        self.failures = self.failures.saturating_add(1);
    }

    /// An endpoint at one of its addresses could not be reached: it may have moved.
    pub fn suspected(&mut self, now: Instant) {
        let soonest = self.asked.map_or(now, |asked| now.max(asked + SHORTEST));
        self.due = self.due.min(soonest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn answered(ttl: Duration) -> (Freshness, Instant) {
        let now = Instant::now();
        let mut freshness = Freshness::new(now);
        freshness.answered(ttl, now);
        (freshness, now)
    }

    #[test]
    fn an_answer_holds_for_its_time_to_live() {
        let (freshness, now) = answered(17 * SECOND);
        assert_eq!(freshness.due(), now + 17 * SECOND);
    }

    #[test]
    fn no_answer_holds_less_than_a_second_or_more_than_an_hour() {
        let (none, now) = answered(Duration::ZERO);
        assert_eq!(none.due(), now + SHORTEST);
        let (week, now) = answered(Duration::from_secs(7 * 86_400));
        assert_eq!(week.due(), now + LONGEST);
    }

    #[test]
    fn unreachable_endpoints_make_it_due_once_a_second_at_the_most() {
        let (mut freshness, now) = answered(300 * SECOND);
        freshness.suspected(now + 10 * SECOND);
        assert_eq!(freshness.due(), now + 10 * SECOND);
        freshness.answered(300 * SECOND, now + 10 * SECOND);
        freshness.suspected(now + 10 * SECOND);
        freshness.suspected(now + 10 * SECOND);
        assert_eq!(freshness.due(), now + 11 * SECOND);
    }

    #[test]
    fn who_never_had_an_answer_asks_every_second() {
        let now = Instant::now();
        let mut freshness = Freshness::new(now);
        for second in 0..100 {
            let at = now + second * SECOND;
            freshness.failed(at);
            assert_eq!(freshness.due(), at + SECOND);
        }
    }

    #[test]
    fn who_had_one_asks_less_and_less_often_until_there_is_one_again() {
        let (mut freshness, mut now) = answered(SECOND);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            freshness.failed(now);
            assert_eq!(freshness.due(), now + pause * SECOND);
            now = freshness.due();
        }
        freshness.answered(5 * SECOND, now);
        freshness.failed(now + 5 * SECOND);
        assert_eq!(freshness.due(), now + 6 * SECOND);
    }
}
