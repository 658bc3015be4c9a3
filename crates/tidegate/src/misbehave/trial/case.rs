//! How each mode is tried: with which parameters, and what comes before the request that matters. Not here: the trying.

use crate::misbehave::{Act, Mode, Words, modes};

/// A mode as it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The mode.
    pub mode: &'static Mode,
    words: &'static str,
    /// GETs that go well before the request that matters.
    pub before: u32,
    /// The connection of those ends before the request that matters.
    pub ends: bool,
}

/// Modes that are tried with parameters of their own, in time with a gateway's timeouts of a second.
const PARAMETERS: [(&str, &str); 9] = [
    ("drip-head", "after=40ms"),
    ("drip-body", "after=100ms"),
    ("delayed", "after=200ms"),
    ("worker-dies", "after=300ms"),
    ("closes-idle", "after=50ms"),
    ("announces-idle", "after=1s"),
    ("flapping", "count=2"),
    ("unasked-100s", "count=3"),
    ("big-trailer", "size=256k"),
];

/// Modes whose failure needs a connection that was used before: how often, and whether it ends before the next request.
const BEFORE: [(&str, u32, bool); 8] = [
    ("closes-idle", 1, true),
    ("announces-idle", 1, true),
    ("closes-after-requests", 2, true),
    ("lies-about-keep-alive", 1, true),
    ("close-on-reuse", 1, false),
    ("reset-on-reuse", 1, false),
    ("408-on-reuse", 1, false),
    ("flapping", 1, true),
];

/// A case for each mode, in the order of the table.
pub fn cases() -> impl Iterator<Item = Case> {
    modes::all().map(|mode| {
        let words = PARAMETERS.iter().find(|(name, _)| *name == mode.name).map_or("", |(_, words)| *words);
        let before = BEFORE.iter().find(|(name, ..)| *name == mode.name);
        let (before, ends) = before.map_or((0, false), |(_, before, ends)| (*before, *ends));
        Case { mode, words, before, ends }
    })
}

impl Case {
    /// What its server does.
    ///
    /// # Errors
    /// The tables of this file do not fit the modes.
    pub fn act(&self) -> Result<Act, String> {
        let mut said = Words::default();
        for (name, value) in self.words.split(' ').filter_map(|word| word.split_once('=')) {
            said.set(name, value)?;
        }
        Ok(Act::Mode(self.mode, self.mode.parameters(said)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_belongs_to_a_mode() {
        let names = PARAMETERS.iter().map(|(name, _)| *name).chain(BEFORE.iter().map(|(name, ..)| *name));
        assert!(names.into_iter().all(|name| modes::find(name).is_ok()));
        assert!(cases().all(|case| case.act().is_ok()));
    }
}
