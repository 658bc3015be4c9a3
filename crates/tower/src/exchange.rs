//! One exchange: as many attempts as it takes and may take. The only loop. Not here: what decides (`policy`).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body::Body;
use policy::retry::{self, Decision, Met, Situation};
use policy::{Cause, Delivery, Outcome, Tried};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower::Service;

use crate::attempt::{Attempt, Broken, once};
use crate::body::HeldBody;
use crate::idempotency::{random, settle};
use crate::proxy_status::says_never_sent;
use crate::replay::{ReplayBody, Source};
use crate::retry_after::retry_after;
use crate::shared::{Refused, Shared};
use crate::{BoxError, Error, Event, RETRY_ATTEMPT};

/// Among a request's extensions: the service follows redirects unseen. That a failing attempt was never sent may then be
/// said of the second hop, after the first one acted.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "reqwest"), allow(dead_code, reason = "only reqwest follows redirects"))]
pub(crate) struct MayBeRedirected;

/// How many attempts an answer took, among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempts(pub(crate) u32);

/// Carries a request to a final answer. An answer whose status could not be mended is returned as it is.
///
/// # Errors
/// There is none: the last attempt's failure, or that none may be made, or that the time is over.
pub(crate) async fn exchange<S, B, R>(
    shared: Arc<Shared>,
    service: S,
    request: Request<B>,
) -> Result<Response<HeldBody<R>>, Error>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let mut exchange = Exchange::new(shared, request);
    let deadline = exchange.deadline;
    let in_time = timeout_at(deadline, exchange.run(service)).await;
    in_time.unwrap_or_else(|_| Err(Error::new(Cause::DeadlineExceeded, exchange.number)))
}

struct Exchange<B> {
    shared: Arc<Shared>,
    head: request::Parts,
    body: Source<B>,
    idempotent: bool,
    may_be_redirected: bool,
    /// Retries that were made in front of this layer.
    before: u32,
    /// Attempts of this layer so far.
    number: u32,
    tried: Tried,
    began: Instant,
    deadline: Instant,
}

/// What an attempt came to.
type Reply<R> = Result<Response<HeldBody<R>>, Broken>;

impl<B: Body<Data = Bytes>> Exchange<B> {
    fn new(shared: Arc<Shared>, request: Request<B>) -> Self {
        let (mut head, body) = request.into_parts();
        let idempotent = settle(shared.settings.idempotency_keys, &head.method, &mut head.headers);
        let before = head.headers.get(RETRY_ATTEMPT).map_or(0, said);
        let may_be_redirected = head.extensions.get::<MayBeRedirected>().is_some();
        let body = Source::new(body, shared.settings.replay);
        let began = Instant::now();
        let deadline = began + shared.settings.total_timeout;
        Self {
            shared,
            head,
            body,
            idempotent,
            may_be_redirected,
            before,
            number: 0,
            tried: Tried::default(),
            began,
            deadline,
        }
    }

