//! Which answers 5xx of the access log an error-log line belongs to, in bounded memory: by client and target, and by time.
//! Not here: what is done with the answer.
//!
//! Both sides keep the same sample of clients and targets: those whose hash ends in `level` zeros. While there are few, all
//! are kept; each time there are too many, the level rises and half of them go.

use std::collections::BTreeMap;
use std::collections::HashMap;

use policy::Cause;

use super::hash::hash;
use super::moment::Moment;
use super::top::Merge;

/// The most that one side keeps.
const MOST: usize = 1 << 17;
/// Any number: both sides use the same.
const SEED: u64 = 0x5bd1_e995_9bd1_e995;
/// Seconds that an answer may be logged before or after the line of its failure.
const NEAR: i64 = 2;

/// What was seen of some clients' requests.
#[derive(Debug, Clone)]
pub(super) struct Sightings<T> {
    level: u32,
    seen: Vec<(u64, Moment, T)>,
}

impl<T> Default for Sightings<T> {
    fn default() -> Self {
        Self { level: 0, seen: Vec::new() }
    }
}

impl<T> Sightings<T> {
    /// Sees something of a request.
    pub(super) fn add(&mut self, client: &[u8], target: &[u8], at: Moment, what: T) {
        let key = hash(target, hash(client, SEED));
        if key.trailing_zeros() >= self.level {
            self.seen.push((key, at, what));
            if self.seen.len() > MOST {
                self.raise(self.level + 1);
            }
        }
    }

    fn raise(&mut self, level: u32) {
        self.level = self.level.max(level);
        let level = self.level;
        self.seen.retain(|(key, ..)| key.trailing_zeros() >= level);
    }
}

impl<T> Merge for Sightings<T> {
    fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.raise(other.level);
        while self.seen.len() > MOST {
            self.raise(self.level + 1);
        }
    }
}

/// Answers 5xx, by the cause that the error log has for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) by_cause: BTreeMap<Cause, u64>,
    /// Those that no line of the error log speaks of.
    pub(super) unexplained: u64,
}

/// Matches answers with failures; none if not a single one matches: the logs are not of the same time or machine.
pub(super) fn matched(answers: &Sightings<()>, failures: &Sightings<Cause>) -> Option<Matched> {
    let level = answers.level.max(failures.level);
    let kept = |key: u64| key.trailing_zeros() >= level;
    let mut by_key: HashMap<u64, Vec<(Moment, Cause)>> = HashMap::new();
    for (key, at, cause) in failures.seen.iter().filter(|(key, ..)| kept(*key)) {
        by_key.entry(*key).or_default().push((*at, *cause));
    }
    let mut found = Matched::default();
    let scale = 1u64 << level.min(63);
    for (key, at, ()) in answers.seen.iter().filter(|(key, ..)| kept(*key)) {
        match by_key.get(key).and_then(|failures| last_near(failures, *at)) {
            Some(cause) => *found.by_cause.entry(cause).or_default() += scale,
            None => found.unexplained += scale,
        }
    }
    (!found.by_cause.is_empty()).then_some(found)
}

/// The last failure that is near: it is the one that the client was answered for.
fn last_near(failures: &[(Moment, Cause)], at: Moment) -> Option<Cause> {
    let near = failures.iter().filter(|(then, _)| (then.0 - at.0).abs() <= NEAR);
    near.max_by_key(|(then, _)| *then).map(|(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(many: i64) -> Sightings<()> {
        let mut seen = Sightings::default();
        (0..many).for_each(|n| seen.add(&n.to_be_bytes(), b"/a", Moment(n), ()));
        seen
    }

    #[test]
    fn an_answer_belongs_to_the_last_failure_near_it() {
        let mut failures = Sightings::default();
        failures.add(&7i64.to_be_bytes(), b"/a", Moment(6), Cause::ConnectRefused);
        failures.add(&7i64.to_be_bytes(), b"/a", Moment(7), Cause::ReplyTimeout);
        failures.add(&8i64.to_be_bytes(), b"/b", Moment(8), Cause::BadChunk);
        failures.add(&9i64.to_be_bytes(), b"/a", Moment(99), Cause::BadChunk);
        let found = matched(&answers(10), &failures).unwrap();
        assert_eq!((found.by_cause, found.unexplained), (BTreeMap::from([(Cause::ReplyTimeout, 1)]), 9));
    }

    #[test]
    fn logs_that_do_not_belong_together_match_nothing() {
        let mut failures = Sightings::default();
        failures.add(b"other", b"/a", Moment(1), Cause::ConnectRefused);
        assert_eq!(matched(&answers(10), &failures), None);
    }

    #[test]
    fn a_million_are_estimated_from_the_same_sample_on_both_sides() {
        let many = 1_000_000i64;
        let mut failures = Sightings::default();
        (0i64..many)
            .filter(|n| n % 4 == 0)
            .for_each(|n| failures.add(&n.to_be_bytes(), b"/a", Moment(n), Cause::BadChunk));
        let answers = answers(many);
        assert!(answers.seen.len() <= MOST && failures.seen.len() <= MOST);
        let found = matched(&answers, &failures).unwrap();
        let (matched, others) = (found.by_cause[&Cause::BadChunk], found.unexplained);
        assert!(matched.abs_diff(250_000) < 12_500 && others.abs_diff(750_000) < 25_000, "{matched} and {others}");
    }

    #[test]
    fn parts_that_are_merged_match_as_a_whole() {
        let mut all = answers(5);
        let mut rest = Sightings::default();
        rest.add(b"x", b"/y", Moment(3), ());
        all.merge(rest);
        let mut failures = Sightings::default();
        failures.add(b"x", b"/y", Moment(4), Cause::BadChunk);
        assert_eq!(matched(&all, &failures).unwrap().by_cause, BTreeMap::from([(Cause::BadChunk, 1)]));
    }
}
