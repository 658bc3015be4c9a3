//! One line of nginx's error log as values, borrowed from the line. Not here: what its message means (`phrases`).
//!
//! `2026/11/25 16:39:28 [error] 12#12: *7 MESSAGE while ACTION, client: 192.0.2.1, server: name, request: "GET / HTTP/1.1",
//! upstream: "http://127.0.0.1:1/", host: "example.org"`; docker and systemd put words in front of it.

use memchr::{memchr, memmem};

use crate::report::Moment;

/// The parts of a line; empty where the line has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ErrorLine<'a> {
    pub(crate) at: Option<Moment>,
    /// `error`, `crit`, `notice`, ….
    pub(crate) level: &'a [u8],
    /// The connection's number, after `*`.
    pub(crate) connection: &'a [u8],
    pub(crate) message: &'a [u8],
    /// What was going on, without `while `.
    pub(crate) action: &'a [u8],
    pub(crate) client: &'a [u8],
    pub(crate) server: &'a [u8],
    pub(crate) request: &'a [u8],
    pub(crate) upstream: &'a [u8],
    /// The cause and what was seen, where Tidegate wrote the line.
    pub(crate) failure: &'a [u8],
}

const STAMP: usize = "2026/11/25 16:39:28".len();
/// What log collectors put before a line is not longer than this.
const MAX_PREFIX: usize = 200;

impl<'a> ErrorLine<'a> {
    /// Reads a line; none if nginx did not write it.
    pub(crate) fn read(line: &'a [u8]) -> Option<Self> {
        let (at, rest) = stamp(line)?;
        let rest = rest.strip_prefix(b" [")?;
        let (level, rest) = split(rest, b"] ")?;
        let (process, rest) = split(rest, b": ")?;
        if process.is_empty() || !process.iter().all(|byte| byte.is_ascii_digit() || *byte == b'#') {
            return None;
        }
        let (connection, rest) = match rest.strip_prefix(b"*") {
            Some(rest) => split(rest, b" ")?,
            None => (&b""[..], rest),
        };
        let mut read = Self { at: Some(at), level, connection, ..Self::default() };
        let message = read.take_context(rest);
        (read.message, read.action) = split_action(message);
        Some(read)
    }

    /// Reads what stands behind the message, and gives the message.
    fn take_context(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let start = memmem::find(rest, b", client: ").or_else(|| memmem::find(rest, b", server: "));
        let Some(start) = start else { return rest };
        let mut context = &rest[start..];
        while let Some((name, value, behind)) = next_pair(context) {
            match name {
                b"client" => self.client = value,
                b"server" => self.server = value,
                b"request" => self.request = value,
                b"upstream" => self.upstream = value,
                b"failure" => self.failure = value,
                _ => {}
            }
            context = behind;
        }
        &rest[..start]
    }

    /// The endpoint's address in `upstream: "http://10.0.0.1:80/path"`; an upstream's name if none was picked.
    pub(crate) fn endpoint(&self) -> &'a [u8] {
        let Some(scheme) = memmem::find(self.upstream, b"://") else { return self.upstream };
        let rest = &self.upstream[scheme + 3..];
        let end = match rest.strip_prefix(b"unix:") {
            Some(path) => memchr(b':', path).map(|end| end + 5),
            None => memchr(b'/', rest),
        };
        &rest[..end.unwrap_or(rest.len())]
    }
}

/// The time at the start, or not far behind it.
fn stamp(line: &[u8]) -> Option<(Moment, &[u8])> {
    if let Some(at) = Moment::from_stamp(line).filter(|_| line.get(4) == Some(&b'/')) {
        return Some((at, &line[STAMP..]));
    }
    let head = &line[..line.len().min(MAX_PREFIX)];
    let level = memmem::find(head, b" [")?;
    let start = level.checked_sub(STAMP)?;
    Some((Moment::from_stamp(&line[start..]).filter(|_| line.get(start + 4) == Some(&b'/'))?, &line[level..]))
}

