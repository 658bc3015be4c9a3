//! When endpoints leave the rotation, as a configuration says it. Not here: who is out ([`crate::health`]).

use std::time::Duration;

/// `eject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EjectSettings {
    /// So many failures in a row take an endpoint out; 0 for never.
    pub failures: u32,
    /// So many failures in a hundred attempts of the last ten seconds do; 0 for never.
    pub percent: u32,
    /// It is slow if its answers take so many times as long as those of the others; 0 for never.
    pub slow: u32,
    /// How long it is out the first time. Each time that follows soon is twice as long.
    pub time: Duration,
    /// The longest time out.
    pub longest: Duration,
    /// So many in a hundred endpoints stay in the rotation, at least one.
    pub floor: u32,
}

impl EjectSettings {
    /// The fewest attempts of the last ten seconds of which a share is taken.
    pub const VOLUME: u64 = 20;
    /// Answers within this time are never slow.
    pub const NEVER_SLOW: Duration = Duration::from_millis(100);
    /// Ejections in a row that make the next one longer.
    pub(crate) const MOST_LEVELS: u32 = 16;

    /// How many of so many endpoints may be out at once: none of one, and one at least of more.
    pub(crate) fn most_out(&self, endpoints: usize) -> usize {
        let kept = (endpoints * self.floor.min(100) as usize).div_ceil(100).max(1);
        endpoints.saturating_sub(kept).max(usize::from(endpoints > 1))
    }
}

impl Default for EjectSettings {
    /// Five in a row or half of twenty, or five times as slow; 5 s, doubling up to two minutes; half of them stay.
    fn default() -> Self {
        Self {
            failures: 5,
            percent: 50,
            slow: 5,
            time: Duration::from_secs(5),
            longest: Duration::from_secs(120),
            floor: 50,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_keeps_its_share_and_the_last_endpoint() {
        let out = |floor: u32, endpoints| EjectSettings { floor, ..EjectSettings::default() }.most_out(endpoints);
        assert_eq!([0, 1, 2, 3, 4, 10].map(|endpoints| out(50, endpoints)), [0, 0, 1, 1, 2, 5]);
        assert_eq!([1, 2, 10].map(|endpoints| out(0, endpoints)), [0, 1, 9]);
        assert_eq!([1, 2, 10].map(|endpoints| out(100, endpoints)), [0, 1, 1], "one may always be out");
    }
}
