//! Texts into a tree: bytes, words, blocks, includes; and what stands in words: units and templates. Not here: what a
//! directive means.

mod balance;
pub(crate) mod bytes;
mod include;
mod lexer;
mod lua;
mod parser;
mod place;
mod semicolon;
mod spoilt;
pub(crate) mod template;
#[cfg(test)]
mod tests;
pub(crate) mod units;
mod word;

pub(crate) use include::{Reader, Written, path_of};
pub(crate) use semicolon::judge;
pub(crate) use spoilt::leave_out_spoilt;

/// Blocks in one another, includes counted. nginx has no bound and recursion: its stack ends.
pub(crate) const MAX_BLOCK_DEPTH: usize = 64;

/// What kind of text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file.
    File,
    /// The text of `-g`: no blocks, no bound on a word.
    CommandLine,
}