/// `, name: value` or `, name: "value"`, and what is behind it.
fn next_pair(context: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, value) = split(context.strip_prefix(b", ")?, b": ")?;
    match value.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = memmem::find(quoted, b"\", ").unwrap_or(quoted.strip_suffix(b"\"").unwrap_or(quoted).len());
            Some((name, &quoted[..end], quoted.get(end + 1..).unwrap_or_default()))
        }
        None => {
            let end = memmem::find(value, b", ").unwrap_or(value.len());
            Some((name, &value[..end], &value[end..]))
        }
    }
}

/// `MESSAGE while ACTION` taken apart.
pub(super) fn split_action(message: &[u8]) -> (&[u8], &[u8]) {
    match memmem::rfind(message, b" while ") {
        Some(at) => (&message[..at], &message[at + b" while ".len()..]),
        None => (message, b""),
    }
}

fn split<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "2026/11/25 16:39:28 [error] 12#13: *7 connect() failed (111: Connection refused) while connecting to \
                        upstream, client: 192.0.2.1, server: www, request: \"GET /a, b HTTP/1.1\", upstream: \
                        \"http://127.0.0.1:3000/a\", host: \"example.org\", referrer: \"http://x/\"";

    fn texts(line: &ErrorLine<'_>) -> Vec<String> {
        let parts = [line.level, line.connection, line.message, line.action, line.client, line.server, line.request];
        parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = ErrorLine::read(LINE.as_bytes()).unwrap();
        let expected = [
            "error",
            "7",
            "connect() failed (111: Connection refused)",
            "connecting to upstream",
            "192.0.2.1",
            "www",
            "GET /a, b HTTP/1.1",
        ];
        assert_eq!(texts(&line), expected);
        assert_eq!(line.endpoint(), b"127.0.0.1:3000");
        assert_eq!(line.at.unwrap().to_string(), "2026-11-25 16:39:28");
    }

    #[test]
    fn words_in_front_are_passed_over() {
        let line = format!("web-1  | {LINE}");
        assert_eq!(ErrorLine::read(line.as_bytes()).unwrap().client, b"192.0.2.1");
    }

    #[test]
    fn endpoints_are_addresses_paths_or_names() {
        let endpoint = |upstream: &'static str| {
            let line = ErrorLine { upstream: upstream.as_bytes(), ..ErrorLine::default() };
            String::from_utf8_lossy(line.endpoint()).into_owned()
        };
        assert_eq!(endpoint("fastcgi://unix:/run/php.sock:"), "unix:/run/php.sock");
        assert_eq!(endpoint("http://unix:/run/a.sock:/path"), "unix:/run/a.sock");
        assert_eq!(endpoint("http://[::1]:8000/x"), "[::1]:8000");
        assert_eq!(endpoint("http://backend/x"), "backend");
        assert_eq!(endpoint("grpc://10.0.0.1:50051"), "10.0.0.1:50051");
        assert_eq!(endpoint(""), "");
    }

    #[test]
    fn a_message_without_a_context_is_all_message() {
        let line = ErrorLine::read(b"2026/11/25 16:39:28 [notice] 1#1: signal process started").unwrap();
        assert_eq!((line.message, line.connection), (&b"signal process started"[..], &b""[..]));
    }

    #[test]
    fn lines_of_others_are_not_taken() {
        for line in ["", "x", "2026/11/25 16:39:28 message", "2026/11/25 16:39:28 [error] x: y", "[error] 1#1: x"] {
            assert_eq!(ErrorLine::read(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_and_any_byte_is_read_without_harm(cut in 0..LINE.len(), at in 0..LINE.len(), byte in any::<u8>()) {
            let mut line = LINE.as_bytes().to_vec();
            line[at] = byte;
            for part in [&line[..cut], &line[cut..], &line] {
                if let Some(read) = ErrorLine::read(part) {
                    read.endpoint();
                }
            }
        }
    }
}
