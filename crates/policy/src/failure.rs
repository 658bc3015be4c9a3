//! Every way in which an exchange can fail, as one value; what is said of it and done about it are functions of it.
//!
//! A [`Cause`] says why; its [`Row`] says everything that is the same for each failure of that cause; [`Evidence`] holds what
//! was seen of this one.
//! Not here: how a failure is noticed, and how any answer or log line looks.

use std::borrow::Cow;

use http::StatusCode;

use crate::retry::Condition;

mod cause;
mod causes;
mod errno;
mod evidence;
pub mod first_bytes;
pub mod proxy_status;
pub mod repeats;
mod row;
mod words;

pub use cause::Cause;
pub use errno::errno_text;
pub(crate) use evidence::Seconds;
pub use evidence::{Evidence, Fired, HeadSize, History, MOST_SEEN};
pub use row::{Code, Elsewhere, Row, Treatment};
pub use words::{Blame, Delivery, Level, Phase, Replay};

/// A failure of an exchange or of one of its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// What was being done.
    pub phase: Phase,
    evidence: Box<Evidence>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self::new(cause)
    }
}

/// How a failure comes about.
impl Failure {
    /// A failure of which nothing but the cause is known.
    pub fn new(cause: Cause) -> Self {
        Self { cause, phase: cause.row().treatment.phase, evidence: Box::default() }
    }

    /// What an error of `connect()` means, to a unix socket or to an address.
    pub fn from_connect_errno(errno: i32, unix: bool) -> Self {
        let cause = match errno {
            errno::ECONNREFUSED if unix => Cause::UnixSocketRefused,
            errno::ECONNREFUSED => Cause::ConnectRefused,
            errno::ENOENT => Cause::UnixSocketMissing,
            errno::EAGAIN => Cause::BacklogFull,
            errno::ECONNRESET => Cause::ConnectReset,
            errno::EHOSTUNREACH | errno::EHOSTDOWN => Cause::HostUnreachable,
            errno::ENETUNREACH | errno::ENETDOWN => Cause::NetworkUnreachable,
            errno::EACCES | errno::EPERM if unix => Cause::UnixSocketForbidden,
            errno::EACCES | errno::EPERM => Cause::ConnectForbidden,
            errno::EADDRNOTAVAIL => Cause::LocalPortsExhausted,
            errno::EMFILE | errno::ENFILE => Cause::DescriptorsExhausted,
            errno::ENOBUFS | errno::ENOMEM => Cause::MemoryExhausted,
            errno::ETIMEDOUT => Cause::ConnectTimeout,
            _ => Cause::ConnectFailed,
        };
        Self::new(cause).errno(Some(errno))
    }

    /// What an error of `bind()` to an address of `proxy_bind` means.
    pub fn from_bind_errno(errno: i32, address: String) -> Self {
        let cause = match errno {
            errno::EADDRNOTAVAIL => Cause::LocalAddressMissing,
            errno::EADDRINUSE => Cause::LocalPortsExhausted,
            other => return Self::from_connect_errno(other, false),
        };
        Self::new(cause).errno(Some(errno)).detail(address)
    }

    /// What the end of a connection means: an error of a read or write, or (without errno) an orderly end. A connection is
    /// `stale` if it had served another request before, and said nothing to this one.
    pub fn from_io(phase: Phase, errno: Option<i32>, stale: bool) -> Self {
        let cause = match (phase, errno) {
            (_, Some(errno::ETIMEDOUT)) => Cause::SilentPath,
            (Phase::Send | Phase::AwaitHead, _) if stale => Cause::StaleConnection,
            (Phase::Send, _) => Cause::WriteFailed,
            (Phase::Tls, _) => Cause::TlsClosed,
            (Phase::Body, None) => Cause::BodyTruncated,
            (Phase::Body, Some(_)) => Cause::BodyReset,
            (Phase::Tunnel, _) => Cause::TunnelReset,
            (_, None) => Cause::ClosedBeforeReply,
            (_, Some(_)) => Cause::ResetBeforeReply,
        };
        Self::new(cause).at(phase).errno(errno)
    }

    /// A timer of the gateway fired.
    pub fn timed_out(phase: Phase) -> Self {
        let cause = match phase {
            Phase::Request => Cause::ClientTimeout,
            Phase::Route => Cause::DeadlineExceeded,
            Phase::Resolve => Cause::DnsTimeout,
            Phase::Select => Cause::QueueTimeout,
            Phase::Connect => Cause::ConnectTimeout,
            Phase::Tls => Cause::TlsTimeout,
            Phase::Send => Cause::WriteTimeout,
            Phase::AwaitHead => Cause::ReplyTimeout,
            Phase::Body => Cause::BodyTimeout,
            Phase::Tunnel => Cause::TunnelTimeout,
            Phase::Deliver => Cause::ClientStalled,
        };
        Self::new(cause)
    }

