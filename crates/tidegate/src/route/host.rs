//! A host as a client sent it: checked, cleaned, cut from its port. Not here: where it came from, and the server it names.

use std::borrow::Cow;
use std::fmt;

/// A valid host, as `$host` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a> {
    /// Lower case, without port and without one trailing dot; an IPv6 literal keeps its brackets.
    pub name: Cow<'a, [u8]>,
    /// The port that was written; `None` if none was, or an empty or zero one.
    pub port: Option<u16>,
}

/// The host is not one (RFC 3986 §3.2.2). nginx logs `client sent invalid host header` and answers 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostError;

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host is malformed")
    }
}

impl std::error::Error for HostError {}

impl<'a> Host<'a> {
    /// Reads a `Host` field's value or the authority of an absolute-form target.
    ///
    /// The newest nginx is followed, which takes only what RFC 3986 allows in a host; older ones take nearly any byte.
    ///
    /// # Errors
    /// [`HostError`] for an empty host, `..`, a byte that no host has, or a port beyond 65535.
    pub fn parse(text: &'a [u8]) -> Result<Self, HostError> {
        let end = match text.first() {
            Some(b'[') => literal_end(text)?,
            _ => name_end(text)?,
        };
        let (name, rest) = text.split_at(end);
        let port = match rest.split_first() {
            None => None,
            Some((b':', digits)) => parse_port(digits)?,
            Some(_) => return Err(HostError),
        };
        let name = name.strip_suffix(b".").unwrap_or(name);
        if name.is_empty() {
            return Err(HostError);
        }
        Ok(Self { name: lower_case(name), port })
    }
}

fn literal_end(text: &[u8]) -> Result<usize, HostError> {
    let end = text.iter().position(|&byte| byte == b']').ok_or(HostError)?;
    let inner = text.get(1..end).unwrap_or_default();
    let valid = inner.iter().all(|&byte| byte == b':' || is_name_byte(byte));
    if valid { Ok(end + 1) } else { Err(HostError) }
}

fn name_end(text: &[u8]) -> Result<usize, HostError> {
    let end = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    let mut before = 0;
    let valid = name.iter().all(|&byte| {
        let doubled = (std::mem::replace(&mut before, byte), byte) == (b'.', b'.');
        !doubled && (byte == b'%' || is_name_byte(byte))
    });
    if valid { Ok(end) } else { Err(HostError) }
}

/// Unreserved characters and sub-delims.
fn is_name_byte(byte: u8) -> bool {
    const OTHERS: &[u8] = b"-._~!$&'()*+,;=";
    static TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut at = 0;
        while at < 256 {
            table[at] = (at as u8).is_ascii_alphanumeric();
            at += 1;
        }
        at = 0;
        while at < OTHERS.len() {
            table[OTHERS[at] as usize] = true;
            at += 1;
        }
        table
    };
    TABLE[usize::from(byte)]
}

fn parse_port(digits: &[u8]) -> Result<Option<u16>, HostError> {
    let mut port: u16 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(HostError);
        }
        port = port.checked_mul(10).and_then(|port| port.checked_add(u16::from(digit - b'0'))).ok_or(HostError)?;
    }
    Ok((port != 0).then_some(port))
}

fn lower_case(name: &[u8]) -> Cow<'_, [u8]> {
    if name.iter().any(u8::is_ascii_uppercase) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_hosts() {
        for (text, name, port) in [
            ("example.org", "example.org", None),
            ("EXAMPLE.org.", "example.org", None),
            ("example.org.:8080", "example.org", Some(8080)),
            ("h:", "h", None),
            ("h:0", "h", None),
            ("h:65535", "h", Some(65535)),
            ("h:00080", "h", Some(80)),
            ("[::1]", "[::1]", None),
            ("[FE80::A]:443", "[fe80::a]", Some(443)),
            ("under_score", "under_score", None),
            ("a%20b", "a%20b", None),
            (".a", ".a", None),
            ("*", "*", None),
        ] {
            let host = Host::parse(text.as_bytes()).unwrap();
            assert_eq!(host.name.as_ref(), name.as_bytes(), "{text}");
            assert_eq!(host.port, port, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for text in [
            "",
            ".",
            ":80",
            "a..b",
            "a/b",
            "a b",
            "a\0",
            "a\tb",
            "a@b",
            "a\"b",
            "a<b",
            "[::1",
            "[::1]x",
            "[::1]x:80",
            "[::/1]",
            "h:8x",
            "h:65536",
            "h:80:80",
            "é",
            "\x7f",
        ] {
            assert_eq!(Host::parse(text.as_bytes()), Err(HostError), "{text:?}");
        }
    }
}
