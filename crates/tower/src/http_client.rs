//! Plain HTTP/1.1 to endpoints, with connections kept for the next request. Not here: retries, TLS.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use crate::BoxError;

/// The body that is sent.
pub type HttpBody = UnsyncBoxBody<Bytes, BoxError>;

/// Idle connections are used for so long where a stale one costs a retry: shorter than Node's five seconds.
const LIKELY: Duration = Duration::from_secs(4);
/// And where it would cost the request: no server in use closes sooner.
const CERTAIN: Duration = Duration::from_secs(1);
/// A connection that is not there by then is tried elsewhere.
const CONNECT: Duration = Duration::from_secs(10);

/// A service that speaks HTTP/1.1 over TCP, with hyper. Clones share their connections.
///
/// Requests that are not idempotent go out on connections that idled for a second at most: one that the server has
/// closed meanwhile would lose them.
#[derive(Debug, Clone)]
pub struct Http {
    likely: Client<HttpConnector, HttpBody>,
    certain: Client<HttpConnector, HttpBody>,
}

impl Http {
    /// Waits ten seconds for a connection.
    pub fn new() -> Self {
        Self::with_connect_timeout(CONNECT)
    }

    /// Waits so long for a connection.
    pub fn with_connect_timeout(timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeout));
        connector.set_nodelay(true);
        Self { likely: client(connector.clone(), LIKELY), certain: client(connector, CERTAIN) }
    }
}

fn client(connector: HttpConnector, idle: Duration) -> Client<HttpConnector, HttpBody> {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(idle);
    builder.build(connector)
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Service<Request<B>> for Http
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Incoming>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let safe = policy::retry::is_idempotent(request.method());
        let client = if safe { &self.likely } else { &self.certain };
        client.request(request.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}
