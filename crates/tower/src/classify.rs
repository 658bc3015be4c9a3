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
    let chain = || chain(error);
    if let Some(known) = crate::Error::find(error) {
        return known.failure().clone();
    }
    let connecting = chain().filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>());
    let phase =
        if connecting.clone().any(hyper_util::client::legacy::Error::is_connect) { Phase::Connect } else { phase };
    let text = chain().last().map(ToString::to_string).unwrap_or_default();
    #[cfg(feature = "reqwest")]
    if chain().filter_map(|error| error.downcast_ref::<reqwest::Error>()).any(reqwest::Error::is_timeout) {
        return Failure::timed_out(phase);
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = chain().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        return Failure::new(of_tls(tls)).detail(text);
    }
    #[cfg(feature = "http2")]
    if let Some(stream) = chain().find_map(|error| error.downcast_ref::<h2::Error>()).filter(|error| !error.is_io()) {
        return Failure::new(of_h2(stream)).detail(text);
    }
    if let Some(io) = chain().find_map(|error| error.downcast_ref::<io::Error>()) {
        return of_io(io, phase).detail(text);
    }
    if chain().any(|error| error.is::<tower::timeout::error::Elapsed>()) {
        return Failure::timed_out(phase);
    }
    let cause = chain().find_map(|error| error.downcast_ref::<hyper::Error>()).map(|error| of_hyper(error, phase));
    let unknown = match phase {
        Phase::Connect => Cause::ConnectFailed,
        _ if text.contains(NO_HOST) => Cause::ClientMalformed,
        _ => Cause::ClosedBeforeReply,
    };
    Failure::new(cause.unwrap_or(unknown)).detail(text)
}

/// hyper-util says only in words that a URL names no host.
const NO_HOST: &str = "UserAbsoluteUriRequired";

/// An error, what it is made of, what that is made of, and so on.
pub(crate) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> + Clone {
    std::iter::successors(Some(error), |error| inner(*error))
}

/// What an error is made of. The system's own type skips what was put into it, and so does `reqwest-middleware`'s.
fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    #[cfg(feature = "reqwest")]
    match error.downcast_ref::<reqwest_middleware::Error>() {
        Some(reqwest_middleware::Error::Middleware(inner)) => return Some(&**inner),
        Some(reqwest_middleware::Error::Reqwest(inner)) => return Some(inner),
        None => {}
    }
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
        // hyper says so of chunks that are none.
        (Phase::Body, None, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Failure::new(Cause::BadChunk),
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
        _ if error.is_parse() && error.to_string().contains("HTTP version") => Cause::MalformedStatusLine,
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

#[cfg(feature = "tls")]
fn of_tls(error: &rustls::Error) -> Cause {
    use rustls::{AlertDescription, CertificateError, Error};
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Cause::CertificateExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Cause::CertificateNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Cause::CertificateWrongName
            }
            _ => Cause::CertificateUntrusted,
        },
        Error::AlertReceived(AlertDescription::UnrecognisedName) => Cause::TlsNameUnknown,
        Error::AlertReceived(AlertDescription::CertificateRequired) => Cause::TlsClientCertificateWanted,
        Error::AlertReceived(_) => Cause::TlsAlert,
        Error::PeerIncompatible(_) => Cause::TlsNoCommonParameters,
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => Cause::TlsNotSpoken,
        _ => Cause::TlsProtocolError,
    }
}

/// A stream that the peer refused was not looked at (RFC 9113 §8.7). Which streams a GOAWAY leaves out h2 does not say: they
/// may have been acted upon.
#[cfg(feature = "http2")]
fn of_h2(error: &h2::Error) -> Cause {
    match error.reason() {
        Some(h2::Reason::REFUSED_STREAM) if error.is_reset() && error.is_remote() => Cause::H2StreamRefused,
        _ if error.is_reset() || error.is_go_away() => Cause::H2StreamReset,
        _ => Cause::H2ProtocolError,
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
