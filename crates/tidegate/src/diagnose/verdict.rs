//! What facts mean: the one fault that matters first, and the one thing to change. Not here: finding facts.

use std::time::Duration;

use policy::failure::Code;
use policy::{Cause, Failure};

use super::facts::{Body, Connect, Facts, Idle, Listening, Reply, Reuse};

/// A fault of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// One that the gateway has a name for, too.
    Cause(Failure),
    /// Nothing listens at the address, but at others of this machine.
    ListensElsewhere {
        at: Vec<String>,
        asked: String,
    },
    /// Some of a name's addresses cannot be connected to.
    SomeAddresses {
        failing: Vec<String>,
        working: Vec<String>,
        cause: Cause,
    },
    ErrorStatus(u16),
    /// Bytes behind the end of an answer.
    Surplus(usize),
    /// A kept connection ends after so many requests, and the answer did not say so.
    DropsKept(u64),
    /// 408 to the second request of a connection.
    TimesOutKept,
    /// An idle connection ends, sooner than was announced or unannounced.
    ClosesIdle {
        after: Duration,
        announced: Option<Duration>,
    },
}

/// nginx's `keepalive_timeout` of an upstream: an endpoint that waits longer is never met while it closes.
const KEPT_IDLE: Duration = Duration::from_secs(60);

/// A close within this time of an answer has nothing to do with how long the connection idled.
const AT_ONCE: Duration = Duration::from_millis(250);

/// An endpoint that announces its limit may count from another moment.
const CLOSE_TO: Duration = Duration::from_millis(500);

/// The first fault in the order in which requests meet them; nothing if all is well.
pub(super) fn verdict(facts: &Facts) -> Option<Finding> {
    if let Some(Err(failure)) = &facts.resolved {
        return Some(Finding::Cause(failure.clone()));
    }
    if let Some(finding) = unreachable(facts) {
        return Some(finding);
    }
    let failed = [
        facts.tls.as_ref().and_then(|tls| tls.as_ref().err()),
        facts.reply.as_ref().and_then(|reply| reply.as_ref().err()),
    ];
    if let Some(failure) = failed.into_iter().flatten().next() {
        return Some(Finding::Cause(failure.clone()));
    }
    let certificate = facts.tls.as_ref().and_then(|tls| tls.as_ref().ok()?.refused.clone());
    let reply = facts.reply.as_ref().and_then(|reply| reply.as_ref().ok());
    certificate
        .map(Finding::Cause)
        .or_else(|| reply.and_then(of_reply))
        .or_else(|| of_kept(facts))
        .or_else(|| some_addresses(&facts.connects))
        .or_else(|| of_idle(facts))
}

/// No address can be connected to.
fn unreachable(facts: &Facts) -> Option<Finding> {
    let mut failures = facts.connects.iter().filter_map(|connect| connect.result.as_ref().err());
    let failure = failures.next()?;
    if facts.connects.iter().any(|connect| connect.result.is_ok()) {
        return None;
    }
    let listening = facts.listening.as_ref();
    Some(match failure.cause {
        Cause::ConnectTimeout if listening.is_some_and(is_full) => Finding::Cause(Failure::new(Cause::BacklogFull)),
        Cause::ConnectRefused if listening.is_some_and(|listening| !listening.elsewhere.is_empty()) => {
            let at = listening.into_iter().flat_map(|listening| &listening.elsewhere);
            let asked = facts.connects.iter().map(|connect| connect.address.as_str()).collect::<Vec<_>>().join(" and ");
            Finding::ListensElsewhere { at: at.map(|(address, _)| address.to_string()).collect(), asked }
        }
        _ => Finding::Cause(failure.clone()),
    })
}

/// Somebody listens, and connections wait already.
fn is_full(listening: &Listening) -> bool {
    listening.here.as_ref().is_some_and(|listener| listener.waiting > 0)
}

fn of_reply(reply: &Reply) -> Option<Finding> {
    match reply {
        Reply { too_large: Some(failure), .. } | Reply { body: Body::Broken(failure), .. } => {
            Some(Finding::Cause(failure.clone()))
        }
        Reply { status: status @ 500.., .. } => Some(Finding::ErrorStatus(*status)),
        Reply { surplus: 1.., .. } => Some(Finding::Surplus(reply.surplus)),
        _ => None,
    }
}

