//! The retrying layer over any HTTP service. Not here: the loop ([`crate::exchange`]).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use crate::body::HeldBody;
use crate::exchange::exchange;
use crate::replay::ReplayBody;
use crate::shared::Shared;
use crate::{BoxError, Error, Events, Settings};

/// Tries requests again when that is safe. Clones share one budget and one breaker for each origin.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use tidegate_tower::{Http, Retry, Settings};
/// use tower::{Layer, Service};
///
/// # fn check() -> impl Service<http::Request<Full<Bytes>>> {
/// let service = Retry::new(Settings::client()).layer(Http::new());
/// # service }
/// ```
#[derive(Debug, Clone)]
pub struct Retry {
    shared: Arc<Shared>,
}

impl Retry {
    /// A layer that asks whom each request names.
    pub fn new(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared::new(settings, Vec::new(), None)) }
    }

    /// The same with somebody who listens.
    pub fn with_events(settings: Settings, events: impl Events + 'static) -> Self {
        Self { shared: Arc::new(Shared::new(settings, Vec::new(), Some(Arc::new(events)))) }
    }
}

impl<S> Layer<S> for Retry {
    type Service = RetryService<S>;

    fn layer(&self, inner: S) -> RetryService<S> {
        RetryService { shared: self.shared.clone(), inner }
    }
}

/// A service that is tried again.
#[derive(Debug, Clone)]
pub struct RetryService<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RetryService<S>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<HeldBody<R>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    /// Always: each attempt waits until the service is ready for it.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(exchange(self.shared.clone(), self.inner.clone(), request))
    }
}
