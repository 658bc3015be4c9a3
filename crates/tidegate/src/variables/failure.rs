//! Why a request failed. Not here: what a cause means (`policy::failure`).

use config::model::Variable;

use super::{bytes, number, show};
use crate::request::Request;

/// `None` when the variable is of another room.
pub(super) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> Option<bool> {
    let failure = request.record.failure.as_ref();
    let found = match variable {
        Variable::Attempts => number(out, attempts(request)),
        Variable::Failure => word(failure.map(|failure| failure.row().name), out),
        Variable::FailureCode => failure.is_some_and(|failure| show(out, failure.row().code)),
        Variable::FailurePhase => word(failure.map(|failure| failure.phase.name()), out),
        Variable::FailureBlame => word(failure.map(|failure| failure.blame().name()), out),
        // Logs are for those who run the gateway: nothing is left out.
        Variable::ProxyStatus => failure.is_some_and(|failure| show(out, request.proxy_status(failure, true))),
        _ => return None,
    };
    Some(found)
}

fn word(word: Option<&str>, out: &mut Vec<u8>) -> bool {
    bytes(out, word.map(str::as_bytes))
}

/// Endpoints that were asked.
fn attempts(request: &Request) -> u64 {
    request.record.attempts.iter().filter(|attempt| attempt.was_made()).count() as u64
}
