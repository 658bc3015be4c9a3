//! The heart: carries one request to an answer of its upstream, however many attempts that takes.
//!
//! Policy decides, the attempt moves bytes, this loop only loops: pick → attempt → reply, retry or give up. A reply's head
//! (or a failure before one) decides; how its body ends only counts, so nothing is retried after bytes were delivered.
//!
//! Not here: which location answers and what becomes of errors (`answer`), the way of the body to the client (`deliver`).

use std::rc::Rc;
use std::time::{Duration, Instant};

use config::model::Proxy;
use http1::{Framing, ResponseHead, ResponseLimits, Version};
use policy::retry::{self, Condition, Decision, Met, Situation};
use policy::reuse::Need;
use policy::{Cause, Failure, Outcome, Phase, Refusal, Tried};

use crate::client::ClientFailure;
use crate::downstream::h1::H1;
use crate::record::Attempted;
use crate::request::{Request, upstream_url};
use crate::stream::{Stream, Timer};
use crate::upstream::attempt::{Attempt, Ended, Limits, Outgoing, OutgoingBody, Reply};
use crate::upstream::hold::{self, Turn, Wait};
use crate::upstream::pool::{Connection, Key};
use crate::upstream::{Endpoint, Picked, Upstream, connect};

/// What is sent, and to whom.
pub(crate) struct Errand<'a> {
    pub(crate) upstream: Rc<Upstream>,
    /// By which logs name the upstream where no endpoint could be picked.
    pub(crate) name: &'a str,
    /// The key of `hash` and `ip_hash`.
    pub(crate) key: &'a [u8],
    pub(crate) outgoing: Outgoing<'a>,
    pub(crate) proxy: &'a Proxy,
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
    pub(crate) connection: Connection,
    pub(crate) picked: Picked,
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
) -> Result<Answered, Unanswered> {
    let mut round = Round::new(request, errand);
    loop {
        round.wait_in_line(client).await?;
        let now = Instant::now();
        let picked = match errand.upstream.pick(&round.tried, errand.key, now) {
            Ok(picked) => picked,
            Err(_) if round.hold(client).await? => continue,
            Err(refusal) => return Err(Unanswered::Failed(round.refused(request, refusal))),
        };
        let made = attempt(client, request, errand, &picked, round.need(), now).await;
        match made.result {
            Err(Ended::Client(failure)) => {
                round.abandoned(request, &picked, failure);
                return Err(Unanswered::Client(failure));
            }
            Ok((mut reply, mut connection)) => {
                round.answered();
                let status = reply.head.status;
                if round.decide(Met::Status(status), made.traces) != Decision::GiveUp {
                    round.conclude(request, picked, Met::Status(status), made.traces);
                    continue;
                }
                match round.hold_back(request, &mut reply, &mut connection).await {
                    Ok(()) => return Ok(Answered { reply, connection, picked }),
                    Err(failure) => {
                        let decision = round.decide(Met::Failure(&failure), made.traces);
                        round.conclude(request, picked, Met::Failure(&failure), made.traces);
                        if decision == Decision::GiveUp {
                            return Err(Unanswered::Failed(failure));
                        }
                    }
                }
            }
            Err(Ended::Failed(failure)) => {
                let decision = round.decide(Met::Failure(&failure), made.traces);
                round.conclude(request, picked, Met::Failure(&failure), made.traces);
                let gives_up = decision == Decision::GiveUp;
                if gives_up && !(round.may_wait(made.traces) && round.hold(client).await?) {
                    return Err(Unanswered::Failed(failure));
                }
            }
        }
    }
}

/// What the attempts of one exchange have used up.
struct Round<'a> {
    errand: &'a Errand<'a>,
    tried: Tried,
    tries_left: u32,
    started: Instant,
    replayable: bool,
    idempotent: bool,
    last_failure: Option<Failure>,
    /// When waiting for an endpoint to come back ends.
    patience: Option<Instant>,
    turn: Option<Turn>,
}

