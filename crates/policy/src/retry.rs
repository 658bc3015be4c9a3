//! Whether an exchange makes another attempt: `proxy_next_upstream` and what safety adds to it.
//! Not here: which endpoint comes next ([`crate::upstream`]).

use std::time::Duration;

use http::Method;

use crate::failure::{Blame, Cause, Failure, Replay};
use crate::upstream::Outcome;

/// A case of `proxy_next_upstream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is nginx's word")]
pub enum Condition {
    Error,
    Timeout,
    InvalidHeader,
    Http500,
    Http502,
    Http503,
    Http504,
    Http403,
    Http404,
    Http429,
    NonIdempotent,
}

impl Condition {
    /// Every case with the word that is written for it.
    pub const ALL: [(Condition, &'static str); 11] = [
        (Condition::Error, "error"),
        (Condition::Timeout, "timeout"),
        (Condition::InvalidHeader, "invalid_header"),
        (Condition::Http500, "http_500"),
        (Condition::Http502, "http_502"),
        (Condition::Http503, "http_503"),
        (Condition::Http504, "http_504"),
        (Condition::Http403, "http_403"),
        (Condition::Http404, "http_404"),
        (Condition::Http429, "http_429"),
        (Condition::NonIdempotent, "non_idempotent"),
    ];

    fn of_status(status: u16) -> Option<Self> {
        Some(match status {
            500 => Condition::Http500,
            502 => Condition::Http502,
            503 => Condition::Http503,
            504 => Condition::Http504,
            403 => Condition::Http403,
            404 => Condition::Http404,
            429 => Condition::Http429,
            _ => return None,
        })
    }
}

/// A set of cases; empty is `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions(u16);

impl Conditions {
    /// `off`.
    pub const OFF: Self = Self(0);

    /// Adds a case.
    pub fn insert(&mut self, condition: Condition) {
        self.0 |= 1 << condition as u8;
    }

    /// Whether the case is in the set.
    pub fn contains(self, condition: Condition) -> bool {
        self.0 >> condition as u8 & 1 == 1
    }
}

impl Default for Conditions {
    /// nginx's `error timeout`.
    fn default() -> Self {
        let mut conditions = Self::OFF;
        conditions.insert(Condition::Error);
        conditions.insert(Condition::Timeout);
        conditions
    }
}

/// `proxy_next_upstream`, `_tries` and `_timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetrySettings {
    /// When the next endpoint is asked.
    pub conditions: Conditions,
    /// The most attempts; 0 for as many as there are endpoints.
    pub tries: u32,
    /// The time in which another attempt may begin; zero for any.
    pub timeout: Duration,
}

/// What an attempt met with.
#[derive(Debug, Clone, Copy)]
pub enum Met<'a> {
    /// A failure before anything was delivered.
    Failure(&'a Failure),
    /// A head with this status.
    Status(u16),
}

impl Met<'_> {
    fn condition(self) -> Option<Condition> {
        match self {
            Met::Failure(failure) => failure.condition(),
            Met::Status(status) => Condition::of_status(status),
        }
    }

    /// Which requests may be repeated: a status is an answer, so the request was acted upon.
    fn replay(self) -> Replay {
        match self {
            Met::Failure(failure) => failure.row().treatment.replay,
            Met::Status(_) => Replay::Idempotent,
        }
    }
}

/// What a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What the attempt met with.
    pub met: Met<'a>,
    /// Sending the request twice is the same as sending it once.
    pub idempotent: bool,
    /// Bytes of the request were given to the kernel.
    pub sent: bool,
    /// The whole request can be sent again.
    pub replayable: bool,
    /// Attempts that may be made, the one that ended included.
    pub tries_left: u32,
    /// All may be asked once more after a pause, if they got the request and did not answer it.
    pub another_round: bool,
    /// Since the first attempt began.
    pub elapsed: Duration,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Another endpoint is asked; it costs a try.
    Next,
    /// The connection was stale, which says nothing of its endpoint: ask on another connection, at no cost.
    Again,
    /// Whoever was asked already is asked again after a pause: what has just died may be there again soon.
    Later,
    /// What was met is what the client gets.
    GiveUp,
}

