//! Heads of requests and responses: bytes to start line and fields.
//! Strict where a second reader might understand something else, tolerant where nginx is and it is harmless.
//! Not here: what a field means, and where the body ends.

use std::ops::Range;

use http::Method;

use crate::error::{RequestError, ResponseError};
use crate::fields::Fields;
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

    fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"HTTP/1.0" => Some(Version::H10),
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => Some(Version::H11),
            _ => None,
        }
    }
}

/// `HTTP/` and two numbers: a version, if not one of ours.
fn is_version(text: &[u8]) -> bool {
    let numbers = text.strip_prefix(b"HTTP/").and_then(|rest| rest.split_at_checked(memchr::memchr(b'.', rest)?));
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(&minor[1..]))
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
    line: Vec<u8>,
    target: Range<usize>,
    /// Field lines that were left out for their names, as ranges of the fields' bytes.
    ignored: Vec<Range<usize>>,
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
    reason: Vec<u8>,
}

impl ResponseHead {
    /// The reason phrase as received.
    pub fn reason(&self) -> &[u8] {
        &self.reason
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

/// Empty lines that may come before a request line (RFC 9112 §2.2).
const LEADING_LINES: usize = 8;

/// Takes a request's head off the start of `input`: the bytes it took, or `None` when it has not ended yet.
///
/// # Errors
/// The bytes are no request, or pass a limit; said as soon as it can be known. What was understood is in `head`.
pub fn parse_request(
    head: &mut RequestHead,
    input: &[u8],
    limits: &RequestLimits,
) -> Result<Option<usize>, RequestError> {
    let Some(start) = skip_empty_lines(input)? else {
        return Ok(None);
    };
    let line = syntax::line(input, start);
    if line.as_ref().map_or(input.len(), |line| line.end) - start > limits.line {
        head.line = input[start..start + limits.line].to_vec();
        return Err(RequestError::LineTooLong);
    }
    let Some(line) = line else {
        check_partial_line(&input[start..])?;
        return Ok(None);
    };
    if head.line.len() != line.end - start || head.line.is_empty() {
        head.line.clear();
        head.line.extend_from_slice(&input[start..line.end]);
        parse_request_line(head)?;
    }
    let Some(end) = find_end(input, line.next) else {
        check_partial_fields(input, line.next, limits)?;
        return Ok(None);
    };
    if end - start > limits.head {
        return Err(RequestError::HeadTooLong(last_line(&input[line.next..start + limits.head])));
    }
    parse_request_fields(head, &input[line.next..end], limits)?;
    Ok(Some(end))
}

fn skip_empty_lines(input: &[u8]) -> Result<Option<usize>, RequestError> {
    let mut at = 0;
    for _ in 0..=LEADING_LINES {
        match &input[at..] {
            [] | [b'\r'] => return Ok(None),
            [b'\n', ..] => at += 1,
            [b'\r', b'\n', ..] => at += 2,
            _ => return Ok(Some(at)),
        }
    }
    Err(RequestError::Line)
}

/// A line that goes on must at least begin like a request, so that other protocols are refused at once.
fn check_partial_line(line: &[u8]) -> Result<(), RequestError> {
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    if method.iter().all(|byte| is_method(*byte)) && method.len() <= MAX_METHOD {
        Ok(())
    } else {
        Err(RequestError::Method)
    }
}

fn check_partial_fields(input: &[u8], from: usize, limits: &RequestLimits) -> Result<(), RequestError> {
    if input.len() > limits.head {
        return Err(RequestError::HeadTooLong(last_line(&input[from..])));
    }
    let last = memchr::memrchr(b'\n', &input[from..]).map_or(from, |end| from + end + 1);
    if input.len() - last > limits.field {
        return Err(RequestError::FieldTooLong(shown(&input[last..last + limits.field])));
    }
    Ok(())
}

/// The line at which a block of field lines was cut, fit for a log.
fn last_line(block: &[u8]) -> Box<str> {
    shown(block.rsplit(|byte| *byte == b'\n').next().unwrap_or_default())
}

/// The longest method that is taken.
const MAX_METHOD: usize = 32;

/// nginx's methods: capitals, `_` and `-`.
fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'
}

fn parse_request_line(head: &mut RequestHead) -> Result<(), RequestError> {
    let line = &head.line;
    let method_end = memchr::memchr(b' ', line).ok_or(RequestError::Method)?;
    let method = &line[..method_end];
    if method.is_empty() || method.len() > MAX_METHOD || !method.iter().all(|byte| is_method(*byte)) {
        return Err(RequestError::Method);
    }
    head.method = Method::from_bytes(method).map_err(|_| RequestError::Method)?;
    let mut rest = syntax::trim(line, method_end, line.len());
    let Some(space) = memchr::memchr(b' ', &line[rest.clone()]) else {
        return Err(RequestError::Http09);
    };
    let version = syntax::trim(line, rest.start + space, rest.end);
    rest.end = rest.start + space;
    if line[rest.clone()].iter().any(|byte| *byte <= b' ' || *byte == 0x7f) || line[version.clone()].contains(&b' ') {
        return Err(RequestError::Line);
    }
    head.version = match Version::parse(&line[version.clone()]) {
        Some(version) => version,
        None if is_version(&line[version]) => return Err(RequestError::Version),
        None => return Err(RequestError::Line),
    };
    head.target = rest;
    Ok(())
}

/// The end of the head that began before `from`: behind the first empty line.
fn find_end(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let Line { end, next } = syntax::line(input, at)?;
        if end == at {
            return Some(next);
        }
        at = next;
    }
}

