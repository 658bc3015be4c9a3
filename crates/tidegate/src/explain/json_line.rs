//! The members of one line of JSON, without a copy of any. Not here: whether the line is valid JSON (a cut line still has
//! its first members), and what members mean.

use std::borrow::Cow;

use memchr::memchr2;

/// Objects within objects are entered this deep; what is deeper is skipped.
const MAX_DEPTH: usize = 4;

/// A member's value, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// What is between the quotes, its escapes not undone.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Plain(&'a [u8]),
}

impl<'a> Value<'a> {
    /// What is written, without quotes.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Value::Text(bytes) | Value::Plain(bytes) => bytes,
        }
    }

    /// The text, escapes undone.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Value::Text(bytes) if bytes.contains(&b'\\') => unescape(bytes).into(),
            Value::Text(bytes) | Value::Plain(bytes) => String::from_utf8_lossy(bytes),
        }
    }
}

/// Gives every member that has a plain value: the name of the object it is in (empty for the outermost), its own name, and
/// the value. False if the line is no object, or ends within one.
pub(crate) fn each_member<'a>(line: &'a [u8], mut take: impl FnMut(&'a [u8], &'a [u8], Value<'a>)) -> bool {
    let mut scan = Scan { text: line, at: 0 };
    scan.next() == Some(b'{') && scan.members(b"", 0, &mut take)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is no space, and past it.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
        }
    }

    /// Members up to the closing brace, the opening one being read.
    fn members(
        &mut self,
        object: &'a [u8],
        depth: usize,
        take: &mut impl FnMut(&'a [u8], &'a [u8], Value<'a>),
    ) -> bool {
        loop {
            let name = match self.next() {
                Some(b'"') => self.string(),
                Some(b',') => continue,
                Some(b'}') => return true,
                _ => return false,
            };
            let (Some(name), Some(b':')) = (name, self.next()) else { return false };
            if !self.value(object, name, depth, take) {
                return false;
            }
        }
    }

    fn value(
        &mut self,
        object: &'a [u8],
        name: &'a [u8],
        depth: usize,
        take: &mut impl FnMut(&'a [u8], &'a [u8], Value<'a>),
    ) -> bool {
        match self.next() {
            Some(b'"') => match self.string() {
                Some(text) => take(object, name, Value::Text(text)),
                None => return false,
            },
            Some(b'{') if depth < MAX_DEPTH => return self.members(name, depth + 1, take),
            Some(b'{' | b'[') => return self.skip_nested(),
            Some(_) => take(object, name, Value::Plain(self.plain())),
            None => return false,
        }
        true
    }

    /// What is before the closing quote, the opening one being read.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            let found = self.at + memchr2(b'"', b'\\', self.text.get(self.at..)?)?;
            if self.text[found] == b'"' {
                self.at = found + 1;
                return Some(&self.text[start..found]);
            }
            self.at = found + 2;
        }
    }

    /// A number or a word, its first byte being read.
    fn plain(&mut self) -> &'a [u8] {
        let start = self.at - 1;
        let rest = &self.text[start..];
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
        self.at = start + rest.iter().position(ends).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    /// Past the end of an array or object, its opening bracket being read.
    fn skip_nested(&mut self) -> bool {
        let mut open = 1;
        while open > 0 {
            match self.next() {
                Some(b'"') if self.string().is_none() => return false,
                Some(b'{' | b'[') => open += 1,
                Some(b'}' | b']') => open -= 1,
                Some(_) => {}
                None => return false,
            }
        }
        true
    }
}

fn unescape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                plain.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(line: &str) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let whole = each_member(line.as_bytes(), |object, name, value| {
            let [object, name] = [object, name].map(String::from_utf8_lossy);
            found.push(format!("{object}.{name}={}", value.text()));
        });
        (found, whole)
    }

    #[test]
    fn members_of_objects_within_are_named_by_their_object() {
        let line = r#" {"ts":1.5,"request":{"uri":"/a","headers":{"A":["x"]}},"ok":true, "error":"a \"b\"\u0041\n"}"#;
        let expected = [".ts=1.5", "request.uri=/a", ".ok=true", ".error=a \"b\"A\n"];
        assert_eq!(members(line), (expected.map(String::from).to_vec(), true));
    }

    #[test]
    fn a_cut_line_has_its_first_members() {
        assert_eq!(members(r#"{"a":"b","c":"d"#), (vec![".a=b".to_owned()], false));
        assert_eq!(members("no object"), (vec![], false));
        assert_eq!(members("{}"), (vec![], true));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert_eq!(members(&deep), (vec![], true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            each_member(&bytes, |_, _, value| drop(value.text()));
        }

        #[test]
        fn anything_like_json_is_read_without_harm(text in "[{}\\[\\]\",:\\\\a1u ]{0,60}") {
            each_member(text.as_bytes(), |_, _, value| drop(value.text()));
            each_member(format!("{{{text}").as_bytes(), |_, _, value| drop(value.text()));
        }
    }
}
