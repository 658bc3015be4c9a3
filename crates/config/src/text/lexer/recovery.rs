//! What a fault in a text probably was, and where to read on. Not here: what is right.

use super::{Lexer, MAX_WORD, Token};
use crate::diagnostic::Diagnostic;
use crate::text::word::{Quote, bare_end, quote_end};
use crate::tree::Span;

impl Lexer<'_> {
    /// To nginx a byte order mark is a part of the first word.
    pub(super) fn byte_order_mark(&mut self) {
        let Some(rest) = self.text.strip_prefix('\u{feff}') else { return };
        self.at = self.text.len() - rest.len();
        let end = bare_end(self.text, self.at);
        let message = format!("unknown directive \"{}\"", self.unescaped(0, end));
        let fault = Diagnostic::error(self.span(0, end), message);
        self.say(
            fault.help("the file starts with a byte order mark, which is a part of its first word: save it without"),
        );
    }

    /// No quote closes what was opened.
    pub(super) fn unclosed(&mut self, open: usize, quote: Quote) {
        if self.overflows(open + 1, self.text.len()) {
            self.say_never_closed(open, quote);
        } else if !std::mem::replace(&mut self.lexed.cut_short, true) {
            let opened = self.span(open, open + 1);
            self.say(self.ends_too_early().related(opened, "this quote is not closed"));
        }
        self.take_the_line(open);
    }

    /// A quote closes it, further away than a word may reach.
    pub(super) fn closed_too_late(&mut self, open: usize, close: usize, quote: Quote) {
        self.say_never_closed(open, quote);
        if self.line_end(open) < close {
            return self.take_the_line(open);
        }
        self.at = close + 1;
        self.quoted_word(open, close);
    }

    fn say_never_closed(&mut self, open: usize, quote: Quote) {
        let quote = quote.character();
        let message = format!("too long parameter, probably missing terminating \"{quote}\" character");
        let fault = Diagnostic::error(self.span(open, open + 1), message);
        self.say(fault.help(format!("a word has fewer than {MAX_WORD} bytes")));
    }

    /// Something touches a closing quote. If lines lie between the quotes, the closing one was probably meant to open
    /// a string, and the other is not closed; else it is a quote within a word.
    pub(super) fn touched_after_quote(&mut self, open: usize, close: usize) {
        let next = self.text.get(close + 1..).and_then(|rest| rest.chars().next()).unwrap_or_default();
        let place = self.span(close + 1, close + 1 + next.len_utf8());
        let fault = Diagnostic::error(place, format!("unexpected \"{next}\""));
        if self.line_end(open) < close {
            let opened = self.span(open, open + 1);
            self.say(fault.related(opened, "this quote is probably not closed"));
            return self.take_the_line(open);
        }
        self.say(fault.help("after a closing quote: a space, \";\" or \"{\". In a word, write a quote as \\\" or \\'"));
        if let Some(close) = self.after_apostrophe(close) {
            self.at = close + 1;
            return self.quoted_word(open, close);
        }
        self.at = close + 1;
        let text = self.unescaped(open + 1, close) + &self.touching();
        self.word(text, true, open);
    }

    /// The quote that was meant to close a string where this one is the apostrophe of `'it's here'`.
    fn after_apostrophe(&self, quote: usize) -> Option<usize> {
        let (before, after) = self.text.split_at_checked(quote)?;
        let after = after.strip_prefix('\'')?;
        let within = before.ends_with(char::is_alphabetic) && after.starts_with(char::is_alphabetic);
        let line = after.get(..self.line_end(quote) - quote - 1).filter(|_| within)?;
        let ends_word = |(place, _): &(usize, &str)| line[place + 1..].starts_with([' ', ';', '{']);
        line.rmatch_indices('\'').find(ends_word).map(|(place, _)| quote + 1 + place)
    }

    /// What touches a closing quote: strings of one line, then what is not quoted.
    fn touching(&mut self) -> String {
        let mut text = String::new();
        let line_end = self.line_end(self.at);
        while let Some(close) = self.string_here(line_end) {
            text += &self.unescaped(self.at + 1, close);
            self.at = close + 1;
        }
        let start = self.at;
        self.at = bare_end(self.text, start);
        text + &self.unescaped(start, self.at)
    }

    fn string_here(&self, line_end: usize) -> Option<usize> {
        let quote = match self.peek()? {
            b'"' => Quote::Double,
            b'\'' => Quote::Single,
            _ => return None,
        };
        quote_end(self.text, self.at + 1, quote).filter(|close| *close < line_end)
    }

    /// `^/a{2}$`: to nginx the word ends before the brace, so that an expression with one must be quoted. No block starts
    /// with a number and a brace: the rest is taken as the part of the word that it was meant to be.
    pub(super) fn take_quantifiers(&mut self, start: usize) {
        let brace = self.at;
        while quantifier(self.text.get(self.at..).unwrap_or_default()) {
            self.at = bare_end(self.text, self.at + 1);
        }
        if self.at == brace {
            return;
        }
        let number = bare_end(self.text, brace + 1);
        let message = match self.words.first().map(|name| name.text.as_str()) {
            None => "unexpected \"{\"".to_owned(),
            Some("location" | "if") => format!("unknown directive \"{}\"", self.unescaped(brace + 1, number)),
            Some(name) => format!("directive \"{name}\" is not terminated by \";\""),
        };
        let word = self.unescaped(start, self.at);
        let fault = Diagnostic::error(self.span(brace, number), message);
        self.say(fault.help(format!("a word with a brace must be quoted: \"{word}\"")));
    }

    /// Takes the line of a quote that is not closed for the end of its word, and a `;` or `{` at its end as such, closing
    /// braces behind it too.
    fn take_the_line(&mut self, open: usize) {
        let line = self.text.get(open + 1..self.line_end(open)).unwrap_or_default().trim_ascii_end();
        let ended = line.trim_end_matches([' ', '\t', '}']).strip_suffix(';').or_else(|| line.strip_suffix('{'));
        let word = ended.unwrap_or(line).trim_ascii_end();
        self.at = open + 1 + word.len();
        let text = self.unescaped(open + 1, self.at);
        self.word(text, true, open);
    }

    /// Ends a statement whose `;` is missing. A brace that touches its last word was meant as one.
    pub(super) fn statement_without_end(&mut self, fault: Diagnostic) {
        let Some(last) = self.words.last().cloned() else { return };
        let after = Span { start: last.span.end, ..last.span };
        let before_brace = last.text.strip_suffix('}').filter(|word| !last.quoted && !word.contains(['{', '}']));
        let Some(word) = before_brace else {
            self.say(fault.related(after, format!("a \";\" is missing after \"{}\"", last.text)));
            return self.statement(false, after);
        };
        self.say(fault.related(last.span, format!("\"{}\" is one word: write a \";\" before its \"}}\"", last.text)));
        let brace = Span { start: last.span.end - 1, ..last.span };
        if let Some(last) = self.words.last_mut() {
            word.clone_into(&mut last.text);
            last.span.end = brace.start;
        }
        self.statement(false, brace);
        self.token(Token::Close(brace));
    }
}

/// Whether a text starts with how often an expression repeats: `{2}`, `{1,3}`, `{2,}`.
fn quantifier(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('{') else { return false };
    let rest = inside.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
    inside.starts_with(|c: char| c.is_ascii_digit()) && rest.starts_with('}')
}
