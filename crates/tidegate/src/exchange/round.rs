//! What the attempts of one exchange have used up, and what that leaves to decide: the facts for policy, its answers for
//! the loop. Not here: the loop, and making attempts.

use std::cell::Cell;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use policy::backoff::Backoff;
use policy::retry::{self, Condition, Decision, Met, Situation};
use policy::reuse::Need;
use policy::{Cause, Failure, Phase, Refusal, Tried};

use super::making::{Terms, Traces};
use super::{Errand, Unanswered};
use crate::client::{Client, ClientFailure};
use crate::downstream::h1::H1;
use crate::record::Attempted;
use crate::request::{Request, upstream_url};
use crate::upstream::attempt::OutgoingBody;
use crate::upstream::hold::{self, Turn, Wait};
use crate::upstream::{Picked, Watched};

/// The attempts so far.
pub(super) struct Round<'a> {
    errand: &'a Errand<'a>,
    pub(super) tried: Tried,
    tries_left: u32,
    started: Instant,
    replayable: bool,
    idempotent: bool,
    /// Whoever stands in front has tried before: it goes on trying, and this gateway does not multiply it.
    is_a_retry: bool,
    last_failure: Option<Failure>,
    /// No attempt has begun.
    fresh: bool,
    /// When waiting for an endpoint to come back ends.
    patience: Option<Instant>,
    /// It may not wait, since too many do.
    crowded_out: bool,
    /// Only the budget of retries keeps it from another attempt.
    budget_spent: Cell<bool>,
    turn: Option<Turn>,
    /// How often all endpoints were asked already.
    rounds: u32,
    /// Attempts so far of which an endpoint got something.
    retries: u32,
    /// The endpoints had no room when it was its turn.
    found_full: bool,
}

impl<'a> Round<'a> {
    pub(super) fn new(request: &Request, errand: &'a Errand<'a>) -> Self {
        let started = Instant::now();
        let mut tried = Tried::default();
        match errand.avoid {
            Some(endpoint) => tried.insert(endpoint),
            None => errand.upstream.begin_exchange(started),
        }
        Self {
            errand,
            tried,
            tries_left: errand.tries(),
            started,
            replayable: matches!(errand.outgoing.body, OutgoingBody::Kept(_)),
            idempotent: retry::is_idempotent(&request.head.method),
            is_a_retry: is_a_retry(request),
            last_failure: None,
            fresh: true,
            patience: None,
            crowded_out: false,
            budget_spent: Cell::new(false),
            turn: None,
            rounds: 0,
            retries: 0,
            found_full: false,
        }
    }

    /// While others wait for an endpoint to come back, who comes now waits behind them. When the attempt may begin.
    pub(super) async fn wait_in_line(&mut self, client: &mut H1) -> Result<Instant, Unanswered> {
        if self.turn.is_none() && self.errand.upstream.held.must_wait() {
            Box::pin(self.hold(client)).await?;
        }
        let at_once = std::mem::take(&mut self.fresh) && self.patience.is_none();
        Ok(if at_once { self.started } else { Instant::now() })
    }

    /// What no endpoint got, and what can be sent whole, can wait for one that takes it.
    pub(super) fn may_wait(&self, traces: Traces) -> bool {
        !traces.reached() && (self.replayable || !traces.sent)
    }

    /// Whether a wait may help. Endpoints that are full are there: waiting with them would only make a line that grows
    /// longer than anybody's patience. Who was released from a wait already goes back to its place.
    pub(super) fn waits_for(&mut self, refusal: Refusal) -> bool {
        self.found_full = refusal == Refusal::AllFull;
        refusal == Refusal::NoLiveEndpoints || self.turn.is_some()
    }

    /// Waits for an endpoint to come back; false when this request does not wait, or not any longer.
    pub(super) async fn hold(&mut self, client: &mut H1) -> Result<bool, Unanswered> {
        let Some(settings) = self.errand.proxy.resilience.hold() else { return Ok(false) };
        let deadline = *self.patience.get_or_insert_with(|| Instant::now() + settings.time);
        let full = std::mem::take(&mut self.found_full);
        match hold::wait(&self.errand.upstream, self.turn.take(), full, settings.max, deadline, client).await {
            Wait::Turn(turn) => {
                self.turn = Some(turn);
                self.tried = Tried::default();
                self.tries_left = self.errand.tries();
                Ok(true)
            }
            Wait::InVain => Ok(false),
            Wait::Full => {
                self.crowded_out = true;
                Ok(false)
            }
            Wait::Client(failure) => Err(Unanswered::Client(failure)),
        }
    }

