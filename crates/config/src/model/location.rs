//! Locations: what they match and what they do. Not here: the search among them.

use super::{Regex, Settings, Template};

/// A location, or a server's own level.
#[derive(Debug, Clone)]
pub struct Location {
    /// What it matches.
    pub pattern: Pattern,
    /// Everything that is in force here, inheritance applied.
    pub settings: Settings,
    /// `set`, in the order written, up to the `return`.
    pub sets: Vec<Set>,
    /// `return`, if written here.
    pub answer: Option<Return>,
    /// `internal`.
    pub internal: bool,
    /// Nested locations in the order written (never named ones).
    pub children: Vec<Location>,
}

/// The pattern of a `location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A server's own level: matches everything.
    Server,
    /// `= /path`.
    Exact(Box<str>),
    /// `/path`.
    Prefix(Box<str>),
    /// `^~ /path`: a prefix that stops the search for regular expressions.
    PrefixNoRegex(Box<str>),
    /// `~ expression` and `~* expression`.
    Regex(Regex),
    /// `@name`, with the `@`.
    Named(Box<str>),
}

/// `set $variable value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// What is set.
    pub variable: SetVariable,
    /// To what.
    pub value: Template,
}

/// What a `set` can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetVariable {
    /// A variable of the file's own; indexes [`super::Config::own_names`].
    Own(usize),
    /// `$args`: the request's arguments from then on.
    Args,
}

/// `return`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Return {
    /// `return CODE;` — 444 closes the connection without an answer.
    Status(u16),
    /// `return CODE TEXT;` for codes that are not redirects.
    Text(u16, Template),
    /// `return CODE URL;` with 301, 302, 303, 307, 308, or `return URL;` (302).
    Redirect(u16, Template),
}

/// `try_files FILE … LAST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryFiles {
    /// Paths tried in order; those that end in `/` are directories.
    pub candidates: Vec<TryCandidate>,
    /// What happens when none exists.
    pub last: TryTarget,
}

/// A candidate of [`TryFiles`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryCandidate {
    /// The path below the root, without the trailing slash that marks a directory.
    pub path: Template,
    /// Whether a directory is wanted.
    pub directory: bool,
}

/// The last argument of `try_files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryTarget {
    /// `=404`.
    Status(u16),
    /// `@name`, with the `@`.
    Named(Box<str>),
    /// A URI for an internal redirect, perhaps with arguments.
    Uri(Template),
}
