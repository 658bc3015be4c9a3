//! What the walk carries along: what was said, the names known, the lists that settings point into. Not here: the walk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::names::Names;
use super::{MAX_SAID, Options, absolute};
use crate::diagnostic::{Diagnostic, Severity};
use crate::directives::Row;
use crate::model::{LogFormat, Map, Match, Template, Upstream};
use crate::text::units::{self, Resolution};
use crate::tree::{Directive, Span, Tree, Word};

/// A walk in progress.
pub(crate) struct Build<'o> {
    pub options: &'o Options,
    pub tree: &'o Tree,
    pub names: Names,
    pub upstreams: Vec<Upstream>,
    /// The first `resolve` of each upstream that has no `resolver` of its own.
    pub resolves: Vec<Span>,
    pub maps: Vec<Map>,
    pub matches: Vec<Arc<Match>>,
    pub log_formats: Vec<LogFormat>,
    /// A template so far reads fields of responses.
    pub reads_heads: bool,
    said: Vec<Diagnostic>,
    /// Where lines begin in the files that places were asked of.
    line_starts: HashMap<u32, Vec<usize>>,
}

/// A directive that passed the table's checks, with its row.
#[derive(Clone, Copy)]
pub(crate) struct Line<'t> {
    pub directive: &'t Directive,
    pub row: &'static Row,
    /// The first of its name in its block: a list starts anew.
    pub first: bool,
}

impl<'t> Line<'t> {
    pub(crate) fn name(&self) -> &'static str {
        self.row.name
    }

    pub(crate) fn words(&self) -> &'t [Word] {
        &self.directive.args
    }

    /// The word at a place; the arity was checked, so that the name never has to stand in.
    pub(crate) fn word(&self, place: usize) -> &'t Word {
        self.words().get(place).unwrap_or(&self.directive.name)
    }

    /// The last word.
    pub(crate) fn last(&self) -> &'t Word {
        self.words().last().unwrap_or(&self.directive.name)
    }

    pub(crate) fn span(&self) -> Span {
        self.directive.name.span
    }

    pub(crate) fn block(&self) -> &'t [Directive] {
        self.directive.block.as_deref().unwrap_or_default()
    }
}

impl<'o> Build<'o> {
    pub(crate) fn new(options: &'o Options, tree: &'o Tree) -> Self {
        Self {
            options,
            tree,
            names: Names::collect(tree),
            upstreams: Vec::new(),
            resolves: Vec::new(),
            maps: Vec::new(),
            matches: Vec::new(),
            log_formats: Vec::new(),
            reads_heads: false,
            said: Vec::new(),
            line_starts: HashMap::new(),
        }
    }