fn of_kept(facts: &Facts) -> Option<Finding> {
    match (facts.reuse, facts.idle) {
        (Some(Reuse::Ended), _) => Some(Finding::DropsKept(1)),
        (Some(Reuse::Answered(408)), _) => Some(Finding::TimesOutKept),
        (_, Some(Idle::Spoke { bytes })) => Some(Finding::Surplus(bytes)),
        (_, Some(Idle::Closed { after, requests })) if after < AT_ONCE => Some(Finding::DropsKept(requests)),
        _ => None,
    }
}

fn some_addresses(connects: &[Connect]) -> Option<Finding> {
    let of = |ok: bool| -> Vec<String> {
        let connects = connects.iter().filter(|connect| connect.result.is_ok() == ok);
        connects.map(|connect| connect.address.clone()).collect()
    };
    let cause = connects.iter().find_map(|connect| connect.result.as_ref().err())?.cause;
    Some(Finding::SomeAddresses { failing: of(false), working: of(true), cause })
}

fn of_idle(facts: &Facts) -> Option<Finding> {
    let Some(Idle::Closed { after, .. }) = facts.idle else { return None };
    let announced = facts.reply.as_ref().and_then(|reply| reply.as_ref().ok()?.announces);
    let as_announced = announced.is_some_and(|announced| after + CLOSE_TO >= announced);
    (after < KEPT_IDLE && !as_announced).then_some(Finding::ClosesIdle { after, announced })
}

impl Finding {
    /// What scripts know it by.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Finding::Cause(failure) => failure.row().name,
            Finding::ListensElsewhere { .. } => "listens_elsewhere",
            Finding::SomeAddresses { .. } => "some_addresses_fail",
            Finding::ErrorStatus(_) => "error_status",
            Finding::Surplus(_) => "sends_surplus",
            Finding::DropsKept(_) => "drops_kept_connections",
            Finding::TimesOutKept => "times_out_kept_connections",
            Finding::ClosesIdle { .. } => "closes_idle_unannounced",
        }
    }

    /// The code of its cause, if the gateway has one.
    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Finding::Cause(failure) => Some(failure.row().code),
            Finding::SomeAddresses { cause, .. } => Some(cause.row().code),
            Finding::ListensElsewhere { .. } => Some(Cause::ConnectRefused.row().code),
            Finding::DropsKept(_) | Finding::TimesOutKept | Finding::ClosesIdle { .. } => {
                Some(Cause::StaleConnection.row().code)
            }
            Finding::ErrorStatus(_) | Finding::Surplus(_) => None,
        }
    }

    /// What is wrong.
    pub(super) fn happened(&self) -> String {
        match self {
            Finding::Cause(failure) => match failure.evidence().to_string() {
                seen if seen.is_empty() => failure.row().happened.to_owned(),
                seen => format!("{} ({seen})", failure.row().happened.trim_end_matches('.')) + ".",
            },
            Finding::ListensElsewhere { at, asked } => {
                format!("Nothing listens at {asked}; on the same port something listens at {} only.", at.join(" and "))
            }
            Finding::SomeAddresses { failing, working, cause } => format!(
                "{} fails ({}) while {} works: a gateway that asks them in turn fails at each of its turns.",
                failing.join(" and "),
                cause.row().name.replace('_', " "),
                working.join(" and "),
            ),
            Finding::ErrorStatus(status) => {
                format!(
                    "It answers {status} {}: the request reached it, and it says no.",
                    http1::encode::reason(*status)
                )
            }
            Finding::Surplus(bytes) => format!(
                "It sent {bytes} bytes more than its answer has: on a kept connection they would begin the next answer."
            ),
            Finding::DropsKept(1) => {
                "It closes the connection after its first answer, and does not say so: a second request \
                                      on it gets no answer."
                    .into()
            }
            Finding::DropsKept(requests) => format!(
                "It closes the connection after {requests} answers, and does not say so: the next request on it gets no answer."
            ),
            Finding::TimesOutKept => {
                "It answers 408 to the second request of a connection, as if it had never come.".into()
            }
            Finding::ClosesIdle { after, announced: None } => format!(
                "It closes idle connections after {}, and does not announce it: a request that is sent at that moment gets \
                 no answer.",
                seconds(*after)
            ),
            Finding::ClosesIdle { after, announced: Some(announced) } => format!(
                "It announces to keep idle connections for {}, and closes them after {}: a request that is sent at that \
                 moment gets no answer.",
                seconds(*announced),
                seconds(*after)
            ),
        }
    }

    /// The one thing to change.
    pub(super) fn change(&self) -> String {
        match self {
            Finding::Cause(failure) => failure.row().advice.to_owned(),
            Finding::ListensElsewhere { at, .. } => format!(
                "Name {} in place of what you asked for, or let the application listen there too.",
                at.first().map_or("the other address", String::as_str)
            ),
            Finding::SomeAddresses { working, .. } => format!(
                "Write `{}` in place of the name, or let the application listen at all of the name's addresses.",
                working.first().map_or("the address that works", String::as_str)
            ),
            Finding::ErrorStatus(503) => "Look whether the application is starting, in maintenance, or overloaded.".into(),
            Finding::ErrorStatus(502 | 504) => {
                "Ask the next hop in its turn: what answers here is itself a gateway that failed.".into()
            }
            Finding::ErrorStatus(_) => "Look in the application's log for this request.".into(),
            Finding::Surplus(_) => "Let the application's HTTP library count the body: its `Content-Length` is too small, or \
                                    something writes to the connection by itself."
                .into(),
            Finding::DropsKept(1) | Finding::TimesOutKept => {
                "Let the application say `Connection: close` when it does not keep a connection; until then `keepalive 0` in \
                 the `upstream` block uses none twice."
                    .into()
            }
            Finding::DropsKept(requests) => format!(
                "`keepalive_requests {requests}` in the `upstream` block, or let the application say `Connection: close` in its \
                 last answer."
            ),
            Finding::ClosesIdle { after, .. } => match safe(*after) {
                Some(safe) => format!(
                    "`keepalive_timeout {safe}` in the `upstream` block stays clear of it; or let the application keep idle \
                     connections longer than the 60 s that nginx keeps them."
                ),
                None => "Let the application keep idle connections longer; until then `keepalive 0` in the `upstream` block \
                         uses none twice."
                    .into(),
            },
        }
    }
}

