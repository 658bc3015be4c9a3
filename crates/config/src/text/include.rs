//! Texts into one tree: `include` replaced by what it names. nginx's rules: a relative path starts at the folder of the
//! main file, each file has its blocks to itself, a mask that fits nothing is no fault, a missing file is one. A file
//! that includes itself, for which nginx's stack ends, is refused. Not here: what a mask fits (`files`), and braces.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::bytes::{carried, text_of, written};
use super::lexer::{Lexed, Token, lex};
use super::place::{Around, Place};
use super::semicolon::{Looked, Suspect, look};
use super::{Kind, parser};
use crate::diagnostic::{Diagnostic, Severity};
use crate::directives::{Context, built_in_mime_types};
use crate::files::{Files, Unreadable, expand, is_mask};
use crate::tree::{Directive, Origin, SourceFile, Span, Tree, Word};

/// Includes in one another.
pub(crate) const MAX_INCLUDE_DEPTH: usize = 32;
/// All text of a configuration in bytes; a file counts each time that it is included.
pub(crate) const MAX_TEXT: usize = 64 << 20;

/// Directives that are found in what was written as one, its `;` missing; what is beyond stays the words of the last.
const MAX_PARTS: usize = 100;

/// The file that is built in, for where it is missing.
const MIME_TYPES: &str = "mime.types";

/// A configuration as written, and what is wrong with its text.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) tree: Tree,
    pub(crate) said: Vec<Diagnostic>,
    /// Lines that were perhaps meant as directives of their own.
    pub(crate) suspects: Vec<Suspect>,
}

/// The texts of a configuration on their way into one tree.
pub(crate) struct Reader<'f> {
    files: &'f dyn Files,
    /// The folder that relative includes start from.
    folder: PathBuf,
    tree: Tree,
    said: Vec<Diagnostic>,
    known: HashMap<PathBuf, u32>,
    /// The files that are being read, each included by the one before.
    open: Vec<u32>,
    /// Lines that were perhaps meant as directives.
    suspects: Vec<Suspect>,
    /// Bytes of text that may still come.
    pub(super) left: usize,
}

impl<'f> Reader<'f> {
    /// For the configuration of this main file.
    pub(crate) fn new(main: &Path, files: &'f dyn Files) -> Self {
        Self {
            files,
            folder: main.parent().unwrap_or(Path::new("")).to_owned(),
            tree: Tree::default(),
            said: Vec::new(),
            known: HashMap::new(),
            open: Vec::new(),
            suspects: Vec::new(),
            left: MAX_TEXT,
        }
    }

    /// What was read, and what is wrong with its text.
    pub(crate) fn finish(self) -> Written {
        Written { tree: self.tree, said: self.said, suspects: self.suspects }
    }

    /// Reads the text of `-g`.
    pub(crate) fn command_line(&mut self, text: &str) {
        let file = self.add("command line".into(), text.as_bytes(), Origin::CommandLine, None);
        self.at_top(file, Kind::CommandLine);
    }

    /// Reads the main file. False if it cannot be read, which was said.
    pub(crate) fn main_file(&mut self, path: &Path) -> bool {
        match self.files.read(path) {
            Ok(bytes) => self.main_text(path, &bytes),
            Err(unreadable) => self.say_unreadable(path, Span::NOWHERE, &unreadable),
        }
        !self.known.is_empty()
    }

    /// Reads the text of a main file that need not be there.
    pub(crate) fn main_text(&mut self, path: &Path, bytes: &[u8]) {
        let file = self.add(path.to_owned(), bytes, Origin::File, None);
        self.known.insert(path.to_owned(), file);
        self.at_top(file, Kind::File);
    }

    fn at_top(&mut self, file: u32, kind: Kind) {
        let directives = self.directives(file, kind, None);
        self.tree.directives.extend(directives);
    }

    /// The directives of a text that was added, and what is around it: nothing around a main file.
    fn directives(&mut self, file: u32, kind: Kind, around: Option<Around>) -> Vec<Directive> {
        let text = usize::try_from(file).ok().and_then(|place| self.tree.files.get(place)).map(|source| &source.text);
        let Some(text) = text.filter(|text| text.len() <= self.left) else {
            self.said.push(Diagnostic::error(Span { file, ..Span::default() }, too_much()));
            return Vec::new();
        };
        self.left -= text.len();
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let mut lexed = lex(text, file, kind);
        if kind == Kind::CommandLine {
            refuse_blocks(&mut lexed);
        }
        let around = around.unwrap_or_else(|| Around::top(top(&lexed)));
        let parsed = parser::parse(lexed, text, around, Span { file, start: end, end });
        self.said.extend(parsed.faults);
        self.open.push(file);
        let directives = self.finished(parsed.directives, around);
        self.open.pop();
        directives
    }

    /// Directives with a missing `;` put in, and what they include in place.
    fn finished(&mut self, directives: Vec<Directive>, around: Around) -> Vec<Directive> {
        let mut all = Vec::with_capacity(directives.len());
        for directive in directives {
            let mut next = Some(directive);
            let mut parts = 0;
            while let Some(directive) = next {
                let text = self.tree.file(directive.span).map_or("", |file| &file.text);
                let place = if parts < MAX_PARTS { around.place } else { Place::Elsewhere };
                parts += 1;
                let (directive, rest) = match look(directive, place, text) {
                    Looked::Whole(directive, suspect) => {
                        self.suspects.extend(suspect);
                        (directive, None)
                    }
                    Looked::Parted(directive, fault, rest) => {
                        self.said.push(fault);
                        (directive, Some(rest))
                    }
                };
                self.put(directive, around, &mut all);
                next = rest;
            }
        }
        all
    }

