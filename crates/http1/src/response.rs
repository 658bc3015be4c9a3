//! Bytes to a response's head. What nginx takes from endpoints is taken where no client could misunderstand what becomes of
//! it, since each refusal is a 502; what moves the end of a line or of a body is refused.
//! Not here: what a field means, and where the body ends.

use std::borrow::Cow;
use std::ops::Range;

use crate::encode::reason;
use crate::error::ResponseError;
use crate::fields::Fields;
use crate::head::{ResponseHead, ResponseLimits, Version, Walk, fault, walk};
use crate::syntax;

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
    let seen = &input[..input.len().min(limits.head)];
    let compared = seen.len().min(START.len());
    if seen[..compared] != START[..compared] {
        return Err(ResponseError::StatusLine);
    }
    let Some(end) = find_end(head, seen, limits)? else {
        return if input.len() > limits.head { Err(ResponseError::TooLarge) } else { Ok(None) };
    };
    Ok(Some(end))
}

fn find_end(head: &mut ResponseHead, seen: &[u8], limits: &ResponseLimits) -> Result<Option<usize>, ResponseError> {
    let Some(line) = syntax::line(seen, 0) else { return Ok(None) };
    read_status_line(head, &seen[..line.end]).ok_or(ResponseError::StatusLine)?;
    let fields = &mut head.fields;
    fields.clear();
    let walked = walk(seen, line.next, |found| {
        fields.note(found.start - line.next..found.end - line.next);
        if fields.len() > limits.fields { Err(ResponseError::TooLarge) } else { Ok(()) }
    })?;
    let Walk::End(end) = walked else { return Ok(None) };
    read_fields(fields, &seen[line.next..end])?;
    Ok(Some(end))
}

/// `HTTP/1.x DDD[ reason]`. As in nginx, spaces may be many before the status, and a part of it may follow: `403.1`.
fn read_status_line(head: &mut ResponseHead, line: &[u8]) -> Option<()> {
    let (version, rest) = line.split_at_checked(8)?;
    head.version = Version::parse(version)?;
    let rest = &rest[syntax::trim_spaces(rest, 0, rest.len()).start..];
    let (digits, tail) = rest.split_at_checked(3)?;
    if line.get(8) != Some(&b' ') || !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return None;
    }
    if !matches!(tail.first(), None | Some(b' ' | b'.')) || !syntax::is_value_text(tail) {
        return None;
    }
    head.status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let phrase = memchr::memchr(b' ', tail).map_or(b"".as_slice(), |space| &tail[space + 1..]);
    head.reason = match reason(head.status).as_bytes() {
        usual if usual == phrase => Cow::Borrowed(usual),
        _ => Cow::Owned(phrase.to_vec()),
    };
    Some(())
}

fn read_fields(fields: &mut Fields, block: &[u8]) -> Result<(), ResponseError> {
    fields.read_noted(block, |bytes, line| match read_field(block, line.start, line.end) {
        Read::Field(name, value) => Ok(Some((name, value))),
        Read::Unclean(name, value) => {
            syntax::clean(&mut bytes[value.clone()]);
            Ok(Some((name, value)))
        }
        Read::Nothing => Ok(None),
        Read::Fault => Err(ResponseError::Field(fault(&block[line]))),
    })
}

/// What a line of a response's head is.
enum Read {
    Field(Range<usize>, Range<usize>),
    /// The same, with control bytes in its value.
    Unclean(Range<usize>, Range<usize>),
    /// Nothing that could be passed on: no client could name such a field.
    Nothing,
    /// What another reader might understand differently: a folded line, an end of line or a NUL within, an empty name.
    Fault,
}

/// White space before the colon goes (RFC 9112 §5.1); a line without a colon, or with a name that is no token, is left out.
fn read_field(block: &[u8], from: usize, to: usize) -> Read {
    let line = &block[from..to];
    let (length, class) = syntax::name(line);
    let colon = match line.get(length) {
        Some(b':') => length,
        _ => syntax::trim(line, length, line.len()).start,
    };
    let value = syntax::trim(block, from + colon + 1, to);
    if line.get(colon) != Some(&b':') {
        let skipped = length > 0 && memchr::memchr(b':', line).is_none() && syntax::is_value_text(line);
        return if skipped { Read::Nothing } else { Read::Fault };
    }
    let is_clean = syntax::is_value_text(&block[value.clone()]);
    if length == 0 || (!is_clean && memchr::memchr2(b'\r', b'\0', &block[value.clone()]).is_some()) {
        return Read::Fault;
    }
    match (class.is_token(), is_clean) {
        (true, true) => Read::Field(from..from + length, value),
        (true, false) => Read::Unclean(from..from + length, value),
        (false, _) => Read::Nothing,
    }
}
