//! A `log_format` string, made ready to read the lines that were written with it. Not here: what the values mean (`row`).

use memchr::memchr;

use super::row::{Field, Reader, Row};

/// The parts of a line that matter, up to the last one that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// What the line starts with.
    start: Box<[u8]>,
    parts: Vec<Part>,
}

/// A value and what ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    field: Field,
    is_list: bool,
    /// The literal behind the value; empty if the value ends with the line.
    end: Box<[u8]>,
}

impl Layout {
    /// Reads a format such as `$remote_addr - $remote_user [$time_local] "$request" $status`.
    ///
    /// # Errors
    /// Why lines of this format cannot be read, or tell nothing.
    pub(super) fn new(format: &str) -> Result<Self, String> {
        let (start, mut parts) = split(format)?;
        let wanted = |part: &Part| part.field != Field::Skip;
        parts.truncate(parts.iter().rposition(wanted).map_or(0, |last| last + 1));
        let has = |field| parts.iter().any(|part| part.field == field);
        if !has(Field::Status) {
            return Err("the format has no $status, without which there is nothing to count".into());
        }
        Ok(Self { start, parts })
    }

    /// The values of a line; none if it was not written with this format.
    pub(super) fn read<'a>(&self, line: &'a [u8], reader: &mut Reader) -> Option<Row<'a>> {
        let mut row = Row::default();
        let mut rest = line.strip_prefix(&*self.start)?;
        for part in &self.parts {
            let end = part.end_in(rest)?;
            let (value, behind) = rest.split_at(end);
            if !reader.set(&mut row, part.field, value) {
                return None;
            }
            rest = &behind[part.end.len()..];
        }
        Some(row)
    }
}

impl Part {
    /// Where the value at the start of `text` ends.
    fn end_in(&self, text: &[u8]) -> Option<usize> {
        let Some((first, others)) = self.end.split_first() else {
            return Some(text.len());
        };
        let mut from = 0;
        loop {
            let at = from + memchr(*first, &text[from..])?;
            if text[at + 1..].starts_with(others) && !self.goes_on(text, at) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Lists go on behind `, ` and ` : `; a quote behind a backslash is part of the value (Apache, JSON).
    fn goes_on(&self, text: &[u8], at: usize) -> bool {
        match (text[at], text[..at].last()) {
            (b' ', Some(b',')) => self.is_list,
            (b' ', Some(b':')) => self.is_list && text[..at].ends_with(b" :"),
            (b' ', _) => self.is_list && text[at..].starts_with(b" : "),
            (b',', _) => self.is_list && text[at..].starts_with(b", ") && self.end.len() == 1,
            (b'"', Some(b'\\')) => true,
            _ => false,
        }
    }
}

/// The literal at the start, then every variable with the literal behind it.
fn split(format: &str) -> Result<(Box<[u8]>, Vec<Part>), String> {
    let mut pieces = format.split('$');
    let start = pieces.next().unwrap_or_default().as_bytes().into();
    let mut parts = Vec::new();
    for piece in pieces {
        let (name, literal) = variable(piece).ok_or_else(|| format!("\"${piece}\" begins with no variable"))?;
        if parts.last().is_some_and(|last: &Part| last.end.is_empty()) {
            return Err(format!("nothing stands between ${name} and the variable before it"));
        }
        parts.push(Part {
            field: Field::of_variable(name),
            is_list: Field::is_list(name),
            end: literal.as_bytes().into(),
        });
    }
    Ok((start, parts))
}

/// `name rest` or `{name}rest`.
fn variable(piece: &str) -> Option<(&str, &str)> {
    if let Some(braced) = piece.strip_prefix('{') {
        return braced.split_once('}').filter(|(name, _)| !name.is_empty());
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let end = piece.find(|letter| !is_name(letter)).unwrap_or(piece.len());
    (end > 0).then(|| piece.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
                            \"$http_referer\" \"$http_user_agent\"";

    fn read<'a>(format: &str, line: &'a str) -> Option<Row<'a>> {
        Layout::new(format).unwrap().read(line.as_bytes(), &mut Reader::default())
    }

    #[test]
    fn reads_combined_lines() {
        let line = r#"192.0.2.7 - a b [25/Nov/2026:16:39:28 +0000] "GET /x?y HTTP/1.1" 502 559 "-" "curl [8] ""#;
        let row = read(COMBINED, line).unwrap();
        let texts = [row.client, row.target].map(|text| std::str::from_utf8(text).unwrap());
        assert_eq!((texts, row.status, row.bytes, row.took), (["192.0.2.7", "/x?y"], 502, 559, None));
        assert_eq!(row.at.unwrap().to_string(), "2026-11-25 16:39:28");
    }

    #[test]
    fn lists_of_attempts_do_not_end_at_their_own_spaces() {
        let format = "$upstream_addr $upstream_status $request_time $status";
        let row = read(format, "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 502, 502 : 200 0.105 200").unwrap();
        assert_eq!(row.endpoints, b"10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80");
        assert_eq!((row.took, row.status), (Some(105_000), 200));
        let row = read(format, "- - 0.000 404").unwrap();
        assert_eq!((row.endpoints, row.took, row.status), (&b""[..], Some(0), 404));
        let row = read("$status,$upstream_addr,$request_time", "502,a:1, b:2,0.5").unwrap();
        assert_eq!((row.endpoints, row.took), (&b"a:1, b:2"[..], Some(500_000)));
    }

    #[test]
    fn json_formats_are_formats_like_others() {
        let format =
            r#"{"t":"$time_iso8601","uri":"$request_uri","s":$status,"rt":"$request_time","ua":"$http_user_agent"}"#;
        let row =
            read(format, r#"{"t":"2026-11-25T16:39:28+00:00","uri":"/a\"b","s":200,"rt":"1.5","ua":"x"}"#).unwrap();
        assert_eq!((row.target, row.status, row.took), (&br#"/a\"b"#[..], 200, Some(1_500_000)));
    }

    #[test]
    fn lines_of_another_format_are_not_read() {
        for line in
            ["", "nonsense", "192.0.2.7 - - [yesterday] \"GET / HTTP/1.1\" 200 1", "a - - [", "a - - [] \"\" x 1"]
        {
            assert_eq!(read(COMBINED, line), None, "{line}");
        }
    }

    #[test]
    fn formats_that_cannot_be_read_say_why() {
        let error = |format| Layout::new(format).unwrap_err();
        assert!(error("$remote_addr").contains("no $status"));
        assert!(error("$status$request").contains("between $request"), "{}", error("$status$request"));
        assert!(error("$ $status").contains("no variable"));
        assert!(Layout::new("${status}x$request").is_ok());
    }

    #[test]
    fn what_is_behind_the_last_value_that_matters_is_not_looked_at() {
        assert_eq!(Layout::new(COMBINED).unwrap().parts.len(), 6);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            for format in [COMBINED, "$upstream_addr $status,$request_time", "[$time_local] $status"] {
                Layout::new(format).unwrap().read(&line, &mut Reader::default());
            }
        }

        #[test]
        fn any_format_is_taken_or_refused(format in "[$a-z{} \"]{0,40}(\\$status)?[ $a-z]{0,9}", line in ".{0,60}") {
            if let Ok(layout) = Layout::new(&format) {
                layout.read(line.as_bytes(), &mut Reader::default());
            }
        }
    }
}
