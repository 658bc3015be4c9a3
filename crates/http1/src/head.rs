//! Heads of requests and responses, the bounds on them, and the lines that both are made of.
//! Not here: how bytes become a head (`request`, `response`), what a field means, and where the body ends.

use std::borrow::Cow;
use std::ops::Range;

use http::Method;

use crate::fields::Fields;
use crate::request::skip_empty_lines;
use crate::syntax::{self, Class, Line};

/// The protocol version of a message. HTTP/1.2 and later minor versions count as 1.1 (RFC 9110 §2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// HTTP/1.0.
    H10,
    /// HTTP/1.1.
    #[default]
    H11,
}

impl Version {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::H10 => "HTTP/1.0",
            Version::H11 => "HTTP/1.1",
        }
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"HTTP/1.0" => Some(Version::H10),
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => Some(Version::H11),
            _ => None,
        }
    }
}

/// A request's head.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The version.
    pub version: Version,
    /// The fields.
    pub fields: Fields,
    pub(crate) line: Vec<u8>,
    pub(crate) target: Range<usize>,
    /// Field lines that were left out for their names, as ranges of the fields' bytes.
    pub(crate) ignored: Vec<Range<usize>>,
}

impl RequestHead {
    /// The target as received.
    pub fn target(&self) -> &[u8] {
        self.line.get(self.target.clone()).unwrap_or_default()
    }

    /// The request line as received, without its end; of one that is refused, as much as was looked at.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Whether the request line was understood.
    pub fn has_line(&self) -> bool {
        !self.target.is_empty()
    }

    /// The protocol as the request line names it; empty when the line was not understood.
    pub fn protocol(&self) -> &[u8] {
        let behind = self.line.get(self.target.end..).filter(|_| self.has_line());
        behind.unwrap_or_default().trim_ascii()
    }

    /// The field lines that were left out because of their names.
    pub fn ignored(&self) -> impl Iterator<Item = &[u8]> {
        self.ignored.iter().map(|line| &self.fields.bytes()[line.clone()])
    }

    /// Drops everything but the text of the request line: it asks for nothing that can be understood.
    pub fn forget_all_but_line(&mut self) {
        self.target = 0..0;
        self.fields.clear();
        self.ignored.clear();
    }

    /// Takes over what came of a head that did not end, or that is refused, so that logs can tell whose request it was.
    pub fn salvage(&mut self, input: &[u8]) {
        let Ok(Some(start)) = skip_empty_lines(input) else { return };
        match syntax::line(input, start) {
            Some(line) if self.has_line() => self.fields.salvage(&input[line.next..]),
            _ if !self.line.is_empty() => {}
            Some(line) => self.line = input[start..line.end].to_vec(),
            None => self.line = input[start..].to_vec(),
        }
    }
}

/// A response's head.
#[derive(Debug, Clone, Default)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status, 100 to 999.
    pub status: u16,
    /// The fields.
    pub fields: Fields,
    pub(crate) reason: Cow<'static, [u8]>,
}

impl ResponseHead {
    /// The reason phrase as received.
    pub fn reason(&self) -> &[u8] {
        &self.reason
    }

    /// The same, for keeps: it is empty the next time.
    pub fn take_reason(&mut self) -> Cow<'static, [u8]> {
        std::mem::take(&mut self.reason)
    }
}

/// Bounds on a request's head.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Bytes of the request line.
    pub line: usize,
    /// Bytes of a field line.
    pub field: usize,
    /// Bytes of the whole head.
    pub head: usize,
    /// Number of field lines.
    pub fields: usize,
    /// Names with underscores count as valid.
    pub underscores: bool,
    /// Fields with names beyond letters, digits and `-` are left out; otherwise every token is a name.
    pub ignore_invalid: bool,
}

/// Bounds on a response's head.
#[derive(Debug, Clone, Copy)]
pub struct ResponseLimits {
    /// Bytes of the whole head.
    pub head: usize,
    /// Number of field lines.
    pub fields: usize,
}

/// What a walk over field lines came to.
pub(crate) enum Walk {
    /// The empty line: the head ends here, behind it.
    End(usize),
    /// The bytes end within a line, which begins here.
    Open(usize),
}

/// Walks the lines of a head from `from` up to the empty one. `check` says whether one more line, whole, may be there.
pub(crate) fn walk<E>(
    input: &[u8],
    from: usize,
    mut check: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<Walk, E> {
    let mut at = from;
    while let Some(Line { end, next }) = syntax::line(input, at) {
        if end == at {
            return Ok(Walk::End(next));
        }
        check(at..end)?;
        at = next;
    }
    Ok(Walk::Open(at))
}

/// `name: value`; `None` for anything else: folded lines, white space before the colon, control bytes (RFC 9112 §5).
pub(crate) fn parse_field_line(input: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Range<usize>)> {
    let (name, class, value) = split_field_line(input, from, to)?;
    class.is_token().then_some((name, value))
}

/// A name of visible characters, a colon and a value: no second reader could see another line in it.
pub(crate) fn split_field_line(input: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Class, Range<usize>)> {
    let line = input.get(from..to)?;
    let (length, class) = syntax::name(line);
    let value = syntax::trim(input, from + length + 1, to);
    let valid = length > 0 && line.get(length) == Some(&b':') && syntax::is_value_text(&input[value.clone()]);
    valid.then_some((from..from + length, class, value))
}

/// The start of a line, as much of it as nginx logs.
pub(crate) fn shown(line: &[u8]) -> Box<str> {
    const SHOWN: usize = 1748;
    String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into()
}

/// A bad line up to the byte that spoils it, as nginx shows it: `X\x20...`.
pub(crate) fn fault(line: &[u8]) -> Box<str> {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let in_name = line[..colon].iter().position(|byte| !syntax::is_visible(*byte)).or((colon == 0).then_some(0));
    let in_value = || line[colon..].iter().position(|byte| !syntax::is_value(*byte)).map(|at| colon + at);
    match in_name.or_else(in_value) {
        Some(at) if at < line.len() => format!("{}\\x{:02x}...", shown(&line[..at]), line[at]).into(),
        _ => shown(line),
    }
}
