//! When something happened again and again: runs of moments with pauses between them, a bounded number of them. Not here:
//! what happened.

use super::moment::Moment;
use super::top::Merge;

/// A pause that ends a run, in seconds.
const PAUSE: i64 = 30;
/// The most runs that are kept; beyond it the two with the shortest pause between them become one.
const MAX_RUNS: usize = 64;

/// Something that happened `count` times between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from: Moment,
    pub(super) to: Moment,
    pub(super) count: u64,
}

impl Run {
    fn pause_before(&self, next: &Run) -> i64 {
        next.from.0 - self.to.0
    }

    fn join(&mut self, other: Run) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.count += other.count;
    }
}

/// Runs in the order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    runs: Vec<Run>,
}

impl Runs {
    /// Counts it at a moment.
    pub(super) fn add(&mut self, at: Moment) {
        let new = Run { from: at, to: at, count: 1 };
        match self.runs.last_mut() {
            Some(last) if at.0 >= last.from.0 - PAUSE && at.0 <= last.to.0 + PAUSE => last.join(new),
            Some(last) if at < last.from => self.add_before(new),
            _ => self.push(new),
        }
    }

    fn add_before(&mut self, new: Run) {
        self.runs.push(new);
        self.settle();
    }

    fn push(&mut self, new: Run) {
        self.runs.push(new);
        while self.runs.len() > MAX_RUNS {
            let pauses = self.runs.windows(2).map(|pair| pair[0].pause_before(&pair[1]));
            let shortest = pauses.enumerate().min_by_key(|(_, pause)| *pause).map_or(0, |(at, _)| at);
            let next = self.runs.remove(shortest + 1);
            self.runs[shortest].join(next);
        }
    }

    /// Sorts, and joins what touches.
    fn settle(&mut self) {
        let mut runs = std::mem::take(&mut self.runs);
        runs.sort_by_key(|run| run.from);
        for run in runs {
            match self.runs.last_mut() {
                Some(last) if last.pause_before(&run) <= PAUSE => last.join(run),
                _ => self.push(run),
            }
        }
    }

    /// The runs, in the order of time.
    pub(super) fn all(&self) -> &[Run] {
        &self.runs
    }
}

impl Merge for Runs {
    fn merge(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: impl IntoIterator<Item = i64>) -> Runs {
        let mut runs = Runs::default();
        seconds.into_iter().for_each(|second| runs.add(Moment(second)));
        runs
    }

    fn shown(runs: &Runs) -> Vec<(i64, i64, u64)> {
        runs.all().iter().map(|run| (run.from.0, run.to.0, run.count)).collect()
    }

    #[test]
    fn a_pause_ends_a_run() {
        assert_eq!(shown(&of([0, 5, 30, 100, 101])), [(0, 30, 3), (100, 101, 2)]);
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(shown(&of([100, 5, 101, 0, 30])), [(0, 30, 3), (100, 101, 2)]);
    }

    #[test]
    fn parts_that_touch_become_one_run() {
        let mut all = of([0, 20]);
        all.merge(of([40, 200]));
        assert_eq!(shown(&all), [(0, 40, 3), (200, 200, 1)]);
    }

    #[test]
    fn a_thousand_runs_are_kept_as_a_few() {
        let runs = of((0..1000).map(|n| n * 1000));
        assert_eq!(runs.all().len(), MAX_RUNS);
        assert_eq!(runs.all().iter().map(|run| run.count).sum::<u64>(), 1000);
    }
}
