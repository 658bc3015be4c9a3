//! Percent-encoding in nginx's kinds, and its lenient decoding. Not here: normalisation.

use super::normalise::hex;

/// Which bytes are escaped. Control bytes and DEL are in every kind; space and bytes above DEL in nginx's own kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// A path: also `"`, `#`, `%`, `<`, `>`, `?`, `\`, `^`, `` ` ``, `{`, `|`, `}`. Used for `proxy_pass` with a URI and redirects.
    Uri,
    /// A value among arguments: also `&`, `+`, `;`.
    Args,
    /// Everything but letters, digits, `-`, `.`, `_`, `~`.
    UriComponent,
    /// A URL as somebody wrote it, perhaps with variables that hold decoded line breaks: nothing else, so that it stays
    /// on its line. nginx lets them pass.
    Line,
    /// The same as a word of a request line: also space.
    Word,
}

impl Escape {
    fn keeps(self, byte: u8) -> bool {
        match self {
            Escape::Uri => byte.is_ascii_graphic() && !b"\"#%<>?\\^`{|}".contains(&byte),
            Escape::Args => Escape::Uri.keeps(byte) && !b"&+;".contains(&byte),
            Escape::UriComponent => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
            Escape::Line => !byte.is_ascii_control(),
            Escape::Word => byte != b' ' && Escape::Line.keeps(byte),
        }
    }
}

/// The bytes, escaped; hexadecimal digits are upper case.
pub fn escape(kind: Escape, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    escape_into(&mut out, kind, bytes);
    out
}

/// Appends the bytes, escaped.
pub fn escape_into(out: &mut Vec<u8>, kind: Escape, bytes: &[u8]) {
    for &byte in bytes {
        if kind.keeps(byte) {
            out.push(byte);
        } else {
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'A' + value - 10,
    }
}

/// Decodes `%XX`. What is malformed goes as nginx has it go: `%zq` gives `zq`, `%4zq` gives `q`.
pub fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match rest.next() {
            None => {}
            Some(first) => match hex(first) {
                None => out.push(first),
                Some(high) => out.extend(rest.next().and_then(hex).map(|low| high << 4 | low)),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_escapes_its_own_bytes() {
        let all: Vec<u8> = (0x20..0x7f).collect();
        let text = |kind| String::from_utf8(escape(kind, &all)).unwrap();
        assert_eq!(
            text(Escape::Uri),
            "%20!%22%23$%25&'()*+,-./0123456789:;%3C=%3E%3F@ABCDEFGHIJKLMNOPQRSTUVWXYZ[%5C]%5E_\
             %60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~"
        );
        assert_eq!(
            text(Escape::Args),
            "%20!%22%23$%25%26'()*%2B,-./0123456789:%3B%3C=%3E%3F@ABCDEFGHIJKLMNOPQRSTUVWXYZ[%5C]%5E_\
             %60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~"
        );
        assert_eq!(
            text(Escape::UriComponent),
            "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F%40\
             ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~"
        );
        assert_eq!(escape(Escape::Uri, b"\x00\x1f\x7f\xc3\xa9"), b"%00%1F%7F%C3%A9");
        assert_eq!(escape(Escape::Line, b"/a b\r\nSet-Cookie: \xc3%"), b"/a b%0D%0ASet-Cookie: \xc3%");
        assert_eq!(escape(Escape::Word, b"/a b\n"), b"/a%20b%0A");
    }

    #[test]
    fn unescape_is_lenient_as_nginx_is() {
        for (written, read) in [("a%20b", "a b"), ("%41%zB", "AzB"), ("%4", ""), ("a%", "a"), ("%4zc", "c")] {
            assert_eq!(unescape(written.as_bytes()), read.as_bytes(), "{written}");
        }
    }
}
