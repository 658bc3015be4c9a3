//! A diagnostic for people: file, line and column, the line, a caret under the very word, what to write instead. Not here:
//! whether the reader is a terminal, and nginx's one-line form.

use std::fmt::Write as _;

use super::{Diagnostic, Severity};
use crate::text::bytes::carried;
use crate::tree::{Span, Tree};

/// How to mark what matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// By words alone.
    Plain,
    /// With the colours of a terminal as well.
    Coloured,
}

/// Columns of a source line that are shown; of a longer one, those around the span.
const WIDTH: usize = 100;
/// Columns of a longer line that are shown before the span.
const LEAD: usize = 30;
/// Bytes that certainly make more columns than are shown.
const ENOUGH: usize = 4 * WIDTH + 4;

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";
const BLUE: &str = "34";

impl Severity {
    fn colour(self) -> &'static str {
        match self {
            Severity::Error => RED,
            Severity::Warning => YELLOW,
            Severity::Note => CYAN,
        }
    }
}

/// A diagnostic in a few lines, the last one ended. A note is a line alone, and its help another.
pub fn shown(tree: &Tree, said: &Diagnostic, style: Style) -> String {
    let pen = Pen { tree, style };
    let colour = said.severity.colour();
    let mut out = String::new();
    let kind = pen.paint(colour, &format!("{}:", said.severity.word()));
    let message = pen.paint(BOLD, &printable(&said.message));
    let _ = writeln!(out, "{}{kind} {message}", pen.place(said.span));
    if said.severity != Severity::Note {
        pen.snippet(&mut out, said.span, colour);
    }
    if let Some((span, what)) = &said.related {
        let _ = writeln!(out, "{}{}", pen.place(*span), printable(what));
        pen.snippet(&mut out, *span, BLUE);
    }
    if let Some(help) = &said.help {
        let _ = writeln!(out, "      {} {}", pen.paint(BOLD, "= help:"), printable(help));
    }
    pen.included_from(&mut out, said.span);
    out
}

/// A text that a terminal shows and does not obey: control characters become symbols.
pub fn printable(text: &str) -> String {
    let shown = |character: char| match character {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        // The second control range, and what turns the direction of a line.
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        other if carried(other).is_some() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().map(shown).collect()
}

struct Pen<'t> {
    tree: &'t Tree,
    style: Style,
}

impl Pen<'_> {
    fn paint(&self, colour: &str, text: &str) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Coloured => format!("\x1b[{colour}m{text}\x1b[0m"),
        }
    }

    /// `file:line:column: `, or nothing.
    fn place(&self, span: Span) -> String {
        let Some((file, place)) = self.tree.file(span).zip(self.tree.position(span)) else {
            return String::new();
        };
        format!("{}:{}:{}: ", printable(&file.path.to_string_lossy()), place.line, place.column)
    }

    /// The line of a span, and a caret under it. There is nothing to see of an empty line.
    fn snippet(&self, out: &mut String, span: Span, colour: &str) {
        let Some((excerpt, place)) = self.excerpt(span).zip(self.tree.position(span)) else { return };
        if excerpt.line.is_empty() {
            return;
        }
        let carets = self.paint(colour, &"^".repeat(excerpt.length));
        let number = self.paint(BLUE, &format!("{:>5} |", place.line));
        let edge = self.paint(BLUE, "      |");
        let _ = writeln!(out, "{number} {}", excerpt.line);
        let _ = writeln!(out, "{edge} {}{carets}", " ".repeat(excerpt.start));
    }

    fn excerpt(&self, span: Span) -> Option<Excerpt> {
        let text = &self.tree.file(span)?.text;
        let (start, end) = (usize::try_from(span.start).ok()?, usize::try_from(span.end).ok()?);
        let line_start = text.get(..start)?.rfind('\n').map_or(0, |place| place + 1);
        let line_end = text.get(start..)?.find('\n').map_or(text.len(), |place| start + place);
        let before = text.get(line_start..start)?;
        let marked = text.get(start..end.clamp(start, line_end))?;
        let after = text.get(start + marked.len()..line_end)?.trim_end_matches('\r');
        Some(Excerpt::of(end_of(before), start_of(marked), start_of(after)))
    }

    /// Where the file of a span was included.
    fn included_from(&self, out: &mut String, span: Span) {
        let Some(at) = self.tree.file(span).and_then(|file| file.included_at) else { return };
        let place = self.place(at);
        let _ = writeln!(out, "      {} included at {}", self.paint(BOLD, "="), place.trim_end_matches(": "));
    }
}

/// What is shown of a line.
struct Excerpt {
    line: String,
    /// Columns before the span.
    start: usize,
    /// Columns of the span, one at least.
    length: usize,
}

impl Excerpt {
    fn of(before: &str, marked: &str, after: &str) -> Self {
        let (before, marked, after) = (columns(before), columns(marked), columns(after));
        let all = before.chars().count() + marked.chars().count() + after.chars().count();
        let before = if all > WIDTH { last(&before, LEAD) } else { before };
        let room = WIDTH.saturating_sub(before.chars().count());
        let line = format!("{before}{}", first(&format!("{marked}{after}"), room));
        let length = width(&first(&marked, room)).max(1);
        Self { line, start: width(&before), length }
    }
}

/// The end of a text, which may be very long: more of it than is shown.
fn end_of(text: &str) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(ENOUGH))..).unwrap_or_default()
}

/// The start of a text, in the same way.
fn start_of(text: &str) -> &str {
    text.get(..text.floor_char_boundary(ENOUGH)).unwrap_or_default()
}

