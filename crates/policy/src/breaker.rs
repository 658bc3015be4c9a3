//! Stops asking an endpoint that mostly fails, and finds out with single attempts when it is well again.
//!
//! ```text
//! Closed ──mostly failures──▶ Open ──its time is over──▶ HalfOpen ──the trial works──▶ Closed
//!                              ▲                             │
//!                              └──the trial fails, twice the time──┘
//! ```
//! Not here: what counts as a failure ([`crate::retry::outcome`]).

use std::time::{Duration, Instant};

use crate::upstream::Outcome;
use crate::window::Window;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// It opens when so many of a hundred attempts of the last ten seconds failed.
    pub percent: u32,
    /// It never opens with fewer attempts than this in the last ten seconds.
    pub volume: u32,
    /// How long it stays open at first; doubles with each trial that fails.
    pub open: Duration,
    /// The longest that it stays open.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    /// Half of at least ten attempts; a second, doubling up to thirty.
    fn default() -> Self {
        Self { percent: 50, volume: 10, open: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Every attempt is made.
    Closed,
    /// None is made until then.
    Open { until: Instant, length: Duration },
    /// One attempt at a time is made.
    HalfOpen { length: Duration, trial: bool },
}

/// What a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No attempt is made for so long.
    Opened(Duration),
    /// The endpoint is well again.
    Closed,
}

/// An attempt that may be made. It has to be reported, whatever becomes of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    /// The state in which it was given.
    era: u64,
}

const ATTEMPTS: usize = 0;
const FAILURES: usize = 1;

/// The breaker of one endpoint.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    /// Changes of state so far: what began in an earlier one says nothing of the present one.
    era: u64,
    window: Window<2>,
}

impl Breaker {
    /// A closed one.
    pub fn new(now: Instant) -> Self {
        Self { state: State::Closed, era: 0, window: Window::new(now) }
    }

    /// Asks for an attempt.
    ///
    /// # Errors
    /// None is made now. The time until one may be; zero while a trial is under way.
    pub fn admit(&mut self, now: Instant) -> Result<Permit, Duration> {
        match self.state {
            State::Closed => {}
            State::Open { until, .. } if now < until => return Err(until - now),
            State::Open { length, .. } => self.enter(State::HalfOpen { length, trial: true }, now),
            State::HalfOpen { trial: true, .. } => return Err(Duration::ZERO),
            State::HalfOpen { length, .. } => self.state = State::HalfOpen { length, trial: true },
        }
        Ok(Permit { era: self.era })
    }

    /// Asks for an attempt where nobody else may be asked: the time open is then the first one, however often it doubled.
    ///
    /// # Errors
    /// As [`Breaker::admit`].
    pub fn admit_alone(&mut self, settings: &BreakerSettings, now: Instant) -> Result<Permit, Duration> {
        if let State::Open { until, length } = &mut self.state {
            *until -= length.saturating_sub(settings.open);
            *length = (*length).min(settings.open);
        }
        self.admit(now)
    }

    /// Says how a permitted attempt ended.
    pub fn report(
        &mut self,
        settings: &BreakerSettings,
        permit: Permit,
        outcome: Outcome,
        now: Instant,
    ) -> Option<Change> {
        match (self.state, outcome) {
            _ if permit.era != self.era => None,
            (State::Closed, outcome) => self.count(settings, outcome, now),
            (State::Open { .. }, _) => None,
            (State::HalfOpen { length, .. }, Outcome::Neutral) => {
                self.state = State::HalfOpen { length, trial: false };
                None
            }
            (State::HalfOpen { .. }, Outcome::Success) => {
                self.enter(State::Closed, now);
                Some(Change::Closed)
            }
            (State::HalfOpen { length, .. }, Outcome::Failure) => {
                Some(self.open(length.saturating_mul(2).min(settings.longest), now))
            }
        }
    }

