//! A histogram of latencies with buckets of a fixed relative width.
//!
//! It answers quantiles within 1.6 %, in 18 KiB, whatever the number of samples. It keeps no single
//! sample and knows nothing of what was timed.

use std::time::Duration;

/// Each power of two is split into `2^SPLIT` buckets: a bucket is at most 1/64 of its value wide.
const SPLIT: u32 = 6;
/// Values of `2^LIMIT` ns (18 minutes) and more are counted in the last bucket.
const LIMIT: u32 = 40;
const BUCKETS: usize = ((LIMIT - SPLIT + 1) << SPLIT) as usize;

/// Counts of durations, by nanoseconds.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }

    pub(crate) fn record(&mut self, value: Duration) {
        let nanoseconds = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The value that `fraction` (0 to 1) of the samples do not exceed: the middle of its bucket.
    /// `None` without samples.
    pub(crate) fn quantile(&self, fraction: f64) -> Option<Duration> {
        let rank = ((self.total as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(middle_of(found)))
    }
}

/// Values below `2^SPLIT` have a bucket each; above, the highest bits of the value choose it.
fn bucket_of(nanoseconds: u64) -> usize {
    let value = nanoseconds.min((1 << LIMIT) - 1);
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(SPLIT + 1);
    (shift << SPLIT) as usize + (value >> shift) as usize
}

fn middle_of(bucket: usize) -> u64 {
    let shift = (bucket >> SPLIT).saturating_sub(1);
    let lowest = ((bucket - (shift << SPLIT)) as u64) << shift;
    lowest + ((1 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_exact() {
        for value in 0..128 {
            assert_eq!(middle_of(bucket_of(value)), value);
        }
    }

    #[test]
    fn a_bucket_is_never_further_than_one_part_in_64_from_its_values() {
        for exponent in 7..LIMIT {
            for step in 0..1000_u64 {
                let value = (1 << exponent) + (step << exponent) / 1000;
                let middle = middle_of(bucket_of(value));
                assert!(middle.abs_diff(value) * 64 <= value, "{value} is told as {middle}");
            }
        }
    }

    #[test]
    fn buckets_ascend_with_values_and_stay_inside() {
        let buckets: Vec<_> = (0..LIMIT).map(|exponent| bucket_of(1 << exponent)).collect();
        assert!(buckets.is_sorted_by(|a, b| a < b));
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_count_samples() {
        let mut histogram = Histogram::new();
        for value in 1..=100 {
            histogram.record(Duration::from_nanos(value));
        }
        assert_eq!(histogram.quantile(0.5), Some(Duration::from_nanos(50)));
        assert_eq!(histogram.quantile(0.99), Some(Duration::from_nanos(99)));
        assert_eq!(histogram.quantile(0.0), Some(Duration::from_nanos(1)));
        assert_eq!(histogram.quantile(1.0), Some(Duration::from_nanos(100)));
    }

    #[test]
    fn nothing_recorded_has_no_quantile() {
        assert_eq!(Histogram::new().quantile(0.5), None);
    }
}
