//! HTTP to endpoints by hyper, with connections kept for the next request; with the features `tls` and `http2`, that too.
//! Not here: retries.

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

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// Idle connections are used for so long where a stale one costs a retry: shorter than Node's five seconds.
const LIKELY: Duration = Duration::from_secs(4);
/// And where it would cost the request: no server in use closes sooner.
const CERTAIN: Duration = Duration::from_secs(1);
/// A connection that is not there by then is tried elsewhere.
const CONNECT: Duration = Duration::from_secs(10);

/// A service that speaks HTTP with hyper. Clones share their connections.
///
/// With the feature `tls`, `https://` works: certificates are checked against Mozilla's roots, or by the configuration that
/// `HttpBuilder::tls` is given. With `http2`, TLS agrees on HTTP/2 where the server speaks it.
///
/// Requests that are not idempotent go out on connections that idled for a second at most: one that the server has
/// closed meanwhile would lose them.
#[derive(Debug, Clone)]
pub struct Http {
    likely: Client<Connector, HttpBody>,
    certain: Client<Connector, HttpBody>,
}

/// An [`Http`] in the making.
#[derive(Debug, Clone)]
pub struct HttpBuilder {
    connect_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<rustls::ClientConfig>,
    #[cfg(feature = "http2")]
    http2_only: bool,
}

impl Http {
    /// Waits ten seconds for a connection.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// With other times, trust or protocols.
    pub fn builder() -> HttpBuilder {
        HttpBuilder {
            connect_timeout: CONNECT,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "http2")]
            http2_only: false,
        }
    }
}

impl HttpBuilder {
    /// Waits so long for a connection.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Whom to trust, and with which certificate of one's own. It must name no protocols (ALPN): these are added.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, configuration: rustls::ClientConfig) -> Self {
        self.tls = Some(configuration);
        self
    }

    /// Speaks HTTP/2 without asking whether the server does (RFC 9113 §3.3).
    #[cfg(feature = "http2")]
    pub fn http2_by_prior_knowledge(mut self) -> Self {
        self.http2_only = true;
        self
    }

    /// The service.
    pub fn build(self) -> Http {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(self.connect_timeout));
        tcp.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        #[cfg(feature = "http2")]
        builder.http2_only(self.http2_only);
        #[cfg(feature = "tls")]
        let tcp = tls::over(tcp, self.tls);
        let likely = builder.pool_idle_timeout(LIKELY).build(tcp.clone());
        Http { likely, certain: builder.pool_idle_timeout(CERTAIN).build(tcp) }
    }
}

#[cfg(feature = "tls")]
mod tls {
    use hyper_rustls::{ConfigBuilderExt, HttpsConnectorBuilder};
    use hyper_util::client::legacy::connect::HttpConnector;
    use rustls::ClientConfig;
    use rustls::crypto::ring;

    pub(super) fn over(mut tcp: HttpConnector, configuration: Option<ClientConfig>) -> super::Connector {
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config(configuration.unwrap_or_else(usual));
        let builder = builder.https_or_http().enable_http1();
        #[cfg(feature = "http2")]
        let builder = builder.enable_http2();
        builder.wrap_connector(tcp)
    }

    /// TLS 1.2 and 1.3 to whom Mozilla trusts. The program may have chosen another provider of ciphers for itself.
    fn usual() -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().expect("ring has ciphers for TLS 1.2 and 1.3");
        builder.with_webpki_roots().with_no_client_auth()
    }
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
