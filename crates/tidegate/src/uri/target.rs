//! The target of a request line: origin-form and absolute-form. Not here: `*` and authority-form, which nginx answers with 400.

use std::borrow::Cow;
use std::fmt;

use super::normalise::{is_plain, normalise};

/// A request's target, taken apart. It borrows what it can from the bytes received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// Path and arguments as received (`$request_uri`), a fragment included. `/` for an absolute-form target that ends
    /// with its authority.
    pub raw: &'a [u8],
    /// The path decoded and normalised (`$uri`): starts with `/`, has no `.` or `..` segment and no NUL. It may hold any
    /// other byte, since `%0A` decodes too.
    pub path: Cow<'a, [u8]>,
    /// What follows the first `?`, up to a `#` (`$args`). Empty when there is no `?`: nginx does not tell these apart.
    pub args: &'a [u8],
    /// Host and port of an absolute-form target, not yet validated (see [`crate::route::Host`]). It wins over `Host`.
    pub authority: Option<&'a [u8]>,
    /// The path held a `%`: a `proxy_pass` with a URI escapes the path again only then.
    pub quoted: bool,
    /// [`Target::raw`] can be sent to an upstream as it is. False for `http://host?args`, which has no path.
    pub raw_is_valid: bool,
}

impl Target<'_> {
    /// Whether the path received differs from the normalised one.
    pub fn is_complex(&self) -> bool {
        !self.raw.starts_with(&self.path) || !matches!(self.raw.get(self.path.len()), None | Some(b'?'))
    }
}

/// Why a target is refused; each is a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetError {
    /// It starts with neither `/` nor `scheme://`.
    Form,
    /// It holds a space, a control byte or DEL.
    ControlByte,
    /// The authority of an absolute-form target has a byte that no host or port has.
    Authority,
    /// `%` without two hexadecimal digits after it.
    Escape,
    /// `%00`.
    Nul,
    /// `..` leads above the root.
    AboveRoot,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetError::Form => "the target is neither a path nor an absolute URI",
            TargetError::ControlByte => "the target holds a space or a control byte",
            TargetError::Authority => "the target's host or port is malformed",
            TargetError::Escape => "\"%\" is not followed by two hexadecimal digits",
            TargetError::Nul => "the path holds %00",
            TargetError::AboveRoot => "the path leads above the root",
        })
    }
}

impl std::error::Error for TargetError {}

/// Takes a request's target apart.
///
/// `merge_slashes` is the setting of the listener's default server: nginx reads the target before it knows the host.
///
/// # Errors
/// See [`TargetError`]; nginx logs `client sent invalid request` and answers 400.
pub fn parse_target(target: &[u8], merge_slashes: bool) -> Result<Target<'_>, TargetError> {
    match target.first() {
        Some(b'/') => parse_path(target, None, merge_slashes),
        Some(byte) if byte.is_ascii_alphabetic() => parse_absolute(target, merge_slashes),
        _ => Err(TargetError::Form),
    }
}

fn parse_absolute(target: &[u8], merge_slashes: bool) -> Result<Target<'_>, TargetError> {
    let scheme_end = target.iter().position(|&byte| !is_scheme_byte(byte)).ok_or(TargetError::Form)?;
    let rest = target.get(scheme_end..).and_then(|rest| rest.strip_prefix(b"://")).ok_or(TargetError::Form)?;
    let end = authority_end(rest)?;
    let (authority, after) = rest.split_at(end);
    let raw = if after.is_empty() { b"/" } else { after };
    parse_path(raw, Some(authority), merge_slashes)
}

fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// The length of `host[:port]` at the start of `rest`; what follows is empty, a path or a query.
fn authority_end(rest: &[u8]) -> Result<usize, TargetError> {
    let host = match rest.first() {
        Some(b'[') => literal_end(rest)?,
        _ => count(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')),
    };
    let after = rest.get(host..).unwrap_or_default();
    let port = match after.split_first() {
        Some((b':', digits)) => 1 + count(digits, |byte| byte.is_ascii_digit()),
        _ => 0,
    };
    match after.get(port) {
        None | Some(b'/' | b'?') => Ok(host + port),
        Some(_) => Err(TargetError::Authority),
    }
}

fn literal_end(rest: &[u8]) -> Result<usize, TargetError> {
    let inner = 1 + count(rest.get(1..).unwrap_or_default(), is_literal_byte);
    match rest.get(inner) {
        Some(b']') => Ok(inner + 1),
        _ => Err(TargetError::Authority),
    }
}

/// Bytes between the brackets of an IP literal: unreserved, sub-delims and `:` (RFC 3986 §3.2.2).
fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte)
}

fn count(bytes: &[u8], accept: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|&&byte| accept(byte)).count()
}

fn parse_path<'a>(raw: &'a [u8], authority: Option<&'a [u8]>, merge_slashes: bool) -> Result<Target<'a>, TargetError> {
    if raw.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
        return Err(TargetError::ControlByte);
    }
    let (written, args) = cut(raw);
    let path = if is_plain(written) { Cow::Borrowed(written) } else { Cow::Owned(normalise(written, merge_slashes)?) };
    Ok(Target { raw, path, args, authority, quoted: written.contains(&b'%'), raw_is_valid: !written.is_empty() })
}

