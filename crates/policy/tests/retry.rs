//! Every decision about another attempt, as a table: what was met, whether repeating is safe, what is left.
//! Not here: which endpoint comes next.

use std::time::Duration;

use http::Method;
use policy::retry::{Decision, Met, Situation, decide, is_idempotent, outcome};
use policy::{Blame, Cause, Condition, Conditions, Delivery, Failure, Outcome, RetrySettings};

use Decision::{Again, GiveUp, Next};

/// Every failure, and the case of `proxy_next_upstream` that it is.
fn failures() -> impl Iterator<Item = (Failure, Option<Condition>)> {
    Cause::ALL.iter().map(|cause| (Failure::new(*cause), cause.row().treatment.condition))
}

// ngx_http_upstream_module: `error` is about connections, `timeout` about time, `invalid_header` about heads.
#[test]
fn failures_are_the_cases_that_nginx_says() {
    use Condition::{Error, InvalidHeader, Timeout};
    #[rustfmt::skip]
    let cases = [
        (Cause::NoLiveEndpoints,     None),
        (Cause::NameNotFound,        Some(Error)),
        (Cause::ConnectRefused,      Some(Error)),
        (Cause::HostUnreachable,     Some(Error)),
        (Cause::ConnectForbidden,    Some(Error)),
        (Cause::LocalPortsExhausted, Some(Error)),
        (Cause::ConnectFailed,       Some(Error)),
        (Cause::TlsClosed,           Some(Error)),
        (Cause::WriteFailed,         Some(Error)),
        (Cause::StaleConnection,     Some(Error)),
        (Cause::ClosedBeforeReply,   Some(Error)),
        (Cause::ResetBeforeReply,    Some(Error)),
        (Cause::ClosedWithinHead,    Some(Error)),
        (Cause::DnsTimeout,          Some(Timeout)),
        (Cause::ConnectTimeout,      Some(Timeout)),
        (Cause::TlsTimeout,          Some(Timeout)),
        (Cause::WriteTimeout,        Some(Timeout)),
        (Cause::ReplyTimeout,        Some(Timeout)),
        (Cause::NotHttp,             Some(InvalidHeader)),
        (Cause::SpeaksTls,           Some(InvalidHeader)),
        (Cause::MalformedField,      Some(InvalidHeader)),
        (Cause::LengthAndCoding,     Some(InvalidHeader)),
        (Cause::HeadTooLarge,        Some(InvalidHeader)),
        (Cause::UnaskedUpgrade,      Some(InvalidHeader)),
        (Cause::TunnelReset,         None),
        (Cause::ClientGone,          None),
        (Cause::InternalError,       None),
    ];
    for (cause, case) in cases {
        assert_eq!(Failure::new(cause).condition(), case, "{cause:?}");
    }
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
        tries_left: 2,
        another_round: false,
        elapsed: Duration::ZERO,
    }
}

/// Every combination for what is listed: with tries left, and without.
///
/// What may never be: `Next` where something that is not idempotent was sent, or where it cannot be sent again.
#[rustfmt::skip]
const TABLE: [([bool; 3], Decision, Decision); 8] = [
    // idempotent, sent, replayable    two tries   the last
    ([true,  true,  true ],            Next,       GiveUp),
    ([true,  true,  false],            GiveUp,     GiveUp),
    ([true,  false, true ],            Next,       GiveUp),
    ([true,  false, false],            GiveUp,     GiveUp),
    ([false, true,  true ],            GiveUp,     GiveUp),
    ([false, true,  false],            GiveUp,     GiveUp),
    ([false, false, true ],            Next,       GiveUp),
    ([false, false, false],            GiveUp,     GiveUp),
];

/// The rows of the table as situations, each with what is decided while tries are left and at the last one.
fn rows(met: Met<'_>) -> impl Iterator<Item = (Situation<'_>, Decision)> {
    TABLE.iter().flat_map(move |([idempotent, sent, replayable], more, last)| {
        [(2, *more), (1, *last)].map(|(tries_left, decision)| {
            let (idempotent, sent, replayable) = (*idempotent, *sent, *replayable);
            (Situation { idempotent, sent, replayable, tries_left, ..situation(met) }, decision)
        })
    })
}

