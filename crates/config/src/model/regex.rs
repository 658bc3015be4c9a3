//! A regular expression as people write them in nginx.conf: PCRE's syntax, bounded work. Not here: what its captures are used for.

use std::fmt;
use std::sync::Arc;

/// A compiled expression together with what was written.
///
/// Matching is bounded: an expression that backtracks beyond `BACKTRACK_LIMIT` steps counts as an error, so that no
/// request can stall a worker.
#[derive(Clone)]
pub struct Regex {
    text: Box<str>,
    compiled: Arc<fancy_regex::Regex>,
    /// For each of the expression's groups, the index in [`super::Config::own_names`] if it is named.
    names: Box<[Option<usize>]>,
}

/// The most backtracking steps that one match may take.
pub const BACKTRACK_LIMIT: usize = 100_000;

impl Regex {
    /// Wraps a compiled expression; `names[g]` is the configuration-wide index of group `g`'s name.
    pub fn new(text: &str, compiled: fancy_regex::Regex, names: Vec<Option<usize>>) -> Self {
        Self { text: text.into(), compiled: Arc::new(compiled), names: names.into() }
    }

    /// What was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The compiled expression.
    pub fn compiled(&self) -> &fancy_regex::Regex {
        &self.compiled
    }

    /// For each group, the configuration-wide index of its name.
    pub fn names(&self) -> &[Option<usize>] {
        &self.names
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({})", self.text)
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Regex {}