    async fn run<S, R>(&mut self, mut service: S) -> Result<Response<HeldBody<R>>, Error>
    where
        S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        self.shared.begin();
        let mut last: Option<Reply<R>> = None;
        loop {
            let mut attempt = match self.shared.pick(&self.head.uri, &self.tried) {
                Ok(attempt) => attempt,
                Err(refused) => return self.refused(refused, last),
            };
            drop(last.take());
            let reply;
            (attempt, reply) = self.attempt(attempt, &mut service).await;
            let outcome = self.ended(&mut attempt, &reply);
            let wait = self.wait_to_mend(&reply);
            let Some(wait) = wait else { return self.deliver(attempt, outcome, reply) };
            attempt.finish(outcome);
            self.shared.emit(&Event::Retry { number: self.number + 1, after: wait });
            last = Some(reply);
            sleep(wait).await;
        }
    }

    /// Makes an attempt, and another one beside it if it is silent for too long; the one that counts.
    async fn attempt<S, R>(&mut self, mut attempt: Attempt, service: &mut S) -> (Attempt, Reply<R>)
    where
        S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        let body = self.body.attempt();
        let mut first = pin!(self.start(&mut attempt, body, service));
        let Some(silence) = self.hedge_after(&attempt) else { return (attempt, first.await) };
        if let Ok(reply) = timeout(silence, &mut first).await {
            return (attempt, reply);
        }
        let Some((mut hedge, body)) = self.hedge(silence) else { return (attempt, first.await) };
        // Rare, and therefore not a part of every exchange's size.
        let mut boxed = Box::pin(self.start(&mut hedge, body, service));
        let mut second = boxed.as_mut();
        let (mut quicker, reply, mut slower, rest) = tokio::select! {
            biased;
            reply = &mut first => (attempt, reply, hedge, second),
            reply = &mut second => (hedge, reply, attempt, first),
        };
        if self.is_final(&reply) {
            slower.gives_way();
            return (quicker, reply);
        }
        let outcome = self.ended(&mut quicker, &reply);
        quicker.finish(outcome);
        drop(reply);
        (slower, rest.await)
    }

    /// Begins an attempt, which borrows nothing of the exchange.
    fn start<S, R>(
        &mut self,
        attempt: &mut Attempt,
        body: ReplayBody<B>,
        service: &mut S,
    ) -> impl Future<Output = Reply<R>> + use<S, R, B>
    where
        S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        self.number += 1;
        attempt.begin(self.number);
        let request = Request::from_parts(self.head(attempt), body);
        once(service.clone(), request, self.body.clone(), self.shared.clone())
    }

    fn head(&mut self, attempt: &Attempt) -> request::Parts {
        let mut head = self.head.clone();
        if let Some(id) = attempt.endpoint {
            head.uri = self.shared.bases[id.index()].join(&head.uri);
            self.tried.insert(id);
        }
        let retries = self.before.saturating_add(self.number - 1);
        if retries > 0 {
            head.headers.insert(RETRY_ATTEMPT, HeaderValue::from(retries));
        }
        head
    }

    /// How long the attempt may be silent until another one begins beside it, if one may. Safe methods only: what
    /// repeats without harm one after the other may still not be done twice at once.
    fn hedge_after(&self, attempt: &Attempt) -> Option<Duration> {
        self.shared.settings.hedge?;
        let may = self.head.method.is_safe() && self.before == 0 && self.number < self.tries();
        may.then(|| self.shared.hedge_after(attempt)).flatten()
    }

    /// The attempt beside one that is silent: elsewhere if there is an elsewhere, and paid for like a retry.
    fn hedge(&self, after: Duration) -> Option<(Attempt, ReplayBody<B>)> {
        let body = self.body.beside()?;
        let attempt = self.shared.pick(&self.head.uri, &self.tried).ok()?;
        self.shared.take_retry().then_some(())?;
        self.shared.emit(&Event::Hedge { number: self.number + 1, after });
        Some((attempt, body))
    }

    /// Tells how an attempt ended; what it says of its origin.
    fn ended<R>(&self, attempt: &mut Attempt, reply: &Reply<R>) -> Outcome {
        let met = met(reply);
        let outcome = retry::outcome(&self.shared.settings.retry, met);
        attempt.met(met, outcome);
        outcome
    }

    /// The wait until the next attempt, if there is to be one.
    fn wait_to_mend<R>(&self, reply: &Reply<R>) -> Option<Duration> {
        if self.is_final(reply) || self.tries_left(reply) <= 1 {
            return None;
        }
        let asked = reply.as_ref().ok().and_then(|response| retry_after(response.headers()));
        self.wait(asked).filter(|_| self.shared.take_retry())
    }

    /// Whether no other attempt could mend it.
    fn is_final<R>(&self, reply: &Reply<R>) -> bool {
        retry::decide(&self.shared.settings.retry, &self.situation(reply)) == Decision::GiveUp
    }

    fn situation<'a, R>(&self, reply: &'a Reply<R>) -> Situation<'a> {
        Situation {
            met: met(reply),
            idempotent: self.idempotent,
            sent: !never_sent(reply),
            replayable: self.body.is_replayable(),
            // Counted here: an attempt beside another one may mend what the last try met.
            tries_left: u32::MAX,
            another_round: false,
            elapsed: self.began.elapsed(),
        }
    }

    /// A retry of somebody in front is not multiplied: unless no application saw it, it is one attempt.
    fn tries_left<R>(&self, reply: &Reply<R>) -> u32 {
        let once = (self.before > 0 && !never_sent(reply)) || (self.may_be_redirected && !self.idempotent);
        if once { 1 } else { (self.tries() + 1).saturating_sub(self.number) }
    }

    fn tries(&self) -> u32 {
        match self.shared.settings.retry.tries {
            0 => u32::try_from(self.shared.bases.len()).unwrap_or(u32::MAX).max(1),
            tries => tries,
        }
    }

    /// None if it is longer than may be waited. Another origin is asked at once.
    fn wait(&self, asked: Option<Duration>) -> Option<Duration> {
        let settings = &self.shared.settings;
        if self.shared.has_untried(&self.tried) {
            return Some(Duration::ZERO);
        }
        let wait = settings.backoff.delay(self.number - 1, asked, random());
        let in_time = Instant::now() + wait < self.deadline;
        (in_time && asked.unwrap_or_default() <= settings.longest_retry_after).then_some(wait)
    }

    fn deliver<R>(
        &self,
        mut attempt: Attempt,
        outcome: Outcome,
        reply: Reply<R>,
    ) -> Result<Response<HeldBody<R>>, Error>
    where
        R: Body<Data = Bytes>,
        R::Error: Into<BoxError>,
    {
        match reply {
            Ok(mut response) => {
                response.extensions_mut().insert(Attempts(self.number));
                if outcome == Outcome::Success {
                    response.body_mut().count(attempt);
                } else {
                    attempt.finish(outcome);
                }
                Ok(response)
            }
            Err(broken) => {
                attempt.finish(outcome);
                Err(self.error(broken))
            }
        }
    }

    fn error(&self, Broken { failure, source }: Broken) -> Error {
        Error::new(failure, self.number).because(source)
    }

    /// Nobody may be asked: what was met before is more to the point than that.
    fn refused<R>(&self, refused: Refused, last: Option<Reply<R>>) -> Result<Response<HeldBody<R>>, Error> {
        match last {
            Some(Ok(response)) => Ok(response),
            Some(Err(broken)) => Err(self.error(broken)),
            None => Err(Error::new(refused.cause, self.number).after(refused.retry_after)),
        }
    }
}

fn met<R>(reply: &Reply<R>) -> Met<'_> {
    match reply {
        Ok(response) => Met::Status(response.status().as_u16()),
        Err(broken) => Met::Failure(&broken.failure),
    }
}

/// Whether no application can have seen the request: we never sent it, or the gateway that answered says so of itself.
fn never_sent<R>(reply: &Reply<R>) -> bool {
    match reply {
        Ok(response) => says_never_sent(response.headers()),
        Err(broken) => broken.failure.delivery() == Delivery::NeverSent,
    }
}

/// The number of a field that may say anything: whoever sends it retries.
fn said(value: &HeaderValue) -> u32 {
    value.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1)
}
