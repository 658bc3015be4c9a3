//! Readings that mean the same, counted together. There are as many groups as meanings, so that any number of lines takes
//! bounded memory. Not here: how groups are shown.

use std::collections::BTreeMap;

use policy::Cause;

use super::reading::{Likelihood, Reading, Vendor};
use crate::report::printable;

/// What two lines share that mean the same.
type Key = (Vendor, Vec<(Cause, Likelihood)>, String);

/// The longest example that is kept, in bytes.
const MAX_EXAMPLE: usize = 2048;

/// Lines that mean the same.
#[derive(Debug)]
pub(super) struct Group {
    /// The first of them.
    pub(super) reading: Reading,
    pub(super) lines: u64,
}

/// What all lines mean.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<Key, (usize, Group)>,
    /// Lines that were not understood, and the first of them.
    pub(super) strange: u64,
    pub(super) first_strange: String,
}

impl Groups {
    /// Counts a line.
    pub(super) fn add(&mut self, line: &str, reading: Option<Reading>) {
        let Some(reading) = reading else {
            if self.strange == 0 {
                self.first_strange = kept(line);
            }
            self.strange += 1;
            return;
        };
        let causes = reading.candidates.iter().map(|candidate| (candidate.cause, candidate.likelihood)).collect();
        let next = self.groups.len();
        let group = self.groups.entry((reading.vendor, causes, reading.meaning.to_string()));
        group.or_insert_with(|| (next, Group { reading: bounded(reading), lines: 0 })).1.lines += 1;
    }

    /// Whether nothing was understood.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many meanings there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The groups, those with most lines first, then as they came; what is no failure comes last.
    pub(super) fn sorted(&self) -> Vec<&Group> {
        let mut groups: Vec<_> = self.groups.values().collect();
        let is_failure = |group: &Group| !group.reading.candidates.is_empty();
        groups.sort_by_key(|(came, group)| (!is_failure(group), std::cmp::Reverse(group.lines), *came));
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

fn bounded(mut reading: Reading) -> Reading {
    reading.words = kept(&reading.words);
    reading.facts.iter_mut().for_each(|(_, value)| *value = kept(value));
    reading
}

/// What is shown of a log's own words: not too much, and nothing that commands a terminal.
fn kept(text: &str) -> String {
    let mut kept = printable(&text[..text.floor_char_boundary(MAX_EXAMPLE)]);
    kept.truncate(kept.floor_char_boundary(MAX_EXAMPLE));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain;

    #[test]
    fn lines_that_mean_the_same_are_counted_together() {
        let mut groups = Groups::default();
        for line in ["EOF", "no live upstreams", "no live upstreams", "???", "502"] {
            groups.add(line, explain(line));
        }
        let lines: Vec<_> = groups.sorted().iter().map(|group| group.lines).collect();
        assert_eq!((lines, groups.strange, groups.first_strange.as_str()), (vec![2, 1, 1], 1, "???"));
    }

    #[test]
    fn what_commands_a_terminal_is_not_kept() {
        let mut groups = Groups::default();
        for line in
            ["\u{1b}[2J?", "upstream timed out \u{1b}]0;x\u{7} while connecting to upstream, request: \"\u{1b}[31m\""]
        {
            groups.add(line, explain(line));
        }
        let reading = &groups.sorted()[0].reading;
        let facts = reading.facts.iter().map(|(_, value)| value.as_str());
        for text in facts.chain([groups.first_strange.as_str(), &reading.words]) {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }

    #[test]
    fn what_is_long_is_kept_short() {
        let mut groups = Groups::default();
        let line = format!("'502 Bad Gateway' caused by: {} EOF", "é".repeat(10_000));
        groups.add(&line, explain(&line));
        assert!(groups.sorted()[0].reading.words.len() <= MAX_EXAMPLE);
    }
}