    /// Whether another attempt would be made if the next one failed.
    fn could_repeat(&self) -> bool {
        let conditions = self.errand.proxy.next_upstream.conditions;
        let another = self.tries_left > 1 || self.has_another_round();
        self.is_repeatable() && !self.is_a_retry && another && conditions.contains(Condition::Error)
    }

    /// An endpoint answered: those who wait may follow.
    pub(super) fn answered(&mut self) {
        if let Some(turn) = self.turn.take() {
            turn.passed();
        }
    }

    /// Whether health beyond nginx's counts for the next attempt.
    pub(super) fn watched(&self) -> Option<Watched> {
        let eject = self.errand.proxy.resilience.eject()?;
        Some(Watched { eject, replayable: self.is_repeatable() })
    }

    /// What the next attempt is made under.
    pub(super) fn terms(&self, started: Instant) -> Terms {
        let need = if self.is_repeatable() { Need::Likely } else { Need::Certain };
        let retry = if self.errand.proxy.resilience.on { self.retries } else { 0 };
        Terms { need, mends: self.could_repeat(), retry, started }
    }

    /// Whether the request may be made twice, and can be.
    fn is_repeatable(&self) -> bool {
        let conditions = self.errand.proxy.next_upstream.conditions;
        self.replayable && (self.idempotent || conditions.contains(Condition::NonIdempotent))
    }

    /// Decides about what an attempt met with.
    pub(super) fn decide(&self, met: Met<'_>, traces: Traces) -> Decision {
        let situation = Situation {
            met,
            idempotent: self.idempotent,
            sent: traces.reached(),
            // The head goes first: where nothing was sent, nothing was read of a streamed body.
            replayable: self.replayable || !traces.sent,
            tries_left: self.tries_left,
            another_round: self.has_another_round() && traces.reached(),
            elapsed: self.elapsed(),
        };
        match retry::decide(&self.errand.proxy.next_upstream, &situation) {
            Decision::Next | Decision::Again | Decision::Later
                if traces.reached() && (self.is_a_retry || !self.takes_retry()) =>
            {
                Decision::GiveUp
            }
            decision => decision,
        }
    }

    /// Whether all endpoints may be asked once more, after a pause that ends in time.
    fn has_another_round(&self) -> bool {
        let timeout = self.errand.proxy.next_upstream.timeout;
        let in_time = |pause: Backoff| timeout.is_zero() || self.started.elapsed() + pause.cap < timeout;
        self.rounds < retry::MORE_ROUNDS && self.errand.proxy.resilience.pause().is_some_and(in_time)
    }

    /// Pauses before the next round.
    pub(super) async fn pause(&mut self, client: &mut H1) -> Result<(), Unanswered> {
        let backoff = self.errand.proxy.resilience.pause().unwrap_or_default();
        let delay = backoff.delay(self.rounds, None, RandomState::new().hash_one(self.rounds));
        self.rounds += 1;
        self.tried = Tried::default();
        self.tries_left = self.errand.tries();
        let mut end = pin!(tokio::time::sleep(delay));
        let gone = std::future::poll_fn(|cx| match client.poll_gone(cx) {
            Poll::Ready(errno) => Poll::Ready(Some(errno)),
            Poll::Pending => end.as_mut().poll(cx).map(|()| None),
        });
        match gone.await {
            Some(errno) => Err(Unanswered::Client(ClientFailure::Gone(errno))),
            None => Ok(()),
        }
    }

    /// How long the exchange has taken, where there is a bound on it.
    fn elapsed(&self) -> Duration {
        if self.errand.proxy.next_upstream.timeout.is_zero() { Duration::ZERO } else { self.started.elapsed() }
    }

    /// A retry of what an endpoint may have got is taken from the budget.
    fn takes_retry(&self) -> bool {
        let budget = self.errand.proxy.resilience.budget();
        let granted = budget.is_none_or(|settings| self.errand.upstream.take_retry(settings, Instant::now()));
        self.budget_spent.set(!granted);
        granted
    }