    fn put(&mut self, mut directive: Directive, around: Around, all: &mut Vec<Directive>) {
        if let Some(name) = included(&directive) {
            return all.extend(self.include(name, around));
        }
        let within = around.within(&directive.name.text);
        directive.block = directive.block.map(|block| self.finished(block, within));
        all.push(directive);
    }

    fn include(&mut self, name: &Word, around: Around) -> Vec<Directive> {
        let path = self.folder.join(path_of(&name.text));
        if !is_mask(&path) {
            return self.file(path, name.span, around);
        }
        let expanded = expand(self.files, &path);
        for (folder, unreadable) in expanded.closed {
            let message = format!("\"{}\" cannot be looked into ({})", folder.display(), unreadable.cause);
            self.said.push(Diagnostic::new(Severity::Warning, name.span, message));
        }
        expanded.paths.into_iter().flat_map(|path| self.file(path, name.span, around)).collect()
    }

    /// The directives of an included file.
    fn file(&mut self, path: PathBuf, at: Span, around: Around) -> Vec<Directive> {
        let Some(file) = self.known.get(&path).copied().or_else(|| self.read(&path, at)) else {
            return Vec::new();
        };
        let wrong = if self.open.contains(&file) {
            format!("\"{}\" includes itself", path.display())
        } else if self.open.len() > MAX_INCLUDE_DEPTH {
            format!("more than {MAX_INCLUDE_DEPTH} includes in one another")
        } else {
            return self.directives(file, Kind::File, Some(around));
        };
        self.said.push(Diagnostic::error(at, wrong));
        Vec::new()
    }

    /// Reads a file for the first time.
    fn read(&mut self, path: &Path, at: Span) -> Option<u32> {
        let file = match self.files.read(path) {
            Ok(bytes) => self.add(path.to_owned(), &bytes, Origin::File, Some(at)),
            Err(unreadable) if unreadable.missing && path.file_name() == Some(OsStr::new(MIME_TYPES)) => {
                let message = format!("there is no {}: the built-in table of types is used", path.display());
                self.said.push(Diagnostic::new(Severity::Note, at, message));
                self.add(path.to_owned(), built_in_mime_types().as_bytes(), Origin::BuiltIn, Some(at))
            }
            Err(unreadable) => {
                self.say_unreadable(path, at, &unreadable);
                return None;
            }
        };
        self.known.insert(path.to_owned(), file);
        Some(file)
    }

    /// Adds a text to those that were read.
    fn add(&mut self, path: PathBuf, bytes: &[u8], origin: Origin, included_at: Option<Span>) -> u32 {
        let file = u32::try_from(self.tree.files.len()).unwrap_or(u32::MAX);
        let text = text_of(bytes);
        self.said.extend(foreign_bytes(&text, file));
        self.tree.files.push(SourceFile { path, text, origin, included_at });
        file
    }

    fn say_unreadable(&mut self, path: &Path, at: Span, unreadable: &Unreadable) {
        let message = format!("open() \"{}\" failed ({})", path.display(), unreadable.cause);
        self.said.push(Diagnostic::error(at, message));
    }
}

/// What a directive includes, if it is a whole `include`. It is one in every block, `types` and `map` too.
fn included(directive: &Directive) -> Option<&Word> {
    match directive.args.as_slice() {
        [name] if directive.name.text == "include" && directive.block.is_none() => Some(name),
        _ => None,
    }
}

/// A path as bytes, which need not be UTF-8.
pub(crate) fn path_of(text: &str) -> PathBuf {
    OsStr::from_bytes(&written(text)).into()
}

/// Keeps of the command line's text what stands before its first block.
fn refuse_blocks(lexed: &mut Lexed) {
    let block = |token: &Token| matches!(token, Token::Statement(statement) if statement.block);
    let Some(place) = lexed.tokens.iter().position(block) else { return };
    if let Some(Token::Statement(statement)) = lexed.tokens.drain(place..).next() {
        let message = "block directives are not supported in -g option";
        lexed.faults.push(Diagnostic::error(statement.end, message));
    }
}

/// What the top of a main text is.
fn top(lexed: &Lexed) -> Place {
    let is_http = |token: &Token| match token {
        Token::Statement(statement) => {
            statement.block && statement.words.first().is_some_and(|name| name.text == "http")
        }
        Token::Close(_) => false,
    };
    if lexed.tokens.iter().any(is_http) { Place::In(Context::Main) } else { Place::Bare }
}

fn too_much() -> String {
    format!("more than {} MiB of configuration", MAX_TEXT >> 20)
}

/// Says once for each text that not all of it is UTF-8.
fn foreign_bytes(text: &str, file: u32) -> Option<Diagnostic> {
    let mut places = text.char_indices().filter_map(|(place, character)| Some((place, carried(character)?)));
    let (place, byte) = places.next()?;
    let start = u32::try_from(place).unwrap_or(u32::MAX);
    let span = Span { file, start, end: start.saturating_add(4) };
    let more = match places.count() {
        0 => String::new(),
        more => format!(", nor are {more} more"),
    };
    let note = Diagnostic::new(Severity::Note, span, format!("byte 0x{byte:02X} is not UTF-8{more}"));
    Some(note.help("in comments, texts and paths they stay as they are; in names and patterns they match nothing"))
}
