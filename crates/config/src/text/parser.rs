//! Statements into directives: which block each is in. Not here: words, includes, and which names there are.

use super::MAX_BLOCK_DEPTH;
use super::balance::balanced;
use super::lexer::{Lexed, Statement, Token};
use super::place::Around;
use crate::diagnostic::Diagnostic;
use crate::directives::rows_of;
use crate::tree::{Directive, Span, Word};

/// Directives, and what was wrong with their braces.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) directives: Vec<Directive>,
    pub(super) faults: Vec<Diagnostic>,
}

/// Puts each statement of a text into its block. `end` is where the text ends.
pub(super) fn parse(lexed: Lexed, text: &str, around: Around, end: Span) -> Parsed {
    let mut faults = lexed.faults;
    let (tokens, guessed) = balanced(lexed.tokens, text, around.place, end);
    // A text that ends too early is said to do so once.
    let ends = |fault: &Diagnostic| fault.span.start == end.start;
    faults.extend(guessed.into_iter().filter(|fault| !(lexed.cut_short && ends(fault))));
    let mut parser = Parser { open: Vec::new(), done: Vec::new(), faults, depth: around.depth, too_deep: 0 };
    for token in tokens {
        parser.take(token);
    }
    parser.end(end, lexed.cut_short)
}

struct Parser {
    /// The blocks that are open, the innermost last.
    open: Vec<Open>,
    /// What is finished at the top.
    done: Vec<Directive>,
    faults: Vec<Diagnostic>,
    depth: usize,
    /// Blocks open beyond the bound: nothing in them is kept.
    too_deep: usize,
}

/// Whether a statement that was cut short could only be a block: that its end is missing was said.
fn lacks_block(statement: &Statement) -> bool {
    let cut_short = statement.end.start == statement.end.end;
    let name = statement.words.first().map_or("", |name| name.text.as_str());
    cut_short && rows_of(name).next().is_some() && rows_of(name).all(|row| row.block)
}

struct Open {
    words: Vec<Word>,
    brace: Span,
    block: Vec<Directive>,
}

impl Parser {
    fn take(&mut self, token: Token) {
        match token {
            Token::Statement(statement) if self.too_deep > 0 => self.too_deep += usize::from(statement.block),
            Token::Close(_) if self.too_deep > 0 => self.too_deep -= 1,
            Token::Statement(statement) if statement.block => self.open(statement),
            Token::Statement(statement) => {
                let block = lacks_block(&statement).then(Vec::new);
                self.put(statement.words, block, statement.end);
            }
            Token::Close(brace) => self.close(brace),
        }
    }

    fn open(&mut self, statement: Statement) {
        if self.depth + self.open.len() >= MAX_BLOCK_DEPTH {
            self.too_deep = 1;
            self.faults
                .push(Diagnostic::error(statement.end, format!("more than {MAX_BLOCK_DEPTH} blocks in one another")));
            return;
        }
        self.open.push(Open { words: statement.words, brace: statement.end, block: Vec::new() });
    }

    fn close(&mut self, brace: Span) {
        match self.open.pop() {
            Some(open) => self.put(open.words, Some(open.block), brace),
            None => self.faults.push(Diagnostic::error(brace, "unexpected \"}\"").help("no block is open here")),
        }
    }

    /// A directive is finished. A block without a name was said to be wrong and is dropped.
    fn put(&mut self, words: Vec<Word>, block: Option<Vec<Directive>>, end: Span) {
        let mut words = words.into_iter();
        let Some(name) = words.next() else { return };
        let span = Span { end: end.end, ..name.span };
        let directive = Directive { name, args: words.collect(), block, span };
        match self.open.last_mut() {
            Some(open) => open.block.push(directive),
            None => self.done.push(directive),
        }
    }

    fn end(mut self, end: Span, cut_short: bool) -> Parsed {
        if let Some(open) = self.open.last().filter(|_| !cut_short) {
            let fault = Diagnostic::error(end, "unexpected end of file, expecting \"}\"");
            self.faults.push(fault.related(open.brace, "this block is not closed"));
        }
        while let Some(open) = self.open.pop() {
            self.put(open.words, Some(open.block), end);
        }
        Parsed { directives: self.done, faults: self.faults }
    }
}