/// A text whose characters each take one column, or two: a tab becomes four spaces.
fn columns(text: &str) -> String {
    printable(&text.replace('\t', "    "))
}

/// The last characters of a text, with a mark for what is left out.
fn last(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    if skipped == 0 { text.to_owned() } else { format!("…{}", text.chars().skip(skipped + 1).collect::<String>()) }
}

/// The first characters of a text, with a mark for what is left out.
fn first(text: &str, count: usize) -> String {
    if text.chars().count() <= count {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(count.saturating_sub(1)).collect::<String>())
}

/// The columns that a text takes in a terminal, as far as East Asian letters and pictures go.
fn width(text: &str) -> usize {
    text.chars().map(|character| 1 + usize::from(is_wide(character))).sum()
}

fn is_wide(character: char) -> bool {
    matches!(
        u32::from(character),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60
            | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::tree::{Origin, SourceFile};

    fn tree(text: &str) -> Tree {
        let file = |path: &str, text: &str, included_at| SourceFile {
            path: Path::new(path).to_owned(),
            text: text.to_owned(),
            origin: Origin::File,
            included_at,
        };
        let included_at = Some(Span { file: 0, start: 8, end: 14 });
        Tree {
            files: vec![file("/m.conf", "include a.conf;", None), file("/a.conf", text, included_at)],
            directives: vec![],
        }
    }

    /// The second file's text with `«…»` around the span.
    fn of(text: &str) -> (Tree, Span) {
        let (start, end) = (text.find('«').unwrap(), text.find('»').unwrap() - '«'.len_utf8());
        let place = |place| u32::try_from(place).unwrap();
        (tree(&text.replace(['«', '»'], "")), Span { file: 1, start: place(start), end: place(end) })
    }

    fn plain(text: &str) -> String {
        let (tree, span) = of(text);
        shown(&tree, &Diagnostic::error(span, "wrong"), Style::Plain)
    }

    #[test]
    fn the_caret_is_under_the_word() {
        let expected =
            "/a.conf:2:4: error: wrong\n    2 |     é bb c\n      |       ^^\n      = included at /m.conf:1:9\n";
        assert_eq!(plain("x\n\té «bb» c\r\ny"), expected);
    }

    #[test]
    fn an_empty_span_has_a_caret_too() {
        assert!(plain("a b«»").ends_with("    1 | a b\n      |    ^\n      = included at /m.conf:1:9\n"));
        assert!(plain("a\n«»").starts_with("/a.conf:2:1: error: wrong\n      = included"), "but not in an empty line");
    }

    #[test]
    fn a_span_of_several_lines_is_marked_on_its_first() {
        assert!(plain("«ab\ncd»").contains("    1 | ab\n      | ^^\n"));
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert!(plain("漢 «字» x").contains("    1 | 漢 字 x\n      |    ^^\n"));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_span_is_shown() {
        let long = plain(&format!("{} «here» {}", "a".repeat(200), "b".repeat(200)));
        let line = long.lines().nth(1).unwrap();
        assert_eq!(line.chars().count(), 8 + WIDTH);
        assert!(line.contains("…aaa") && line.contains(" here bbb") && line.ends_with("b…"), "{line}");
        let caret = long.lines().nth(2).unwrap();
        assert_eq!(
            caret.find('^'),
            line.chars().collect::<String>().find("here").map(|place| place - '…'.len_utf8() + 1)
        );
        assert!(plain(&format!("«{}»", "c".repeat(300))).lines().all(|line| line.chars().count() <= 8 + WIDTH));
    }

    #[test]
    fn a_terminal_is_shown_control_characters_and_does_not_obey_them() {
        assert_eq!(printable("a\x1b[31m\n\u{202e}\u{9b}é"), "a␛[31m␊\u{fffd}\u{fffd}é");
        assert!(!plain("\x1b[31m«a»\x07").contains(['\x1b', '\x07']));
    }

    #[test]
    fn colours_are_there_when_asked_for() {
        let (tree, span) = of("«a»");
        let said = Diagnostic::error(span, "wrong").help("right");
        let coloured = shown(&tree, &said, Style::Coloured);
        assert!(coloured.contains("\x1b[1;31merror:\x1b[0m"));
        let bare = coloured
            .split('\x1b')
            .map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |(_, rest)| rest));
        assert_eq!(bare.collect::<String>(), shown(&tree, &said, Style::Plain));
    }

    #[test]
    fn what_has_no_place_is_said_without_one() {
        let said = Diagnostic::error(Span::NOWHERE, "wrong").help("right");
        assert_eq!(shown(&tree(""), &said, Style::Plain), "error: wrong\n      = help: right\n");
    }

    proptest! {
        #[test]
        fn anything_is_shown_in_lines_that_fit(text in "\\PC{0,20}[\\x00-\\x1f]{0,3}\\PC{0,300}", start in 0..400_usize, end in 0..400_usize) {
            let place = |place: usize| u32::try_from(text.floor_char_boundary(place.min(text.len()))).unwrap_or_default();
            let span = Span { file: 1, start: place(start).min(place(end)), end: place(end) };
            let shown = shown(&tree(&text), &Diagnostic::error(span, "wrong"), Style::Plain);
            let source = shown.lines().nth(1).unwrap_or_default();
            prop_assert!(source.chars().count() <= 8 + WIDTH, "{}", shown);
            prop_assert_eq!(shown.contains('^'), source.contains('|'));
        }
    }
}
