//! Of two drawn endpoints the one that is expected to answer sooner (peak-EWMA with the power of two choices).
//!
//! What an endpoint is expected to take is what its answers took, where a slow one counts at once and in full, and is
//! forgotten little by little; while it says nothing to anybody, it is at least the time that this lasts. So a slow endpoint
//! is avoided as soon as it is slow, and tried again when that is long ago.

use std::time::{Duration, Instant};

use super::random;
use crate::upstream::{EndpointId, Pick, Upstream};

/// After so long, a third of what was remembered still counts.
const MEMORY: Duration = Duration::from_secs(10);
/// What a failure counts as, in time: who refuses at once is not quick.
const FAILED: Duration = Duration::from_secs(1);

/// How long an endpoint is expected to take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// In seconds, as it was at `since`.
    seconds: f64,
    since: Option<Instant>,
    /// Attempts are under way, and nothing has come since then.
    silent: Option<Instant>,
}

impl Expected {
    /// An attempt begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.silent.get_or_insert(now);
    }

    /// An answer came after so long.
    pub(crate) fn answered(&mut self, took: Duration, now: Instant) {
        let (took, remembered) = (took.as_secs_f64(), self.remembered(now));
        let share = self.since.map_or(0.0, |since| decay(now.saturating_duration_since(since)));
        self.seconds = if took > remembered { took } else { remembered * share + took * (1.0 - share) };
        self.since = Some(now);
        self.silent = Some(now);
    }

    /// An attempt failed by the endpoint's fault.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.answered(FAILED, now);
    }

    /// Attempts are over, of which so many are left.
    pub(crate) fn ended(&mut self, left: u32) {
        if left == 0 {
            self.silent = None;
        }
    }

    /// What one more attempt would cost beside those under way. An endpoint of which nothing is known is tried, once.
    fn cost(&self, active: u32, weight: u32, now: Instant) -> f64 {
        let silence = self.silent.map_or(0.0, |since| now.saturating_duration_since(since).as_secs_f64());
        let known = if self.since.is_none() && active > 0 { FAILED.as_secs_f64() } else { self.remembered(now) };
        known.max(silence) * (f64::from(active) + 1.0) / f64::from(weight)
    }

    fn remembered(&self, now: Instant) -> f64 {
        self.since.map_or(0.0, |since| self.seconds * decay(now.saturating_duration_since(since)))
    }
}

fn decay(elapsed: Duration) -> f64 {
    (-elapsed.as_secs_f64() / MEMORY.as_secs_f64()).exp()
}

/// The cheaper of two.
pub(super) fn choose(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    random::of_two(upstream, group, pick, |upstream, first, second| {
        let [a, b] = [first, second].map(|id| {
            let endpoint = &upstream.endpoints[id.index()];
            endpoint.expected.cost(endpoint.active, endpoint.settings.weight, pick.now)
        });
        if a <= b { first } else { second }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_answer_counts_at_once_and_is_forgotten_slowly() {
        let start = Instant::now();
        let mut expected = Expected::default();
        expected.answered(MILLI, start);
        expected.answered(500 * MILLI, start);
        expected.answered(MILLI, start + MILLI);
        expected.ended(0);
        assert!(expected.cost(0, 1, start + MILLI) > 0.49);
        assert!(expected.cost(0, 1, start + 6 * MEMORY) < 0.002);
    }

    #[test]
    fn an_endpoint_that_says_nothing_costs_what_its_silence_lasts() {
        let start = Instant::now();
        let mut expected = Expected::default();
        expected.answered(MILLI, start);
        expected.ended(0);
        expected.begin(start);
        assert!(expected.cost(1, 1, start + 50 * MILLI) >= 0.1);
        expected.ended(0);
        assert!(expected.cost(0, 1, start + 50 * MILLI) < 0.002, "nobody waits for it any more");
    }

    #[test]
    fn who_is_unknown_is_tried_first_and_not_by_everybody() {
        let now = Instant::now();
        let (unknown, mut known) = (Expected::default(), Expected::default());
        known.answered(10 * MILLI, now);
        assert!(unknown.cost(0, 1, now) < known.cost(0, 1, now));
        assert!(unknown.cost(1, 1, now) > known.cost(5, 1, now));
    }

    proptest! {
        #[test]
        fn costs_are_numbers_and_never_below_nothing(
            took in prop::collection::vec((0..100_000_u64, 0..100_000_u64), 0..20), active in 0..1000_u32, weight in 1..100_u32,
        ) {
            let mut expected = Expected::default();
            let mut now = Instant::now();
            for (took, pause) in took {
                expected.begin(now);
                now += Duration::from_millis(pause);
                expected.answered(Duration::from_micros(took), now);
                let cost = expected.cost(active, weight, now);
                prop_assert!(cost.is_finite() && cost >= 0.0);
            }
        }
    }
}
