//! One attempt: counted from the pick until its answer has ended, and never forgotten. Not here: how many there are.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use policy::breaker::Permit;
use policy::{EndpointId, Failure, Outcome, Phase};
use tokio::time::{Instant, sleep_until};
use tower::{Service, ServiceExt};

use crate::body::{HeldBody, hold_back};
use crate::replay::{ReplayBody, Source};
use crate::settings::Settings;
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
}

impl Attempt {
    pub(crate) fn new(
        shared: Arc<Shared>,
        origin: Arc<str>,
        endpoint: Option<EndpointId>,
        permit: Option<Permit>,
    ) -> Self {
        Self { shared, origin, endpoint, permit, active: true }
    }

    /// Its head is there, or will not come: the breaker need not wait for the body.
    pub(crate) fn judge(&mut self, outcome: Outcome) {
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
    source: &Source<B>,
    settings: &Settings,
) -> Result<Response<HeldBody<R>>, Broken>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let began = Instant::now();
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
