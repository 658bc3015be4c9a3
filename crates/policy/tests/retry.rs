//! Every decision about another attempt, as a table: what was met, whether repeating is safe, what is left.
//! Not here: which endpoint comes next.

use std::borrow::Cow;
use std::time::Duration;

use http::Method;
use policy::retry::{Decision, Met, Situation, decide, is_idempotent, outcome};
use policy::{Condition, Conditions, Failure, Outcome, Phase, RetrySettings};

use Decision::{Again, GiveUp, Next};

const fn terminated(phase: Phase, reused: bool) -> Failure {
    Failure::ConnectionTerminated { phase, errno: Some(104), reused }
}

/// Every failure, and the case of `proxy_next_upstream` that it is.
fn failures() -> Vec<(Failure, Option<Condition>)> {
    use Condition::{Error, InvalidHeader, Timeout};
    vec![
        (Failure::DestinationUnavailable, None),
        (Failure::DnsError, Some(Error)),
        (Failure::ConnectionRefused(111), Some(Error)),
        (Failure::DestinationIpUnroutable(113), Some(Error)),
        (Failure::DestinationIpProhibited(13), Some(Error)),
        (Failure::ConnectionLimitReached(99), Some(Error)),
        (Failure::ConnectFailed(22), Some(Error)),
        (Failure::Timeout(Phase::Resolve), Some(Timeout)),
        (Failure::Timeout(Phase::Connect), Some(Timeout)),
        (Failure::Timeout(Phase::Tls), Some(Timeout)),
        (Failure::Timeout(Phase::Send), Some(Timeout)),
        (Failure::Timeout(Phase::AwaitHead), Some(Timeout)),
        (terminated(Phase::Tls, false), Some(Error)),
        (terminated(Phase::Send, false), Some(Error)),
        (terminated(Phase::AwaitHead, false), Some(Error)),
        (terminated(Phase::Body, false), Some(Condition::Error)),
        (terminated(Phase::Tunnel, false), None),
        (Failure::HttpProtocolError, Some(InvalidHeader)),
        (Failure::HttpResponseHeader("X".into()), Some(InvalidHeader)),
        (Failure::HttpResponseFraming(Cow::Borrowed("x")), Some(InvalidHeader)),
        (Failure::HttpResponseHeaderSectionSize, Some(InvalidHeader)),
        (Failure::HttpResponseTransferCoding, None),
        (Failure::HttpUpgradeFailed, Some(InvalidHeader)),
        (Failure::ProxyInternalError, None),
    ]
}

/// Every status that is a case, and some that are none.
const STATUSES: [(u16, Option<Condition>); 14] = [
    (200, None),
    (204, None),
    (301, None),
    (400, None),
    (401, None),
    (403, Some(Condition::Http403)),
    (404, Some(Condition::Http404)),
    (429, Some(Condition::Http429)),
    (500, Some(Condition::Http500)),
    (501, None),
    (502, Some(Condition::Http502)),
    (503, Some(Condition::Http503)),
    (504, Some(Condition::Http504)),
    (599, None),
];

fn with(conditions: impl IntoIterator<Item = Condition>) -> RetrySettings {
    let mut settings = RetrySettings { conditions: Conditions::OFF, ..RetrySettings::default() };
    conditions.into_iter().for_each(|condition| settings.conditions.insert(condition));
    settings
}

fn every_condition_but(left_out: &[Condition]) -> RetrySettings {
    with(Condition::ALL.iter().map(|(condition, _)| *condition).filter(|condition| !left_out.contains(condition)))
}

