//! Heads of requests and responses: bytes to start line and fields.
//! Strict where a second reader might understand something else, tolerant where nginx is and it is harmless.
//! Not here: what a field means, and where the body ends.

use std::ops::Range;

use http::Method;

use crate::error::{RequestError, ResponseError};
use crate::fields::Fields;
use crate::syntax::{self, Line};

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
}

impl RequestHead {
    /// The target as received.
    pub fn target(&self) -> &[u8] {
        self.line.get(self.target.clone()).unwrap_or_default()
    }

    /// The request line as received, without its end; empty when none was understood.
    pub fn line(&self) -> &[u8] {
        &self.line
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
    /// Fields with invalid names are dropped; otherwise they make the request invalid.
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
    let Some(line) = syntax::line(input, start) else {
        check_partial_line(&input[start..], limits)?;
        return Ok(None);
    };
    if line.end - start > limits.line {
        return Err(RequestError::LineTooLong);
    }
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
        return Err(RequestError::HeadTooLong);
    }
    parse_request_fields(&mut head.fields, &input[line.next..end], limits)?;
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
fn check_partial_line(line: &[u8], limits: &RequestLimits) -> Result<(), RequestError> {
    if line.len() > limits.line {
        return Err(RequestError::LineTooLong);
    }
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    if method.iter().all(|byte| is_method(*byte)) && method.len() <= MAX_METHOD {
        Ok(())
    } else {
        Err(RequestError::Method)
    }
}

fn check_partial_fields(input: &[u8], from: usize, limits: &RequestLimits) -> Result<(), RequestError> {
    if input.len() > limits.head {
        return Err(RequestError::HeadTooLong);
    }
    let last = memchr::memrchr(b'\n', &input[from..]).map_or(from, |end| from + end + 1);
    if input.len() - last > limits.field { Err(RequestError::FieldTooLong) } else { Ok(()) }
}

/// The longest method that is taken.
const MAX_METHOD: usize = 32;

/// nginx's methods: capitals, `_` and `-`.
fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'
}

fn parse_request_line(head: &mut RequestHead) -> Result<(), RequestError> {
    let line = &head.line;
    let method_end = memchr::memchr(b' ', line).ok_or(RequestError::Line)?;
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
        None if line[version].starts_with(b"HTTP/") => return Err(RequestError::Version),
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

fn parse_request_fields(fields: &mut Fields, block: &[u8], limits: &RequestLimits) -> Result<(), RequestError> {
    fields.load(block);
    let mut at = 0;
    let mut hosts = 0;
    while let Some(Line { end, next }) = syntax::line(block, at) {
        if end == at {
            break;
        }
        if end - at > limits.field {
            return Err(RequestError::FieldTooLong);
        }
        let (name, value) =
            parse_field_line(block, at, end).ok_or_else(|| RequestError::Field(shown(&block[at..end])))?;
        at = next;
        if !is_valid_name(&block[name.clone()], limits.underscores) {
            if limits.ignore_invalid {
                continue;
            }
            return Err(RequestError::Field(shown(&block[name.start..end])));
        }
        hosts += usize::from(block[name.clone()].eq_ignore_ascii_case(b"host"));
        fields.line(name, value);
        if fields.len() > limits.fields {
            return Err(RequestError::TooManyFields);
        }
    }
    if hosts > 1 { Err(RequestError::DuplicateHost) } else { Ok(()) }
}

/// nginx's valid names: letters, digits, `-`, and `_` where allowed.
fn is_valid_name(name: &[u8], underscores: bool) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || (*byte == b'_' && underscores))
}

/// `name: value`; `None` for anything else: folded lines, white space before the colon, control bytes (RFC 9112 §5).
pub(crate) fn parse_field_line(input: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Range<usize>)> {
    let line = input.get(from..to)?;
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = (from..from + colon, syntax::trim(input, from + colon + 1, to));
    let valid = !name.is_empty()
        && input[name.clone()].iter().all(|byte| syntax::is_token(*byte))
        && input[value.clone()].iter().all(|byte| syntax::is_value(*byte));
    valid.then_some((name, value))
}

/// The start of a bad line, fit for a log.
fn shown(line: &[u8]) -> Box<str> {
    const SHOWN: usize = 100;
    line[..line.len().min(SHOWN)].escape_ascii().to_string().into()
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
    if status < 100 || !separated || !reason.iter().all(|byte| syntax::is_value(*byte)) {
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
        let (name, value) =
            parse_field_line(block, at, end).ok_or_else(|| ResponseError::Field(shown(&block[at..end])))?;
        fields.line(name, value);
        if fields.len() > limits.fields {
            return Err(ResponseError::TooLarge);
        }
        at = next;
    }
    Ok(())
}
