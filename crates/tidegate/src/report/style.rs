//! How text looks on a terminal: colours and line breaks. Not here: what it says.

use std::ffi::OsString;
use std::fmt;

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Coloured,
}

impl Style {
    /// Colours are for a terminal that can show them, where nobody objects (<https://no-color.org>).
    pub(crate) fn of(terminal: bool) -> Self {
        Self::with(terminal, |name| std::env::var_os(name))
    }

    fn with(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let objected = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let able = variable("TERM").is_some_and(|term| term != "dumb");
        if terminal && able && !objected { Style::Coloured } else { Style::Plain }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with_code("1", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with_code("31", text)
    }

    pub(crate) fn blue(self, text: &str) -> String {
        self.with_code("34", text)
    }

    /// What stands in backticks, for a terminal that has colours.
    pub(crate) fn code(self, text: &str) -> String {
        if self == Style::Plain {
            return printable(text);
        }
        let pieces = text.split('`').enumerate();
        pieces.map(|(at, piece)| if at % 2 == 1 { self.with_code("36", piece) } else { printable(piece) }).collect()
    }

    fn with_code(self, code: impl fmt::Display, text: &str) -> String {
        let text = printable(text);
        match self {
            Style::Plain => text,
            Style::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// What logs hold must not command the reader's terminal.
pub(crate) fn printable(text: &str) -> String {
    let is_odd =
        |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_odd) {
        return text.to_owned();
    }
    text.chars().map(|letter| if is_odd(letter) { '\u{fffd}' } else { letter }).collect()
}

/// The text in lines of at most `width` letters, broken at spaces; a longer word has a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        let env = |no_color: &'static str| {
            move |name: &str| match name {
                "NO_COLOR" => Some(no_color.into()),
                _ => Some("xterm".into()),
            }
        };
        assert_eq!(Style::with(true, env("")), Style::Coloured);
        assert_eq!(Style::with(true, env("1")), Style::Plain);
        assert_eq!(Style::with(false, env("")), Style::Plain);
        assert_eq!(Style::with(true, |_| None), Style::Plain);
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrapped("aa bb ccccc d", 5), ["aa bb", "ccccc", "d"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn logs_cannot_command_the_terminal() {
        assert_eq!(Style::Plain.code("a\x1b[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(Style::Coloured.code("a `b\x07` c"), "a \x1b[36mb\u{fffd}\x1b[0m c");
    }
}
