//! How long to wait before trying again: exponential, with full jitter, so that those who failed together do not return
//! together. Not here: whether to try again ([`crate::retry`]).

use std::time::Duration;

/// The bounds of the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The most that the first retry waits; doubles with each one after it.
    pub base: Duration,
    /// The most that any retry waits.
    pub cap: Duration,
}

impl Default for Backoff {
    /// 25 ms doubling up to 250 ms.
    fn default() -> Self {
        Self { base: Duration::from_millis(25), cap: Duration::from_millis(250) }
    }
}

impl Backoff {
    /// The wait before retry number `retry` (from 0): a random part of the bound, `chance` being any random number.
    /// An endpoint's own `Retry-After` is waited for in full.
    pub fn delay(&self, retry: u32, retry_after: Option<Duration>, chance: u64) -> Duration {
        let bound = self.base.saturating_mul(1_u32.checked_shl(retry).unwrap_or(u32::MAX)).min(self.cap);
        let nanos = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        let jittered = Duration::from_nanos(chance % nanos.saturating_add(1));
        jittered.max(retry_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_endpoint_that_says_when_is_believed() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::default().delay(0, Some(second), 7), second);
    }

    #[test]
    fn waits_spread_over_the_whole_bound() {
        let backoff = Backoff { base: Duration::from_nanos(9), cap: Duration::from_nanos(19) };
        let seen = |retry| (0..100).map(|chance| backoff.delay(retry, None, chance).as_nanos()).max();
        assert_eq!([seen(0), seen(1), seen(2)], [Some(9), Some(18), Some(19)]);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap(retry: u32, chance: u64, base in 0..10_000_u64, cap in 0..10_000_u64) {
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap) };
            prop_assert!(backoff.delay(retry, None, chance) <= backoff.cap);
        }
    }
}
