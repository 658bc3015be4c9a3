//! What an access line tells when it has a status and a duration and no cause: nginx's combined form and its kin, and the
//! access logs of others. Not here: lines that name a cause.

use policy::Cause;

use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// What was seen of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The status that the client got.
    pub(crate) status: u16,
    /// Microseconds.
    pub(crate) took: Option<u64>,
    /// The endpoint itself answered with this status.
    pub(crate) answered: bool,
}

const MILLISECOND: u64 = 1_000;
const SECOND: u64 = 1_000 * MILLISECOND;
/// An attempt that fails this fast met with a refusal, or was not made at all.
const AT_ONCE: u64 = 20 * MILLISECOND;

/// What a line with this says; none if it is no failure of a gateway.
pub(crate) fn candidates(seen: &Seen) -> &'static [Candidate] {
    let took = seen.took;
    match seen.status {
        _ if seen.answered => &[],
        502 if took.is_some_and(|took| took <= AT_ONCE) => REFUSED_AT_ONCE,
        502 if took.is_some_and(|took| (29 * SECOND..32 * SECOND).contains(&took)) => WORKER_KILLED,
        502 if took.is_some() => CLOSED_LATER,
        502 => BAD_GATEWAY,
        503 => UNAVAILABLE,
        504 if took.is_some_and(|took| took < 2 * SECOND) => EARLY_TIMEOUT,
        504 => TIMEOUT,
        499 | 460 => const { &[said(Cause::ClientGone)] },
        408 => const { &[said(Cause::ClientTimeout)] },
        413 => const { &[said(Cause::ClientBodyTooLarge)] },
        _ => &[],
    }
}

/// What a line with this says, for a person.
pub(super) fn reading(vendor: Vendor, seen: &Seen) -> Option<Reading> {
    if seen.status == 0 {
        return None;
    }
    let took = seen.took.map(|took| format!("{:.3} s", took as f64 / SECOND as f64)).unwrap_or_default();
    let meaning = match seen.status {
        _ if seen.answered => "The endpoint itself answered so: look in its log.",
        500..=599 => "An access log names no cause: the error log of the same second does.",
        _ => "",
    };
    let meaning =
        if meaning.is_empty() && candidates(seen).is_empty() { "No failure of the gateway." } else { meaning };
    Some(Reading::new(vendor, format!("status {}", seen.status), candidates(seen)).meaning(meaning).fact("took", took))
}

const EARLY_TIMEOUT: &[Candidate] = &[
    likely(Cause::ConnectTimeout, "timers for connecting are the short ones"),
    possible(Cause::ReplyTimeout, "if the gateway's timer for answers was set as short as that"),
];

const REFUSED_AT_ONCE: &[Candidate] = &[
    likely(Cause::ConnectRefused, "the answer came at once: nothing was waited for"),
    possible(Cause::NoLiveEndpoints, "if such lines follow others: the endpoints were taken out of rotation"),
    possible(Cause::ClosedBeforeReply, "if the application crashes on the request before it does anything"),
    possible(Cause::NotHttp, "if it comes to every request, and something listens: it speaks another protocol"),
    possible(Cause::StaleConnection, "if it comes to single requests (POST) after pauses"),
    possible(Cause::HeadTooLarge, "if it comes to one page, or to users who are logged in"),
];

const WORKER_KILLED: &[Candidate] = &[
    likely(Cause::ClosedBeforeReply, "30 s is when gunicorn and others kill a worker that has not answered"),
    possible(Cause::ResetBeforeReply, "if the worker was killed from outside"),
];

const CLOSED_LATER: &[Candidate] = &[
    likely(Cause::ClosedBeforeReply, "the endpoint was at work on the request before it failed: refusals come at once"),
    possible(Cause::ResetBeforeReply, "if the worker was killed, by the kernel for its memory for example"),
    possible(Cause::NotHttp, "if it comes to every request"),
];

const BAD_GATEWAY: &[Candidate] = &[
    possible(Cause::ConnectRefused, "if the application is not running, or restarts"),
    possible(Cause::NoLiveEndpoints, "if every endpoint failed before"),
    possible(Cause::ClosedBeforeReply, "if the application crashes on the request"),
    possible(Cause::StaleConnection, "if it comes to single requests (POST) after pauses"),
    possible(Cause::HeadTooLarge, "if it comes to one page, or to users who are logged in"),
];

const UNAVAILABLE: &[Candidate] = &[
    possible(Cause::NoLiveEndpoints, "if no endpoint is up (HAProxy, Envoy and Traefik answer so)"),
    possible(Cause::ClientLimited, "if `limit_req` or `limit_conn` is set"),
    possible(Cause::EndpointsFull, "if endpoints have a bound of connections"),
    possible(Cause::LocalResponse, "if the site is in maintenance"),
];

const TIMEOUT: &[Candidate] = &[
    likely(Cause::ReplyTimeout, "most that time out do so while the application works"),
    possible(Cause::ConnectTimeout, "if it comes to every request of an endpoint"),
    possible(Cause::SilentPath, "if it comes to the first request after minutes of quiet"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn first(status: u16, took: Option<u64>) -> Option<Cause> {
        candidates(&Seen { status, took, answered: false }).first().map(|candidate| candidate.cause)
    }

    #[test]
    fn how_long_it_took_tells_what_is_likely() {
        assert_eq!(first(502, Some(1_000)), Some(Cause::ConnectRefused));
        assert_eq!(first(502, Some(30 * SECOND + 12_000)), Some(Cause::ClosedBeforeReply));
        assert_eq!(first(502, Some(2 * SECOND)), Some(Cause::ClosedBeforeReply));
        assert_eq!(first(504, Some(60 * SECOND)), Some(Cause::ReplyTimeout));
        assert_eq!(first(504, Some(SECOND)), Some(Cause::ConnectTimeout));
        assert_eq!((first(200, Some(1)), first(404, None)), (None, None));
    }

    #[test]
    fn what_the_endpoint_answered_is_its_own() {
        assert_eq!(candidates(&Seen { status: 502, took: None, answered: true }), &[]);
    }
}
