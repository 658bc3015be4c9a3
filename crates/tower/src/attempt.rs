//! One attempt: counted from the pick until its answer has ended, and never forgotten. Not here: how many there are.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use policy::breaker::Permit;
use policy::retry::Met;
use policy::{EndpointId, Failure, Outcome, Phase};
use tokio::time::{Instant, sleep_until};
use tower::{Service, ServiceExt};

use crate::body::{HeldBody, hold_back};
use crate::replay::{ReplayBody, Source};
use crate::shared::Shared;
use crate::{BoxError, Event, failure_of_error};

/// An attempt under way; its drop ends it.
#[derive(Debug)]
pub(crate) struct Attempt {
    shared: Arc<Shared>,
    pub(crate) origin: Arc<str>,
    /// Whom of the base URLs it asks, if there are some.
    pub(crate) endpoint: Option<EndpointId>,
    permit: Option<Permit>,
    active: bool,
    /// Its number and its beginning, until its head is there or will not come.
    running: Option<(u32, Instant)>,
}

impl Attempt {
    pub(crate) fn new(
        shared: Arc<Shared>,
        origin: Arc<str>,
        endpoint: Option<EndpointId>,
        permit: Option<Permit>,
    ) -> Self {
        Self { shared, origin, endpoint, permit, active: true, running: None }
    }

    /// It begins.
    pub(crate) fn begin(&mut self, number: u32) {
        self.running = Some((number, Instant::now()));
        self.shared.emit(&Event::Attempt { number, origin: &self.origin });
    }

    /// Its head is there, or will not come. The breaker need not wait for the body.
    pub(crate) fn met(&mut self, met: Met<'_>, outcome: Outcome) {
        if let Some((number, began)) = self.running.take() {
            let (origin, took) = (&*self.origin, began.elapsed());
            self.shared.emit(&Event::Ended { number, origin, took, met: Some(met) });
            match (met, outcome) {
                (Met::Failure(failure), _) => self.shared.emit(&Event::Failed { origin, failure }),
                (Met::Status(status), Outcome::Failure) => self.shared.emit(&Event::Answered { origin, status }),
                (Met::Status(_), _) => self.shared.took(self, took),
            }
        }
        self.judge(outcome);
    }

    /// Another one beside it was quicker. It would have taken this long at the least.
    pub(crate) fn gives_way(&mut self) {
        if let Some((_, began)) = self.running {
            self.shared.took(self, began.elapsed());
        }
    }

    fn judge(&mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            self.shared.report(&self.origin, permit, outcome);
        }
    }

    /// It has ended.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        self.judge(outcome);
        if std::mem::take(&mut self.active)
            && let Some(id) = self.endpoint
        {
            self.shared.finish(id, outcome);
        }
    }

    /// The body broke off after the head was delivered.
    pub(crate) fn fails_late(&self, failure: &Failure) {
        self.shared.emit(&Event::Failed { origin: &self.origin, failure });
        self.shared.failed_late(&self.origin);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some((number, began)) = self.running.take() {
            self.shared.emit(&Event::Ended { number, origin: &self.origin, took: began.elapsed(), met: None });
        }
        self.finish(Outcome::Neutral);
    }
}

/// Why an attempt has no answer.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) failure: Failure,
    pub(crate) source: Option<BoxError>,
}

/// Makes one: until the head is there, and the body too if it is small.
pub(crate) async fn once<S, B, R>(
    service: S,
    request: Request<ReplayBody<B>>,
    source: Source<B>,
    shared: Arc<Shared>,
) -> Result<Response<HeldBody<R>>, Broken>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (began, settings) = (Instant::now(), &shared.settings);
    let mut call = std::pin::pin!(service.oneshot(request));
    let response = loop {
        let silent = began.max(source.progress()) + settings.attempt_timeout;
        tokio::select! {
            biased;
            result = &mut call => break result.map_err(|error| broken(error.into(), Phase::AwaitHead))?,
            () = sleep_until(silent), if silent > Instant::now() => {}
            () = std::future::ready(()), if silent <= Instant::now() => {
                return Err(Broken { failure: Failure::timed_out(source.silent_phase()), source: None });
            }
        }
    };
    let held = hold_back(response, settings.hold_back, settings.body_timeout).await;
    held.map_err(|error| broken(error, Phase::Body))
}

fn broken(error: BoxError, phase: Phase) -> Broken {
    Broken { failure: failure_of_error(&*error, phase), source: Some(error) }
}