/// The path as written and the arguments; a fragment is dropped.
fn cut(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = raw.splitn(2, |&byte| byte == b'#');
    let before_fragment = parts.next().unwrap_or_default();
    super::split_args(before_fragment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(target: &str) -> Result<String, TargetError> {
        parse_target(target.as_bytes(), true).map(|target| String::from_utf8_lossy(&target.path).into_owned())
    }

    #[test]
    fn normalises_paths_as_nginx_does() {
        for (target, expected) in [
            ("/", "/"),
            ("/a/b.c", "/a/b.c"),
            ("/a//b", "/a/b"),
            ("//a///b//", "/a/b/"),
            ("/a/./b", "/a/b"),
            ("/a/.", "/a/"),
            ("/a/..", "/"),
            ("/a/../b", "/b"),
            ("/a/b/../../c", "/c"),
            ("/a/...", "/a/..."),
            ("/a/.b", "/a/.b"),
            ("/a/..b", "/a/..b"),
            ("/a./b", "/a./b"),
            ("/a../b", "/a../b"),
            ("/%61", "/a"),
            ("/a%2Fb", "/a/b"),
            ("/a%2f%2Fb", "/a/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e", "/"),
            ("/a%3Fb", "/a?b"),
            ("/a%23b", "/a#b"),
            ("/a%25b", "/a%b"),
            ("/a%2541", "/a%41"),
            ("/a%20b", "/a b"),
            ("/a+b", "/a+b"),
            ("/a/..%3F", "/a/..?"),
            ("/a/.%23/b", "/a/.#/b"),
            ("/a#b/../c", "/a"),
            ("/a/..#x", "/"),
            ("/a/.?x", "/a/"),
            ("/a/..?x", "/"),
        ] {
            assert_eq!(path(target).as_deref(), Ok(expected), "{target}");
        }
    }

    #[test]
    fn refuses_what_nginx_refuses() {
        for (target, expected) in [
            ("", TargetError::Form),
            ("*", TargetError::Form),
            ("a", TargetError::Form),
            ("?x", TargetError::Form),
            ("host:80", TargetError::Form),
            ("http:/host/", TargetError::Form),
            ("/..", TargetError::AboveRoot),
            ("/../a", TargetError::AboveRoot),
            ("/a/../..", TargetError::AboveRoot),
            ("//..", TargetError::AboveRoot),
            ("/%", TargetError::Escape),
            ("/%1", TargetError::Escape),
            ("/%1g", TargetError::Escape),
            ("/%zz", TargetError::Escape),
            ("/%00", TargetError::Nul),
            ("/a\tb", TargetError::ControlByte),
            ("/a b", TargetError::ControlByte),
            ("/a\x7f", TargetError::ControlByte),
            ("http://h_st/", TargetError::Authority),
            ("http://user@host/", TargetError::Authority),
            ("http://host:8x/", TargetError::Authority),
            ("http://[::1/", TargetError::Authority),
        ] {
            assert_eq!(path(target), Err(expected), "{target}");
        }
    }

    #[test]
    fn keeps_repeated_slashes_when_merging_is_off() {
        let parsed = parse_target(b"//a///b/../c", false).unwrap();
        assert_eq!(parsed.path.as_ref(), b"//a///c");
        assert_eq!(
            parse_target(b"//..", false).unwrap().path.as_ref(),
            b"/",
            "an empty segment is one that .. removes"
        );
    }

    #[test]
    fn keeps_arguments_as_written() {
        let parsed = parse_target(b"/a/../b?x=%20//../&y#frag", true).unwrap();
        assert_eq!(parsed.args, b"x=%20//../&y");
        assert_eq!(parsed.raw, b"/a/../b?x=%20//../&y#frag");
        assert!(!parsed.quoted, "only the path counts");
        assert!(parsed.is_complex());
        assert!(!parse_target(b"/b?x", true).unwrap().is_complex());
        assert!(parse_target(b"/%62?x", true).unwrap().quoted);
    }

    #[test]
    fn takes_the_authority_off_absolute_targets() {
        for (target, authority, raw, path, raw_is_valid) in [
            ("http://host/a", "host", "/a", "/a", true),
            ("HTTP://h:80", "h:80", "/", "/", true),
            ("http://h?x=1", "h", "?x=1", "/", false),
            ("http://[::1]:8080/a", "[::1]:8080", "/a", "/a", true),
            ("x+y://h/", "h", "/", "/", true),
            ("http:///a", "", "/a", "/a", true),
            ("http://h:/a", "h:", "/a", "/a", true),
        ] {
            let parsed = parse_target(target.as_bytes(), true).unwrap();
            assert_eq!(parsed.authority, Some(authority.as_bytes()), "{target}");
            assert_eq!(parsed.raw, raw.as_bytes(), "{target}");
            assert_eq!(parsed.path.as_ref(), path.as_bytes(), "{target}");
            assert_eq!(parsed.raw_is_valid, raw_is_valid, "{target}");
        }
    }

    #[test]
    fn borrows_a_path_that_needs_no_change() {
        assert!(matches!(parse_target(b"/static/app.js?v=1", true).unwrap().path, Cow::Borrowed(b"/static/app.js")));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_leaves_the_root(tail in proptest::collection::vec(any::<u8>(), 0..64), merge: bool) {
            let target = [b"/".as_slice(), &tail].concat();
            if let Ok(parsed) = parse_target(&target, merge) {
                assert_safe(&parsed.path);
            }
            let _ = parse_target(&tail, merge);
        }

        #[test]
        fn dots_slashes_and_escapes_never_leave_the_root(tail in "(/|\\.|%2e|%2F|a|%3f|%25|\\+|\\?|#){0,24}", merge: bool) {
            if let Ok(parsed) = parse_target(format!("/{tail}").as_bytes(), merge) {
                assert_safe(&parsed.path);
            }
        }

        #[test]
        fn a_normalised_path_normalises_to_itself(tail in "(/|\\.|a|b|-){0,24}") {
            if let Ok(parsed) = parse_target(format!("/{tail}").as_bytes(), true) {
                let again = parse_target(&parsed.path, true).unwrap();
                prop_assert_eq!(&again.path, &parsed.path);
                prop_assert!(!again.is_complex());
            }
        }

        #[test]
        fn escaping_a_path_and_reading_it_gives_it_back(tail in "(/[a-z %?#&+é\"<>|]{1,5}){0,5}") {
            let path = if tail.is_empty() { "/" } else { &tail };
            let written = crate::uri::escape(crate::uri::Escape::Uri, path.as_bytes());
            let read = parse_target(&written, true).unwrap();
            prop_assert_eq!(read.path.as_ref(), path.as_bytes());
        }
    }

    fn assert_safe(path: &[u8]) {
        assert_eq!(path.first(), Some(&b'/'));
        assert!(!path.contains(&0));
        for segment in path.split(|&byte| byte == b'/') {
            assert!(segment != b"." && segment != b"..");
        }
    }
}
