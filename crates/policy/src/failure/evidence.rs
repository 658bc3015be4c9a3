//! What was seen of one failure: the facts by which an operator believes the cause. Not here: what is the same for every
//! failure of a cause ([`super::Row`]).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::errno::errno_text;

/// The most bytes of a reply that are kept.
pub const MOST_SEEN: usize = 64;

/// The facts of one failure, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The error number of the call that failed.
    pub errno: Option<i32>,
    /// The TLS alert's number (RFC 8446 §6).
    pub alert: Option<u8>,
    /// As much of what is wrong as is worth showing.
    pub detail: Option<Cow<'static, str>>,
    /// The reply's first bytes, at most [`MOST_SEEN`].
    pub seen: Box<[u8]>,
    /// Bytes of the reply, or of its body once the head was read, until it went wrong.
    pub offset: Option<u64>,
    /// The head, if its size matters.
    pub head: Option<HeadSize>,
    /// The connection's history.
    pub connection: Option<History>,
    /// The timer that fired.
    pub timer: Option<Fired>,
    /// Where its time was set: `set in location, /etc/nginx/site.conf:14`; empty if that is not known.
    pub set_at: Box<str>,
    /// Another attempt was not made, since the budget of retries is spent.
    pub budget_spent: bool,
    /// What it has in common with failures before ([`crate::patterns`]).
    pub pattern: Option<Cow<'static, str>>,
    /// Attempts made by the exchange, the failed one included; 0 if that is not known.
    pub attempts: u32,
}

/// How large a head was, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadSize {
    /// Bytes received.
    pub size: u64,
    /// Bytes or fields allowed.
    pub limit: u64,
    /// The name of the largest field, and the bytes of its line.
    pub largest: Option<(Box<str>, u64)>,
}

/// A connection's history when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Since it was made.
    pub age: Duration,
    /// Requests that it had carried before.
    pub requests: u64,
    /// How long it idled before the request that failed; none on a fresh one.
    pub idled: Option<Duration>,
}

/// A timer that fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// The directive that sets it.
    pub directive: &'static str,
    /// After how long it fires.
    pub after: Duration,
}

impl Evidence {
    /// Keeps the start of what was received.
    pub fn saw(&mut self, bytes: &[u8]) {
        self.seen = bytes[..bytes.len().min(MOST_SEEN)].into();
    }
}

impl Evidence {
    /// The clause without what is said elsewhere already.
    pub(super) fn besides(&self, errno: bool, detail: bool) -> impl fmt::Display {
        Clause {
            evidence: self,
            errno: self.errno.filter(|_| !errno),
            detail: self.detail.as_ref().filter(|_| !detail),
        }
    }
}

/// One clause, such as `fresh connection, 30.0 s after connecting; proxy_read_timeout 60s`; nothing if nothing is known.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.besides(false, false).fmt(f)
    }
}

struct Clause<'a> {
    evidence: &'a Evidence,
    errno: Option<i32>,
    detail: Option<&'a Cow<'static, str>>,
}

impl fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = self.evidence;
        let mut list = List { f, any: false };
        if let Some(history) = &evidence.connection {
            list.item(format_args!("{history}"))?;
        }
        if let Some(Fired { directive, after }) = evidence.timer {
            let space = if evidence.set_at.is_empty() { "" } else { " " };
            list.item(format_args!("{directive} {}{space}{}", Span(after), evidence.set_at))?;
        }
        if let Some(errno) = self.errno {
            list.item(format_args!("errno {}", errno_text(errno)))?;
        }
        if let Some(alert) = evidence.alert {
            list.item(format_args!("TLS alert {alert}"))?;
        }
        if let Some(head) = &evidence.head {
            list.item(format_args!("{head}"))?;
        }
        if let Some(detail) = self.detail {
            list.item(format_args!("{detail}"))?;
        }
        if let Some(offset) = evidence.offset {
            list.item(format_args!("after {} bytes", Grouped(offset)))?;
        }
        if !evidence.seen.is_empty() {
            list.item(format_args!("it said '{}'", evidence.seen.escape_ascii()))?;
        }
        if evidence.attempts > 1 {
            list.item(format_args!("{} attempts", evidence.attempts))?;
        }
        if evidence.budget_spent {
            list.item(format_args!("no other attempt, since the budget of retries is spent"))?;
        }
        match &evidence.pattern {
            Some(pattern) => list.item(format_args!("{pattern}")),
            None => Ok(()),
        }
    }
}

