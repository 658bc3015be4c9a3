//! How many different keys there were, in four kilobytes (HyperLogLog; Flajolet and others 2007). Not here: which.

use super::hash::hash;
use super::top::Merge;

/// log2 of the number of registers: the error is about 1.04 / √4096 = 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;
/// The same always: a report of the same file says the same.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// An estimate of how many different keys were added.
#[derive(Debug, Clone)]
pub(super) struct Distinct {
    /// The longest run of zeros seen in each register, plus one.
    registers: Box<[u8]>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { registers: vec![0; REGISTERS].into() }
    }
}

impl Distinct {
    /// Adds a key.
    pub(super) fn add(&mut self, key: &[u8]) {
        let hash = hash(key, SEED);
        let register = (hash >> (64 - BITS)) as usize;
        // The guard bit ends the run of zeros.
        let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        self.registers[register] = self.registers[register].max(rank);
    }

    /// How many keys there were, within a few percent.
    pub(super) fn estimate(&self) -> u64 {
        let count = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = self.registers.iter().filter(|rank| **rank == 0).count();
        if raw <= 2.5 * count && empty > 0 {
            return (count * (count / empty as f64).ln()).round() as u64;
        }
        raw.round() as u64
    }
}

impl Merge for Distinct {
    fn merge(&mut self, other: Self) {
        for (own, other) in self.registers.iter_mut().zip(other.registers) {
            *own = (*own).max(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: std::ops::Range<u32>) -> Distinct {
        let mut distinct = Distinct::default();
        numbers.for_each(|n| distinct.add(format!("192.0.2.{n}").as_bytes()));
        distinct
    }

    fn near(distinct: &Distinct, real: u64) {
        let estimate = distinct.estimate();
        assert!(estimate.abs_diff(real) * 20 <= real, "{estimate} for {real}");
    }

    #[test]
    fn estimates_within_a_few_percent() {
        assert_eq!(Distinct::default().estimate(), 0);
        for real in [100, 1_000, 10_000, 300_000] {
            near(&of(0..real), real.into());
        }
    }

    #[test]
    fn the_same_key_counts_once_also_across_parts() {
        let mut both = of(0..2_000);
        both.merge(of(1_000..3_000));
        near(&both, 3_000);
    }
}
