//! nginx's phrases and what each means (src/http/ngx_http_upstream.c and its neighbours). Not here: the lines around them.

mod table;

use std::borrow::Cow;

use memchr::memmem;
use policy::{Cause, Failure};

use crate::explain::openssl;
use crate::explain::reading::{Candidate, certainly};
use table::TABLE;

/// What a phrase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meant {
    pub(crate) candidates: &'static [Candidate],
    /// What no cause says; empty if they do.
    pub(crate) note: &'static str,
}

/// A phrase: how it starts, what else it holds, and what must be going on; empty where it does not matter.
struct Phrase {
    starts: &'static str,
    holds: &'static str,
    action: &'static str,
    meant: Meant,
}

impl Phrase {
    fn fits(&self, message: &[u8], action: &[u8]) -> bool {
        let holds = |text: &[u8], part: &str| part.is_empty() || memmem::find(text, part.as_bytes()).is_some();
        message.starts_with(self.starts.as_bytes()) && holds(message, self.holds) && holds(action, self.action)
    }
}

/// What `MESSAGE while ACTION` means; none if it tells of nothing that went wrong with a request.
pub(crate) fn meant(message: &[u8], action: &[u8]) -> Option<Meant> {
    if let Some(cause) = of_connect(message) {
        return Some(Meant { candidates: certainly(cause), note: "" });
    }
    // Of the client's handshake a whole line says `SSL handshaking`; words alone are mostly asked about for an upstream's.
    if message.starts_with(b"SSL_do_handshake() failed") && matches!(action, b"" | b"SSL handshaking to upstream") {
        let text = String::from_utf8_lossy(message);
        return Some(Meant { candidates: openssl::candidates(&text), note: "" });
    }
    TABLE.iter().find(|phrase| phrase.fits(message, action)).map(|phrase| phrase.meant)
}

/// `(99: Cannot assign requested address)`, `failed (111)`: an error number alone that only `connect()` gives.
pub(super) fn of_number(phrase: &str) -> Option<Cause> {
    let (_, after) = phrase.rsplit_once('(')?;
    let number = after.split([':', ')']).next()?.parse().ok()?;
    let cause = Failure::from_connect_errno(number, phrase.contains("unix:")).cause;
    let alone =
        !matches!(cause, Cause::ConnectFailed | Cause::ConnectReset | Cause::BacklogFull | Cause::ConnectTimeout);
    alone.then_some(cause)
}

/// `connect() failed (N: …` and `connect() to ADDRESS failed (N: …`: the number says it.
fn of_connect(message: &[u8]) -> Option<Cause> {
    let rest = message.strip_prefix(b"connect() ")?;
    let unix = rest.starts_with(b"to unix:");
    let after = &rest[memmem::find(rest, b"failed (")? + b"failed (".len()..];
    let digits: Cow<'_, str> = String::from_utf8_lossy(after.split(|byte| *byte == b':').next()?);
    Some(Failure::from_connect_errno(digits.parse().ok()?, unix).cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::reading::Likelihood;

    fn causes(message: &str, action: &str) -> Vec<Cause> {
        let meant = meant(message.as_bytes(), action.as_bytes()).unwrap_or_else(|| panic!("{message}"));
        meant.candidates.iter().map(|candidate| candidate.cause).collect()
    }

    #[test]
    fn what_connect_says_is_told_by_its_number() {
        let cases = [
            ("connect() failed (111: Connection refused)", Cause::ConnectRefused),
            ("connect() to unix:/run/a.sock failed (111: Connection refused)", Cause::UnixSocketRefused),
            ("connect() to unix:/run/a.sock failed (2: No such file or directory)", Cause::UnixSocketMissing),
            ("connect() to unix:/run/a.sock failed (11: Resource temporarily unavailable)", Cause::BacklogFull),
            ("connect() to unix:/run/a.sock failed (13: Permission denied)", Cause::UnixSocketForbidden),
            ("connect() to 127.0.0.1:8081 failed (13: Permission denied)", Cause::ConnectForbidden),
            ("connect() to 10.0.0.1:80 failed (99: Cannot assign requested address)", Cause::LocalPortsExhausted),
            ("connect() failed (113: No route to host)", Cause::HostUnreachable),
            ("connect() failed (110: Connection timed out)", Cause::ConnectTimeout),
        ];
        for (message, cause) in cases {
            assert_eq!(causes(message, "connecting to upstream"), [cause], "{message}");
        }
    }

    #[test]
    fn an_error_number_alone_is_enough_where_only_connecting_gives_it() {
        assert_eq!(of_number("(99: Cannot assign requested address)"), Some(Cause::LocalPortsExhausted));
        assert_eq!(of_number("upstream: \"http://[::1]:8000/\" failed (111)"), Some(Cause::ConnectRefused));
        for other in ["(104: Connection reset by peer)", "(7)", "f(x)", "no number"] {
            assert_eq!(of_number(other), None, "{other}");
        }
    }

    #[test]
    fn a_handshake_without_its_line_is_taken_for_the_upstreams() {
        let message = "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)";
        assert_eq!(causes(message, "")[0], Cause::TlsNotSpoken);
        assert!(meant(message.as_bytes(), b"SSL handshaking").unwrap().candidates.is_empty(), "the client's");
    }

    #[test]
    fn a_timeout_is_told_by_what_was_going_on() {
        let cause = |action| causes("upstream timed out (110: Connection timed out)", action)[0];
        assert_eq!(cause("connecting to upstream"), Cause::ConnectTimeout);
        assert_eq!(cause("SSL handshaking to upstream"), Cause::TlsTimeout);
        assert_eq!(cause("sending request to upstream"), Cause::WriteTimeout);
        assert_eq!(cause("reading response header from upstream"), Cause::ReplyTimeout);
        assert_eq!(cause("reading upstream"), Cause::BodyTimeout);
        assert_eq!(cause("proxying upgraded connection"), Cause::TunnelTimeout);
    }

    #[test]
    fn every_phrase_of_our_own_table_that_is_nginxs_is_understood() {
        // Phrases that only we write carry our code, by which they are known.
        for cause in Cause::ALL {
            let row = cause.row();
            let phrase = row.elsewhere.nginx;
            if phrase.contains('{') || meant(phrase.as_bytes(), row.treatment.phase.nginx_action().as_bytes()).is_none()
            {
                continue;
            }
            let found = causes(phrase, row.treatment.phase.nginx_action());
            assert!(!found.is_empty(), "{phrase}");
        }
    }

    #[test]
    fn no_row_is_hidden_by_one_before_it() {
        for (at, row) in TABLE.iter().enumerate() {
            let message = format!("{} {}", row.starts, row.holds);
            let first = TABLE.iter().position(|phrase| phrase.fits(message.as_bytes(), row.action.as_bytes()));
            assert_eq!(first, Some(at), "{message} while {}", row.action);
        }
    }

    #[test]
    fn what_is_certain_stands_alone_and_what_is_not_says_why() {
        for row in TABLE {
            for candidate in row.meant.candidates {
                let is_said = candidate.likelihood == Likelihood::Said;
                assert_eq!(is_said, candidate.why.is_empty(), "{}", row.starts);
                assert!(!is_said || row.meant.candidates.len() == 1, "{}", row.starts);
            }
            let order: Vec<_> = row.meant.candidates.iter().map(|candidate| candidate.likelihood).collect();
            assert!(order.is_sorted(), "{}", row.starts);
        }
    }
}