/// Items with `; ` between them.
struct List<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    any: bool,
}

impl List<'_, '_> {
    fn item(&mut self, item: fmt::Arguments<'_>) -> fmt::Result {
        if std::mem::replace(&mut self.any, true) {
            self.f.write_str("; ")?;
        }
        self.f.write_fmt(item)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.idled {
            None => write!(f, "fresh connection, {} after connecting", Seconds(self.age)),
            Some(idled) => {
                let plural = if self.requests == 1 { "" } else { "s" };
                let (age, idled) = (Seconds(self.age), Seconds(idled));
                write!(f, "reused connection, idle for {idled}, {age} old, {} request{plural} before", self.requests)
            }
        }
    }
}

impl fmt::Display for HeadSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head of {} bytes or more, limit {}", Grouped(self.size), Grouped(self.limit))?;
        match &self.largest {
            Some((name, size)) => write!(f, ", largest field {name} with {}", Grouped(*size)),
            None => Ok(()),
        }
    }
}

/// `30.0 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

/// A span as configurations write it: `60s`, `1500ms`.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis % 1000 == 0 => write!(f, "{}s", millis / 1000),
            millis => write!(f, "{millis}ms"),
        }
    }
}

/// `9,412`.
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_timeout_names_the_connection_and_the_directive() {
        let connection = Some(History { age: 30 * SECOND, requests: 0, idled: None });
        let timer = Some(Fired { directive: "proxy_read_timeout", after: 60 * SECOND });
        let evidence = Evidence { connection, timer, ..Evidence::default() };
        assert_eq!(evidence.to_string(), "fresh connection, 30.0 s after connecting; proxy_read_timeout 60s");
        let set_at = "set in http, /etc/nginx/nginx.conf:7".into();
        let evidence = Evidence { timer, set_at, ..Evidence::default() };
        assert_eq!(evidence.to_string(), "proxy_read_timeout 60s set in http, /etc/nginx/nginx.conf:7");
    }

    #[test]
    fn a_reused_connection_tells_how_long_it_idled() {
        let history = History { age: 9 * SECOND, requests: 1, idled: Some(5 * SECOND) };
        assert_eq!(history.to_string(), "reused connection, idle for 5.0 s, 9.0 s old, 1 request before");
    }

    #[test]
    fn a_head_names_its_largest_field() {
        let head = HeadSize { size: 9412, limit: 4096, largest: Some(("Set-Cookie".into(), 8001)) };
        let said = "head of 9,412 bytes or more, limit 4,096, largest field Set-Cookie with 8,001";
        assert_eq!(head.to_string(), said);
    }

    #[test]
    fn bytes_are_bounded_and_shown_without_harm() {
        let mut evidence = Evidence::default();
        evidence.saw(&[b'\n'; 1000]);
        assert_eq!(evidence.seen.len(), MOST_SEEN);
        evidence.saw(b"\x15\x03\x01\"'");
        assert_eq!(evidence.to_string(), "it said '\\x15\\x03\\x01\\\"\\''");
    }

    #[test]
    fn nothing_known_is_nothing_said() {
        assert_eq!(Evidence::default().to_string(), "");
        assert_eq!(Evidence { attempts: 1, ..Evidence::default() }.to_string(), "");
    }

    #[test]
    fn numbers_are_grouped_and_spans_written_as_in_configurations() {
        assert_eq!([Grouped(7).to_string(), Grouped(1_234_567).to_string()], ["7", "1,234,567"]);
        assert_eq!([Span(SECOND).to_string(), Span(SECOND / 2).to_string()], ["1s", "500ms"]);
    }
}
