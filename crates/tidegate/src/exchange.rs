//! The heart: carries one request to an answer of its upstream, however many attempts that takes.
//!
//! Policy decides, the attempt moves bytes, this loop only loops: pick → attempt → reply, retry or give up. A reply's head
//! (or a failure before one) decides; how its body ends only counts, so nothing is retried after bytes were delivered.
//!
//! Not here: which location answers and what becomes of errors (`answer`), the way of the body to the client (`deliver`).

use std::rc::Rc;
use std::time::Instant;

use config::model::Proxy;
use policy::retry::{self, Decision, Met, Situation};
use policy::{Failure, Outcome, Refusal, Tried};

use crate::client::ClientFailure;
use crate::downstream::h1::H1;
use crate::record::Attempted;
use crate::request::Request;
use crate::stream::Timer;
use crate::upstream::attempt::{Ended, Outgoing, Reply};
use crate::upstream::pool::Connection;
use crate::upstream::{Picked, Upstream};

/// What is sent, and to whom.
pub(crate) struct Errand<'a> {
    pub(crate) upstream: Rc<Upstream>,
    /// By which logs name the upstream where no endpoint could be picked.
    pub(crate) name: &'a str,
    /// What follows the endpoint in log lines: the target.
    pub(crate) target: &'a str,
    /// The key of `hash` and `ip_hash`.
    pub(crate) key: &'a [u8],
    pub(crate) outgoing: Outgoing<'a>,
    pub(crate) proxy: &'a Proxy,
}

/// An endpoint's answer, its body still to come.
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    pub(crate) connection: Connection,
    pub(crate) picked: Picked,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The last attempt failed so; its status is the client's.
    Failed(Failure),
    /// The client's side ended first.
    Client(ClientFailure),
}

/// Makes attempts until one is answered or policy gives up.
pub(crate) async fn exchange(
    client: &mut H1,
    request: &mut Request,
    errand: &Errand<'_>,
) -> Result<Answered, Unanswered> {
    let mut round = Round::new(request, errand);
    let mut timer = Timer::new();
    loop {
        let picked = match errand.upstream.pick(&round.tried, errand.key, Instant::now()) {
            Ok(picked) => picked,
            Err(refusal) => return Err(Unanswered::Failed(refused(request, errand, refusal))),
        };
        let made = attempt::make(client, request, errand, &picked, &mut timer).await;
        let verdict = round.judge(&made, &picked);
        match (made.result, verdict.decision) {
            (Ok((reply, connection)), Decision::GiveUp) => return Ok(Answered { reply, connection, picked }),
            (Err(Ended::Client(failure)), _) => return Err(Unanswered::Client(failure)),
            (Err(Ended::Failed(failure)), Decision::GiveUp) => {
                conclude(request, errand, picked, verdict.outcome);
                return Err(Unanswered::Failed(failure));
            }
            (_, Decision::Next) => conclude(request, errand, picked, verdict.outcome),
        }
    }
}