impl<'a> Round<'a> {
    fn new(request: &Request, errand: &'a Errand<'a>) -> Self {
        let started = Instant::now();
        errand.upstream.begin_exchange(started);
        Self {
            errand,
            tried: Tried::default(),
            tries_left: errand.tries(),
            started,
            replayable: matches!(errand.outgoing.body, OutgoingBody::Kept(_)),
            idempotent: retry::is_idempotent(&request.head.method),
            last_failure: None,
            patience: None,
            turn: None,
        }
    }

    /// While others wait for an endpoint to come back, who comes now waits behind them.
    async fn wait_in_line(&mut self, client: &mut H1) -> Result<(), Unanswered> {
        if self.turn.is_none() && self.errand.upstream.held.must_wait() {
            self.hold(client).await?;
        }
        Ok(())
    }

    /// What no endpoint got, and what can be sent whole, can wait for one that takes it.
    fn may_wait(&self, traces: Traces) -> bool {
        !traces.reached() && (self.replayable || !traces.sent)
    }

    /// Waits for an endpoint to come back; false when this request does not wait, or not any longer.
    async fn hold(&mut self, client: &mut H1) -> Result<bool, Unanswered> {
        let Some(settings) = self.errand.proxy.resilience.hold() else { return Ok(false) };
        let deadline = *self.patience.get_or_insert_with(|| Instant::now() + settings.time);
        match hold::wait(&self.errand.upstream, self.turn.take(), settings.max, deadline, client).await {
            Wait::Turn(turn) => {
                self.turn = Some(turn);
                self.tried = Tried::default();
                self.tries_left = self.errand.tries();
                Ok(true)
            }
            Wait::InVain => Ok(false),
            Wait::Client(failure) => Err(Unanswered::Client(failure)),
        }
    }

    /// Where another endpoint could give a better answer, a small one is waited for until it is whole.
    async fn hold_back(
        &self,
        request: &mut Request,
        reply: &mut Reply,
        connection: &mut Connection,
    ) -> Result<(), Failure> {
        let proxy = self.errand.proxy;
        let settings = proxy.resilience.hold_back().filter(|_| self.could_repeat() && proxy.buffering);
        let Some((length, time)) = settings.and_then(|settings| match reply.framing {
            Framing::Length(length) if length <= settings.size => Some((length, settings.time)),
            _ => None,
        }) else {
            return Ok(());
        };
        if reply.head.fields.get("x-accel-buffering").is_some() {
            return Ok(());
        }
        let held = reply.hold_back(connection, length, time).await;
        if let Some(attempt) = request.record.attempts.last_mut() {
            match &held {
                Ok(count) => attempt.bytes_received += count,
                Err(failure) => attempt.failed(failure.clone()),
            }
        }
        held.map(|_| ())
    }

    /// Whether another attempt would be made if this one failed now.
    fn could_repeat(&self) -> bool {
        let conditions = self.errand.proxy.next_upstream.conditions;
        let repeatable = self.idempotent || conditions.contains(Condition::NonIdempotent);
        repeatable && self.replayable && self.tries_left > 1 && conditions.contains(Condition::Error)
    }

    /// An endpoint answered: those who wait may follow.
    fn answered(&mut self) {
        if let Some(turn) = self.turn.take() {
            turn.passed();
        }
    }

    /// A request that cannot be sent again does not go out on a connection that may be closed.
    fn need(&self) -> Need {
        let repeatable =
            self.idempotent || self.errand.proxy.next_upstream.conditions.contains(Condition::NonIdempotent);
        if repeatable && self.replayable { Need::Likely } else { Need::Certain }
    }

    fn decide(&self, met: Met<'_>, traces: Traces) -> Decision {
        let situation = Situation {
            met,
            idempotent: self.idempotent,
            sent: traces.reached(),
            // The head goes first: where nothing was sent, nothing was read of a streamed body.
            replayable: self.replayable || !traces.sent,
            tries_left: self.tries_left,
            elapsed: self.started.elapsed(),
        };
        match retry::decide(&self.errand.proxy.next_upstream, &situation) {
            Decision::Next | Decision::Again if traces.reached() && !self.takes_retry() => Decision::GiveUp,
            decision => decision,
        }
    }

    /// A retry of what an endpoint may have got is taken from the budget.
    fn takes_retry(&self) -> bool {
        let budget = self.errand.proxy.resilience.budget();
        budget.is_none_or(|settings| self.errand.upstream.take_retry(settings, Instant::now()))
    }

