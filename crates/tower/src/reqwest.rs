//! The retries as a middleware of `reqwest-middleware`. Not here: the loop ([`crate::exchange`]).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ::reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use async_trait::async_trait;
use http::Extensions;
use reqwest_middleware::{Middleware, Next, Result};
use tower::service_fn;

use crate::body::HeldBody;
use crate::exchange::{MayBeRedirected, exchange};
use crate::replay::ReplayBody;
use crate::shared::Shared;
use crate::{Events, Settings};

/// Tries requests of a `reqwest` client again when that is safe, by the same rules as [`crate::Client`].
///
/// An answer whose status could not be mended is an answer. Where there is none, the error has a [`crate::Error`] in it:
/// [`crate::Error::find`].
///
/// reqwest follows redirects unseen, and what fails then may be the second server: the first has acted. Requests that are
/// not idempotent are therefore sent once, unless they have an `Idempotency-Key` or [`RetryMiddleware::without_redirects`]
/// is said.
///
/// ```
/// use tidegate_tower::{RetryMiddleware, Settings};
///
/// # fn check() -> reqwest_middleware::ClientWithMiddleware {
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(RetryMiddleware::new(Settings::client()))
///     .build();
/// # client }
/// ```
#[derive(Debug, Clone)]
pub struct RetryMiddleware {
    shared: Arc<Shared>,
    redirects: bool,
}

impl RetryMiddleware {
    /// With these settings; budget and breakers are its own.
    pub fn new(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared::new(settings, Vec::new(), None)), redirects: true }
    }

    /// The same with somebody who listens.
    pub fn with_events(settings: Settings, events: impl Events + 'static) -> Self {
        Self { shared: Arc::new(Shared::new(settings, Vec::new(), Some(Arc::new(events)))), redirects: true }
    }

    /// The client was built with `redirect::Policy::none()`: what was never sent is then never acted upon.
    pub fn without_redirects(mut self) -> Self {
        self.redirects = false;
        self
    }
}

#[async_trait]
impl Middleware for RetryMiddleware {
    async fn handle(&self, request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let (head, sends) = taken_apart(request, self.redirects)?;
        let (known, sends) = (&*extensions, &sends);
        let service = service_fn(|request: http::Request<ReplayBody<Body>>| {
            let (next, mut extensions) = (next.clone(), known.clone());
            async move { next.run(sends.again(request)?, &mut extensions).await.map(answered) }
        });
        let answer = sized(exchange(self.shared.clone(), service, head)).await;
        answer.map(put_together).map_err(reqwest_middleware::Error::middleware)
    }
}

/// Only so that the compiler sees a future that can be sent.
fn sized<F: Future + Send>(future: F) -> F {
    future
}

/// What every attempt sends.
#[allow(clippy::large_enum_variant, reason = "there is one for each exchange, and the large one is the usual one")]
enum Sends {
    /// This one, with the fields of the loop. Its body is in memory: reqwest can repeat it behind a redirect too.
    Whole(Request),
    /// What the loop has, within this time.
    Stream(Option<Duration>),
}

/// A request for the loop: only its fields, and for whom it is, if its body is in memory.
fn taken_apart(mut request: Request, redirects: bool) -> Result<(http::Request<Body>, Sends)> {
    let in_memory = request.body().is_none_or(|body| body.as_bytes().is_some());
    let (mut head, sends) = if in_memory {
        let origin = request.url().origin().ascii_serialization();
        let head = http::Request::builder().method(request.method()).uri(origin).body(Body::default());
        let mut head = head.map_err(reqwest_middleware::Error::middleware)?;
        *head.headers_mut() = std::mem::take(request.headers_mut());
        (head, Sends::Whole(request))
    } else {
        let timeout = request.timeout().copied();
        (http::Request::try_from(request)?, Sends::Stream(timeout))
    };
    if redirects {
        head.extensions_mut().insert(MayBeRedirected);
    }
    Ok((head, sends))
}

impl Sends {
    /// The request of one attempt.
    fn again(&self, head: http::Request<ReplayBody<Body>>) -> Result<Request> {
        if let Sends::Whole(request) = self
            && let Some(mut again) = request.try_clone()
        {
            *again.headers_mut() = head.into_parts().0.headers;
            return Ok(again);
        }
        let mut request = Request::try_from(head.map(Body::wrap))?;
        if let Sends::Stream(timeout) = self {
            *request.timeout_mut() = *timeout;
        }
        Ok(request)
    }
}

/// An answer for the loop. Its address would be lost.
fn answered(response: Response) -> http::Response<Body> {
    let url = response.url().clone();
    let mut response = http::Response::from(response);
    response.extensions_mut().insert(url);
    response
}

fn put_together(response: http::Response<HeldBody<Body>>) -> Response {
    let (mut parts, body) = response.into_parts();
    let url = parts.extensions.remove::<Url>();
    let mut builder = http::Response::builder().status(parts.status).version(parts.version);
    if let Some(url) = url {
        builder = builder.url(url);
    }
    let body = Body::wrap(body);
    let Ok(mut response) = builder.body(()).map(|response| response.map(|()| body)) else {
        unreachable!("a status and a version are always right")
    };
    *response.headers_mut() = parts.headers;
    response.extensions_mut().extend(parts.extensions);
    response.into()
}