    /// Whether attempts are made as if nothing had happened.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    fn count(&mut self, settings: &BreakerSettings, outcome: Outcome, now: Instant) -> Option<Change> {
        self.window.advance(now);
        if outcome != Outcome::Neutral {
            self.window.add(ATTEMPTS);
        }
        if outcome != Outcome::Failure {
            return None;
        }
        self.window.add(FAILURES);
        let (attempts, failures) = (self.window.sum(ATTEMPTS), self.window.sum(FAILURES));
        let mostly = failures * 100 >= attempts * u64::from(settings.percent);
        (mostly && attempts >= u64::from(settings.volume)).then(|| self.open(settings.open.min(settings.longest), now))
    }

    fn open(&mut self, length: Duration, now: Instant) -> Change {
        self.enter(State::Open { until: now + length, length }, now);
        Change::Opened(length)
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.era += 1;
        self.window = Window::new(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SETTINGS: BreakerSettings =
        BreakerSettings { percent: 50, volume: 4, open: SECOND, longest: Duration::from_secs(3) };

    fn attempt(breaker: &mut Breaker, outcome: Outcome, now: Instant) -> Option<Change> {
        let permit = breaker.admit(now).expect("an attempt may be made");
        breaker.report(&SETTINGS, permit, outcome, now)
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(now);
        let last = (0..4).map(|_| attempt(&mut breaker, Outcome::Failure, now)).last();
        assert_eq!(last, Some(Some(Change::Opened(SECOND))));
        breaker
    }

    #[test]
    fn it_opens_when_enough_attempts_mostly_fail() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for outcome in [Outcome::Success, Outcome::Success, Outcome::Success, Outcome::Failure, Outcome::Failure] {
            assert_eq!(attempt(&mut breaker, outcome, now), None);
        }
        assert_eq!(attempt(&mut breaker, Outcome::Failure, now), Some(Change::Opened(SECOND)));
        assert_eq!(breaker.admit(now + SECOND / 4), Err(SECOND * 3 / 4));
    }

    #[test]
    fn few_attempts_never_open_it_and_old_ones_are_forgotten() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for second in 0..40 {
            assert_eq!(attempt(&mut breaker, Outcome::Failure, now + second * 4 * SECOND), None);
        }
    }

    #[test]
    fn one_trial_at_a_time_decides_what_comes_then() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let trial = breaker.admit(now + SECOND).unwrap();
        assert_eq!(breaker.admit(now + SECOND), Err(Duration::ZERO));
        assert_eq!(breaker.report(&SETTINGS, trial, Outcome::Success, now + SECOND), Some(Change::Closed));
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_trial_that_says_nothing_is_followed_by_another() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(attempt(&mut breaker, Outcome::Neutral, now + SECOND), None);
        assert_eq!(attempt(&mut breaker, Outcome::Success, now + SECOND), Some(Change::Closed));
    }

    #[test]
    fn each_trial_that_fails_doubles_the_time_up_to_the_longest() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for length in [2, 3, 3] {
            now += 3 * SECOND;
            let change = attempt(&mut breaker, Outcome::Failure, now);
            assert_eq!(change, Some(Change::Opened(length * SECOND)));
        }
    }

    #[test]
    fn where_nobody_else_may_be_asked_the_first_time_counts() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(attempt(&mut breaker, Outcome::Failure, now + SECOND), Some(Change::Opened(2 * SECOND)));
        assert_eq!(breaker.admit(now + 2 * SECOND), Err(SECOND));
        assert_eq!(breaker.admit_alone(&SETTINGS, now + SECOND * 3 / 2), Err(SECOND / 2));
        assert!(breaker.admit_alone(&SETTINGS, now + 2 * SECOND).is_ok());
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing_afterwards() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        let late = breaker.admit(now).unwrap();
        let _opened = (0..4).filter_map(|_| attempt(&mut breaker, Outcome::Failure, now)).count();
        let trial = breaker.admit(now + SECOND).unwrap();
        assert_eq!(breaker.report(&SETTINGS, late, Outcome::Success, now + SECOND), None);
        assert_eq!(breaker.admit(now + SECOND), Err(Duration::ZERO), "the trial is still under way");
        assert_eq!(breaker.report(&SETTINGS, trial, Outcome::Success, now + SECOND), Some(Change::Closed));
    }

    /// The same as a list of everything that happened since the last change, counted anew each time.
    #[derive(Default)]
    struct Naive {
        since: u64,
        seen: Vec<(u64, Outcome)>,
        open: Option<(u64, u64)>,
        trials: usize,
        changes: u64,
    }

    impl Naive {
        fn admit(&mut self, now: u64) -> Option<u64> {
            match self.open {
                Some((until, _)) if now < until || self.trials > 0 => return None,
                Some(_) => self.trials = 1,
                None => {}
            }
            Some(self.changes)
        }

        fn report(&mut self, permit: u64, outcome: Outcome, now: u64) {
            if permit != self.changes {
                return;
            }
            if let Some((_, length)) = self.open {
                self.trials = 0;
                match outcome {
                    Outcome::Neutral => {}
                    Outcome::Success => self.change(None, now),
                    Outcome::Failure => self.change(Some((length * 2).min(3000)), now),
                }
            } else if outcome != Outcome::Neutral {
                self.seen.push((now, outcome));
                let age = |at: u64| (now - self.since) / 1000 - (at - self.since) / 1000;
                let recent: Vec<Outcome> =
                    self.seen.iter().filter(|(at, _)| age(*at) < 10).map(|seen| seen.1).collect();
                let failures = recent.iter().filter(|outcome| **outcome == Outcome::Failure).count();
                if outcome == Outcome::Failure && recent.len() >= 4 && failures * 2 >= recent.len() {
                    self.change(Some(1000), now);
                }
            }
        }

        fn change(&mut self, open: Option<u64>, now: u64) {
            let changes = self.changes + 1;
            *self = Naive { since: now, open: open.map(|length| (now + length, length)), changes, ..Naive::default() };
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_naive_count(
            steps in proptest::collection::vec((0..3000_u64, any::<Option<usize>>(), 0..4_u8), 0..300),
        ) {
            let start = Instant::now();
            let (mut breaker, mut naive, mut millis) = (Breaker::new(start), Naive::default(), 0);
            let mut under_way: Vec<(Permit, u64)> = Vec::new();
            for (passed, ends, how) in steps {
                millis += passed / 4;
                let now = start + Duration::from_millis(millis);
                match ends {
                    Some(at) if !under_way.is_empty() => {
                        let (permit, model) = under_way.swap_remove(at % under_way.len());
                        let outcome = [Outcome::Failure, Outcome::Failure, Outcome::Success, Outcome::Neutral];
                        let outcome = outcome[usize::from(how)];
                        breaker.report(&SETTINGS, permit, outcome, now);
                        naive.report(model, outcome, millis);
                    }
                    _ => {
                        let (permit, model) = (breaker.admit(now).ok(), naive.admit(millis));
                        prop_assert_eq!(permit.is_some(), model.is_some());
                        under_way.extend(permit.zip(model));
                    }
                }
                prop_assert_eq!(breaker.is_closed(), naive.open.is_none());
            }
        }
    }
}
