//! Decoding and dot segments of a path, in one pass, as nginx does it. Not here: where the path ends.
//!
//! nginx decodes before it looks for `/` and `.`: `%2F` separates segments and `%2e%2e` leads up. Only `%25`, `%23` and `%3F`
//! stay plain characters of a segment.

use super::TargetError;

/// Whether a path is its own normal form: nothing to decode, no `//`, no segment that starts with a dot.
pub(super) fn is_plain(path: &[u8]) -> bool {
    let mut previous = 0;
    for &byte in path {
        if byte == b'%' || (previous == b'/' && matches!(byte, b'/' | b'.')) {
            return false;
        }
        previous = byte;
    }
    !path.is_empty()
}

/// What the output ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A segment's ordinary bytes.
    Segment,
    /// A slash.
    Slash,
    /// A segment that is `.` so far.
    Dot,
    /// A segment that is `..` so far.
    DotDot,
}

/// The normal form of `path`; `/` for an empty one.
pub(super) fn normalise(path: &[u8], merge_slashes: bool) -> Result<Vec<u8>, TargetError> {
    let mut out = Vec::with_capacity(path.len().max(1));
    if path.is_empty() {
        out.push(b'/');
    }
    let mut state = State::Segment;
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            state = step(&mut out, state, byte, merge_slashes)?;
            continue;
        }
        let (&[high, low], tail) = rest.split_first_chunk().ok_or(TargetError::Escape)?;
        rest = tail;
        match decode(high, low)? {
            0 => return Err(TargetError::Nul),
            plain @ (b'%' | b'#' | b'?') => {
                out.push(plain);
                state = State::Segment;
            }
            decoded => state = step(&mut out, state, decoded, merge_slashes)?,
        }
    }
    finish(out, state)
}

fn step(out: &mut Vec<u8>, state: State, byte: u8, merge_slashes: bool) -> Result<State, TargetError> {
    match (state, byte) {
        (State::Segment, b'/') => out.push(b'/'),
        (State::Slash, b'/') if merge_slashes => {}
        (State::Slash, b'/') => out.push(b'/'),
        (State::Dot, b'/') => {
            out.pop();
        }
        (State::DotDot, b'/') => up(out)?,
        _ => {
            out.push(byte);
            return Ok(match (state, byte) {
                (State::Slash, b'.') => State::Dot,
                (State::Dot, b'.') => State::DotDot,
                _ => State::Segment,
            });
        }
    }
    Ok(State::Slash)
}

/// Takes `SEGMENT/..` off the end, and leaves the slash before it.
fn up(out: &mut Vec<u8>) -> Result<(), TargetError> {
    let parent = out
        .len()
        .checked_sub(3)
        .and_then(|slash| out.get(..slash))
        .and_then(|before| before.iter().rposition(|&byte| byte == b'/'))
        .ok_or(TargetError::AboveRoot)?;
    out.truncate(parent + 1);
    Ok(())
}

fn finish(mut out: Vec<u8>, state: State) -> Result<Vec<u8>, TargetError> {
    match state {
        State::Dot => {
            out.pop();
        }
        State::DotDot => up(&mut out)?,
        State::Segment | State::Slash => {}
    }
    Ok(out)
}

fn decode(high: u8, low: u8) -> Result<u8, TargetError> {
    match (hex(high), hex(low)) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(TargetError::Escape),
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
