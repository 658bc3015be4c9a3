//! nginx's lexical rules, as its `ngx_conf_file.c` has them: a text into statements and closing braces. A fault is said
//! once, and reading goes on where the next statement probably starts (`recovery`). Not here: which block a statement
//! is in.

mod recovery;
#[cfg(test)]
mod tests;

use super::Kind;
use super::lua;
use super::word::{Quote, bare_end, quote_end, unescaped};
use crate::diagnostic::Diagnostic;
use crate::tree::{Span, Word};

/// A word or a comment of this many bytes is refused, as nginx refuses it: its buffer must hold one byte more.
pub(crate) const MAX_WORD: usize = 4096;

/// What a text is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Words and what ends them.
    Statement(Statement),
    /// `}`.
    Close(Span),
}

/// `name word … ;` or `name word … {`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The name and the words; none before a `{` that stands alone.
    pub(super) words: Vec<Word>,
    /// Whether a block follows.
    pub(super) block: bool,
    /// The `;` or `{`; empty where it is missing.
    pub(super) end: Span,
}

/// A text taken apart.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) faults: Vec<Diagnostic>,
    /// The text ended within a statement, and that was said.
    pub(super) cut_short: bool,
}

/// Takes a text apart. A text of the command line has no bound on its words.
pub(super) fn lex(text: &str, file: u32, kind: Kind) -> Lexed {
    let mut lexer = Lexer { text, file, kind, at: 0, words: Vec::new(), lexed: Lexed::default() };
    lexer.byte_order_mark();
    while let Some(byte) = lexer.peek() {
        lexer.step(byte);
    }
    lexer.end_of_text();
    lexer.lexed
}

struct Lexer<'t> {
    text: &'t str,
    file: u32,
    kind: Kind,
    at: usize,
    /// The words of the statement that is being read.
    words: Vec<Word>,
    lexed: Lexed,
}

impl Lexer<'_> {
    fn step(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'#' => self.comment(),
            b';' => self.semicolon(),
            b'{' => self.open(),
            b'}' => self.close(),
            b'"' => self.quoted(Quote::Double),
            b'\'' => self.quoted(Quote::Single),
            _ => self.bare(),
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        self.at = self.line_end(start);
        if self.overflows(start, self.at) {
            self.say_too_long(start);
        }
    }

    fn semicolon(&mut self) {
        let end = self.mark();
        if self.words.is_empty() {
            self.say(
                Diagnostic::error(end, "unexpected \";\"").help("there is nothing that it could end: take it away"),
            );
        } else {
            self.statement(false, end);
        }
        self.at += 1;
    }

    fn open(&mut self) {
        let end = self.mark();
        if self.words.is_empty() {
            self.say(Diagnostic::error(end, "unexpected \"{\"").help("the name of the block is missing before it"));
        }
        let lua = self.words.first().is_some_and(|name| lua::is_lua_block(&name.text));
        self.statement(true, end);
        self.at += 1;
        if lua {
            self.at = lua::end_of_block(self.text, self.at);
        }
    }

    fn close(&mut self) {
        let brace = self.mark();
        if !self.words.is_empty() {
            self.statement_without_end(Diagnostic::error(brace, "unexpected \"}\""));
        }
        self.token(Token::Close(brace));
        self.at += 1;
    }

    fn bare(&mut self) {
        let start = self.at;
        self.at = bare_end(self.text, start);
        if self.overflows(start, self.at) {
            self.say_too_long(start);
        }
        self.take_quantifiers(start);
        let text = self.unescaped(start, self.at);
        self.word(text, false, start);
    }

    fn quoted(&mut self, quote: Quote) {
        let open = self.at;
        let Some(close) = quote_end(self.text, open + 1, quote) else {
            return self.unclosed(open, quote);
        };
        if self.overflows(open + 1, close) {
            return self.closed_too_late(open, close, quote);
        }
        self.at = close + 1;
        if self.overflows(open + 1, self.at) {
            self.say_too_long(open + 1);
        }
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => self.quoted_word(open, close),
            Some(_) => self.touched_after_quote(open, close),
        }
    }

    fn quoted_word(&mut self, open: usize, close: usize) {
        let text = self.unescaped(open + 1, close);
        self.word(text, true, open);
    }

    fn end_of_text(&mut self) {
        if self.words.is_empty() {
            return;
        }
        if self.lexed.cut_short {
            let end = self.mark();
            return self.statement(false, end);
        }
        self.lexed.cut_short = true;
        self.statement_without_end(self.ends_too_early());
    }

    fn ends_too_early(&self) -> Diagnostic {
        let message = match self.kind {
            Kind::CommandLine => "unexpected end of parameter, expecting \";\"",
            Kind::File => "unexpected end of file, expecting \";\" or \"}\"",
        };
        Diagnostic::error(self.span(self.text.len(), self.text.len()), message)
    }

    /// Whether nginx's buffer is full before it has seen the byte at `end`.
    fn overflows(&self, start: usize, end: usize) -> bool {
        let full = start + MAX_WORD;
        self.kind == Kind::File && end >= full && full < self.text.len()
    }

    fn say_too_long(&mut self, start: usize) {
        let shown: String = self.text.get(start..).unwrap_or_default().chars().take(10).collect();
        let span = self.span(start, start + shown.len());
        let fault = Diagnostic::error(span, format!("too long parameter \"{shown}...\" started"));
        self.say(fault.help(format!("a word has fewer than {MAX_WORD} bytes, and so has a comment")));
    }

    fn unescaped(&self, start: usize, end: usize) -> String {
        unescaped(self.text.get(start..end).unwrap_or_default())
    }

    /// Ends a word here. One that is too long is cut, so that nobody has to look at all of it.
    fn word(&mut self, mut text: String, quoted: bool, start: usize) {
        if self.kind == Kind::File {
            text.truncate(text.floor_char_boundary(MAX_WORD));
        }
        let span = self.span(start, self.at);
        self.words.push(Word { text, quoted, span });
    }

    fn statement(&mut self, block: bool, end: Span) {
        let words = std::mem::take(&mut self.words);
        self.token(Token::Statement(Statement { words, block, end }));
    }

    fn token(&mut self, token: Token) {
        self.lexed.tokens.push(token);
    }

    fn say(&mut self, fault: Diagnostic) {
        self.lexed.faults.push(fault);
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The place of the next line feed, or the end of the text.
    fn line_end(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |place| from + place)
    }

    /// The byte that is being looked at.
    fn mark(&self) -> Span {
        self.span(self.at, (self.at + 1).min(self.text.len()))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let place = |place| u32::try_from(place).unwrap_or(u32::MAX);
        Span { file: self.file, start: place(start), end: place(end) }
    }
}