/// Decides. A request that is not idempotent is never sent again once an application may have seen any of it, unless
/// `non_idempotent` says so.
pub fn decide(settings: &RetrySettings, situation: &Situation<'_>) -> Decision {
    let conditions = settings.conditions;
    let Some(condition) = situation.met.condition() else {
        return Decision::GiveUp;
    };
    let repeatable = match situation.met.replay() {
        Replay::Any => true,
        Replay::Idempotent => !situation.sent || situation.idempotent || conditions.contains(Condition::NonIdempotent),
        Replay::Never => false,
    };
    let in_time = settings.timeout.is_zero() || situation.elapsed < settings.timeout;
    if !conditions.contains(condition) || !repeatable || !situation.replayable || !in_time {
        return Decision::GiveUp;
    }
    if is_stale(situation.met) {
        return Decision::Again;
    }
    match situation.met {
        _ if situation.tries_left > 1 => Decision::Next,
        // An answer is better than none, and whoever waited for a timeout has waited enough.
        Met::Failure(_) if situation.another_round && condition != Condition::Timeout => Decision::Later,
        _ => Decision::GiveUp,
    }
}

/// How often all endpoints are asked once more after a pause.
pub const MORE_ROUNDS: u32 = 2;

/// Whether a failure is that of an idle connection which the endpoint closed meanwhile: it costs no try and no mark.
pub fn is_stale(met: Met<'_>) -> bool {
    matches!(met, Met::Failure(failure) if failure.cause == Cause::StaleConnection)
}

/// A `408` that ends a connection which was used before: the endpoint's patience with the idle connection ended as the request
/// came, and says that it did not get it (RFC 9110 §15.5.9). It is the announced form of a close: a stale connection.
///
/// Whether the request may be sent again is [`decide`]'s to say. An application that answers so to what it has read looks the
/// same, so that what is not idempotent needs proof, here too, that nothing of it was read.
pub fn idle_timeout(status: u16, reused: bool, persistent: bool) -> Option<Failure> {
    (status == 408 && reused && !persistent).then(|| Failure::new(Cause::StaleConnection).detail("it answered 408"))
}

/// What an attempt says of its endpoint. Statuses count only where they are cases; 403 and 404 never do, nor what is our own
/// fault, nor a stale connection.
pub fn outcome(settings: &RetrySettings, met: Met<'_>) -> Outcome {
    match (met, met.condition()) {
        (Met::Failure(failure), _) if failure.blame() != Blame::Endpoint => Outcome::Neutral,
        (Met::Failure(_), _) if is_stale(met) => Outcome::Neutral,
        (Met::Failure(_), _) => Outcome::Failure,
        (_, None | Some(Condition::Http403 | Condition::Http404)) => Outcome::Success,
        (_, Some(condition)) if settings.conditions.contains(condition) => Outcome::Failure,
        _ => Outcome::Success,
    }
}

