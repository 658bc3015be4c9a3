//! One exchange: as many attempts as it takes and may take. The only loop. Not here: what decides (`policy`).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body::Body;
use policy::retry::{self, Decision, Met, Situation};
use policy::{Cause, Delivery, Outcome, Tried};
use tokio::time::{Instant, sleep, timeout_at};
use tower::Service;

use crate::attempt::{Attempt, Broken, once};
use crate::body::HeldBody;
use crate::idempotency::{random, settle};
use crate::replay::{ReplayBody, Source};
use crate::retry_after::retry_after;
use crate::shared::{Refused, Shared};
use crate::{BoxError, Error, Event, RETRY_ATTEMPT};

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
        let body = Source::new(body, shared.settings.replay);
        let began = Instant::now();
        let deadline = began + shared.settings.total_timeout;
        Self { shared, head, body, idempotent, before, number: 0, tried: Tried::default(), began, deadline }
    }

    async fn run<S, R>(&mut self, service: S) -> Result<Response<HeldBody<R>>, Error>
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
            let request = self.request(&attempt);
            let reply = once(service.clone(), request, &self.body, &self.shared.settings).await;
            let (outcome, wait) = self.judge(&attempt, &reply);
            attempt.judge(outcome);
            let Some(wait) = wait else { return self.deliver(attempt, outcome, reply) };
            attempt.finish(outcome);
            self.shared.emit(&Event::Retry { number: self.number + 1, after: wait });
            last = Some(reply);
            sleep(wait).await;
        }
    }

    fn request(&mut self, attempt: &Attempt) -> Request<ReplayBody<B>> {
        self.number += 1;
        let mut head = self.head.clone();
        if let Some(id) = attempt.endpoint {
            head.uri = self.shared.bases[id.index()].join(&head.uri);
            self.tried.insert(id);
        }
        let retries = self.before.saturating_add(self.number - 1);
        if retries > 0 {
            head.headers.insert(RETRY_ATTEMPT, HeaderValue::from(retries));
        }
        self.shared.emit(&Event::Attempt { number: self.number, origin: &attempt.origin });
        Request::from_parts(head, self.body.attempt())
    }

    /// What an attempt says of its origin, and the wait until the next one if there is to be one.
    fn judge<R>(&self, attempt: &Attempt, reply: &Reply<R>) -> (Outcome, Option<Duration>) {
        let settings = &self.shared.settings;
        let origin = &attempt.origin;
        let (met, asked) = match reply {
            Err(Broken { failure, .. }) => {
                self.shared.emit(&Event::Failed { origin, failure });
                (Met::Failure(failure), None)
            }
            Ok(response) => (Met::Status(response.status().as_u16()), retry_after(response.headers())),
        };
        let outcome = retry::outcome(&settings.retry, met);
        if let (Met::Status(status), Outcome::Failure) = (met, outcome) {
            self.shared.emit(&Event::Answered { origin, status });
        }
        if retry::decide(&settings.retry, &self.situation(met)) == Decision::GiveUp || self.tries_left(met) <= 1 {
            return (outcome, None);
        }
        let wait = self.wait(asked).filter(|_| self.shared.take_retry());
        (outcome, wait)
    }

    fn situation<'a>(&self, met: Met<'a>) -> Situation<'a> {
        Situation {
            met,
            idempotent: self.idempotent,
            sent: !never_sent(met),
            replayable: self.body.is_replayable(),
            tries_left: self.tries_left(met),
            elapsed: self.began.elapsed(),
        }
    }

    /// A retry of somebody in front is not multiplied: unless no application saw it, it is one attempt.
    fn tries_left(&self, met: Met<'_>) -> u32 {
        let tries = match self.shared.settings.retry.tries {
            0 => u32::try_from(self.shared.bases.len()).unwrap_or(u32::MAX).max(1),
            tries => tries,
        };
        if self.before > 0 && !never_sent(met) { 1 } else { (tries + 1).saturating_sub(self.number) }
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

fn never_sent(met: Met<'_>) -> bool {
    matches!(met, Met::Failure(failure) if failure.delivery() == Delivery::NeverSent)
}

/// The number of a field that may say anything: whoever sends it retries.
fn said(value: &HeaderValue) -> u32 {
    value.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1)
}
