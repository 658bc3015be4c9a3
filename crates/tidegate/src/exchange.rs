//! The heart: carries one request to an answer of its upstream, however many attempts that takes.
//!
//! Policy decides, the attempt moves bytes, this loop only loops: pick → attempt → reply, retry or give up. A reply's head
//! (or a failure before one) decides; how its body ends only counts, so nothing is retried after bytes were delivered.
//!
//! Not here: which location answers and what becomes of errors (`answer`), the way of the body to the client (`deliver`).

mod making;
mod round;

use std::rc::Rc;
use std::time::Instant;

use config::model::Proxy;
use http1::Framing;
use policy::resume::Resume;
use policy::retry::{Decision, Met};
use policy::{EndpointId, Failure, Outcome};

use self::making::make;
use self::round::Round;
use crate::client::ClientFailure;
use crate::downstream::h1::H1;
use crate::request::Request;
use crate::upstream::attempt::{Ended, Outgoing, Reply};
use crate::upstream::pool::Connection;
use crate::upstream::{Picked, Upstream};

/// What is sent, and to whom.
pub(crate) struct Errand<'a> {
    pub(crate) upstream: Rc<Upstream>,
    /// By which logs name the upstream where no endpoint could be picked.
    pub(crate) name: &'a str,
    /// The key of `hash` and `ip_hash`.
    pub(crate) key: &'a [u8],
    pub(crate) outgoing: Outgoing<'a>,
    pub(crate) proxy: &'a Proxy,
    /// An endpoint that failed this client already.
    pub(crate) avoid: Option<EndpointId>,
}

impl Errand<'_> {
    /// How many attempts there may be.
    fn tries(&self) -> u32 {
        match self.proxy.next_upstream.tries {
            0 => self.upstream.tries(),
            limit => self.upstream.tries().min(limit),
        }
    }
}

/// An endpoint's answer, its body still to come.
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    pub(crate) connection: Box<Connection>,
    pub(crate) picked: Picked,
    /// How to go on with it if it breaks off.
    pub(crate) resume: Option<Box<Resume>>,
}

impl Answered {
    /// Ends the attempt without delivering its answer, which something else takes the place of.
    pub(crate) fn put_away(self, request: &mut Request) {
        let now = Instant::now();
        if let Some(attempt) = request.record.attempts.last_mut() {
            attempt.response_time = Some(now.duration_since(attempt.started));
        }
        if self.is_over() {
            let mut connection = self.connection;
            connection.carried(request.record.attempts.last());
            self.picked.upstream().pool.borrow_mut().give(connection, now);
        }
        self.picked.finish(Outcome::Success, now);
    }

    /// Whether nothing is left to come of the answer, so that its connection can carry another.
    fn is_over(&self) -> bool {
        let reply = &self.reply;
        let bodiless = matches!(reply.framing, Framing::Empty | Framing::Length(0));
        reply.persistent && reply.request_complete && bodiless && reply.buffer.is_empty()
    }
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
) -> Result<Box<Answered>, Unanswered> {
    let mut round = Round::new(request, errand);
    loop {
        let now = round.wait_in_line(client).await?;
        let mut picked = match errand.upstream.pick(&round.tried, errand.key, round.watched(), now) {
            Ok(picked) => picked,
            Err(refusal) if round.waits_for(refusal) && Box::pin(round.hold(client)).await? => continue,
            Err(refusal) => return Err(Unanswered::Failed(round.refused(request, refusal))),
        };
        let made = make(client, request, errand, &picked, &round.terms(now)).await;
        match made.result {
            Ok((reply, connection)) => {
                round.answered();
                picked.answered(request.record.attempts.last().and_then(|attempt| attempt.header_time));
                if let Some(failure) = &reply.idle_timeout
                    && round.decide(Met::Failure(failure), made.traces) != Decision::GiveUp
                {
                    round.conclude_stale(request, picked, failure, made.traces);
                    continue;
                }
                let met = Met::Status(reply.head.status);
                if round.decide(met, made.traces) == Decision::GiveUp {
                    return Ok(Box::new(Answered { reply, connection, picked, resume: None }));
                }
                round.conclude(request, picked, met, made.traces);
            }
            Err(Ended::Failed(failure)) => {
                let met = Met::Failure(&failure);
                let decision = round.decide(met, made.traces);
                round.conclude(request, picked, met, made.traces);
                match decision {
                    Decision::Next | Decision::Again => {}
                    Decision::Later => Box::pin(round.pause(client)).await?,
                    Decision::GiveUp if round.may_wait(made.traces) && Box::pin(round.hold(client)).await? => {}
                    Decision::GiveUp => return Err(Unanswered::Failed(failure)),
                }
            }
            Err(Ended::Client(failure)) => {
                round.abandoned(request, &picked, failure);
                return Err(Unanswered::Client(failure));
            }
        }
    }
}
