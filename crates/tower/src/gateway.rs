//! A gateway that a server mounts below a path. Not here: the loop ([`crate::exchange`]), the server, its shutdown.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{Extensions, Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use policy::Cause;
use tower::Service;

use crate::body::HeldBody;
use crate::exchange::exchange;
pub use crate::forward::Host;
use crate::forward::{self, Base};
use crate::replay::ReplayBody;
use crate::shared::Shared;
use crate::{BoxError, Error, Events, Http, InvalidBase, Settings, accept, upgrade};

/// The body of a gateway's answer: an endpoint's, or its own.
pub type GatewayBody<R = Incoming> = Either<HeldBody<R>, Full<Bytes>>;

/// Finds the client's address among a request's extensions.
pub type ClientAddress = dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync;

/// Passes requests on to endpoints, and answers for them when they fail.
///
/// Endpoints share the traffic and stand in for each other. A request that fails is asked for again where that is safe;
/// an endpoint that fails is left alone for ten seconds. What cannot be mended is answered as JSON:
/// `{"error": "Bad Gateway", "message": …, "code": …}`, or as problem details if the client accepts those.
///
/// The path is passed on as the server hands it over: axum's `nest_service` takes the prefix away, `route_service` keeps
/// it.
///
/// ```
/// use axum::{Router, routing::get};
/// use tidegate_tower::Gateway;
///
/// # fn main() -> Result<(), tidegate_tower::InvalidBase> {
/// let gateway = Gateway::new(["http://127.0.0.1:3001", "http://127.0.0.1:3002"])?;
/// let app: Router = Router::new().nest_service("/api", gateway).route("/health", get(async || "ok"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Gateway<S = Http> {
    shared: Arc<Shared>,
    service: S,
    host: Host,
    client: Option<Arc<ClientAddress>>,
}

impl<S: fmt::Debug> fmt::Debug for Gateway<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shared, service, host, .. } = self;
        f.debug_struct("Gateway").field("shared", shared).field("service", service).field("host", host).finish()
    }
}

impl Gateway {
    /// A gateway to endpoints, each the URL that paths are put behind, with [`Settings::gateway`].
    ///
    /// # Errors
    /// A URL is none.
    pub fn new<U: AsRef<str>>(endpoints: impl IntoIterator<Item = U>) -> Result<Self, InvalidBase> {
        Self::over(Http::new(), endpoints, Settings::gateway())
    }
}

impl<S> Gateway<S> {
    /// A gateway over a service that sends, such as one that speaks TLS, and with other settings.
    ///
    /// # Errors
    /// A URL is none.
    pub fn over<U: AsRef<str>>(
        service: S,
        endpoints: impl IntoIterator<Item = U>,
        settings: Settings,
    ) -> Result<Self, InvalidBase> {
        let bases: Result<_, _> = endpoints.into_iter().map(|url| Base::parse(url.as_ref(), false)).collect();
        let shared = Arc::new(Shared::new(settings, bases?, None));
        Ok(Self { shared, service, host: Host::default(), client: None })
    }

    /// Tells what happens: to a log, to metrics. Clones made before do not; what was learned starts anew.
    pub fn on_event(mut self, events: impl Events + 'static) -> Self {
        let Shared { settings, bases, .. } = &*self.shared;
        self.shared = Arc::new(Shared::new(settings.clone(), bases.clone(), Some(Arc::new(events))));
        self
    }

    /// Which `Host` endpoints get.
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// How the client's address is found, for `X-Real-IP`, `X-Forwarded-For` and `Forwarded`; with axum:
    /// `|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())`.
    ///
    /// Without it these fields are passed on as they came, which is what the client, or a proxy in front, says.
    pub fn client_address(mut self, find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.client = Some(Arc::new(find));
        self
    }
}

impl<S, B, R> Service<Request<B>> for Gateway<S>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<GatewayBody<R>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let problem = accept::wants_problem(request.headers());
        let asked = upgrade::asked(&mut request);
        let client = self.client.as_ref().and_then(|find| find(request.extensions()));
        let (mut head, body) = request.into_parts();
        forward::request(&mut head, client, self.host);
        head.extensions = Extensions::new();
        if let Some(asked) = &asked {
            asked.ask(&mut head.headers);
        }
        let reply = exchange(self.shared.clone(), self.service.clone(), Request::from_parts(head, body));
        Box::pin(async move {
            let answer = reply.await.and_then(|response| finish(response, asked));
            Ok(answer.unwrap_or_else(|error| accept::answer(&error, problem).map(Either::Right)))
        })
    }
}

/// Makes an endpoint's answer the gateway's.
fn finish<R>(
    mut response: Response<HeldBody<R>>,
    asked: Option<upgrade::Asked>,
) -> Result<Response<GatewayBody<R>>, Error> {
    let protocol = response.headers().get(UPGRADE).cloned();
    forward::remove_hop_by_hop(response.headers_mut());
    if upgrade::is_agreed(&response) {
        let asked = asked.ok_or_else(|| Error::new(Cause::UnaskedUpgrade, 1))?;
        asked.join(&mut response);
        response.headers_mut().insert(CONNECTION, http::HeaderValue::from_static("upgrade"));
        if let Some(protocol) = protocol {
            response.headers_mut().insert(UPGRADE, protocol);
        }
    }
    response.extensions_mut().clear();
    *response.version_mut() = http::Version::HTTP_11;
    Ok(response.map(Either::Left))
}
