//! How long requests took, in bounded memory and within 3 %. Not here: where durations come from.

use super::top::Merge;

/// Values below this have a bucket each; above it, each power of two has as many.
const STEPS: u64 = 16;
/// Powers of two above the linear part: up to two hours.
const OCTAVES: usize = 22;
const BUCKETS: usize = STEPS as usize * (OCTAVES + 1);
/// Microseconds in the finest step.
const UNIT: u64 = 100;

/// A distribution of durations in microseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    buckets: Buckets,
    count: u64,
    sum: u64,
    max: u64,
}

/// Most distributions have few buckets: thousands of routes that come once must not take a kilobyte each.
#[derive(Debug, Clone)]
enum Buckets {
    /// Places and counts, in the order of places.
    Few(Vec<(u16, u32)>),
    Many(Box<[u32; BUCKETS]>),
}

/// The most buckets that are kept as [`Buckets::Few`].
const FEW: usize = 24;

impl Default for Buckets {
    fn default() -> Self {
        Buckets::Few(Vec::new())
    }
}

impl Buckets {
    fn add(&mut self, place: usize, many: u32) {
        match self {
            Buckets::Many(counts) => counts[place] = counts[place].saturating_add(many),
            Buckets::Few(counts) => match counts.binary_search_by_key(&(place as u16), |(place, _)| *place) {
                Ok(at) => counts[at].1 = counts[at].1.saturating_add(many),
                Err(at) if counts.len() < FEW => counts.insert(at, (place as u16, many)),
                Err(_) => {
                    self.spread();
                    self.add(place, many);
                }
            },
        }
    }

    fn spread(&mut self) {
        let mut counts = Box::new([0; BUCKETS]);
        self.filled().for_each(|(place, count)| counts[place] = count);
        *self = Buckets::Many(counts);
    }

    /// Those that are not empty, in order.
    fn filled(&self) -> impl Iterator<Item = (usize, u32)> {
        let (few, many) = match self {
            Buckets::Few(counts) => (counts.as_slice(), &[][..]),
            Buckets::Many(counts) => (&[][..], &counts[..]),
        };
        let few = few.iter().map(|(place, count)| (usize::from(*place), *count));
        few.chain(many.iter().copied().enumerate().filter(|(_, count)| *count > 0))
    }
}

impl Histogram {
    /// Adds a duration.
    pub(super) fn add(&mut self, micros: u64) {
        self.buckets.add(bucket(micros), 1);
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
    }

    /// How many durations there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly.
    pub(super) fn max(&self) -> u64 {
        self.max
    }

    /// All together.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// The duration that `share` (0 to 1) of all do not exceed; none if there are none.
    pub(super) fn quantile(&self, share: f64) -> Option<u64> {
        let rank = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (place, count) in self.buckets.filled() {
            seen += u64::from(count);
            if seen >= rank {
                let (low, high) = bounds(place);
                return Some(((low + high) / 2).min(self.max));
            }
        }
        None
    }

    /// The buckets that are not empty: their bounds in microseconds, and how many are within.
    pub(super) fn filled(&self) -> impl Iterator<Item = ((u64, u64), u64)> {
        self.buckets.filled().map(|(place, count)| (bounds(place), u64::from(count)))
    }
}

impl Merge for Histogram {
    fn merge(&mut self, other: Self) {
        other.buckets.filled().for_each(|(place, count)| self.buckets.add(place, count));
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }
}

fn bucket(micros: u64) -> usize {
    let value = micros / UNIT;
    if value < STEPS {
        return value as usize;
    }
    let octave = value.ilog2() - STEPS.ilog2();
    let within = (value >> octave) - STEPS;
    let place = (u64::from(octave) + 1) * STEPS + within;
    (place as usize).min(BUCKETS - 1)
}

/// The least value of a bucket and the first above it, in microseconds.
fn bounds(place: usize) -> (u64, u64) {
    let place = place as u64;
    if place < STEPS {
        return (place * UNIT, (place + 1) * UNIT);
    }
    let (octave, within) = (place / STEPS - 1, place % STEPS);
    let least = (STEPS + within) << octave;
    (least * UNIT, (least + (1 << octave)) * UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn every_value_lies_within_its_bucket() {
        for power in 0..33 {
            for value in [1u64 << power, (1 << power) + 1, (1 << power) * 3 / 2] {
                let (low, high) = bounds(bucket(value));
                assert!((low..high).contains(&value), "{value}: {low}..{high}");
                assert!(value < 1_600 || high - low <= value / 16 + 1, "{value}: {low}..{high}");
            }
        }
    }

    #[test]
    fn quantiles_are_within_three_percent() {
        let histogram = of((1..=10_000).map(|n| n * 1_000));
        for (share, real) in [(0.5, 5_000_000), (0.9, 9_000_000), (0.99, 9_900_000u64)] {
            let found = histogram.quantile(share).unwrap();
            assert!(found.abs_diff(real) <= real * 32 / 1000, "{share}: {found}");
        }
        assert_eq!((histogram.max(), histogram.count()), (10_000_000, 10_000));
        assert_eq!(histogram.quantile(1.0).unwrap().min(10_000_000), histogram.quantile(1.0).unwrap());
    }

    #[test]
    fn the_absurd_is_kept_in_the_last_bucket() {
        let histogram = of([u64::MAX, 0]);
        assert_eq!((histogram.count(), histogram.max()), (2, u64::MAX));
        assert!(histogram.quantile(0.99).is_some());
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn parts_add_up() {
        let mut all = of([1_000, 2_000]);
        all.merge(of([500_000]));
        assert_eq!((all.count(), all.max(), all.sum(), all.filled().count()), (3, 500_000, 503_000, 3));
    }
}
