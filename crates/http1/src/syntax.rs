//! Character classes and lines of heads. Not here: messages.

/// A line of a head: its content without the line end, and where the next line begins.
pub(crate) struct Line {
    pub(crate) end: usize,
    pub(crate) next: usize,
}

/// Finds the line that begins at `from`; `None` when its end is not here yet. LF alone ends a line too (RFC 9112 §2.2).
pub(crate) fn line(input: &[u8], from: usize) -> Option<Line> {
    let end = from + memchr::memchr(b'\n', input.get(from..)?)?;
    let content_end = if end > from && input[end - 1] == b'\r' { end - 1 } else { end };
    Some(Line { end: content_end, next: end + 1 })
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// What a field's value may hold: visible characters, space, tab, obs-text (RFC 9110 §5.5).
pub(crate) fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Trims spaces and tabs; the range of what is left.
pub(crate) fn trim(input: &[u8], mut start: usize, mut end: usize) -> std::ops::Range<usize> {
    while start < end && matches!(input[start], b' ' | b'\t') {
        start += 1;
    }
    while end > start && matches!(input[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    start..end
}
