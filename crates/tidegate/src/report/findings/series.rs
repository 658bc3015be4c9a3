//! Counts over time, ready to be drawn. Not here: how they are drawn.

use policy::Cause;

use crate::report::moment::Moment;
use crate::report::tally::Tally;

/// Points that a drawing has room for.
const MOST_POINTS: i64 = 240;
/// Causes that have a colour of their own.
const MOST_CAUSES: usize = 6;

/// One stretch of time.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Point {
    pub(in crate::report) at: i64,
    pub(in crate::report) requests: u64,
    pub(in crate::report) client_errors: u64,
    /// 500 and others, 502, 503, 504.
    pub(in crate::report) failures: [u64; 4],
    /// Lines of the error log, one for each of [`Series::causes`] and one for all others.
    pub(in crate::report) by_cause: Vec<u64>,
    /// Microseconds.
    pub(in crate::report) p50: Option<u64>,
    pub(in crate::report) p99: Option<u64>,
}

impl Point {
    /// All answers 5xx.
    pub(in crate::report) fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }
}

/// Stretches of equal length.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Series {
    /// Seconds.
    pub(in crate::report) width: i64,
    pub(in crate::report) points: Vec<Point>,
    /// Those with most lines in the error log.
    pub(in crate::report) causes: Vec<Cause>,
}

impl Series {
    /// The series of a tally, whose timelines are made equally wide.
    pub(super) fn of(tally: &mut Tally, span: Option<(Moment, Moment)>) -> Self {
        let Some((first, last)) = span else { return Self::default() };
        tally.access.timeline.align(&mut tally.errors.timeline, first, last, MOST_POINTS);
        let width = tally.access.timeline.seconds();
        let causes = most_frequent(tally);
        let mut series = Self { width, points: empty(first, last, width, causes.len()), causes };
        series.fill(tally);
        series
    }

    fn fill(&mut self, tally: &Tally) {
        for (at, moved) in tally.access.timeline.buckets() {
            let point = self.point(at);
            point.requests += moved.requests;
            point.client_errors += moved.client_errors;
            point.failures.iter_mut().zip(moved.failures).for_each(|(own, other)| *own += other);
            (point.p50, point.p99) = (moved.took.quantile(0.5), moved.took.quantile(0.99));
        }
        let causes = self.causes.clone();
        for (at, failed) in tally.errors.timeline.buckets() {
            let point = self.point(at);
            for (cause, count) in &failed.0 {
                let place = causes.iter().position(|known| known == cause).unwrap_or(causes.len());
                point.by_cause[place] += count;
            }
        }
        self.points.sort_by_key(|point| point.at);
    }

    /// The point of a moment; it is there unless times are so far apart that only points with something in them are kept.
    fn point(&mut self, at: Moment) -> &mut Point {
        let start = at.0.div_euclid(self.width) * self.width;
        let place = match self.points.binary_search_by_key(&start, |point| point.at) {
            Ok(place) => place,
            Err(place) => {
                let by_cause = vec![0; self.causes.len() + 1];
                self.points.insert(place, Point { at: start, by_cause, ..Point::default() });
                place
            }
        };
        &mut self.points[place]
    }
}

/// Points with nothing in them, so that silence is seen; none if there would be far too many.
fn empty(first: Moment, last: Moment, width: i64, causes: usize) -> Vec<Point> {
    let (from, to) = (first.0.div_euclid(width), last.0.div_euclid(width));
    if to - from > MOST_POINTS * 4 {
        return Vec::new();
    }
    let point = |number| Point { at: number * width, by_cause: vec![0; causes + 1], ..Point::default() };
    (from..=to).map(point).collect()
}

fn most_frequent(tally: &Tally) -> Vec<Cause> {
    let mut causes: Vec<_> = tally.errors.causes.all().map(|(cause, count)| (count.lines, cause)).collect();
    causes.sort_by_key(|(lines, cause)| (std::cmp::Reverse(*lines), *cause));
    causes.into_iter().take(MOST_CAUSES).map(|(_, cause)| cause).collect()
}