    /// Gives an endpoint back after an attempt that is not delivered.
    fn conclude(&mut self, request: &Request, picked: Picked, met: Met<'_>, traces: Traces) {
        let outcome = retry::outcome(&self.errand.proxy.next_upstream, met);
        let upstream = upstream_url(&picked.endpoint().text, self.errand.outgoing.head);
        if let Met::Failure(failure) = met {
            request.log_failure(failure, &picked.endpoint().text, &upstream);
            self.last_failure = Some(failure.clone());
        }
        match traces.idled.filter(|_| retry::is_stale(met)) {
            Some(idled) => self.errand.upstream.pool.borrow_mut().was_stale(picked.endpoint, idled, Instant::now()),
            None => {
                self.tried.insert(picked.endpoint);
                self.tries_left = self.tries_left.saturating_sub(1);
            }
        }
        if picked.finish(outcome, Instant::now()) {
            let phase = match met {
                Met::Failure(failure) => failure.phase,
                Met::Status(_) => Phase::AwaitHead,
            };
            request.log_disabled(phase, &upstream);
        }
    }

    /// The client's side ended the attempt. nginx counts it to sending until the endpoint has said something.
    fn abandoned(&self, request: &mut Request, picked: &Picked, failure: ClientFailure) {
        let answering = request.record.attempts.last().is_some_and(|attempt| attempt.bytes_received > 0);
        let phase = if answering { Phase::AwaitHead } else { Phase::Send };
        let upstream = upstream_url(&picked.endpoint().text, self.errand.outgoing.head);
        request.log_client_failure(failure, Some(phase), Some(&upstream));
    }

    /// No endpoint may be tried: what the attempts before met with is the better answer, if there were any.
    fn refused(&mut self, request: &mut Request, refusal: Refusal) -> Failure {
        let Refusal::NoLiveEndpoints = refusal;
        let failure = Failure::new(Cause::NoLiveEndpoints);
        let upstream = upstream_url(self.errand.name, self.errand.outgoing.head);
        request.log_failure(&failure, self.errand.name, &upstream);
        let mut attempted =
            Attempted::new(self.errand.name.into(), std::mem::take(&mut request.redirected), Instant::now());
        attempted.failed(failure.clone());
        request.record.attempts.push(attempted);
        self.last_failure.take().unwrap_or(failure)
    }
}

/// What an attempt leaves behind for the decision about the next.
#[derive(Debug, Clone, Copy)]
struct Traces {
    /// The connection had carried a request before, and then idled so long.
    idled: Option<Duration>,
    /// The kernel took bytes of the request.
    sent: bool,
    /// And none of them arrived at the endpoint.
    unread: bool,
}

impl Traces {
    /// The endpoint may have got some of the request.
    fn reached(self) -> bool {
        self.sent && !self.unread
    }
}

struct Made {
    result: Result<(Reply, Connection), Ended>,
    traces: Traces,
}

/// Makes one attempt and writes it into the record.
async fn attempt(
    client: &mut H1,
    request: &mut Request,
    errand: &Errand<'_>,
    picked: &Picked,
    need: Need,
    started: Instant,
) -> Made {
    let endpoint = picked.endpoint();
    let mut attempted = Attempted::new(endpoint.text.clone(), std::mem::take(&mut request.redirected), started);
    let key = Key { endpoint: picked.endpoint, bind: errand.proxy.bind };
    let pooled = errand.upstream.pool.borrow_mut().take(key, need, started);
    let idled = pooled.as_ref().and_then(|connection| connection.idled);
    let mut traces = Traces { idled, sent: false, unread: false };
    let opened = match pooled {
        Some(connection) => Ok((connection, Duration::ZERO)),
        None => open(request, errand.proxy, endpoint).await.map(|(stream, timer)| {
            (Connection { stream, timer, key, born: started, requests: 0, sent: 0, idled: None }, started.elapsed())
        }),
    };
    let result = match opened {
        Err(failure) => Err(Ended::Failed(failure)),
        Ok((connection, took)) => {
            attempted.connect_time = Some(took);
            converse(client, request, errand, connection, &mut attempted).await
        }
    };
    traces.sent = attempted.bytes_sent > 0;
    traces.unread = attempted.unread && errand.proxy.resilience.replays_unread;
    let attempts = request.record.attempts.len() as u32 + 1;
    let result = result.map_err(|ended| ended.after(attempts));
    if let Err(Ended::Failed(failure)) = &result {
        attempted.failed(failure.clone());
    }
    if matches!(result, Err(Ended::Client(_))) {
        attempted.response_time = Some(started.elapsed());
    }
    request.record.attempts.push(attempted);
    Made { result, traces }
}

