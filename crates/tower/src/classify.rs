//! What an error of a service means: its chain of causes is looked through for one that says it.
//! Not here: what follows from the failure.

use std::error::Error as StdError;
use std::io;

use policy::{Cause, Failure, Phase};

/// The failure that an error of a service, or of a body, tells of. `phase` is what was being done.
///
/// Errors of hyper, of hyper-util's client, of tower's timeout and of the system are understood, and those that contain
/// them, such as `reqwest`'s. Others count as a request that may have been acted upon.
pub fn failure_of_error(error: &(dyn StdError + 'static), phase: Phase) -> Failure {
    let chain = || std::iter::successors(Some(error), |error| inner(*error));
    if let Some(known) = chain().find_map(|error| error.downcast_ref::<crate::Error>()) {
        return known.failure().clone();
    }
    let connecting = chain().filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>());
    let phase =
        if connecting.clone().any(hyper_util::client::legacy::Error::is_connect) { Phase::Connect } else { phase };
    let text = chain().last().map(ToString::to_string).unwrap_or_default();
    if let Some(io) = chain().find_map(|error| error.downcast_ref::<io::Error>()) {
        return of_io(io, phase).detail(text);
    }
    if chain().any(|error| error.is::<tower::timeout::error::Elapsed>()) {
        return Failure::timed_out(phase);
    }
    let cause = chain().find_map(|error| error.downcast_ref::<hyper::Error>()).map(|error| of_hyper(error, phase));
    let unknown = if phase == Phase::Connect { Cause::ConnectFailed } else { Cause::ClosedBeforeReply };
    Failure::new(cause.unwrap_or(unknown)).detail(text)
}

/// What an error is made of. The system's own type skips what was put into it.
fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn of_io(error: &io::Error, phase: Phase) -> Failure {
    match (phase, error.raw_os_error(), error.kind()) {
        (Phase::Connect, Some(errno), _) => Failure::from_connect_errno(errno, false),
        (_, None, io::ErrorKind::TimedOut) => Failure::timed_out(phase),
        (Phase::Connect, None, _) if is_resolving(error) => Failure::new(Cause::NameNotFound),
        (Phase::Connect, None, _) => Failure::new(Cause::ConnectFailed),
        (_, errno, _) => Failure::from_io(phase, errno, false),
    }
}

/// The system's resolver says so in words only.
fn is_resolving(error: &io::Error) -> bool {
    error.to_string().contains("failed to lookup address")
}

fn of_hyper(error: &hyper::Error, phase: Phase) -> Cause {
    match phase {
        _ if error.is_parse() && error.to_string().contains("too large") => Cause::HeadTooLarge,
        _ if error.is_parse_status() => Cause::MalformedStatusLine,
        _ if error.is_parse_version_h2() => Cause::SpeaksHttp2,
        Phase::Body if error.is_incomplete_message() => Cause::BodyTruncated,
        Phase::Body if error.is_parse() => Cause::BadChunk,
        Phase::Body => Cause::BodyReset,
        _ if error.is_parse() => Cause::MalformedField,
        _ if error.is_timeout() => Cause::ReplyTimeout,
        _ if error.is_user() => Cause::ClientCutOff,
        Phase::Connect => Cause::ConnectFailed,
        _ => Cause::ClosedBeforeReply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_told_by_their_number() {
        let reset = io::Error::from_raw_os_error(104);
        assert_eq!(failure_of_error(&reset, Phase::AwaitHead).cause, Cause::ResetBeforeReply);
        assert_eq!(failure_of_error(&reset, Phase::Body).cause, Cause::BodyReset);
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(failure_of_error(&refused, Phase::Connect).cause, Cause::ConnectRefused);
    }

    #[test]
    fn what_nobody_knows_may_have_been_acted_upon() {
        let failure = failure_of_error(&std::fmt::Error, Phase::AwaitHead);
        assert_eq!(failure.delivery(), policy::Delivery::MaybeProcessed);
    }

    #[test]
    fn an_error_of_this_crate_keeps_its_failure() {
        let inner = crate::Error::new(Failure::new(Cause::TlsNotSpoken), 1);
        let outer = io::Error::other(inner);
        assert_eq!(failure_of_error(&outer, Phase::AwaitHead).cause, Cause::TlsNotSpoken);
    }
}
