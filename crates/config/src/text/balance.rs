//! Braces that are not balanced: where one is probably missing or too many, so that one fault stays one and everything
//! else is still read as it was meant. Two things tell: which block takes which directive; and, as long as braces are
//! missing or too many, indentation, where the rest of the file keeps it. A text whose braces are balanced is never touched. Not here: text that is right.

use super::MAX_BLOCK_DEPTH;
use super::lexer::{Statement, Token};
use super::place::Place;
use crate::diagnostic::Diagnostic;
use crate::tree::Span;

/// Bytes of a line before which nothing is taken for indented.
const MAX_INDENT: usize = 256;

/// Balances braces as far as can be guessed, and says what it did. `end` is where the text ends.
pub(super) fn balanced(tokens: Vec<Token>, text: &str, top: Place, end: Span) -> (Vec<Token>, Vec<Diagnostic>) {
    let count = Count::of(&tokens);
    let even = count.missing == 0 && count.surplus == 0;
    if even || count.deepest > MAX_BLOCK_DEPTH {
        return (tokens, Vec::new());
    }
    let layout = Layout::of(&tokens, text);
    let (done, faults) = (Vec::with_capacity(tokens.len()), Vec::new());
    let last = Span { start: 0, end: 0, ..end };
    let mut mender = Mender { layout, top, open: Vec::new(), just_closed: None, count, done, faults, last, end };
    for token in tokens {
        mender.take(token);
    }
    (mender.done, mender.faults)
}

/// How many braces are missing at the end of a text, and how many close nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    missing: usize,
    surplus: usize,
    /// The most blocks in one another.
    deepest: usize,
}

impl Count {
    fn of(tokens: &[Token]) -> Self {
        let mut count = Self { missing: 0, surplus: 0, deepest: 0 };
        for token in tokens {
            match token {
                Token::Statement(statement) => count.missing += usize::from(statement.block),
                Token::Close(_) if count.missing > 0 => count.missing -= 1,
                Token::Close(_) => count.surplus += 1,
            }
            count.deepest = count.deepest.max(count.missing);
        }
        count
    }
}

/// The columns of what stands first in a line.
struct Layout<'t> {
    text: &'t str,
    /// Most of the text is indented by its blocks.
    reliable: bool,
}

impl<'t> Layout<'t> {
    /// Judges by the first line of each block, and by the end of each that has no blocks within: a missing brace
    /// somewhere else does not matter to them.
    fn of(tokens: &[Token], text: &'t str) -> Self {
        let mut layout = Self { text, reliable: true };
        let (mut right, mut all) = (0_usize, 0_usize);
        let mut open: Vec<Lines> = Vec::new();
        for token in tokens {
            let indent = layout.indent(start_of(token));
            let verdict = match token {
                Token::Statement(_) => open.last_mut().and_then(|lines| lines.first(indent)),
                Token::Close(_) => open.pop().and_then(|lines| lines.last(indent)),
            };
            all += usize::from(verdict.is_some());
            right += usize::from(verdict == Some(true));
            if matches!(token, Token::Statement(statement) if statement.block) {
                if let Some(around) = open.last_mut() {
                    around.has_blocks = true;
                }
                open.push(Lines { indent, has_lines: false, has_blocks: false });
            }
        }
        layout.reliable = 4 * right > 3 * all;
        layout
    }

    /// The column of what starts here, if nothing but space is before it in its line.
    fn indent(&self, at: Span) -> Option<usize> {
        let at = usize::try_from(at.start).ok()?;
        let nearest = self.text.floor_char_boundary(at.saturating_sub(MAX_INDENT));
        let before = self.text.get(nearest..at)?;
        let line = match before.rfind('\n') {
            Some(place) => before.get(place + 1..)?,
            None if nearest > 0 => return None,
            None => before,
        };
        let columns = |c: char| if c == '\t' { 8 } else { 1 };
        (self.reliable && line.trim_start().is_empty()).then(|| line.chars().map(columns).sum())
    }
}

/// How a block is laid out so far.
struct Lines {
    indent: Option<usize>,
    has_lines: bool,
    has_blocks: bool,
}

impl Lines {
    /// Whether its first line is right, if this is it.
    fn first(&mut self, indent: Option<usize>) -> Option<bool> {
        let is_first = !std::mem::replace(&mut self.has_lines, true);
        self.indent.zip(indent).filter(|_| is_first).map(|(around, indent)| indent > around)
    }