/// As a configuration writes a time that is clear of another: four fifths of it, in whole seconds where it has some.
fn safe(after: Duration) -> Option<String> {
    let millis = after.as_millis() * 4 / 5;
    match millis {
        0..200 => None,
        200..1000 => Some(format!("{}ms", millis / 100 * 100)),
        _ => Some(format!("{}s", millis / 1000)),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::facts::Listener;

    fn connect(address: &str, errno: Option<i32>) -> Connect {
        let result = match errno {
            None => Ok(Duration::ZERO),
            Some(errno) => Err(Failure::from_connect_errno(errno, false)),
        };
        Connect { address: address.into(), result }
    }

    fn reply() -> Reply {
        Reply {
            status: 200,
            version: "HTTP/1.1",
            interim: 0,
            head: 100,
            fields: 3,
            largest: None,
            too_large: None,
            framing: http1::Framing::Length(5),
            body: Body::Whole(5),
            surplus: 0,
            persistent: true,
            announces: None,
            first_byte: Duration::ZERO,
        }
    }

    fn kept(reply: Reply, idle: Idle) -> Facts {
        Facts { reply: Some(Ok(reply)), reuse: Some(Reuse::Answered(200)), idle: Some(idle), ..Facts::default() }
    }

    fn name(facts: &Facts) -> &'static str {
        verdict(facts).map_or("healthy", |finding| finding.name())
    }

    #[test]
    fn one_family_that_refuses_is_a_fault_although_the_other_answers() {
        let connects = vec![connect("[::1]:1", Some(111)), connect("127.0.0.1:1", None)];
        let facts = Facts { connects, reply: Some(Ok(reply())), ..Facts::default() };
        let finding = verdict(&facts).unwrap();
        assert_eq!(finding.name(), "some_addresses_fail");
        assert!(finding.happened().starts_with("[::1]:1 fails (connect refused) while 127.0.0.1:1 works"));
        assert!(finding.change().starts_with("Write `127.0.0.1:1`"));
    }

    #[test]
    fn a_timeout_with_connections_that_wait_is_a_full_queue() {
        let timeout = vec![connect("127.0.0.1:1", Some(110))];
        let waiting =
            |waiting| Some(Listening { here: Some(Listener { process: None, waiting }), ..Listening::default() });
        let full = Facts { connects: timeout, listening: waiting(1), ..Facts::default() };
        assert_eq!(name(&full), "backlog_full");
        let filtered =
            Facts { connects: vec![connect("127.0.0.1:1", Some(110))], listening: waiting(0), ..Facts::default() };
        assert_eq!(name(&filtered), "connect_timeout");
    }

    #[test]
    fn a_refusal_names_where_somebody_listens() {
        let elsewhere = vec![("127.0.0.1".parse().unwrap(), Listener::default())];
        let listening = Some(Listening { elsewhere, ..Listening::default() });
        let facts = Facts { connects: vec![connect("[::1]:1", Some(111))], listening, ..Facts::default() };
        assert_eq!(name(&facts), "listens_elsewhere");
        let alone = Facts { connects: vec![connect("[::1]:1", Some(111))], ..Facts::default() };
        assert_eq!(name(&alone), "connect_refused");
    }

    #[test]
    fn an_idle_limit_is_a_fault_only_if_it_is_not_announced_or_not_kept() {
        let closed = |seconds| Idle::Closed { after: Duration::from_secs(seconds), requests: 2 };
        let announcing = |seconds| Reply { announces: Some(Duration::from_secs(seconds)), ..reply() };
        assert_eq!(name(&kept(reply(), closed(5))), "closes_idle_unannounced");
        assert_eq!(name(&kept(announcing(5), closed(5))), "healthy");
        assert_eq!(name(&kept(announcing(60), closed(5))), "closes_idle_unannounced");
        assert_eq!(name(&kept(reply(), closed(75))), "healthy");
        assert_eq!(name(&kept(reply(), Idle::Open { after: Duration::from_secs(6) })), "healthy");
    }

    #[test]
    fn advice_stays_clear_of_the_limit_that_was_measured() {
        let change = |millis| Finding::ClosesIdle { after: Duration::from_millis(millis), announced: None }.change();
        assert!(change(5010).starts_with("`keepalive_timeout 4s`"));
        assert!(change(500).starts_with("`keepalive_timeout 400ms`"));
        assert!(change(100).contains("`keepalive 0`"));
    }

    #[test]
    fn a_close_right_behind_an_answer_is_no_idle_limit() {
        let closed = Idle::Closed { after: Duration::from_millis(1), requests: 2 };
        assert_eq!(verdict(&kept(reply(), closed)), Some(Finding::DropsKept(2)));
    }

    #[test]
    fn what_a_request_meets_first_is_said_first() {
        let failed = Facts {
            connects: vec![connect("[::1]:1", Some(111)), connect("127.0.0.1:1", None)],
            reply: Some(Err(Failure::new(Cause::SpeaksTls))),
            ..Facts::default()
        };
        assert_eq!(name(&failed), "speaks_tls");
        let status = Facts { reply: Some(Ok(Reply { status: 503, surplus: 3, ..reply() })), ..Facts::default() };
        assert_eq!(name(&status), "error_status");
    }

    #[test]
    fn every_finding_says_what_to_change_in_whole_sentences() {
        let findings = [
            Finding::Cause(Failure::new(Cause::ConnectRefused)),
            Finding::ListensElsewhere { at: vec!["::1".into()], asked: "127.0.0.1:1".into() },
            Finding::SomeAddresses {
                failing: vec!["a".into()],
                working: vec!["b".into()],
                cause: Cause::ConnectRefused,
            },
            Finding::ErrorStatus(503),
            Finding::ErrorStatus(502),
            Finding::ErrorStatus(500),
            Finding::Surplus(3),
            Finding::DropsKept(1),
            Finding::DropsKept(2),
            Finding::TimesOutKept,
            Finding::ClosesIdle { after: Duration::from_secs(5), announced: Some(Duration::from_secs(9)) },
        ];
        for finding in findings {
            for text in [finding.happened(), finding.change()] {
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
            }
        }
    }
}
