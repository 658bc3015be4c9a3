//! Counts over time in a bounded number of buckets: the longer the time, the wider they are. Not here: what a bucket counts.

use std::collections::HashMap;

use super::moment::{DAY, Moment};
use super::top::Merge;

/// Seconds that a bucket may be wide; each is a multiple of the one before.
const WIDTHS: [i64; 13] = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, DAY, 7 * DAY];

/// The most buckets; those with nothing in them are not kept, so that one line with an odd time costs only one.
const MAX_BUCKETS: usize = 1024;

/// Buckets of equal width.
#[derive(Debug, Clone)]
pub(super) struct Timeline<B> {
    /// Index into `WIDTHS`.
    width: usize,
    buckets: Vec<(i64, B)>,
    places: HashMap<i64, usize>,
    /// Lines follow each other: mostly it is the same bucket again.
    last: usize,
}

impl<B> Default for Timeline<B> {
    fn default() -> Self {
        Self { width: 0, buckets: Vec::new(), places: HashMap::new(), last: 0 }
    }
}

impl<B: Default + Merge> Timeline<B> {
    /// The bucket of a moment.
    pub(super) fn at(&mut self, at: Moment) -> &mut B {
        let number = at.0.div_euclid(self.seconds());
        if self.buckets.get(self.last).is_none_or(|(known, _)| *known != number) {
            self.last = match self.places.get(&number) {
                Some(place) => *place,
                None => return self.insert(at),
            };
        }
        &mut self.buckets[self.last].1
    }

    fn insert(&mut self, at: Moment) -> &mut B {
        while self.buckets.len() >= MAX_BUCKETS && self.width + 1 < WIDTHS.len() {
            self.widen(self.width + 1);
        }
        let number = at.0.div_euclid(self.seconds());
        let next = self.buckets.len();
        let place = *self.places.entry(number).or_insert(next);
        if place == next {
            self.buckets.push((number, B::default()));
        }
        self.last = place;
        &mut self.buckets[place].1
    }

    /// Makes the buckets as wide as `WIDTHS[width]`, at least.
    fn widen(&mut self, width: usize) {
        if width <= self.width {
            return;
        }
        let before = self.seconds();
        self.width = width;
        self.places.clear();
        self.last = 0;
        for (number, bucket) in std::mem::take(&mut self.buckets) {
            self.insert_as(Moment(number * before)).merge(bucket);
        }
    }

    /// As [`Self::at`], while widening: there are fewer buckets than before.
    fn insert_as(&mut self, at: Moment) -> &mut B {
        let number = at.0.div_euclid(self.seconds());
        let next = self.buckets.len();
        let place = *self.places.entry(number).or_insert(next);
        if place == next {
            self.buckets.push((number, B::default()));
        }
        &mut self.buckets[place].1
    }

    /// How wide a bucket is, in seconds.
    pub(super) fn seconds(&self) -> i64 {
        WIDTHS[self.width]
    }

    /// The buckets that are not empty, in the order of time, each with its start.
    pub(super) fn buckets(&self) -> Vec<(Moment, &B)> {
        let mut buckets: Vec<_> =
            self.buckets.iter().map(|(number, bucket)| (Moment(number * self.seconds()), bucket)).collect();
        buckets.sort_by_key(|(at, _)| *at);
        buckets
    }

    /// Makes two timelines' buckets equally wide, and at most `most` of them between `first` and `last`.
    pub(super) fn align<C: Default + Merge>(
        &mut self,
        other: &mut Timeline<C>,
        first: Moment,
        last: Moment,
        most: i64,
    ) {
        let span = (last.0 - first.0).max(1);
        let wanted = WIDTHS.iter().position(|width| span / width < most).unwrap_or(WIDTHS.len() - 1);
        let width = wanted.max(self.width).max(other.width);
        self.widen(width);
        other.widen(width);
    }
}

impl<B: Default + Merge> Merge for Timeline<B> {
    fn merge(&mut self, mut other: Self) {
        self.widen(other.width);
        other.widen(self.width);
        for (number, bucket) in other.buckets {
            self.at(Moment(number * WIDTHS[other.width])).merge(bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
    struct Sum(u64);

    impl Merge for Sum {
        fn merge(&mut self, other: Self) {
            self.0 += other.0;
        }
    }

    fn of(seconds: impl IntoIterator<Item = i64>) -> Timeline<Sum> {
        let mut timeline = Timeline::<Sum>::default();
        seconds.into_iter().for_each(|second| timeline.at(Moment(second)).0 += 1);
        timeline
    }

    fn total(timeline: &Timeline<Sum>) -> u64 {
        timeline.buckets().iter().map(|(_, sum)| sum.0).sum()
    }

    #[test]
    fn each_width_is_a_multiple_of_the_one_before() {
        assert!(WIDTHS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn a_year_takes_no_more_buckets_than_an_hour() {
        let timeline = of((0..365 * DAY).step_by(600));
        assert!(timeline.buckets.len() <= MAX_BUCKETS, "{}", timeline.buckets.len());
        assert_eq!(total(&timeline), 365 * 144);
    }

    #[test]
    fn one_odd_time_does_not_make_all_buckets_wide() {
        let timeline = of((0..600).chain([10_i64.pow(11)]));
        assert_eq!((timeline.seconds(), timeline.buckets.len()), (1, 601));
    }

    #[test]
    fn parts_add_up_whatever_their_widths() {
        let mut all = of((0..100_000).step_by(10));
        let width = all.seconds();
        all.merge(of(50_000..50_100));
        assert_eq!((total(&all), all.seconds()), (10_100, width));
        let mut narrow = of(0..100);
        narrow.merge(of((0..100_000).step_by(10)));
        assert_eq!((total(&narrow), narrow.seconds()), (10_100, width));
    }

    #[test]
    fn aligned_timelines_have_the_same_width() {
        let (mut a, mut b) = (of(0..100), of((0..100_000).step_by(10)));
        a.align(&mut b, Moment(0), Moment(100_000), 100);
        assert_eq!((a.seconds(), b.seconds(), total(&a)), (1800, 1800, 100));
    }

    #[test]
    fn times_may_come_in_any_order() {
        let timeline = of([5, 3, 5, 4, 3, 5]);
        let counts: Vec<_> = timeline.buckets().iter().map(|(at, sum)| (at.0, sum.0)).collect();
        assert_eq!(counts, [(3, 2), (4, 1), (5, 3)]);
    }
}