    /// Whether its end is right, if that can be told.
    fn last(&self, indent: Option<usize>) -> Option<bool> {
        self.indent.zip(indent).filter(|_| !self.has_blocks).map(|(around, indent)| indent == around)
    }
}

fn start_of(token: &Token) -> Span {
    match token {
        Token::Statement(statement) => statement.words.first().map_or(statement.end, |word| word.span),
        Token::Close(brace) => *brace,
    }
}

/// A block that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    place: Place,
    indent: Option<usize>,
    brace: Span,
}

struct Mender<'t> {
    layout: Layout<'t>,
    top: Place,
    open: Vec<Open>,
    /// The block that the token before closed, and its brace.
    just_closed: Option<(Open, Span)>,
    count: Count,
    done: Vec<Token>,
    faults: Vec<Diagnostic>,
    /// Where the token before ended.
    last: Span,
    /// Where the text ends.
    end: Span,
}

impl Mender<'_> {
    fn take(&mut self, token: Token) {
        let (Token::Statement(Statement { end, .. }) | Token::Close(end)) = token;
        match token {
            Token::Statement(statement) => self.statement(statement),
            Token::Close(brace) => self.close(brace),
        }
        self.last = Span { start: end.end, ..end };
    }

    fn statement(&mut self, statement: Statement) {
        let indent = self.layout.indent(start_of(&Token::Statement(statement.clone())));
        let name = statement.words.first().map_or("", |name| name.text.as_str());
        self.reopen_for(name, statement.block);
        self.close_before(name, statement.block, indent);
        if statement.block {
            let place = self.place().within(name);
            self.open.push(Open { place, indent, brace: statement.end });
        }
        self.just_closed = None;
        self.done.push(Token::Statement(statement));
    }

    fn close(&mut self, brace: Span) {
        let indent = self.layout.indent(brace);
        let innermost = self.open.last().and_then(|open| open.indent);
        if let Some((indent, innermost)) = indent.zip(innermost) {
            if self.count.surplus > 0 && indent > innermost {
                return self.say_surplus(brace);
            }
            self.close_to(indent);
        }
        self.just_closed = self.open.pop().map(|open| (open, brace));
        self.done.push(Token::Close(brace));
    }

    /// A brace that stands further left than the block that it would close was meant for one around it.
    fn close_to(&mut self, indent: usize) {
        let meant = self.open.iter().rposition(|open| open.indent == Some(indent));
        while meant.is_some_and(|meant| self.open.len() > meant + 1) && self.count.missing > 0 {
            self.close_here();
        }
    }

    /// A directive that the innermost block does not take, or that stands no further right than it, was meant for a block
    /// around.
    fn close_before(&mut self, name: &str, block: bool, indent: Option<usize>) {
        let missing = self.count.missing > 0;
        let meant = |open: &Open| match indent.zip(open.indent) {
            Some((indent, around)) if missing && indent <= around => false,
            _ => open.place.takes(name, block),
        };
        let wanted = self.open.iter().rposition(meant).map_or(0, |place| place + 1);
        let possible = wanted > 0 || self.top.takes(name, block);
        while possible && self.open.len() > wanted {
            self.close_here();
        }
    }

    /// A directive that only the block just closed takes: the brace was one too many.
    fn reopen_for(&mut self, name: &str, block: bool) {
        let Some((open, brace)) = self.just_closed else { return };
        if self.place().takes(name, block) || !open.place.takes(name, block) {
            return;
        }
        self.done.pop();
        self.open.push(open);
        self.say_surplus(brace);
    }

    /// Puts in a brace.
    fn close_here(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match self.count.missing.checked_sub(1) {
            Some(missing) => self.count.missing = missing,
            // Then another one will be too many.
            None => self.count.surplus += 1,
        }
        let fault = Diagnostic::error(self.end, "unexpected end of file, expecting \"}\"");
        self.faults.push(fault.related(open.brace, "this block is probably not closed"));
        self.done.push(Token::Close(self.last));
    }

    /// Leaves out a brace.
    fn say_surplus(&mut self, brace: Span) {
        match self.count.surplus.checked_sub(1) {
            Some(surplus) => self.count.surplus = surplus,
            // Then another one will be missing.
            None => self.count.missing += 1,
        }
        self.faults
            .push(Diagnostic::error(brace, "unexpected \"}\"").help("there is probably one \"}\" too many here"));
    }

    fn place(&self) -> Place {
        self.open.last().map_or(self.top, |open| open.place)
    }
}

