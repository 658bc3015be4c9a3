//! When an attempt has been silent for so long that a second one beside it is worth its cost: a fixed time, or a share of
//! what answers take. Not here: whether the request may be sent twice ([`crate::retry`]), what it costs ([`crate::budget`]).

use std::time::{Duration, Instant};

/// When a hedge is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HedgeSettings {
    /// After this long.
    After(Duration),
    /// When so many of a hundred recent answers would be there, but after `least` at the soonest; never while too few are
    /// known ([`Latencies::ENOUGH`]).
    Percentile {
        /// Of a hundred; 95 sends about one request in twenty twice.
        percent: u32,
        /// The shortest wait: below it, a hedge costs more than it brings.
        least: Duration,
    },
}

impl Default for HedgeSettings {
    /// The slowest twentieth, after ten milliseconds at the soonest.
    fn default() -> Self {
        Self::Percentile { percent: 95, least: Duration::from_millis(10) }
    }
}

impl HedgeSettings {
    /// How long an attempt may be silent before the hedge.
    pub fn delay(self, latencies: &mut Latencies, now: Instant) -> Option<Duration> {
        match self {
            Self::After(delay) => Some(delay),
            Self::Percentile { percent, least } => Some(latencies.percentile(percent, now)?.max(least)),
        }
    }
}

/// Parts of each doubling: an estimate is at most an eighth too long.
const PARTS: usize = 8;
/// Doublings of a microsecond that are told apart: up to 67 s.
const DOUBLINGS: usize = 26;

/// How long answers took, of the last minute at the least and two at the most. 2 KiB, however many there were.
#[derive(Debug, Clone)]
pub struct Latencies {
    recent: Counts,
    before: Counts,
    since: Instant,
}

#[derive(Debug, Clone)]
struct Counts {
    buckets: Box<[u32; DOUBLINGS * PARTS]>,
    sum: u64,
}

impl Counts {
    fn new() -> Self {
        Self { buckets: Box::new([0; DOUBLINGS * PARTS]), sum: 0 }
    }
}

impl Latencies {
    /// The answers without which there is no estimate.
    pub const ENOUGH: u64 = 20;
    const TURN: Duration = Duration::from_secs(60);

    /// Nothing is known yet.
    pub fn new(now: Instant) -> Self {
        Self { recent: Counts::new(), before: Counts::new(), since: now }
    }

    /// An answer took so long, or an attempt was given up after so long because another one was quicker.
    pub fn record(&mut self, latency: Duration, now: Instant) {
        self.turn(now);
        let bucket = &mut self.recent.buckets[bucket(latency)];
        *bucket = bucket.saturating_add(1);
        self.recent.sum += 1;
    }

    /// The time in which `percent` of a hundred answers were there; nothing while too few are known.
    pub fn percentile(&mut self, percent: u32, now: Instant) -> Option<Duration> {
        self.turn(now);
        let known = self.recent.sum + self.before.sum;
        if known < Self::ENOUGH {
            return None;
        }
        let rank = (known * u64::from(percent)).div_ceil(100).clamp(1, known);
        let mut seen = 0;
        let both = self.recent.buckets.iter().zip(self.before.buckets.iter());
        let at = both.map(|(recent, before)| u64::from(*recent) + u64::from(*before)).position(|count| {
            seen += count;
            seen >= rank
        });
        at.map(upper)
    }

    /// Forgets what is too old.
    fn turn(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.since);
        if age < Self::TURN {
            return;
        }
        let recent = std::mem::replace(&mut self.recent, Counts::new());
        self.before = if age < Self::TURN * 2 { recent } else { Counts::new() };
        self.since = now;
    }
}

/// Each doubling in equal parts; what is longer than the last is in the last.
fn bucket(latency: Duration) -> usize {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
    let doubling = micros.ilog2() as usize;
    let part = ((u128::from(micros) * PARTS as u128) >> doubling) as usize - PARTS;
    (doubling * PARTS + part).min(DOUBLINGS * PARTS - 1)
}

/// The end of a bucket.
fn upper(bucket: usize) -> Duration {
    let (doubling, part) = (bucket / PARTS, bucket % PARTS);
    Duration::from_nanos((1000_u64 << doubling) * (PARTS + part + 1) as u64 / PARTS as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn of(latencies: impl IntoIterator<Item = Duration>, now: Instant) -> Latencies {
        let mut known = Latencies::new(now);
        latencies.into_iter().for_each(|latency| known.record(latency, now));
        known
    }

    #[test]
    fn few_answers_are_no_estimate() {
        let now = Instant::now();
        assert_eq!(of(vec![MILLI; 19], now).percentile(95, now), None);
        assert!(of(vec![MILLI; 20], now).percentile(95, now).is_some());
    }

    #[test]
    fn the_slow_ones_are_those_that_are_hedged() {
        let now = Instant::now();
        let mut known = of((0..100).map(|n| if n < 95 { MILLI } else { MILLI * 500 }), now);
        let delay = |percent, known: &mut Latencies| {
            HedgeSettings::Percentile { percent, least: Duration::ZERO }.delay(known, now).unwrap()
        };
        assert!(delay(95, &mut known) < MILLI * 2);
        assert!(delay(96, &mut known) >= MILLI * 500);
        let least = HedgeSettings::Percentile { percent: 95, least: MILLI * 7 };
        assert_eq!(least.delay(&mut known, now), Some(MILLI * 7));
        assert_eq!(HedgeSettings::After(MILLI).delay(&mut Latencies::new(now), now), Some(MILLI));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let now = Instant::now();
        let mut known = of(vec![MILLI * 900; 20], now);
        let later = now + Latencies::TURN;
        assert!(known.percentile(95, later).is_some(), "a minute is not old");
        assert_eq!(known.percentile(95, later + Latencies::TURN), None);
        assert_eq!(of(vec![MILLI; 20], now).percentile(95, now + Latencies::TURN * 2), None);
    }

    proptest! {
        /// A list of all of them, sorted.
        #[test]
        fn an_estimate_is_the_true_one_or_an_eighth_longer(
            mut micros in proptest::collection::vec(1..60_000_000_u64, 20..200),
            percent in 1..=100_u32,
        ) {
            let now = Instant::now();
            let mut known = of(micros.iter().map(|micros| Duration::from_micros(*micros)), now);
            let estimate = known.percentile(percent, now).unwrap();
            micros.sort_unstable();
            let rank = (micros.len() * percent as usize).div_ceil(100).max(1);
            let exact = Duration::from_micros(micros[rank - 1]);
            prop_assert!(exact <= estimate && estimate <= exact * 9 / 8 + Duration::from_micros(1), "{exact:?} {estimate:?}");
        }

        #[test]
        fn any_time_has_a_bucket(nanos: u64) {
            prop_assert!(bucket(Duration::from_nanos(nanos)) < DOUBLINGS * PARTS);
        }
    }
}