fn situation(met: Met<'_>) -> Situation<'_> {
    Situation {
        met,
        idempotent: true,
        sent: true,
        replayable: true,
        reused: false,
        tries_left: 2,
        elapsed: Duration::ZERO,
    }
}

/// Every combination for a failure of a connection with `error` listed: with tries left, and without.
///
/// What may never be: `Next` or `Again` where something that is not idempotent was sent, or where it cannot be sent again.
#[rustfmt::skip]
const TABLE: [([bool; 4], Decision, Decision); 16] = [
    // idempotent, sent, replayable, reused    two tries   the last
    ([true,  true,  true,  true ],             Again,      Again),
    ([true,  true,  true,  false],             Next,       GiveUp),
    ([true,  true,  false, true ],             GiveUp,     GiveUp),
    ([true,  true,  false, false],             GiveUp,     GiveUp),
    ([true,  false, true,  true ],             Again,      Again),
    ([true,  false, true,  false],             Next,       GiveUp),
    ([true,  false, false, true ],             GiveUp,     GiveUp),
    ([true,  false, false, false],             GiveUp,     GiveUp),
    ([false, true,  true,  true ],             GiveUp,     GiveUp),
    ([false, true,  true,  false],             GiveUp,     GiveUp),
    ([false, true,  false, true ],             GiveUp,     GiveUp),
    ([false, true,  false, false],             GiveUp,     GiveUp),
    ([false, false, true,  true ],             Again,      Again),
    ([false, false, true,  false],             Next,       GiveUp),
    ([false, false, false, true ],             GiveUp,     GiveUp),
    ([false, false, false, false],             GiveUp,     GiveUp),
];

/// The rows of the table as situations, each with what is decided while tries are left and at the last one.
fn rows(met: Met<'_>) -> impl Iterator<Item = (Situation<'_>, Decision)> {
    TABLE.iter().flat_map(move |([idempotent, sent, replayable, reused], more, last)| {
        [(2, *more), (1, *last)].map(|(tries_left, decision)| {
            let facts = Situation {
                idempotent: *idempotent,
                sent: *sent,
                replayable: *replayable,
                reused: *reused,
                tries_left,
                ..situation(met)
            };
            (facts, decision)
        })
    })
}

/// Only errors of a connection before a head can be those of a stale one: whatever else happens on a cached connection
/// costs its try.
fn expected(condition: Condition, facts: &Situation<'_>, in_table: Decision) -> Decision {
    let in_body = matches!(facts.met, Met::Failure(failure) if failure.phase() == Phase::Body);
    match in_table {
        Again if condition == Condition::Error && !in_body => Again,
        Again if facts.tries_left > 1 => Next,
        Again => GiveUp,
        decision => decision,
    }
}

#[test]
fn a_failure_is_decided_by_the_table_where_its_case_is_listed() {
    for (failure, case) in failures() {
        for (facts, in_table) in rows(Met::Failure(&failure)) {
            let Some(case) = case else {
                assert_eq!(decide(&every_condition_but(&[]), &facts), GiveUp, "{failure:?} {facts:?}");
                continue;
            };
            assert_eq!(decide(&with([case]), &facts), expected(case, &facts, in_table), "{failure:?} {facts:?}");
            assert_eq!(decide(&every_condition_but(&[case]), &facts), GiveUp, "{failure:?} {facts:?}");
        }
    }
}

#[test]
fn a_status_is_decided_by_the_table_where_its_case_is_listed() {
    for (status, case) in STATUSES {
        for (facts, in_table) in rows(Met::Status(status)) {
            let Some(case) = case else {
                assert_eq!(decide(&every_condition_but(&[]), &facts), GiveUp, "{facts:?}");
                continue;
            };
            assert_eq!(decide(&with([case]), &facts), expected(case, &facts, in_table), "{facts:?}");
            assert_eq!(decide(&every_condition_but(&[case]), &facts), GiveUp, "{facts:?}");
        }
    }
}

#[test]
fn non_idempotent_lifts_that_bar_and_no_other() {
    let failure = terminated(Phase::AwaitHead, false);
    for (facts, _) in rows(Met::Failure(&failure)) {
        let as_if = Situation { idempotent: true, ..facts };
        let settings = with([Condition::Error, Condition::NonIdempotent]);
        assert_eq!(decide(&settings, &facts), decide(&with([Condition::Error]), &as_if), "{facts:?}");
        assert_eq!(decide(&with([Condition::NonIdempotent]), &facts), GiveUp);
    }
}

#[test]
fn no_attempt_begins_after_the_timeout() {
    let failure = Failure::ConnectionRefused(111);
    let settings = RetrySettings { timeout: Duration::from_secs(1), ..with([Condition::Error]) };
    for (milliseconds, decision) in [(0, Next), (999, Next), (1000, GiveUp), (5000, GiveUp)] {
        let elapsed = Duration::from_millis(milliseconds);
        let facts = Situation { elapsed, ..situation(Met::Failure(&failure)) };
        assert_eq!(decide(&settings, &facts), decision, "{milliseconds}");
        let stale = Situation { reused: true, ..facts };
        assert_eq!(decide(&settings, &stale), if decision == Next { Again } else { GiveUp });
        assert_eq!(decide(&with([Condition::Error]), &facts), Next, "no timeout is no bound");
    }
}

#[test]
fn off_is_off_and_the_default_is_error_and_timeout() {
    for (failure, case) in failures() {
        let facts = situation(Met::Failure(&failure));
        assert_eq!(decide(&with([]), &facts), GiveUp);
        let listed = matches!(case, Some(Condition::Error | Condition::Timeout));
        assert_eq!(decide(&RetrySettings::default(), &facts), if listed { Next } else { GiveUp }, "{failure:?}");
    }
    for (status, _) in STATUSES {
        assert_eq!(decide(&RetrySettings::default(), &situation(Met::Status(status))), GiveUp);
    }
}

// ngx_http_upstream_module: failures are what proxy_next_upstream says, `error`, `timeout` and `invalid_header` always;
// statuses only where listed, and 403 and 404 never.
#[test]
fn an_endpoint_is_marked_for_its_own_failures_only() {
    let ours = |failure: &Failure| {
        use Failure::{ConnectionLimitReached, DestinationIpProhibited, ProxyInternalError};
        matches!(failure, ConnectionLimitReached(_) | DestinationIpProhibited(_) | ProxyInternalError)
    };
    for (failure, case) in failures() {
        for settings in [with([]), RetrySettings::default(), every_condition_but(&[])] {
            let met = Met::Failure(&failure);
            let expected = if ours(&failure) { Outcome::Neutral } else { Outcome::Failure };
            assert_eq!(outcome(&settings, met, false), expected, "{failure:?}");
            let may_be_stale = case == Some(Condition::Error) && failure.phase() != Phase::Body;
            let expected = if may_be_stale { Outcome::Neutral } else { expected };
            assert_eq!(outcome(&settings, met, true), expected, "{failure:?} on a cached connection");
        }
    }
    for (status, case) in STATUSES {
        let never = matches!(status, 403 | 404);
        let listed = if case.is_some() && !never { Outcome::Failure } else { Outcome::Success };
        for reused in [false, true] {
            assert_eq!(outcome(&every_condition_but(&[]), Met::Status(status), reused), listed, "{status}");
            let others = every_condition_but(case.as_slice());
            assert_eq!(outcome(&others, Met::Status(status), reused), Outcome::Success, "{status}");
        }
    }
}

// RFC 9110 §9.2.2
#[test]
fn methods_that_may_be_repeated_are_known_by_name() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PROPFIND", "QUERY"] {
        assert!(is_idempotent(&Method::from_bytes(method.as_bytes()).unwrap()), "{method}");
    }
    for method in ["POST", "PATCH", "LOCK", "CONNECT", "FOO", "get", "GETX"] {
        assert!(!is_idempotent(&Method::from_bytes(method.as_bytes()).unwrap()), "{method}");
    }
}

#[test]
fn every_case_has_its_own_bit_and_word() {
    for (condition, word) in Condition::ALL {
        let only = with([condition]).conditions;
        for (other, other_word) in Condition::ALL {
            assert_eq!(only.contains(other), other == condition);
            assert_eq!(word == other_word, other == condition);
        }
    }
}
