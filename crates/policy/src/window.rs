//! Counts of the last ten seconds, a second each. Not here: what is counted ([`crate::budget`], [`crate::breaker`]).

use std::time::{Duration, Instant};

/// The seconds that count.
pub(crate) const SECONDS: u64 = 10;

/// `N` counts that run side by side.
#[derive(Debug, Clone)]
pub(crate) struct Window<const N: usize> {
    start: Instant,
    /// The second that the newest bucket counts, since `start`.
    second: u64,
    counts: [Count; N],
}

/// Counts of ten seconds, and their sum.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    buckets: [u64; SECONDS as usize],
    sum: u64,
}

impl Count {
    fn add(&mut self, second: u64) {
        self.buckets[(second % SECONDS) as usize] += 1;
        self.sum += 1;
    }

    fn forget(&mut self, second: u64) {
        self.sum -= std::mem::take(&mut self.buckets[(second % SECONDS) as usize]);
    }
}

impl<const N: usize> Window<N> {
    /// How long a count matters.
    pub(crate) const LENGTH: Duration = Duration::from_secs(SECONDS);

    pub(crate) fn new(now: Instant) -> Self {
        Self { start: now, second: 0, counts: [Count::default(); N] }
    }

    pub(crate) fn add(&mut self, which: usize) {
        self.counts[which].add(self.second);
    }

    pub(crate) fn sum(&self, which: usize) -> u64 {
        self.counts[which].sum
    }

    /// Forgets what is too old; comes before the other calls.
    pub(crate) fn advance(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.start).as_secs();
        let passed = second.saturating_sub(self.second).min(SECONDS);
        for gone in 1..=passed {
            self.counts.iter_mut().for_each(|count| count.forget(self.second + gone));
        }
        self.second = self.second.max(second);
    }
}
