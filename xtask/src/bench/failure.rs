//! Why requests of the load generator failed, and how many did.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use super::answer::Fault;
use super::load::PATIENCE;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    Connect(io::ErrorKind),
    Io(io::ErrorKind),
    /// The connection ended before the answer was complete.
    Closed,
    /// The connection stayed open although the request asked for its close.
    NotClosed,
    Answer(Fault),
    NoProgress,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(kind) => write!(f, "connect: {kind}"),
            Self::Io(kind) => write!(f, "connection: {kind}"),
            Self::Closed => write!(f, "connection closed before the answer was complete"),
            Self::NotClosed => write!(f, "connection not closed after `Connection: close`"),
            Self::Answer(fault) => write!(f, "{fault}"),
            Self::NoProgress => write!(f, "no answer in {} s", PATIENCE.as_secs()),
        }
    }
}

/// Failures, counted by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures {
    counts: BTreeMap<Failure, u64>,
}

impl Failures {
    pub(crate) fn count(&mut self, failure: Failure) {
        *self.counts.entry(failure).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, others: &Self) {
        for (failure, count) in &others.counts {
            *self.counts.entry(*failure).or_default() += count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Failure, u64)> {
        self.counts.iter().map(|(failure, count)| (*failure, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_the_counts_of_each_kind() {
        let (mut one, mut other) = (Failures::default(), Failures::default());
        one.count(Failure::Closed);
        other.count(Failure::Closed);
        other.count(Failure::Answer(Fault::Status(502)));
        one.merge(&other);
        let counts: Vec<_> = one.iter().collect();
        assert_eq!(counts, [(Failure::Closed, 2), (Failure::Answer(Fault::Status(502)), 1)]);
        assert_eq!(one.total(), 3);
    }
}
