//! What came of a row with one gateway, in numbers. Not here: how they are shown (`page`, `plot`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::load::{Done, End};
use super::origins::Ledger;
use crate::bench::histogram::Histogram;

/// An answer that comes later is of no use to anybody.
pub(super) const USEFUL: Duration = Duration::from_secs(1);

/// The numbers.
#[derive(Clone, Debug)]
pub(super) struct Result {
    pub(super) requests: usize,
    /// How requests ended that got no right answer.
    pub(super) failures: BTreeMap<End, usize>,
    /// Those among them that nobody may send twice: POSTs that an endpoint had read.
    pub(super) lost: usize,
    pub(super) duplicates: u64,
    pub(super) p50: Option<Duration>,
    pub(super) p99: Option<Duration>,
    /// Right answers a second that came in useful time.
    pub(super) goodput: f64,
}

impl Result {
    pub(super) fn new(done: &[Done], ledger: &Ledger, time: Duration) -> Self {
        let mut result = Self {
            requests: done.len(),
            failures: BTreeMap::new(),
            lost: 0,
            duplicates: ledger.duplicates(),
            p50: None,
            p99: None,
            goodput: 0.0,
        };
        let (mut times, mut useful) = (Histogram::new(), 0_u32);
        for request in done {
            if request.end == End::Right {
                times.record(request.took);
                useful += u32::from(request.took <= USEFUL);
                continue;
            }
            *result.failures.entry(request.end).or_default() += 1;
            result.lost += usize::from(request.is_post && ledger.was_executed(request.id));
        }
        (result.p50, result.p99) = (times.quantile(0.5), times.quantile(0.99));
        result.goodput = f64::from(useful) / time.as_secs_f64();
        result
    }

    pub(super) fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    /// Those for which another endpoint could have been asked.
    pub(super) fn avoidable(&self) -> usize {
        self.failed() - self.lost
    }

    /// Failures in a hundred.
    pub(super) fn failed_share(&self) -> f64 {
        self.share(self.failed())
    }

    /// Avoidable failures in a hundred.
    pub(super) fn avoidable_share(&self) -> f64 {
        self.share(self.avoidable())
    }

    fn share(&self, part: usize) -> f64 {
        100.0 * part as f64 / self.requests.max(1) as f64
    }
}

impl End {
    pub(super) fn name(self) -> String {
        match self {
            Self::Right => "right".into(),
            Self::Status(status) => status.to_string(),
            Self::Wrong => "wrong".into(),
            Self::Cut => "cut".into(),
            Self::Refused => "refused".into(),
            Self::TimedOut => "timeout".into(),
            Self::Crowded => "crowded".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_post_that_was_read_is_lost_and_any_other_failure_avoidable() {
        let ledger = Ledger::default();
        ledger.executed(2);
        let done = |id, is_post, end| Done { id, is_post, end, took: Duration::from_millis(1) };
        let all = [
            done(1, false, End::Right),
            done(2, true, End::Cut),
            done(3, true, End::Status(502)),
            done(4, false, End::Cut),
        ];
        let result = Result::new(&all, &ledger, Duration::from_secs(1));
        assert_eq!((result.failed(), result.lost, result.avoidable()), (3, 1, 2));
        assert!((result.goodput - 1.0).abs() < f64::EPSILON);
    }
}
