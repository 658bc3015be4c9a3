//! What was written: directives, words and blocks, each with the place it came from. Not here: what any of it means.

use std::path::PathBuf;

/// A place in one of a [`Tree`]'s files: bytes `start..end` of `files[file]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Index into [`Tree::files`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A file that was read, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as nginx would show it.
    pub path: PathBuf,
    /// Its text; bytes that are not UTF-8 were replaced and reported.
    pub text: String,
}

/// A configuration as written, its includes in place.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every file read, the main one first; `-g` text is a file of its own.
    pub files: Vec<SourceFile>,
    /// The main context.
    pub directives: Vec<Directive>,
}

/// `name word … ;` or `name word … { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The name.
    pub name: Word,
    /// The words after it.
    pub args: Vec<Word>,
    /// The block, if it has one. A `types`- or `map`-like block holds its lines as directives too.
    pub block: Option<Vec<Directive>>,
    /// From the name to the `;` or the closing brace.
    pub span: Span,
}

/// A word, its quotes removed and escapes undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
    /// Where it stands, quotes included.
    pub span: Span,
}
