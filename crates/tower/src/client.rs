//! A client that retries, ready for use. Not here: the loop ([`crate::exchange`]).

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use policy::Phase;
use tower::Service;

use crate::body::HeldBody;
use crate::exchange::{Attempts, exchange};
use crate::forward::Base;
use crate::replay::ReplayBody;
use crate::retry_after::retry_after;
use crate::shared::Shared;
use crate::{BoxError, Error, Events, Http, Settings, failure_of_error, failure_of_response};

/// The most of a gateway's answer that an error keeps, in bytes.
const MOST_KEPT: usize = 64 << 10;

/// A client that retries, over a service that sends. Clones share one budget, breakers and connections.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use tidegate_tower::Client;
///
/// let client = Client::builder().base("http://127.0.0.1:3001").backup("http://127.0.0.1:3002").build()?;
/// match client.get("/api/data").await {
///     Ok(response) => println!("{:?}", response.bytes().await?),
///     Err(error) => println!("{}", error.user_message()),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Client<S = Http> {
    shared: Arc<Shared>,
    service: S,
}

/// A client in the making.
#[derive(Default)]
pub struct ClientBuilder {
    bases: Vec<(String, bool)>,
    settings: Settings,
    events: Option<Arc<dyn Events>>,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("bases", &self.bases).finish_non_exhaustive()
    }
}

/// A base URL that is none: `http://host:port/prefix` is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidBase(pub String);

impl fmt::Display for InvalidBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no base URL such as http://127.0.0.1:3000", self.0)
    }
}

impl std::error::Error for InvalidBase {}

impl ClientBuilder {
    /// Asks this origin for requests that name none; several share them, and stand in for each other.
    pub fn base(mut self, url: impl Into<String>) -> Self {
        self.bases.push((url.into(), false));
        self
    }

    /// Asks this origin when no other answers.
    pub fn backup(mut self, url: impl Into<String>) -> Self {
        self.bases.push((url.into(), true));
        self
    }

    /// Other settings than [`Settings::client`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Tells what happens: to a log, to metrics.
    pub fn on_event(mut self, events: impl Events + 'static) -> Self {
        self.events = Some(Arc::new(events));
        self
    }

    /// A client over TCP.
    ///
    /// # Errors
    /// A base URL is none.
    pub fn build(self) -> Result<Client, InvalidBase> {
        self.over(Http::new())
    }

    /// A client over a service, such as one that speaks TLS.
    ///
    /// # Errors
    /// A base URL is none.
    pub fn over<S>(self, service: S) -> Result<Client<S>, InvalidBase> {
        let bases: Result<_, _> = self.bases.iter().map(|(url, backup)| Base::parse(url, *backup)).collect();
        Ok(Client { shared: Arc::new(Shared::new(self.settings, bases?, self.events)), service })
    }
}

impl Client {
    /// A client that asks whom each request names.
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared::new(Settings::client(), Vec::new(), None)), service: Http::new() }
    }

    /// A client with base URLs, settings or somebody who listens.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, R> Client<S>
where
    S: Service<Request<ReplayBody<Full<Bytes>>>, Response = http::Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    /// Asks with GET, for a URL or a path below the base URLs.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn get(&self, uri: &str) -> Result<Response<R>, Error> {
        self.send(request(Method::GET, uri, Bytes::new())?).await
    }

    /// Sends a body with POST. It is sent once, unless keys are generated ([`crate::IdempotencyKeys`]).
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn post(&self, uri: &str, body: impl Into<Bytes>) -> Result<Response<R>, Error> {
        self.send(request(Method::POST, uri, body.into())?).await
    }

    /// Sends a request.
    ///
    /// # Errors
    /// There is no answer after all attempts, or one that only says that something behind it failed (502, 503, 504); it
    /// is then in the error. Answers of any other status are answers.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<R>, Error> {
        let response = exchange(self.shared.clone(), self.service.clone(), request.map(Full::new)).await?;
        match response.status() {
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Err(explained(response).await)
            }
            _ => Ok(Response(response)),
        }
    }
}

fn request(method: Method, uri: &str, body: Bytes) -> Result<Request<Bytes>, Error> {
    let built = Request::builder().method(method).uri(uri).body(body);
    built.map_err(|error| Error::new(policy::Cause::ClientMalformed, 0).because(Some(error.into())))
}

/// The error that an answer is.
async fn explained<R>(response: http::Response<HeldBody<R>>) -> Error
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (parts, mut body) = response.into_parts();
    let mut kept = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        let room = MOST_KEPT - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if kept.len() == MOST_KEPT {
            break;
        }
    }
    let failure = failure_of_response(&parts).unwrap_or_else(|| policy::Cause::ClosedBeforeReply.into());
    let wait = retry_after(&parts.headers);
    let attempts = parts.extensions.get::<Attempts>().map_or(1, |attempts| attempts.0);
    Error::new(failure, attempts).after(wait).answered(http::Response::from_parts(parts, kept.freeze()))
}

/// An answer.
#[derive(Debug)]
pub struct Response<R = Incoming>(http::Response<HeldBody<R>>);

impl<R> Response<R>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Its fields.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The whole body.
    ///
    /// # Errors
    /// It broke off.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        match self.0.into_body().collect().await {
            Ok(whole) => Ok(whole.to_bytes()),
            Err(error) => Err(Error::new(failure_of_error(&*error, Phase::Body), 1).because(Some(error))),
        }
    }

    /// The whole body as text, in UTF-8; what is none is replaced.
    ///
    /// # Errors
    /// It broke off.
    pub async fn text(self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The answer itself, with a body that streams.
    pub fn into_inner(self) -> http::Response<HeldBody<R>> {
        self.0
    }
}