/// Connects; without a descriptor left, once more after what idles has made room.
async fn open(request: &Request, proxy: &Proxy, endpoint: &Endpoint) -> Result<(Stream, Timer), Failure> {
    match connect::connect(&endpoint.peer, proxy).await {
        Err(failure) if failure.cause == Cause::DescriptorsExhausted && request.worker.free_descriptors().await => {
            connect::connect(&endpoint.peer, proxy).await
        }
        opened => opened,
    }
}

/// Sends the request and reads heads until the final one.
async fn converse(
    client: &mut H1,
    request: &Request,
    errand: &Errand<'_>,
    mut connection: Connection,
    attempted: &mut Attempted,
) -> Result<(Reply, Connection), Ended> {
    let proxy = errand.proxy;
    let limits = Limits {
        send_timeout: proxy.send_timeout,
        read_timeout: proxy.read_timeout,
        head: ResponseLimits { head: proxy.buffer_size, fields: MAX_RESPONSE_FIELDS },
    };
    let pool = request.worker.buffers.clone();
    let method = sent_method(errand.outgoing.head);
    let mut attempt = Attempt::new(&mut connection, &errand.outgoing, &method, limits, pool);
    let mut interim = 0;
    let head = loop {
        let head = attempt.next_head(client, !proxy.ignore_client_abort).await;
        attempted.bytes_sent = attempt.sent;
        attempted.bytes_received = attempt.received;
        let head = match head {
            Err(Ended::Failed(failure)) => {
                attempted.unread = connection.was_unread(&failure);
                return Err(failure.into());
            }
            head => head?,
        };
        interim += 1;
        match head.status {
            100..200 if interim > MAX_INTERIM => return Err(attempt.fault(Cause::TooManyInterims)),
            101 if request.asks_for_upgrade(errand.outgoing.head) => break head,
            101 => return Err(attempt.fault(Cause::UnaskedUpgrade)),
            100 => {}
            102..200 => relay_interim(client, request, &head).await?,
            _ => break head,
        }
    };
    let answered = Instant::now();
    attempted.header_time = Some(answered.duration_since(attempted.started));
    attempted.status = head.status;
    let reply = attempt.reply(head)?;
    errand.upstream.pool.borrow_mut().answered(&connection, &reply.head.fields, answered);
    Ok((reply, connection))
}

/// The most field lines of a response.
const MAX_RESPONSE_FIELDS: usize = 1000;

/// The most interim responses before a final one.
const MAX_INTERIM: usize = 100;

/// The method that an endpoint is asked with, which `proxy_method` may have changed: it says whether a body follows.
fn sent_method(head: &[u8]) -> http::Method {
    let word = head.split(|byte| *byte == b' ').next().unwrap_or_default();
    http::Method::from_bytes(word).unwrap_or_default()
}

/// Passes a 1xx on to a client that can understand it (RFC 9110 §15.2).
async fn relay_interim(client: &mut H1, request: &Request, head: &ResponseHead) -> Result<(), Ended> {
    if request.head.version == Version::H10 {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity(256);
    http1::encode::status_line(&mut bytes, Version::H11, head.status, head.reason());
    let ends_here = |name: &[u8]| {
        http1::is_hop_by_hop(name)
            || name.eq_ignore_ascii_case(b"content-length")
            || http1::is_named_by_connection(&head.fields, name)
    };
    for field in head.fields.iter().filter(|field| !ends_here(field.name)) {
        http1::encode::line(&mut bytes, field);
    }
    http1::encode::end(&mut bytes);
    client.write_interim(&bytes, request.settings().send_timeout).await.map_err(Ended::Client)
}