/// What the cause itself adds: a stale connection costs no try, and what no application saw counts as not sent.
fn expected(failure: &Failure, facts: &Situation<'_>, in_table: Decision) -> Decision {
    let repeatable = facts.replayable && (facts.idempotent || !facts.sent);
    match failure.cause {
        Cause::StaleConnection if repeatable => Again,
        _ if failure.delivery() == Delivery::NeverSent && facts.replayable && facts.tries_left > 1 => Next,
        _ => in_table,
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
            assert_eq!(decide(&with([case]), &facts), expected(&failure, &facts, in_table), "{failure:?} {facts:?}");
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
            assert_eq!(decide(&with([case]), &facts), in_table, "{facts:?}");
            assert_eq!(decide(&every_condition_but(&[case]), &facts), GiveUp, "{facts:?}");
        }
    }
}

#[test]
fn non_idempotent_lifts_that_bar_and_no_other() {
    let failure = Failure::new(Cause::ResetBeforeReply);
    for (facts, _) in rows(Met::Failure(&failure)) {
        let as_if = Situation { idempotent: true, ..facts };
        let settings = with([Condition::Error, Condition::NonIdempotent]);
        assert_eq!(decide(&settings, &facts), decide(&with([Condition::Error]), &as_if), "{facts:?}");
        assert_eq!(decide(&with([Condition::NonIdempotent]), &facts), GiveUp);
    }
}

#[test]
fn no_attempt_begins_after_the_timeout() {
    let failure = Failure::new(Cause::ConnectRefused);
    let settings = RetrySettings { timeout: Duration::from_secs(1), ..with([Condition::Error]) };
    for (milliseconds, decision) in [(0, Next), (999, Next), (1000, GiveUp), (5000, GiveUp)] {
        let elapsed = Duration::from_millis(milliseconds);
        let facts = Situation { elapsed, ..situation(Met::Failure(&failure)) };
        assert_eq!(decide(&settings, &facts), decision, "{milliseconds}");
        let closed = Failure::new(Cause::StaleConnection);
        let stale = Situation { met: Met::Failure(&closed), ..facts };
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
        let again = if failure.cause == Cause::StaleConnection { Again } else { Next };
        assert_eq!(decide(&RetrySettings::default(), &facts), if listed { again } else { GiveUp }, "{failure:?}");
    }
    for (status, _) in STATUSES {
        assert_eq!(decide(&RetrySettings::default(), &situation(Met::Status(status))), GiveUp);
    }
}

// ngx_http_upstream_module: failures are what proxy_next_upstream says, `error`, `timeout` and `invalid_header` always;
// statuses only where listed, and 403 and 404 never.
#[test]
fn an_endpoint_is_marked_for_its_own_failures_only() {
    for cause in [Cause::LocalPortsExhausted, Cause::DescriptorsExhausted, Cause::ConnectForbidden] {
        assert_eq!(Failure::new(cause).blame(), Blame::Gateway);
    }
    for (failure, _) in failures() {
        let ours = failure.blame() != Blame::Endpoint || failure.cause == Cause::StaleConnection;
        let expected = if ours { Outcome::Neutral } else { Outcome::Failure };
        for settings in [with([]), RetrySettings::default(), every_condition_but(&[])] {
            assert_eq!(outcome(&settings, Met::Failure(&failure)), expected, "{failure:?}");
        }
    }
    for (status, case) in STATUSES {
        let never = matches!(status, 403 | 404);
        let listed = if case.is_some() && !never { Outcome::Failure } else { Outcome::Success };
        assert_eq!(outcome(&every_condition_but(&[]), Met::Status(status)), listed, "{status}");
        let others = every_condition_but(case.as_slice());
        assert_eq!(outcome(&others, Met::Status(status)), Outcome::Success, "{status}");
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
