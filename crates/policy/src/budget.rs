//! A bound on retries as a share of the traffic: when everything fails, trying everything again would keep it failing.
//! Not here: whether one request may be tried again ([`crate::retry`]).

use std::time::{Duration, Instant};

/// How many retries there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Retries for each hundred exchanges of the last ten seconds.
    pub percent: u32,
    /// Retries a second that are allowed whatever the traffic, so that little traffic can be retried too.
    pub floor: u32,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { percent: 20, floor: 10 }
    }
}

const BUCKETS: u64 = 10;

/// The exchanges and retries of the last ten seconds.
#[derive(Debug, Clone)]
pub struct Budget {
    start: Instant,
    /// The second that the newest bucket counts, since `start`.
    second: u64,
    exchanges: Window,
    retries: Window,
}

/// Counts of ten seconds, and their sum.
#[derive(Debug, Clone, Default)]
struct Window {
    buckets: [u64; BUCKETS as usize],
    sum: u64,
}

impl Window {
    fn bucket(&mut self, second: u64) -> &mut u64 {
        &mut self.buckets[(second % BUCKETS) as usize]
    }

    fn add(&mut self, second: u64) {
        *self.bucket(second) += 1;
        self.sum += 1;
    }

    fn forget(&mut self, second: u64) {
        let old = std::mem::take(self.bucket(second));
        self.sum -= old;
    }
}

impl Budget {
    /// A budget that nothing was taken from yet.
    pub fn new(now: Instant) -> Self {
        Self { start: now, second: 0, exchanges: Window::default(), retries: Window::default() }
    }

    /// An exchange begins.
    pub fn exchange(&mut self, now: Instant) {
        self.advance(now);
        self.exchanges.add(self.second);
    }

    /// Takes a retry; false when there is none left.
    pub fn take(&mut self, settings: BudgetSettings, now: Instant) -> bool {
        self.advance(now);
        let share = self.exchanges.sum * u64::from(settings.percent) / 100;
        let allowed = share.max(u64::from(settings.floor) * BUCKETS);
        let granted = self.retries.sum < allowed;
        if granted {
            self.retries.add(self.second);
        }
        granted
    }

    fn advance(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.start).as_secs();
        let passed = second.saturating_sub(self.second).min(BUCKETS);
        for gone in 1..=passed {
            self.exchanges.forget(self.second + gone);
            self.retries.forget(self.second + gone);
        }
        self.second = self.second.max(second);
    }

    /// How long counts matter.
    pub const WINDOW: Duration = Duration::from_secs(BUCKETS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn retries_are_a_share_of_the_traffic() {
        let now = Instant::now();
        let (mut budget, settings) = (Budget::new(now), BudgetSettings { percent: 20, floor: 0 });
        (0..100).for_each(|_| budget.exchange(now));
        assert_eq!((0..100).filter(|_| budget.take(settings, now)).count(), 20);
    }

    #[test]
    fn little_traffic_may_be_retried_too() {
        let now = Instant::now();
        let (mut budget, settings) = (Budget::new(now), BudgetSettings { percent: 20, floor: 1 });
        assert_eq!((0..100).filter(|_| budget.take(settings, now)).count(), 10);
    }

    #[test]
    fn what_was_taken_comes_back_with_time() {
        let now = Instant::now();
        let (mut budget, settings) = (Budget::new(now), BudgetSettings { percent: 0, floor: 1 });
        while budget.take(settings, now) {}
        assert!(!budget.take(settings, now + Duration::from_secs(9)));
        assert!(budget.take(settings, now + Budget::WINDOW));
    }

    proptest! {
        /// A list of everything that happened, counted anew each time.
        #[test]
        fn agrees_with_a_naive_count(
            percent in 0..100_u32,
            floor in 0..3_u32,
            events in proptest::collection::vec((0..4_000_u64, any::<bool>()), 0..300),
        ) {
            let start = Instant::now();
            let (mut budget, settings) = (Budget::new(start), BudgetSettings { percent, floor });
            let (mut exchanges, mut retries) = (VecDeque::new(), VecDeque::new());
            let mut millis = 0;
            for (step, is_exchange) in events {
                millis += step;
                let (now, second) = (start + Duration::from_millis(millis), millis / 1000);
                for list in [&mut exchanges, &mut retries] {
                    list.retain(|at| *at + BUCKETS > second);
                }
                if is_exchange {
                    budget.exchange(now);
                    exchanges.push_back(second);
                } else {
                    let share = exchanges.len() as u64 * u64::from(percent) / 100;
                    let expected = (retries.len() as u64) < share.max(u64::from(floor) * BUCKETS);
                    prop_assert_eq!(budget.take(settings, now), expected);
                    retries.extend(expected.then_some(second));
                }
            }
        }
    }
}
