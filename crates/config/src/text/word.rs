//! A word's end and its text: quotes, escapes, `${`. Not here: what may stand between words.

/// What opens and closes a quoted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    Single,
    Double,
}

impl Quote {
    pub(super) fn character(self) -> char {
        match self {
            Quote::Single => '\'',
            Quote::Double => '"',
        }
    }
}

/// Where a word without quotes ends: before a space, a `;`, or a `{` that does not follow a `$`. A backslash takes the
/// next byte along, whatever it is.
pub(super) fn bare_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut variable = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' if variable => {}
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' => break,
            b'\\' => {
                variable = false;
                at += 1;
            }
            byte => variable = *byte == b'$',
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// Where the closing quote stands, if one does.
pub(super) fn quote_end(text: &str, start: usize, quote: Quote) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if char::from(byte) == quote.character() => return Some(at),
            _ => at += 1,
        }
    }
}

/// Undoes escapes: `\"`, `\'` and `\\` are the second character, `\t`, `\r` and `\n` what they are in C. Before anything
/// else the backslash stays.
pub(super) fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let meant = match after.as_bytes().first() {
            Some(b'"') => Some('"'),
            Some(b'\'') => Some('\''),
            Some(b'\\') => Some('\\'),
            Some(b't') => Some('\t'),
            Some(b'r') => Some('\r'),
            Some(b'n') => Some('\n'),
            _ => None,
        };
        text.push(meant.unwrap_or('\\'));
        rest = after.get(usize::from(meant.is_some())..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> &str {
        &text[..bare_end(text, 0)]
    }

    #[test]
    fn a_bare_word_ends_before_space_semicolon_and_brace() {
        assert_eq!(bare("a b"), "a");
        assert_eq!(bare("a;"), "a");
        assert_eq!(bare("a{"), "a");
        assert_eq!(bare("a\n"), "a");
        assert_eq!(bare("a\"'}#b"), "a\"'}#b", "only the first byte of a word can be special");
    }

    #[test]
    fn a_brace_after_a_dollar_is_a_part_of_the_word() {
        assert_eq!(bare("a${b}c d"), "a${b}c");
        assert_eq!(bare("${{{b"), "${{{b");
        assert_eq!(bare("$b{"), "$b");
        assert_eq!(bare("$\\a{"), "$\\a");
    }

    #[test]
    fn a_backslash_takes_the_next_byte_along() {
        assert_eq!(bare("a\\ b c"), "a\\ b");
        assert_eq!(bare("a\\;b;"), "a\\;b");
        assert_eq!(bare("\\{ "), "\\{");
        assert_eq!(bare("a\\"), "a\\");
        assert_eq!(bare("\\é "), "\\é");
    }

    #[test]
    fn a_quote_ends_at_the_next_one_that_is_not_escaped() {
        assert_eq!(quote_end("a'\\\"b\";", 0, Quote::Double), Some(5));
        assert_eq!(quote_end("a\\\\'", 0, Quote::Single), Some(3));
        assert_eq!(quote_end("a\\'", 0, Quote::Single), None);
        assert_eq!(quote_end("a\\", 0, Quote::Single), None);
    }

    #[test]
    fn escapes_are_those_of_nginx() {
        assert_eq!(unescaped(r#"a\"b\'c\\d"#), r#"a"b'c\d"#);
        assert_eq!(unescaped(r"\t\r\n"), "\t\r\n");
        assert_eq!(unescaped(r"\d+\.\x\;"), r"\d+\.\x\;", "other backslashes stay");
        assert_eq!(unescaped(r"\\n"), r"\n");
        assert_eq!(unescaped("\\é\\"), "\\é\\");
    }
}