    /// The same in another phase than its cause has mostly.
    pub fn at(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// With the error number of the call that said so.
    pub fn errno(mut self, errno: Option<i32>) -> Self {
        self.evidence.errno = errno;
        self
    }

    /// With as much of what is wrong as is worth showing.
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.evidence.detail = Some(detail.into());
        self
    }

    /// With what was seen.
    pub fn with(mut self, note: impl FnOnce(&mut Evidence)) -> Self {
        note(&mut self.evidence);
        self
    }
}

/// What follows from it.
impl Failure {
    /// What is the same for each failure of its cause.
    pub fn row(&self) -> &'static Row {
        self.cause.row()
    }

    /// What was seen.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The status for the client, in nginx's dialect: no live endpoint is 502, as there.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.row().treatment.status).unwrap_or(StatusCode::BAD_GATEWAY)
    }

    /// After how many seconds it may be worth to ask again; nothing where that is not for this status to say (RFC 9110
    /// §10.2.3). Its own, not the configuration's, and no promise: a restart takes about so long.
    pub fn retry_after(&self) -> Option<u32> {
        match (self.row().treatment.status, self.cause) {
            (_, Cause::LocalResponse) => None,
            (503, Cause::ClientLimited | Cause::ShutDown) => Some(1),
            (503, _) => Some(5),
            _ => None,
        }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        self.row().treatment.blame
    }

    /// What the endpoint may have done with the request.
    pub fn delivery(&self) -> Delivery {
        self.row().treatment.delivery
    }

    /// The case of `proxy_next_upstream` that lets another endpoint be asked.
    pub fn condition(&self) -> Option<Condition> {
        self.row().treatment.condition
    }

    /// How grave nginx holds it.
    pub fn level(&self) -> Level {
        self.row().treatment.level
    }

    /// nginx's words for it in the error log, before ` while …`.
    pub fn nginx_phrase(&self) -> Cow<'static, str> {
        let phrase = self.row().elsewhere.nginx;
        match self.evidence.errno {
            Some(errno) if phrase == row::CLOSED => {
                let call = if self.phase == Phase::Send { "writev" } else { "recv" };
                format!("{call}() failed ({})", errno_text(errno)).into()
            }
            _ if phrase.contains('{') => self.fill(phrase).into(),
            _ => phrase.into(),
        }
    }

    /// Code, cause and what was seen, as far as nginx's phrase does not say it: `TG-5005 reply_timeout; fresh connection, …`.
    pub fn summary(&self) -> String {
        let row = self.row();
        let mut summary = format!("{} {}", row.code, row.name);
        let phrase = row.elsewhere.nginx;
        let says_errno = phrase.contains("{errno}") || phrase == row::CLOSED;
        let clause = self.evidence.besides(says_errno, phrase.contains("{detail}")).to_string();
        if !clause.is_empty() {
            summary.push_str("; ");
            summary.push_str(&clause);
        }
        summary
    }

    /// What happened and what to change, as one text.
    pub fn advice(&self) -> String {
        format!("{} {}", self.row().happened, self.row().advice)
    }

    fn fill(&self, phrase: &str) -> String {
        let errno = self.evidence.errno.map_or_else(|| "unknown".to_owned(), errno_text);
        // What was seen comes last, so that nothing in it is taken for a place to fill.
        phrase.replace("{errno}", &errno).replace("{detail}", self.evidence.detail.as_deref().unwrap_or_default())
    }

    /// [`Failure::nginx_phrase`] of an attempt at `endpoint`. What `connect()` says at once, nginx tells with the address.
    pub fn nginx_phrase_at(&self, endpoint: &str) -> Cow<'static, str> {
        let phrase = self.nginx_phrase();
        let at_once = self.evidence.errno.is_some_and(|errno| !errno::comes_later(errno));
        match phrase.strip_prefix("connect() failed") {
            Some(why) if at_once || endpoint.starts_with("unix:") => {
                format!("connect() to {endpoint} failed{why}").into()
            }
            _ => phrase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_errors_are_told_apart_by_what_helps() {
        let cause = |errno, unix| Failure::from_connect_errno(errno, unix).cause;
        assert_eq!(cause(111, false), Cause::ConnectRefused);
        assert_eq!(cause(111, true), Cause::UnixSocketRefused);
        assert_eq!(cause(113, false), Cause::HostUnreachable);
        assert_eq!(cause(13, false), Cause::ConnectForbidden);
        assert_eq!(cause(13, true), Cause::UnixSocketForbidden);
        assert_eq!(cause(99, false), Cause::LocalPortsExhausted);
        assert_eq!(cause(110, false), Cause::ConnectTimeout);
        assert_eq!(cause(22, false), Cause::ConnectFailed);
        assert_eq!(Failure::from_bind_errno(99, "192.0.2.7:0".into()).cause, Cause::LocalAddressMissing);
    }

    #[test]
    fn phrases_are_those_that_log_tools_know() {
        let phrase = |failure: Failure| failure.nginx_phrase().into_owned();
        assert_eq!(phrase(Failure::from_connect_errno(111, false)), "connect() failed (111: Connection refused)");
        assert_eq!(phrase(Failure::from_io(Phase::AwaitHead, None, false)), "upstream prematurely closed connection");
        for stale in [true, false] {
            let reset = Failure::from_io(Phase::AwaitHead, Some(104), stale);
            assert_eq!(phrase(reset), "recv() failed (104: Connection reset by peer)");
            let broken = Failure::from_io(Phase::Send, Some(32), stale);
            assert_eq!(phrase(broken), "writev() failed (32: Broken pipe)");
        }
        let field = Failure::new(Cause::MalformedField).detail("a{errno}");
        assert_eq!(phrase(field), "upstream sent invalid header: \"a{errno}\"");
    }

    #[test]
    fn what_connect_says_at_once_is_told_with_the_address() {
        let phrase = |errno, endpoint: &str| {
            let failure = Failure::from_connect_errno(errno, endpoint.starts_with("unix:"));
            failure.nginx_phrase_at(endpoint).into_owned()
        };
        assert_eq!(phrase(111, "127.0.0.1:1"), "connect() failed (111: Connection refused)");
        assert_eq!(phrase(111, "unix:/s"), "connect() to unix:/s failed (111: Connection refused)");
        assert_eq!(phrase(101, "192.0.2.1:1"), "connect() to 192.0.2.1:1 failed (101: Network is unreachable)");
        assert_eq!(phrase(24, "192.0.2.1:1"), "socket() failed (24: Too many open files)");
    }

    #[test]
    fn only_what_happened_before_sending_counts_as_never_sent() {
        assert_eq!(Failure::from_connect_errno(111, false).delivery(), Delivery::NeverSent);
        assert_eq!(Failure::timed_out(Phase::AwaitHead).delivery(), Delivery::MaybeProcessed);
        assert_eq!(Failure::new(Cause::NotHttp).delivery(), Delivery::Answered);
    }

    #[test]
    fn a_summary_adds_what_the_phrase_does_not_say() {
        let refused = Failure::from_connect_errno(111, false);
        assert_eq!(refused.summary(), "TG-2001 connect_refused");
        let field = Failure::new(Cause::MalformedField).detail("X").with(|evidence| evidence.attempts = 2);
        assert_eq!(field.summary(), "TG-6102 malformed_field; 2 attempts");
        let chunk = Failure::new(Cause::BadChunk).detail("invalid chunk size");
        assert_eq!(chunk.summary(), "TG-7003 bad_chunk; invalid chunk size");
    }

    #[test]
    fn when_to_ask_again_is_said_where_it_is_load_or_a_restart() {
        assert_eq!(Failure::new(Cause::HoldTimeout).retry_after(), Some(5));
        assert_eq!(Failure::new(Cause::ConnectRefused).retry_after(), None);
        assert_eq!(Failure::new(Cause::LocalResponse).retry_after(), None);
    }

    #[test]
    fn a_connection_that_ends_is_stale_fresh_or_silent() {
        let cause = |phase, errno, stale| Failure::from_io(phase, errno, stale).cause;
        assert_eq!(cause(Phase::AwaitHead, None, true), Cause::StaleConnection);
        assert_eq!(cause(Phase::Send, Some(104), true), Cause::StaleConnection);
        assert_eq!(cause(Phase::AwaitHead, Some(104), false), Cause::ResetBeforeReply);
        assert_eq!(cause(Phase::AwaitHead, Some(110), true), Cause::SilentPath);
        assert_eq!(cause(Phase::Body, None, true), Cause::BodyTruncated);
    }

    #[test]
    fn a_timer_of_any_phase_has_a_cause_of_that_phase() {
        for phase in Phase::ALL.into_iter().filter(|phase| *phase != Phase::Route) {
            assert_eq!(Failure::timed_out(phase).phase, phase);
        }
    }
}
