//! The retries as a middleware of `reqwest-middleware`. Not here: the loop ([`crate::exchange`]).

use std::future::Future;
use std::sync::Arc;

use ::reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use async_trait::async_trait;
use bytes::Bytes;
use http::Extensions;
use reqwest_middleware::{Middleware, Next, Result};
use std::time::Duration;
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
        let known = &*extensions;
        let service = service_fn(|request: http::Request<ReplayBody<Body>>| {
            let (sends, next, mut extensions) = (sends.clone(), next.clone(), known.clone());
            async move {
                Ok::<_, reqwest_middleware::Error>(answered(next.run(sends.again(request)?, &mut extensions).await?))
            }
        });
        let answer = sized(exchange(self.shared.clone(), service, head)).await;
        answer.map(put_together).map_err(reqwest_middleware::Error::middleware)
    }
}

/// Only so that the compiler sees a future that can be sent.
fn sized<F: Future + Send>(future: F) -> F {
    future
}

/// What every attempt sends beside its head.
#[derive(Clone)]
struct Sends {
    /// The whole body where it is in memory: reqwest can then repeat it behind a redirect.
    bytes: Option<Bytes>,
    timeout: Option<Duration>,
}

/// A request for the loop: without a body if that is in memory anyway.
fn taken_apart(mut request: Request, redirects: bool) -> Result<(http::Request<Body>, Sends)> {
    let bytes = match request.body() {
        Some(body) => body.as_bytes().map(Bytes::copy_from_slice),
        None => Some(Bytes::new()),
    };
    if bytes.is_some() {
        *request.body_mut() = None;
    }
    let sends = Sends { bytes, timeout: request.timeout().copied() };
    let mut request = http::Request::try_from(request)?;
    if redirects {
        request.extensions_mut().insert(MayBeRedirected);
    }
    Ok((request, sends))
}

impl Sends {
    /// The request of one attempt.
    fn again(self, request: http::Request<ReplayBody<Body>>) -> Result<Request> {
        let mut request = Request::try_from(match self.bytes {
            Some(bytes) => request.map(|_| Body::from(bytes)),
            None => request.map(Body::wrap),
        })?;
        *request.timeout_mut() = self.timeout;
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