    /// Gives an endpoint back after an attempt that is not delivered.
    pub(super) fn conclude(&mut self, request: &Request, picked: Picked, met: Met<'_>, traces: Traces) {
        self.retries += u32::from(traces.reached());
        let outcome = retry::outcome(&self.errand.proxy.next_upstream, met);
        let upstream = upstream_url(picked.endpoint().text(), self.errand.outgoing.head);
        if let Met::Failure(failure) = met {
            let failure = failure.clone().with(|evidence| evidence.budget_spent = self.budget_spent.get());
            request.log_failure(&failure, picked.endpoint().text(), &upstream);
            if failure.phase == Phase::Connect {
                self.errand.upstream.suspect(picked.endpoint, &request.worker.names);
            }
            self.last_failure = Some(failure);
        }
        match traces.idled.filter(|_| retry::is_stale(met)) {
            Some(idled) => self.errand.upstream.pool.borrow_mut().was_stale(picked.endpoint, idled, Instant::now()),
            None => {
                self.tried.insert(picked.endpoint);
                self.tries_left = self.tries_left.saturating_sub(1);
            }
        }
        let unreachable = matches!(met, Met::Failure(failure) if failure.phase == Phase::Connect);
        if picked.finish_attempt(outcome, unreachable, Instant::now()) {
            let phase = match met {
                Met::Failure(failure) => failure.phase,
                Met::Status(_) => Phase::AwaitHead,
            };
            request.log_disabled(phase, &upstream);
        }
    }

    /// The same for an answer that was none to this request.
    pub(super) fn conclude_stale(&mut self, request: &mut Request, picked: Picked, failure: &Failure, traces: Traces) {
        let failure = picked.told(failure.clone(), request.record.attempts.len() as u32, self.errand.proxy);
        if let Some(attempt) = request.record.attempts.last_mut() {
            attempt.failure = Some(failure.clone());
        }
        self.conclude(request, picked, Met::Failure(&failure), traces);
    }

    /// The client's side ended the attempt. nginx counts it to sending until the endpoint has said something.
    pub(super) fn abandoned(&self, request: &mut Request, picked: &Picked, failure: ClientFailure) {
        let answering = request.record.attempts.last().is_some_and(|attempt| attempt.bytes_received > 0);
        let phase = if answering { Phase::AwaitHead } else { Phase::Send };
        let upstream = upstream_url(picked.endpoint().text(), self.errand.outgoing.head);
        request.log_client_failure(failure, Some(phase), Some(&upstream));
    }

    /// No endpoint may be tried: what the attempts before met with is the better answer, if there were any.
    pub(super) fn refused(&mut self, request: &mut Request, refusal: Refusal) -> Failure {
        let held = self.patience.is_some() && self.last_failure.is_none();
        let failure = Failure::new(match refusal {
            Refusal::AllFull => Cause::EndpointsFull,
            Refusal::NoLiveEndpoints if held && self.crowded_out => Cause::HoldFull,
            Refusal::NoLiveEndpoints if held => Cause::HoldTimeout,
            // An upstream has servers: that none became an endpoint means that no name of theirs has an address.
            Refusal::NoLiveEndpoints if self.errand.upstream.endpoints.is_empty() => Cause::NameNotFound,
            Refusal::NoLiveEndpoints => Cause::NoLiveEndpoints,
        });
        let upstream = upstream_url(self.errand.name, self.errand.outgoing.head);
        request.log_failure(&failure, self.errand.name, &upstream);
        let mut attempted =
            Attempted::new(self.errand.name.into(), std::mem::take(&mut request.redirected), Instant::now());
        attempted.failed(failure.clone());
        request.record.attempts.push(attempted);
        self.last_failure.take().unwrap_or(failure)
    }
}

/// `Retry-Attempt: 1` or more: how many retries were made in front of this gateway.
fn is_a_retry(request: &Request) -> bool {
    let value = request.head.fields.get("retry-attempt").and_then(|value| str::from_utf8(value).ok());
    value.and_then(|value| value.trim().parse::<u32>().ok()).is_some_and(|retries| retries > 0)
}
