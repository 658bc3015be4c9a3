//! A received HTTP message as a plain value, and how it is read from bytes. It reads leniently what must be shown
//! as it was sent; it is no judge of what is well-formed.

use crate::support::bytes::{find, fits, show};
use crate::support::case::Expect;

/// What one `recv` saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// Empty if what was received has no head.
    pub(crate) start: String,
    /// In the order received.
    pub(crate) fields: Vec<(String, String)>,
    /// Without chunk framing.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) end: End,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// As its framing says.
    #[default]
    Complete,
    /// The stream ended before it.
    Cut,
    Reset,
    /// The peer went silent.
    Silent,
    /// The chunk framing is broken.
    Broken,
}

/// How the length of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilEnd,
}

impl Message {
    /// Reads a head, whose empty line is included in `bytes`.
    pub(crate) fn from_head(bytes: &[u8]) -> Message {
        let text = show_latin(bytes);
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let start = lines.next().unwrap_or_default().to_owned();
        Message { start, fields: lines.filter(|line| !line.is_empty()).map(read_field).collect(), ..Message::default() }
    }

    pub(crate) fn is_response(&self) -> bool {
        self.start.starts_with("HTTP/")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        values(&self.fields, name).next()
    }

    /// The status code of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    /// RFC 9112 §6.3, for well-formed messages.
    pub(crate) fn framing(&self, bodiless: bool) -> Framing {
        let no_body = matches!(self.status(), Some(100..=199 | 204 | 304)) && self.is_response();
        if bodiless || no_body {
            return Framing::None;
        }
        if self.field("Transfer-Encoding").is_some() {
            return Framing::Chunked;
        }
        match self.field("Content-Length").and_then(|length| length.parse().ok()) {
            Some(length) => Framing::Length(length),
            None if self.is_response() => Framing::UntilEnd,
            None => Framing::None,
        }
    }

    /// A request's method and target, or a response's status code and reason.
    pub(crate) fn start_without_version(&self) -> String {
        let (first, rest) = self.start.split_once(' ').unwrap_or((&self.start, ""));
        if self.is_response() {
            return rest.to_owned();
        }
        let target = rest.rsplit_once(' ').map_or(rest, |(target, _)| target);
        format!("{first} {target}")
    }

    fn starts_as(&self, pattern: &str) -> bool {
        let code = self.status().map(|status| status.to_string());
        code.is_some_and(|code| code == pattern)
            || fits(pattern, &self.start_without_version())
            || fits(pattern, &self.start)
    }

    /// What the message fails of what is expected, in words.
    pub(crate) fn check(&self, expect: &Expect) -> Result<(), String> {
        let seen = || format!("\n{self}");
        let holds = match expect {
            Expect::Start(patterns) => patterns.split('|').any(|pattern| self.starts_as(pattern)),
            Expect::Field(name, pattern) => values(&self.fields, name).any(|value| fits(pattern, value)),
            Expect::Trailer(name, pattern) => values(&self.trailers, name).any(|value| fits(pattern, value)),
            Expect::NoField(name) => self.field(name).is_none(),
            Expect::Body(body) => self.body == *body,
            Expect::BodyHas(part) => find(&self.body, part).is_some(),
            Expect::BodySize(size) => self.body.len() == *size,
            Expect::Complete => self.end == End::Complete,
            Expect::Truncated => self.end != End::Complete && self.end != End::Silent,
        };
        if holds { Ok(()) } else { Err(format!("expected {expect}, got:{}", seen())) }
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 600;
        writeln!(out, "    {}", self.start)?;
        for (name, value) in &self.fields {
            writeln!(out, "    {name}: {value}")?;
        }
        writeln!(out)?;
        let shown = self.body.get(..SHOWN).unwrap_or(&self.body);
        for line in show(shown).lines() {
            writeln!(out, "    {line}")?;
        }
        write!(out, "    ({} bytes, end: {:?})", self.body.len(), self.end)
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expect::Start(pattern) => write!(out, "`{pattern}`"),
            Expect::Field(name, pattern) => write!(out, "field `{name}: {pattern}`"),
            Expect::Trailer(name, pattern) => write!(out, "trailer `{name}: {pattern}`"),
            Expect::NoField(name) => write!(out, "no field `{name}`"),
            Expect::Body(body) => write!(out, "body \"{}\"", show(body)),
            Expect::BodyHas(part) => write!(out, "a body with \"{}\" in it", show(part)),
            Expect::BodySize(size) => write!(out, "a body of {size} bytes"),
            Expect::Complete => write!(out, "a complete message"),
            Expect::Truncated => write!(out, "a visibly truncated message"),
        }
    }
}

/// Bodies a chunk decoder has found, how many bytes they took, and the trailers; `None` until the last chunk is there.
pub(crate) type Unchunked = (Vec<u8>, Vec<(String, String)>, usize);

/// Decodes a chunked body from its first byte.
pub(crate) fn unchunk(bytes: &[u8]) -> Result<Option<Unchunked>, Vec<u8>> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line_end) = find(rest, b"\r\n") else {
            return Ok(None);
        };
        let digits = String::from_utf8_lossy(&rest[..line_end]);
        let digits = digits.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(digits, 16) else {
            return Err(body);
        };
        let data = at + line_end + 2;
        if size == 0 {
            return Ok(read_trailers(bytes, data).map(|(trailers, end)| (body, trailers, end)));
        }
        let Some(chunk) = bytes.get(data..data + size) else {
            return Ok(None);
        };
        body.extend(chunk);
        match bytes.get(data + size..data + size + 2) {
            None => return Ok(None),
            Some(b"\r\n") => at = data + size + 2,
            Some(_) => return Err(body),
        }
    }
}

fn read_trailers(bytes: &[u8], mut at: usize) -> Option<(Vec<(String, String)>, usize)> {
    let mut trailers = Vec::new();
    loop {
        let rest = bytes.get(at..)?;
        let end = find(rest, b"\r\n")?;
        at += end + 2;
        if end == 0 {
            return Some((trailers, at));
        }
        trailers.push(read_field(&show_latin(&rest[..end])));
    }
}

fn read_field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
}

fn values<'a>(fields: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    let name = name.to_owned();
    fields.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(&name)).map(|(_, value)| value.as_str())
}

/// Heads as text: what is not printable is escaped, but for line ends and tabs.
fn show_latin(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\r' | b'\n' | b'\t' | b' '..=b'~' => text.push(char::from(byte)),
            other => text.extend(std::ascii::escape_default(other).map(char::from)),
        }
    }
    text
}
