//! What was written: directives, words and blocks, each with the place it came from. Not here: what any of it means.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::text::bytes;

/// A place in one of a [`Tree`]'s files: bytes `start..end` of the text of `files[file]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Index into [`Tree::files`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// For what concerns no place in a file: the main file itself cannot be read, or a section is missing in all of it.
    pub const NOWHERE: Span = Span { file: u32::MAX, start: 0, end: 0 };
}

/// A text that was read, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as nginx would show it; `command line` for the text of `-g`.
    pub path: PathBuf,
    /// Its text. Bytes that are not UTF-8 stand in it as private-use characters: [`SourceFile::bytes`] has them.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
    /// The name of the file in the first `include` that brought it in.
    pub included_at: Option<Span>,
}

/// Where a [`SourceFile`] came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File,
    /// `-g`.
    CommandLine,
    /// The built-in stand-in for a file that is not there.
    BuiltIn,
}

impl SourceFile {
    /// What was read, byte by byte.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        bytes::written(&self.text)
    }
}

/// A configuration as written, its includes in place.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every text read, once: that of `-g` if there is one, then the files in the order of their reading.
    pub files: Vec<SourceFile>,
    /// The main context.
    pub directives: Vec<Directive>,
}

/// A line and column, both counted from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Tree {
    /// The file of a span; none for [`Span::NOWHERE`].
    pub fn file(&self, span: Span) -> Option<&SourceFile> {
        self.files.get(place(span.file))
    }

    /// Sorts spans in the order in which they are read: an included file stands where its `include` does.
    pub(crate) fn reading_order(&self, span: Span) -> Vec<u32> {
        let mut order = vec![span.start];
        let mut file = span.file;
        while let Some(at) = self.files.get(place(file)).and_then(|file| file.included_at) {
            order.extend([file, at.start]);
            file = at.file;
        }
        order.push(file);
        order.reverse();
        order
    }

    /// Where a span starts.
    pub fn position(&self, span: Span) -> Option<Position> {
        let text = &self.file(span)?.text;
        let before = text.get(..place(span.start)).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |place| place + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).map_or(0, |line| line.chars().count()) + 1;
        Some(Position { line, column })
    }

    /// What stands at a span, as written.
    pub fn source(&self, span: Span) -> Option<&str> {
        self.file(span)?.text.get(place(span.start)..place(span.end))
    }
}

fn place(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
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