#[cfg(test)]
mod tests {
    use crate::Loaded;
    use crate::build::testing::errors;
    use crate::load_text;

    const EARLY: &str = "unexpected end of file, expecting \"}\"";
    const SURPLUS: &str = "unexpected \"}\"";

    /// What is said of a text, each with the line of the other place, or of its own.
    fn said(text: &str) -> Vec<(String, usize)> {
        let loaded = load_text(text);
        let line = |span| loaded.tree.position(span).map_or(0, |place| place.line);
        let of = |said: &crate::Diagnostic| said.related.as_ref().map_or(said.span, |(span, _)| *span);
        loaded.diagnostics.iter().map(|said| (said.message.clone(), line(of(said)))).collect()
    }

    fn servers(loaded: &Loaded) -> usize {
        let http = loaded.tree.directives.iter().find(|directive| directive.name.text == "http");
        let inside = http.and_then(|http| http.block.as_ref()).map_or(&[][..], Vec::as_slice);
        inside.iter().filter(|directive| directive.name.text == "server").count()
    }

    #[test]
    fn a_block_that_is_not_closed_ends_where_it_takes_no_more() {
        let text =
            "events {}\nhttp {\nserver {\nlocation / { return 200;\n}\nserver { listen 2; }\nserver { listen 3; }\n}\n";
        assert_eq!(said(text), [(EARLY.into(), 3)]);
        assert_eq!(servers(&load_text(text)), 3);
        let text = "events {\nhttp { server { listen 1; } }";
        assert_eq!(said(text), [(EARLY.into(), 1)]);
        let text = "events {} http {\nupstream a { server b;\nserver { listen 1; } }";
        assert_eq!(said(text), [(EARLY.into(), 2)]);
    }

    #[test]
    fn indentation_tells_where_a_brace_is_missing() {
        let text = "\
events {}
http {
    server {
        location /a {
            return 200;
        location /b {
            return 200;
        }
        nonsense;
    }
    server {
        listen 2;
    }
}
";
        assert_eq!(said(text), [("unknown directive \"nonsense\"".into(), 9), (EARLY.into(), 4)]);
        let text = text.replace("        location /b {\n            return 200;\n        }\n", "");
        assert_eq!(said(&text), [("unknown directive \"nonsense\"".into(), 6), (EARLY.into(), 4)]);
    }

    #[test]
    fn the_last_brace_may_be_the_missing_one() {
        let text = "events {}\nhttp {\n    server {\n        listen 1;\n    }\n";
        assert_eq!(said(text), [(EARLY.into(), 2)]);
    }

    #[test]
    fn a_brace_too_many_is_found_where_its_block_is_missed() {
        let text = "events {}\nhttp {\nserver {\nlocation / { return 200; } }\n}\nserver { listen 2; }\nserver { listen 3; }\n}\n";
        assert_eq!(said(text), [(SURPLUS.into(), 5)]);
        assert_eq!(servers(&load_text(text)), 3);
        let text = "\
events {}
http {
    server {
        location / {
            return 200;
        }
        }
        location /b {
            return 200;
        }
    }
}
";
        assert_eq!(said(text), [(SURPLUS.into(), 7)]);
    }

    #[test]
    fn a_brace_at_the_end_that_closes_nothing_is_said_there() {
        assert_eq!(said("events {}\nhttp { }\n}\n"), [(SURPLUS.into(), 3)]);
    }

    #[test]
    fn a_map_takes_anything() {
        let text = "events {}\nhttp {\nmap $uri $a {\nlisten 1;\nserver_name 2;\n";
        assert_eq!(errors(&load_text(text)), [EARLY]);
    }

    #[test]
    fn text_that_is_not_indented_is_no_evidence() {
        let text = "events {}\nhttp {\nserver {\nlisten 1;\nlocation / {\nreturn 200;\n}\n}\n";
        assert_eq!(said(text), [(EARLY.into(), 2)]);
    }
}
