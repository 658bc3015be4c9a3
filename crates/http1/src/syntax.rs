//! Character classes and lines of heads. Not here: messages.

use std::ops::Range;

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

/// Bytes of a line whose end is not here yet, without the CR that may belong to it.
pub(crate) fn without_cr(open: &[u8]) -> &[u8] {
    open.strip_suffix(b"\r").unwrap_or(open)
}

/// What the bytes of a name are; what holds for all of them is found by `&`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    const NONE: Self = Self(0);
    const ALL: Self = Self(0b1111);
    const VISIBLE: u8 = 0b0001;
    /// `tchar` (RFC 9110 §5.6.2).
    const TOKEN: u8 = 0b0010;
    /// What nginx takes in a name: letters, digits, `-`.
    const NAME: u8 = 0b0100;
    /// The same, and `_`.
    const NAME_OR_UNDERSCORE: u8 = 0b1000;

    const fn of(byte: u8) -> Self {
        Self(match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => return Self::ALL,
            b':' => return Self::NONE,
            b'_' => Self::VISIBLE | Self::TOKEN | Self::NAME_OR_UNDERSCORE,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'.' | b'^' | b'`' | b'|' | b'~' => Self::VISIBLE | Self::TOKEN,
            byte if is_visible(byte) => Self::VISIBLE,
            _ => return Self::NONE,
        })
    }

    /// RFC 9110 §5.1.
    pub(crate) fn is_token(self) -> bool {
        self.0 & Self::TOKEN != 0
    }

    /// Whether nginx takes the name.
    pub(crate) fn is_valid_name(self, underscores: bool) -> bool {
        self.0 & if underscores { Self::NAME_OR_UNDERSCORE } else { Self::NAME } != 0
    }
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = Class::of(byte as u8);
        byte += 1;
    }
    classes
};

/// RFC 9110 §5.6.2.
pub(crate) fn is_tchar(byte: u8) -> bool {
    CLASSES[usize::from(byte)].is_token()
}

/// The length of the name that `line` begins with: visible characters up to a colon. And what all of them are.
pub(crate) fn name(line: &[u8]) -> (usize, Class) {
    let mut all = Class::ALL;
    let plain = plain_letters(line);
    for (at, byte) in line.iter().enumerate().skip(plain) {
        let class = CLASSES[usize::from(*byte)];
        if class == Class::NONE {
            return (at, all);
        }
        all = Class(all.0 & class.0);
    }
    (line.len(), all)
}

/// How many letters and `-` the line begins with, as far as eight are found in one step.
fn plain_letters(line: &[u8]) -> usize {
    let mut count = 0;
    while let Some(word) = line[count..].first_chunk() {
        match others(u64::from_le_bytes(*word)) {
            0 => count += 8,
            others => return count + others.trailing_zeros() as usize / 8,
        }
    }
    count
}

/// `0x80` in the place of each byte of the word that is neither a letter nor `-`. No sum of seven bits reaches the next byte.
const fn others(word: u64) -> u64 {
    let lower = (word | (EACH * 0x20)) & (EACH * 0x7f);
    let letters = (lower + EACH * (0x80 - b'a' as u64)) & !(lower + EACH * (0x7f - b'z' as u64));
    let dash = word ^ (EACH * b'-' as u64);
    let no_dash = ((dash & (EACH * 0x7f)) + EACH * 0x7f) | dash;
    (!letters | word) & no_dash & (EACH * 0x80)
}

pub(crate) const fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// Whether a field's value may hold these bytes. Eight are looked at in one step; where a control character seems to be
/// among them, it may be a tab.
pub(crate) fn is_value_text(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | controls(u64::from_le_bytes(*word)));
    match text.last_chunk::<8>() {
        Some(last) if found | controls(u64::from_le_bytes(*last)) == 0 => true,
        Some(_) => text.iter().all(|byte| is_value(*byte)),
        None => rest.iter().all(|byte| is_value(*byte)),
    }
}

/// Eight bytes of 1.
const EACH: u64 = u64::from_le_bytes([1; 8]);

/// Not 0 if a byte of the word is below a space or DEL: what becomes negative when it is taken from, or when DEL is taken out
/// of it and one is taken away, without having been so before.
const fn controls(word: u64) -> u64 {
    let without_del = word ^ (EACH * 0x7f);
    let below_space = word.wrapping_sub(EACH * 0x20) & !word;
    let del = without_del.wrapping_sub(EACH) & !without_del;
    (below_space | del) & (EACH * 0x80)
}

/// What a field's value may hold: visible characters, space, tab, obs-text (RFC 9110 §5.5).
pub(crate) fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Makes a space of each byte that no value may hold (RFC 9110 §5.5).
pub(crate) fn clean(value: &mut [u8]) {
    for byte in value.iter_mut().filter(|byte| !is_value(**byte)) {
        *byte = b' ';
    }
}

/// Trims spaces and tabs (`OWS`, RFC 9110 §5.6.3); the range of what is left.
pub(crate) fn trim(input: &[u8], start: usize, end: usize) -> Range<usize> {
    trim_of(input, start, end, |byte| matches!(byte, b' ' | b'\t'))
}

/// Trims spaces only: a tab between the parts of a start line is no space (RFC 9112 §3).
pub(crate) fn trim_spaces(input: &[u8], start: usize, end: usize) -> Range<usize> {
    trim_of(input, start, end, |byte| byte == b' ')
}

fn trim_of(input: &[u8], mut start: usize, mut end: usize, blank: impl Fn(u8) -> bool) -> Range<usize> {
    while start < end && blank(input[start]) {
        start += 1;
    }
    while end > start && blank(input[end - 1]) {
        end -= 1;
    }
    start..end
}

/// Writes what belongs into one line.
pub(crate) fn write_clean(out: &mut Vec<u8>, text: &[u8]) {
    let from = out.len();
    out.extend_from_slice(text);
    clean_from(out, from);
}

/// Makes one line of what was written from `from` on: CR, LF and NUL become spaces (RFC 9110 §5.5).
pub(crate) fn clean_from(out: &mut [u8], from: usize) {
    if !is_value_text(&out[from..]) {
        for byte in out[from..].iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_same_whatever_stands_around_a_byte() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut line = vec![b'x'; length];
                    line[at] = byte;
                    let class = Class::of(byte);
                    let expected = if class == Class::NONE { (at, Class::ALL) } else { (length, class) };
                    assert_eq!(name(&line), expected, "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_byte_that_no_value_holds_is_found_wherever_it_stands() {
        for length in 1..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    assert_eq!(is_value_text(&text), is_value(byte), "{byte} at {at} of {length}");
                }
            }
        }
    }
}
