//! A second decoder of bodies, as plain as can be: it reads RFC 9112 §7.1 from the whole input at once, with the bounds that
//! the first one promises. It is slow and shares nothing with the first.

use http1::{ChunkLimits, Framing};

/// What a body is, read at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) data: Vec<u8>,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) end: End,
}

/// How reading it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Whole, in so many bytes.
    Whole(usize),
    /// More must come.
    Open,
    /// Broken.
    Broken,
}

/// Reads a body.
pub(crate) fn read(framing: Framing, limits: &ChunkLimits, input: &[u8]) -> Read {
    let mut read = Read { data: Vec::new(), trailers: Vec::new(), end: End::Open };
    match framing {
        Framing::Empty => read.end = End::Whole(0),
        Framing::Close => read.data = input.to_vec(),
        Framing::Length(length) => {
            let taken = usize::try_from(length).unwrap_or(usize::MAX).min(input.len());
            read.data = input[..taken].to_vec();
            if taken as u64 == length {
                read.end = End::Whole(taken);
            }
        }
        Framing::Chunked => read.end = chunks(limits, input, &mut read).unwrap_or_else(|stopped| stopped),
    }
    read
}

fn chunks(limits: &ChunkLimits, input: &[u8], read: &mut Read) -> Result<End, End> {
    let mut at = 0;
    let mut excess = 0u64;
    loop {
        let line = line(&input[at..], limits.line)?;
        at += line.len() + 2;
        let size = size(line).ok_or(End::Broken)?;
        excess = (excess + line.len() as u64 + 2).saturating_sub(size + http1::body::USUAL_LINE as u64);
        if excess > limits.excess as u64 {
            return Err(End::Broken);
        }
        if size == 0 {
            return trailers(limits, input, at, read);
        }
        let here = input.len() - at;
        let taken = usize::try_from(size).unwrap_or(usize::MAX).min(here);
        read.data.extend_from_slice(&input[at..at + taken]);
        at += taken;
        match &input[at..] {
            _ if (taken as u64) < size => return Err(End::Open),
            [] | [b'\r'] => return Err(End::Open),
            [b'\r', b'\n', ..] => at += 2,
            _ => return Err(End::Broken),
        }
    }
}

fn trailers(limits: &ChunkLimits, input: &[u8], mut at: usize, read: &mut Read) -> Result<End, End> {
    let mut length = 0;
    loop {
        let line = line(&input[at..], limits.trailer)?;
        at += line.len() + 2;
        if line.is_empty() {
            return Ok(End::Whole(at));
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(End::Broken)?;
        let (name, value) = (line[..colon].to_vec(), without_blanks(&line[colon + 1..]).to_vec());
        let clean = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
        if name.is_empty() || !name.iter().all(|byte| super::is_tchar(*byte)) || !clean {
            return Err(End::Broken);
        }
        length += name.len() + value.len();
        read.trailers.push((name, value));
        if length > limits.trailer || read.trailers.len() > limits.trailer_fields {
            return Err(End::Broken);
        }
    }
}

/// Spaces and tabs only: a carriage return is no blank.
fn without_blanks(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    &text[start..end]
}

/// A line without its CRLF.
fn line(input: &[u8], limit: usize) -> Result<&[u8], End> {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) if end >= limit + 2 => Err(End::Broken),
        Some(end) => input[..end].strip_suffix(b"\r").ok_or(End::Broken),
        None if input.len() > limit + 2 => Err(End::Broken),
        None => Err(End::Open),
    }
}

/// The size that a line says: hexadecimal digits, blanks, an extension.
fn size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line.split(|byte| *byte == b';').next()?).ok()?;
    let size = text.trim_end_matches([' ', '\t']);
    let extension = &line[text.len()..];
    let clean = extension.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u64::from_str_radix(size, 16).ok().filter(|number| *number < 1 << 60);
    number.filter(|_| digits && clean)
}
