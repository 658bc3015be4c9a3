//! The usual time to an answer: a running median, which a few slow requests among many do not move far.
//! Not here: the comparison of endpoints ([`crate::upstream`]).

use std::time::{Duration, Instant};

use crate::window::Window;

/// A median that is tracked by steps of a tenth, up for what took longer and down for what did not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Typical {
    seconds: f64,
    answers: u64,
    last: Option<Instant>,
}

/// So many answers tell what is usual; and so often it is compared.
const ENOUGH: u64 = 16;

const STEP: f64 = 1.1;

impl Typical {
    pub(super) fn add(&mut self, latency: Duration, now: Instant) {
        let seconds = latency.as_secs_f64();
        match self.answers {
            0 => self.seconds = seconds.max(1e-6),
            _ if seconds > self.seconds => self.seconds *= STEP,
            _ if seconds < self.seconds => self.seconds = (self.seconds / STEP).max(1e-6),
            _ => {}
        }
        self.answers += 1;
        self.last = Some(now);
    }

    /// Nothing with too few answers, or none lately.
    pub(super) fn known(&self, now: Instant) -> Option<Duration> {
        let lately = self.last.is_some_and(|last| now.saturating_duration_since(last) < Window::<1>::LENGTH);
        (lately && self.answers >= ENOUGH).then(|| Duration::from_secs_f64(self.seconds))
    }

    pub(super) fn compares(&self) -> bool {
        self.answers > 0 && self.answers.is_multiple_of(ENOUGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_slow_answers_among_many_do_not_move_it_far() {
        let (mut typical, now) = (Typical::default(), Instant::now());
        for number in 0..200 {
            let millis = if number % 5 == 4 { 30_000 } else { 10 };
            typical.add(Duration::from_millis(millis), now);
        }
        let known = typical.known(now).unwrap();
        assert!(known < Duration::from_millis(20), "{known:?}");
        assert_eq!(typical.known(now + Window::<1>::LENGTH), None, "old answers say nothing");
    }

    #[test]
    fn it_follows_an_endpoint_that_became_slow() {
        let (mut typical, now) = (Typical::default(), Instant::now());
        (0..32).for_each(|_| typical.add(Duration::from_millis(10), now));
        (0..48).for_each(|_| typical.add(Duration::from_secs(1), now));
        assert!(typical.known(now).unwrap() > Duration::from_millis(500));
    }
}
