//! Bytes to a request's head. Strict where a second reader might understand something else, tolerant where nginx is and it
//! is harmless. Bounds are checked in the order in which bytes pass them, so that it does not matter how they arrive.
//! Not here: what a field means, and where the body ends.

use std::ops::Range;

use http::Method;

use crate::error::RequestError;
use crate::fields::Fields;
use crate::head::{RequestHead, RequestLimits, Version, Walk, fault, shown, split_field_line, walk};
use crate::syntax::{self, Line};

/// Empty lines that may come before a request line (RFC 9112 §2.2).
const LEADING_LINES: usize = 8;

/// The longest method that is taken.
const MAX_METHOD: usize = 32;

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
    let rest = &input[start..];
    let Some(line) = find_line(head, rest, limits)? else {
        return Ok(None);
    };
    let text = &rest[..line.end];
    if !(head.has_line() && head.line == text) {
        read_line(head, text)?;
    }
    let Some(end) = find_end(&mut head.fields, rest, line.next, limits)? else {
        return Ok(None);
    };
    read_fields(head, &rest[line.next..end], limits)?;
    Ok(Some(start + end))
}

pub(crate) fn skip_empty_lines(input: &[u8]) -> Result<Option<usize>, RequestError> {
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

/// The request line, once it is complete. Until then it must at least begin like one, so that other protocols are refused
/// at once.
fn find_line(head: &mut RequestHead, rest: &[u8], limits: &RequestLimits) -> Result<Option<Line>, RequestError> {
    let line = syntax::line(rest, 0);
    let text = line.as_ref().map_or(syntax::without_cr(rest), |line| &rest[..line.end]);
    let seen = &text[..text.len().min(limits.line)];
    let is_whole = line.is_some() && seen.len() == text.len();
    let method = seen.iter().take_while(|byte| is_method(**byte)).count();
    let goes_on = method == seen.len() && !is_whole;
    let begins_well = method <= MAX_METHOD && (goes_on || (method > 0 && seen.get(method) == Some(&b' ')));
    if !begins_well || seen.len() < text.len() {
        head.line = seen.to_vec();
        head.target = 0..0;
        return Err(if begins_well { RequestError::LineTooLong } else { RequestError::Method });
    }
    Ok(line)
}

/// nginx's methods: capitals, `_` and `-`.
fn is_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'
}

/// `METHOD TARGET HTTP/x.y`, of which only the first part was looked at; spaces may be many, as in nginx.
fn read_line(head: &mut RequestHead, text: &[u8]) -> Result<(), RequestError> {
    head.target = 0..0;
    head.line = text.to_vec();
    let method_end = memchr::memchr(b' ', text).ok_or(RequestError::Method)?;
    head.method = Method::from_bytes(&text[..method_end]).map_err(|_| RequestError::Method)?;
    let rest = syntax::trim_spaces(text, method_end, text.len());
    let target_end = memchr::memchr(b' ', &text[rest.clone()]).ok_or(RequestError::Http09)? + rest.start;
    let target = rest.start..target_end;
    if !text[target.clone()].iter().all(|byte| syntax::is_visible(*byte)) {
        return Err(RequestError::Line);
    }
    let version = &text[syntax::trim_spaces(text, target_end, rest.end)];
    head.version = match Version::parse(version) {
        Some(version) => version,
        None if is_later_version(version) => return Err(RequestError::Version),
        None => return Err(RequestError::Line),
    };
    head.target = target;
    Ok(())
}

/// A major version that is not ours, such as that of HTTP/2's preface.
fn is_later_version(text: &[u8]) -> bool {
    matches!(text.strip_prefix(b"HTTP/"), Some([b'2'..=b'9', ..] | [b'1', b'0'..=b'9', ..]))
}

/// Where the head ends, once the empty line is here.
fn find_end(
    fields: &mut Fields,
    rest: &[u8],
    from: usize,
    limits: &RequestLimits,
) -> Result<Option<usize>, RequestError> {
    let seen = &rest[..rest.len().min(limits.head)];
    fields.clear();
    let walked = walk(seen, from, |line| {
        check_length(&seen[line.clone()], limits)?;
        fields.note(line.start - from..line.end - from);
        if fields.len() > limits.fields { Err(RequestError::TooManyFields) } else { Ok(()) }
    })?;
    let at = match walked {
        Walk::End(end) => return Ok(Some(end)),
        Walk::Open(at) => at,
    };
    let open = syntax::without_cr(seen.get(at..).unwrap_or_default());
    check_length(open, limits)?;
    if rest.len() > limits.head { Err(RequestError::HeadTooLong(shown(open))) } else { Ok(None) }
}

fn check_length(line: &[u8], limits: &RequestLimits) -> Result<(), RequestError> {
    if line.len() <= limits.field {
        return Ok(());
    }
    Err(RequestError::FieldTooLong(shown(&line[..limits.field])))
}

fn read_fields(head: &mut RequestHead, block: &[u8], limits: &RequestLimits) -> Result<(), RequestError> {
    let RequestHead { fields, ignored, .. } = head;
    ignored.clear();
    let mut host: Option<Range<usize>> = None;
    fields.read_noted(block, |_, whole| {
        let (name, class, value) = split_field_line(block, whole.start, whole.end)
            .ok_or_else(|| RequestError::Field(fault(&block[whole.clone()])))?;
        if !class.is_valid_name(limits.underscores) {
            if limits.ignore_invalid {
                ignored.push(whole);
                return Ok(None);
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
        Ok(Some((name, value)))
    })
}