    /// `FILE:LINE`. A file is searched for its lines once, however many places in it are asked for.
    pub(crate) fn place(&mut self, span: Span) -> String {
        let Some(file) = self.tree.file(span) else { return String::new() };
        let starts = self
            .line_starts
            .entry(span.file)
            .or_insert_with(|| file.text.match_indices('\n').map(|(at, _)| at + 1).collect());
        let line = starts.partition_point(|start| *start <= span.start as usize) + 1;
        format!("{}:{line}", file.path.display())
    }

    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.said
    }

    pub(crate) fn push(&mut self, said: Diagnostic) {
        self.said.push(said);
    }

    /// Whether all of what follows will be left out.
    pub(crate) fn said_enough(&self) -> bool {
        self.said.len() > MAX_SAID
    }

    pub(crate) fn say(&mut self, severity: Severity, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::new(severity, span, message));
    }

    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.say(Severity::Error, span, message);
    }

    pub(crate) fn warn(&mut self, span: Span, message: impl Into<String>) {
        self.say(Severity::Warning, span, message);
    }

    pub(crate) fn note(&mut self, span: Span, message: impl Into<String>) {
        self.say(Severity::Note, span, message);
    }

    /// Adds what to write instead to what was said last.
    pub(crate) fn help(&mut self, help: impl Into<String>) {
        if let Some(last) = self.said.last_mut() {
            last.help = Some(help.into());
        }
    }

    /// `"name" directive TEXT`, nginx's form for what a value's reader found.
    pub(crate) fn directive_error(&mut self, line: &Line<'_>, span: Span, text: &str) {
        self.error(span, format!("\"{}\" directive {text}", line.name()));
    }

    /// `invalid parameter "WORD"`.
    pub(crate) fn invalid_parameter(&mut self, word: &Word) {
        self.error(word.span, format!("invalid parameter \"{}\"", word.text));
    }

    /// `invalid value "WORD"`.
    pub(crate) fn invalid_value(&mut self, word: &Word) {
        self.error(word.span, format!("invalid value \"{}\"", word.text));
    }

    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        absolute(&self.options.prefix, path)
    }

    /// A path with variables, made absolute unless it starts with one.
    pub(crate) fn absolute_template(&mut self, text: &str, span: Span) -> Template {
        if text.starts_with('$') {
            return self.template(text, span);
        }
        let path = self.options.prefix.join(text);
        self.template(&path.to_string_lossy(), span)
    }

    /// A word as a template.
    pub(crate) fn word_template(&mut self, word: &Word) -> Template {
        self.template(&word.text, word.span)
    }

    /// A word as a time; says `"name" directive invalid value` if it is none.
    pub(crate) fn time(&mut self, line: &Line<'_>, word: &Word) -> Option<Duration> {
        self.time_in(line, word, Resolution::Milliseconds)
    }

    /// The same, in whole seconds.
    pub(crate) fn seconds(&mut self, line: &Line<'_>, word: &Word) -> Option<Duration> {
        self.time_in(line, word, Resolution::Seconds)
    }

    fn time_in(&mut self, line: &Line<'_>, word: &Word, resolution: Resolution) -> Option<Duration> {
        let time = units::time(&word.text, resolution);
        if time.is_none() {
            self.directive_error(line, word.span, "invalid value");
            self.help(match resolution {
                Resolution::Milliseconds => "a time is a number with a unit: 500ms, 30s (the default unit), 5m, 1h, 1d",
                Resolution::Seconds => "a time is a number with a unit: 30s (the default unit), 5m, 1h, 1d, 1M, 1y",
            });
        }
        time
    }

    /// A word as a size in bytes.
    pub(crate) fn size(&mut self, line: &Line<'_>, word: &Word) -> Option<u64> {
        let size = units::size(&word.text);
        if size.is_none() {
            self.directive_error(line, word.span, "invalid value");
            self.help("a size is a number of bytes, or one with a unit: 512, 8k, 1m");
        }
        size
    }

    /// A word as a size in bytes of what memory need not hold.
    pub(crate) fn offset(&mut self, line: &Line<'_>, word: &Word) -> Option<u64> {
        let offset = units::offset(&word.text);
        if offset.is_none() {
            self.directive_error(line, word.span, "invalid value");
            self.help("a size is a number of bytes, or one with a unit: 512, 8k, 1m, 2g");
        }
        offset
    }

    /// A word as a count.
    pub(crate) fn count(&mut self, line: &Line<'_>, word: &Word) -> Option<u64> {
        let count = units::count(&word.text);
        if count.is_none() {
            self.directive_error(line, word.span, "invalid number");
        }
        count
    }

    /// A word as `on` or `off`.
    pub(crate) fn flag(&mut self, line: &Line<'_>, word: &Word) -> Option<bool> {
        if word.text.eq_ignore_ascii_case("on") {
            return Some(true);
        }
        if word.text.eq_ignore_ascii_case("off") {
            return Some(false);
        }
        self.error(
            word.span,
            format!("invalid value \"{}\" in \"{}\" directive, it must be \"on\" or \"off\"", word.text, line.name()),
        );
        None
    }
}