fn parse_request_fields(head: &mut RequestHead, block: &[u8], limits: &RequestLimits) -> Result<(), RequestError> {
    let fields = &mut head.fields;
    fields.load(block);
    head.ignored.clear();
    let mut at = 0;
    let mut host: Option<Range<usize>> = None;
    while let Some(Line { end, next }) = syntax::line(block, at) {
        if end == at {
            break;
        }
        if end - at > limits.field {
            return Err(RequestError::FieldTooLong(shown(&block[at..at + limits.field])));
        }
        let (name, class, value) =
            split_field_line(block, at, end).ok_or_else(|| RequestError::Field(fault(&block[at..end])))?;
        let whole = at..end;
        at = next;
        if !class.is_valid_name(limits.underscores) {
            if limits.ignore_invalid {
                head.ignored.push(whole);
                continue;
            }
            if !class.is_token() {
                return Err(RequestError::Field(shown(&block[whole])));
            }
        }
        if name.len() == 4
            && block[name.clone()].eq_ignore_ascii_case(b"host")
            && let Some(first) = host.replace(whole.clone())
        {
            return Err(RequestError::DuplicateHost(shown(&block[whole]), shown(&block[first])));
        }
        fields.line(name, value);
        if fields.len() > limits.fields {
            return Err(RequestError::TooManyFields);
        }
    }
    Ok(())
}

/// `name: value`; `None` for anything else: folded lines, white space before the colon, control bytes (RFC 9112 §5).
pub(crate) fn parse_field_line(input: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Range<usize>)> {
    let (name, class, value) = split_field_line(input, from, to)?;
    class.is_token().then_some((name, value))
}

/// A name of visible characters, a colon and a value: no second reader could see another line in it.
fn split_field_line(input: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Class, Range<usize>)> {
    let line = input.get(from..to)?;
    let (length, class) = syntax::name(line);
    let value = syntax::trim(input, from + length + 1, to);
    let valid = length > 0 && line.get(length) == Some(&b':') && syntax::is_value_text(&input[value.clone()]);
    valid.then_some((from..from + length, class, value))
}

/// The start of a line, as much of it as nginx logs.
fn shown(line: &[u8]) -> Box<str> {
    const SHOWN: usize = 1748;
    String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into()
}

/// A bad line up to the byte that spoils it, as nginx shows it: `X\x20...`.
fn fault(line: &[u8]) -> Box<str> {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let in_name = line[..colon].iter().position(|byte| !syntax::is_visible(*byte)).or((colon == 0).then_some(0));
    let in_value = || line[colon..].iter().position(|byte| !syntax::is_value(*byte)).map(|at| colon + at);
    match in_name.or_else(in_value) {
        Some(at) if at < line.len() => format!("{}\\x{:02x}...", shown(&line[..at]), line[at]).into(),
        _ => shown(line),
    }
}

/// Takes a response's head off the start of `input`: the bytes it took, or `None` when it has not ended yet.
///
/// # Errors
/// The bytes are no response, or pass a limit; said as soon as it can be known.
pub fn parse_response(
    head: &mut ResponseHead,
    input: &[u8],
    limits: &ResponseLimits,
) -> Result<Option<usize>, ResponseError> {
    const START: &[u8] = b"HTTP/1.";
    let compared = input.len().min(START.len());
    if input[..compared] != START[..compared] {
        return Err(ResponseError::StatusLine);
    }
    let Some(line) = syntax::line(input, 0) else {
        return if input.len() > limits.head { Err(ResponseError::TooLarge) } else { Ok(None) };
    };
    parse_status_line(head, &input[..line.end]).ok_or(ResponseError::StatusLine)?;
    let Some(end) = find_end(input, line.next) else {
        return if input.len() > limits.head { Err(ResponseError::TooLarge) } else { Ok(None) };
    };
    if end > limits.head {
        return Err(ResponseError::TooLarge);
    }
    parse_response_fields(&mut head.fields, &input[line.next..end], limits)?;
    Ok(Some(end))
}

/// `HTTP/1.x DDD[ reason]`.
fn parse_status_line(head: &mut ResponseHead, line: &[u8]) -> Option<()> {
    let (version, rest) = line.split_at_checked(8)?;
    head.version = Version::parse(version)?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
    let (digits, reason) = rest.split_at_checked(3)?;
    let status: u16 =
        std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit))?.parse().ok()?;
    let separated = reason.is_empty() || reason[0] == b' ';
    if status < 100 || !separated || !syntax::is_value_text(reason) {
        return None;
    }
    head.status = status;
    head.reason.clear();
    head.reason.extend_from_slice(reason.get(1..).unwrap_or_default());
    Some(())
}

fn parse_response_fields(fields: &mut Fields, block: &[u8], limits: &ResponseLimits) -> Result<(), ResponseError> {
    fields.load(block);
    let mut at = 0;
    while let Some(Line { end, next }) = syntax::line(block, at) {
        if end == at {
            break;
        }
        let (name, class, value) =
            split_field_line(block, at, end).ok_or_else(|| ResponseError::Field(fault(&block[at..end])))?;
        // No client could name such a field.
        if class.is_token() {
            fields.line(name, value);
        }
        if fields.len() > limits.fields {
            return Err(ResponseError::TooLarge);
        }
        at = next;
    }
    Ok(())
}
