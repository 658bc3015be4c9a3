//! Why a request failed. Not here: what a cause means (`policy::failure`).

use config::model::Variable;
use policy::failure::proxy_status::{Disclosed, Member};
use policy::{Failure, Phase};

use super::{bytes, number, show};
use crate::record::Attempted;
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
        Variable::ProxyStatus => failure.is_some_and(|failure| show(out, member(request, failure))),
        _ => return None,
    };
    Some(found)
}

fn word(word: Option<&str>, out: &mut Vec<u8>) -> bool {
    bytes(out, word.map(str::as_bytes))
}

/// Endpoints that were asked. That there was none to ask has an entry in the record too.
fn attempts(request: &Request) -> u64 {
    request.record.attempts.iter().filter(|attempt| was_made(attempt)).count() as u64
}

fn was_made(attempt: &Attempted) -> bool {
    attempt.failure.as_ref().is_none_or(|failure| failure.phase != Phase::Select)
}

/// Logs are for those who run the gateway: nothing is left out.
fn member<'a>(request: &'a Request, failure: &'a Failure) -> Member<'a> {
    let asked = request.record.attempts.iter().rev().find(|attempt| was_made(attempt));
    let next_hop = asked.map(|attempt| &*attempt.endpoint);
    Member { intermediary: "tidegate", failure, disclosed: Some(Disclosed { next_hop }) }
}