/// Methods whose repetition changes nothing: RFC 9110 §9.2.2, WebDAV's (RFC 4918, RFC 3253, RFC 5323) and QUERY.
///
/// Methods that nobody knows count as not idempotent.
pub fn is_idempotent(method: &Method) -> bool {
    const KNOWN: [&str; 15] = [
        "GET",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "PUT",
        "DELETE",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "QUERY",
    ];
    KNOWN.contains(&method.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Phase;

    fn situation(met: Met<'_>) -> Situation<'_> {
        Situation {
            met,
            idempotent: true,
            sent: true,
            replayable: true,
            tries_left: 2,
            another_round: false,
            elapsed: Duration::ZERO,
        }
    }

    fn with(conditions: &[Condition]) -> RetrySettings {
        let mut settings = RetrySettings { conditions: Conditions::OFF, ..RetrySettings::default() };
        conditions.iter().for_each(|condition| settings.conditions.insert(*condition));
        settings
    }

    #[test]
    fn all_are_asked_again_after_a_pause_only_where_a_request_broke_off() {
        let (closed, late) = (Failure::new(Cause::ClosedBeforeReply), Failure::timed_out(Phase::AwaitHead));
        let last = |met| Situation { tries_left: 1, another_round: true, ..situation(met) };
        let settings = with(&[Condition::Error, Condition::Timeout, Condition::Http503]);
        assert_eq!(decide(&settings, &last(Met::Failure(&closed))), Decision::Later);
        assert_eq!(decide(&settings, &last(Met::Failure(&late))), Decision::GiveUp);
        assert_eq!(decide(&settings, &last(Met::Status(503))), Decision::GiveUp);
        let next = Situation { tries_left: 2, ..last(Met::Failure(&closed)) };
        assert_eq!(decide(&settings, &next), Decision::Next, "who was not asked yet is asked without a pause");
        let post = Situation { idempotent: false, ..last(Met::Failure(&closed)) };
        assert_eq!(decide(&settings, &post), Decision::GiveUp);
    }

    #[test]
    fn errors_go_to_the_next_endpoint_while_tries_are_left() {
        let (settings, refused) = (RetrySettings::default(), Failure::new(Cause::ConnectRefused));
        assert_eq!(decide(&settings, &situation(Met::Failure(&refused))), Decision::Next);
        let last = Situation { tries_left: 1, ..situation(Met::Failure(&refused)) };
        assert_eq!(decide(&settings, &last), Decision::GiveUp);
    }

    #[test]
    fn a_request_that_is_not_idempotent_is_repeated_only_if_nothing_was_sent_or_it_is_allowed() {
        let closed = Failure::from_io(Phase::AwaitHead, None, false);
        let sent = Situation { idempotent: false, ..situation(Met::Failure(&closed)) };
        let unsent = Situation { sent: false, ..sent };
        assert_eq!(decide(&RetrySettings::default(), &sent), Decision::GiveUp);
        assert_eq!(decide(&RetrySettings::default(), &unsent), Decision::Next);
        assert_eq!(decide(&with(&[Condition::Error, Condition::NonIdempotent]), &sent), Decision::Next);
    }

    #[test]
    fn a_stale_connection_costs_no_try_and_no_mark_but_never_repeats_what_is_not_idempotent() {
        let closed = Failure::from_io(Phase::AwaitHead, None, true);
        let stale = Situation { tries_left: 1, ..situation(Met::Failure(&closed)) };
        assert_eq!(decide(&RetrySettings::default(), &stale), Decision::Again);
        assert_eq!(outcome(&RetrySettings::default(), stale.met), Outcome::Neutral);
        let silent = Failure::timed_out(Phase::AwaitHead);
        assert!(!is_stale(Met::Failure(&silent)), "a connection that is open is not stale");
        let post = Situation { idempotent: false, ..stale };
        assert_eq!(decide(&RetrySettings::default(), &post), Decision::GiveUp);
    }

    #[test]
    fn a_408_that_ends_a_reused_connection_is_its_idle_timeout() {
        for (status, reused, persistent, is) in
            [(408, true, false, true), (408, false, false, false), (408, true, true, false), (503, true, false, false)]
        {
            assert_eq!(idle_timeout(status, reused, persistent).is_some(), is, "{status} {reused} {persistent}");
        }
        let late = idle_timeout(408, true, false).unwrap();
        let settings = RetrySettings::default();
        let get = Situation { tries_left: 1, ..situation(Met::Failure(&late)) };
        assert_eq!(decide(&settings, &get), Decision::Again);
        let post = Situation { idempotent: false, ..get };
        assert_eq!(decide(&settings, &post), Decision::GiveUp, "it may have been read");
        assert_eq!(decide(&settings, &Situation { sent: false, ..post }), Decision::Again, "nothing of it arrived");
    }

    #[test]
    fn statuses_are_repeated_and_counted_only_where_they_are_cases() {
        let met = Met::Status(503);
        assert_eq!(decide(&RetrySettings::default(), &situation(met)), Decision::GiveUp);
        assert_eq!(outcome(&RetrySettings::default(), met), Outcome::Success);
        assert_eq!(decide(&with(&[Condition::Http503]), &situation(met)), Decision::Next);
        assert_eq!(outcome(&with(&[Condition::Http503]), met), Outcome::Failure);
        assert_eq!(outcome(&with(&[Condition::Http404]), Met::Status(404)), Outcome::Success);
    }

    #[test]
    fn nothing_is_repeated_when_off_too_late_or_not_replayable() {
        let refused = Failure::new(Cause::ConnectRefused);
        let met = Met::Failure(&refused);
        assert_eq!(decide(&with(&[]), &situation(met)), Decision::GiveUp);
        let settings = RetrySettings { timeout: Duration::from_secs(1), ..RetrySettings::default() };
        let late = Situation { elapsed: Duration::from_secs(1), ..situation(met) };
        assert_eq!(decide(&settings, &late), Decision::GiveUp);
        let streamed = Situation { replayable: false, ..situation(met) };
        assert_eq!(decide(&settings, &streamed), Decision::GiveUp);
    }

    #[test]
    fn our_own_faults_are_not_blamed_on_the_endpoint() {
        let ports = Failure::new(Cause::LocalPortsExhausted);
        assert_eq!(outcome(&RetrySettings::default(), Met::Failure(&ports)), Outcome::Neutral);
    }

    #[test]
    fn what_no_application_saw_is_repeated_whatever_it_is() {
        let refused = Failure::new(Cause::H2StreamRefused);
        let post = Situation { idempotent: false, ..situation(Met::Failure(&refused)) };
        assert_eq!(decide(&RetrySettings::default(), &post), Decision::Next);
    }

    #[test]
    fn unknown_methods_count_as_not_idempotent() {
        assert!(is_idempotent(&Method::PUT));
        for method in [Method::POST, Method::PATCH, Method::from_bytes(b"LOCK").unwrap(), Method::CONNECT] {
            assert!(!is_idempotent(&method), "{method}");
        }
    }
}
