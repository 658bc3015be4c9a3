//! Regular expressions at work, and what they captured. Not here: their compilation (`config`).
//!
//! Subjects are bytes, as they are for nginx: a path need not be UTF-8. An expression compiled for bytes sees one character in
//! each byte.

use std::fmt;
use std::ops::Range;

use config::model::Regex;

/// An expression took more steps than [`config::model`] allows. The answer is 500.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexFailed {
    /// The expression as written.
    pub expression: String,
    /// Why the match was given up.
    pub reason: String,
}

impl fmt::Display for RegexFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "matching \"{}\" failed: {}", self.expression, self.reason)
    }
}

impl std::error::Error for RegexFailed {}

/// The captures of a request, as nginx keeps them: the numbered ones of the last expression that matched, and every named
/// one ever set, be it by `set`. It owns what it holds, since the path may change afterwards; it allocates nothing until a group matches.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    subject: Box<[u8]>,
    groups: Vec<Option<Range<usize>>>,
    named: Vec<(usize, Box<[u8]>)>,
}

impl Captures {
    /// Tries an expression on a subject. A match replaces the numbered captures (by none, if it has no groups) and sets its
    /// named ones; anything else leaves everything as it was.
    ///
    /// As in PCRE, `$` stands before a line break that ends the subject as well as behind it.
    ///
    /// # Errors
    /// [`RegexFailed`] if the match needs more steps than allowed.
    pub fn matches(&mut self, regex: &Regex, subject: &[u8]) -> Result<bool, RegexFailed> {
        if self.matches_to_the_end(regex, subject)? {
            return Ok(true);
        }
        match subject.strip_suffix(b"\n") {
            Some(line) => self.matches_to_the_end(regex, line),
            None => Ok(false),
        }
    }

    fn matches_to_the_end(&mut self, regex: &Regex, subject: &[u8]) -> Result<bool, RegexFailed> {
        let compiled = regex.compiled();
        let failed =
            |error: fancy_regex::Error| RegexFailed { expression: regex.text().to_owned(), reason: error.to_string() };
        if compiled.captures_len() <= 1 {
            let matched = compiled.is_match(subject).map_err(failed)?;
            if matched {
                self.groups.clear();
            }
            return Ok(matched);
        }
        let Some(found) = compiled.captures(subject).map_err(failed)? else {
            return Ok(false);
        };
        self.groups.clear();
        self.groups.extend((0..found.len()).map(|group| found.get(group).map(|m| m.start()..m.end())));
        self.subject = subject.into();
        self.set_named(regex);
        Ok(true)
    }

    fn set_named(&mut self, regex: &Regex) {
        for (group, name) in regex.names().iter().enumerate() {
            let Some(name) = *name else { continue };
            let value = self.group(group).unwrap_or_default().into();
            self.set(name, value);
        }
    }

    fn group(&self, group: usize) -> Option<&[u8]> {
        let range = self.groups.get(group)?.clone()?;
        self.subject.get(range)
    }

    /// `$1` … `$9`; `None` if the last match has no such group or the group took no part.
    pub fn number(&self, number: u8) -> Option<&[u8]> {
        self.group(usize::from(number))
    }

    /// A name of the file's own by its index in `Config::own_names`; `None` if nothing has set it.
    pub fn named(&self, index: usize) -> Option<&[u8]> {
        let (_, value) = self.named.iter().find(|(known, _)| *known == index)?;
        Some(value)
    }

    /// Gives a name of the file's own a value, as `set` does.
    pub fn set(&mut self, name: usize, value: Box<[u8]>) {
        match self.named.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.named.push((name, value)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use fancy_regex::{BytesMode, RegexBuilder};
    use proptest::prelude::*;

    /// An expression whose named groups are numbered 0, 1, … in the order of the pattern.
    pub(in crate::route) fn regex(text: &str) -> Regex {
        let compiled = RegexBuilder::new(text).bytes_mode(BytesMode::Ascii).backtrack_limit(100_000).build().unwrap();
        let mut next = 0;
        let names = compiled.capture_names().map(|name| {
            name.map(|_| {
                next += 1;
                next - 1
            })
        });
        let names = names.collect();
        Regex::new(text, compiled, names)
    }

    #[test]
    fn the_last_match_owns_the_numbers_and_names_stay() {
        let mut captures = Captures::default();
        assert!(captures.matches(&regex("^(?<first>a)(b)?"), b"ac").unwrap());
        assert_eq!(captures.number(1), Some(b"a".as_slice()));
        assert_eq!(captures.number(2), None);
        assert!(!captures.matches(&regex("(x)"), b"ac").unwrap());
        assert_eq!(captures.number(1), Some(b"a".as_slice()), "no match, no change");
        assert!(captures.matches(&regex("c"), b"ac").unwrap());
        assert_eq!(captures.number(1), None, "an expression without groups clears the numbers");
        assert_eq!(captures.named(0), Some(b"a".as_slice()));
        assert_eq!(captures.named(1), None);
    }

    #[test]
    fn a_dollar_stands_before_a_last_line_break_too() {
        let mut captures = Captures::default();
        assert!(captures.matches(&regex("^/(.*)$"), b"/a\n").unwrap());
        assert_eq!(captures.number(1), Some(b"a".as_slice()));
        assert!(!captures.matches(&regex("^/a$"), b"/a\n\n").unwrap());
        assert!(captures.matches(&regex("a(\\n)"), b"/a\n").unwrap());
    }

    #[test]
    fn captures_survive_a_change_of_the_subject() {
        let mut captures = Captures::default();
        let mut subject = b"/user/7".to_vec();
        assert!(captures.matches(&regex("^/user/(.*)$"), &subject).unwrap());
        subject.fill(b'x');
        assert_eq!(captures.number(1), Some(b"7".as_slice()));
    }

    #[test]
    fn matches_paths_that_are_not_utf8() {
        let mut captures = Captures::default();
        assert!(captures.matches(&regex("^/(.)b(.*)$"), b"/\xffb\xfe\xc3\xa9").unwrap());
        assert_eq!(captures.number(1), Some(b"\xff".as_slice()));
        assert_eq!(captures.number(2), Some(b"\xfe\xc3\xa9".as_slice()));
        assert!(captures.matches(&regex("^/é$"), "/é".as_bytes()).unwrap());
    }

    #[test]
    fn gives_up_on_an_expression_that_backtracks_too_long() {
        let costly = regex("^(?=(a+))(?:a|aa|aaa)*\\1b$");
        let subject = [b'a'; 64];
        let error = Captures::default().matches(&costly, &subject).unwrap_err();
        assert_eq!(error.expression, costly.text());
    }

    /// Expressions that look around, back and at words, in every mode they can be compiled for.
    static AWKWARD: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let modes = [BytesMode::Ascii, BytesMode::Unicode, BytesMode::UnicodeBytes];
        let texts = ["(.)(?=a)", "(?i)(\\w+)/?(?<!x)$", "^(.*?)(é|a)\\b", "(a)\\1", "(?:)(.?)", "([^/]*)$", "(?>a+)b"];
        let compile = |text, mode| {
            let compiled = RegexBuilder::new(text).bytes_mode(mode).build().unwrap();
            Regex::new(text, compiled, vec![])
        };
        let all = texts.iter().flat_map(|text| modes.iter().map(|&mode| compile(text, mode)));
        all.collect()
    });

    proptest! {
        #[test]
        fn bytes_that_are_no_text_never_panic(
            subject in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'a'), Just(0xc3), Just(0xa9)], 0..24),
        ) {
            for regex in AWKWARD.iter() {
                let _ = Captures::default().matches(regex, &subject);
            }
        }
    }
}
