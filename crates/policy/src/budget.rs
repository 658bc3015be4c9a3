//! A bound on retries as a share of the traffic: when everything fails, trying everything again would keep it failing.
//! Not here: whether one request may be tried again ([`crate::retry`]).

use std::time::{Duration, Instant};

use crate::window::{SECONDS, Window};

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

/// Which of the window's counts is which.
const EXCHANGES: usize = 0;
const RETRIES: usize = 1;

/// The exchanges and retries of the last ten seconds.
#[derive(Debug, Clone)]
pub struct Budget(Window<2>);

impl Budget {
    /// How long counts matter.
    pub const WINDOW: Duration = Window::<2>::LENGTH;

    /// A budget that nothing was taken from yet.
    pub fn new(now: Instant) -> Self {
        Self(Window::new(now))
    }

    /// An exchange begins.
    pub fn exchange(&mut self, now: Instant) {
        self.0.advance(now);
        self.0.add(EXCHANGES);
    }

    /// Takes a retry; false when there is none left.
    pub fn take(&mut self, settings: BudgetSettings, now: Instant) -> bool {
        self.0.advance(now);
        let share = self.0.sum(EXCHANGES) * u64::from(settings.percent) / 100;
        let allowed = share.max(u64::from(settings.floor) * SECONDS);
        let granted = self.0.sum(RETRIES) < allowed;
        if granted {
            self.0.add(RETRIES);
        }
        granted
    }
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
                    list.retain(|at| *at + SECONDS > second);
                }
                if is_exchange {
                    budget.exchange(now);
                    exchanges.push_back(second);
                } else {
                    let share = exchanges.len() as u64 * u64::from(percent) / 100;
                    let expected = (retries.len() as u64) < share.max(u64::from(floor) * SECONDS);
                    prop_assert_eq!(budget.take(settings, now), expected);
                    retries.extend(expected.then_some(second));
                }
            }
        }
    }
}
