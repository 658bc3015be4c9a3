//! What the layer, the client and the gateway do, in virtual time, over a service that plays a script.
//! Not here: sockets (`gateway.rs`).

#![allow(clippy::unwrap_used, reason = "a script that cannot be played fails the test")]

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tidegate_tower::policy::breaker::BreakerSettings;
use tidegate_tower::policy::budget::BudgetSettings;
use tidegate_tower::policy::{Cause, Failure};
use tidegate_tower::{BoxError, Client, Error, Event, Gateway, IdempotencyKeys, Retry, Settings};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};

/// What an endpoint does with one request.
#[derive(Clone)]
enum Act {
    Answer(u16, &'static [(&'static str, &'static str)]),
    /// Answers and breaks off within the body.
    BreakOff,
    Fail(Cause),
    Silence,
}

const OK: Act = Act::Answer(200, &[]);
const REFUSE: Act = Act::Fail(Cause::ConnectRefused);
const CLOSE: Act = Act::Fail(Cause::ClosedBeforeReply);

/// A request that arrived.
#[derive(Debug, Clone)]
struct Seen {
    uri: String,
    headers: HeaderMap,
    body: Bytes,
    at: Duration,
}

/// A service that plays a script, and its last act again and again.
#[derive(Clone)]
struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    began: Instant,
}

impl Script {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self { acts: Arc::new(Mutex::new(acts.into_iter().collect())), seen: Arc::default(), began: Instant::now() }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.seen().len()
    }

    fn next(&self) -> Act {
        let mut acts = self.acts.lock().unwrap();
        if acts.len() > 1 { acts.pop_front().unwrap() } else { acts[0].clone() }
    }
}

impl<B> Service<Request<B>> for Script
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Played>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Played>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let script = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let at = script.began.elapsed();
            script.seen.lock().unwrap().push(Seen { uri: head.uri.to_string(), headers: head.headers, body, at });
            match script.next() {
                Act::Answer(status, fields) => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in fields {
                        response = response.header(*name, *value);
                    }
                    Ok(response.body(Played { data: Some("done"), breaks: false })?)
                }
                Act::BreakOff => Ok(Response::new(Played { data: Some("do"), breaks: true })),
                Act::Fail(cause) => Err(Error::from(Failure::new(cause)).into()),
                Act::Silence => std::future::pending().await,
            }
        })
    }
}

/// A body of four bytes, or of two that breaks off then.
#[derive(Debug)]
struct Played {
    data: Option<&'static str>,
    breaks: bool,
}

impl http_body::Body for Played {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match self.data.take() {
            Some(data) => Some(Ok(Frame::data(data.into()))),
            None => self.breaks.then(|| Err(std::io::Error::from_raw_os_error(104).into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.data.is_some() { 4 } else { 0 })
    }
}

fn client(script: &Script, settings: Settings) -> Client<Script> {
    Client::builder().base("http://a").settings(settings).over(script.clone()).unwrap()
}

fn post() -> Request<Bytes> {
    Request::post("/orders").body("one".into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_waited_out_with_jitter() {
    let script = Script::new([REFUSE, CLOSE, Act::Answer(502, &[]), OK]);
    let response = client(&script, Settings::client()).get("/data").await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), "done");
    let seen = script.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen[3].at <= Duration::from_secs(1 + 2 + 4), "{:?}", seen[3].at);
    let told: Vec<_> = seen.iter().map(|seen| seen.headers.get("retry-attempt").cloned()).collect();
    assert_eq!(told, [None, Some("1".parse().unwrap()), Some("2".parse().unwrap()), Some("3".parse().unwrap())]);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_may_have_arrived_is_not_sent_twice() {
    for act in [CLOSE, Act::Answer(503, &[]), Act::BreakOff] {
        let script = Script::new([act, OK]);
        let _failed = client(&script, Settings::client()).send(post()).await.unwrap_err();
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_never_sent_is_sent() {
    let script = Script::new([REFUSE, OK]);
    assert!(client(&script, Settings::client()).send(post()).await.is_ok());
    assert_eq!(script.seen()[1].body, "one");
}

#[tokio::test(start_paused = true)]
async fn a_post_with_a_generated_key_is_sent_again_with_the_same_key_and_body() {
    let script = Script::new([CLOSE, OK]);
    let settings = Settings { idempotency_keys: IdempotencyKeys::Generated, ..Settings::client() };
    assert!(client(&script, settings).send(post()).await.is_ok());
    let seen = script.seen();
    assert_eq!(seen[0].headers["idempotency-key"], seen[1].headers["idempotency-key"]);
    assert_eq!([&seen[0].body, &seen[1].body], ["one", "one"]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_in_full_and_not_beyond_its_bound() {
    let script = Script::new([Act::Answer(503, &[("retry-after", "7")]), OK]);
    assert!(client(&script, Settings::client()).get("/").await.is_ok());
    assert!(script.seen()[1].at >= Duration::from_secs(7));
    let script = Script::new([Act::Answer(503, &[("retry-after", "3600")]), OK]);
    let error = client(&script, Settings::client()).get("/").await.unwrap_err();
    assert_eq!((script.count(), error.retry_after()), (1, Some(Duration::from_secs(3600))));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_silent_is_given_up_and_the_whole_ends_at_its_deadline() {
    let script = Script::new([Act::Silence, OK]);
    let began = Instant::now();
    assert!(client(&script, Settings::client()).get("/").await.is_ok());
    assert!(began.elapsed() >= Duration::from_secs(30));
    let script = Script::new([Act::Silence]);
    let began = Instant::now();
    let error = client(&script, Settings::client()).get("/").await.unwrap_err();
    assert!(matches!(error.failure().cause, Cause::DeadlineExceeded | Cause::ReplyTimeout), "{error}");
    assert!(began.elapsed() <= Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_a_share_of_the_traffic_and_no_more() {
    let script = Script::new([CLOSE]);
    let budget = BudgetSettings { percent: 20, floor: 0 };
    let client = client(&script, Settings { breaker: None, budget, ..Settings::client() });
    let asked = (0..100).map(|_| client.get("/"));
    for asked in asked.map(Box::pin).collect::<Vec<_>>() {
        let _failed = asked.await.unwrap_err();
    }
    assert!(script.count() <= 120, "{}", script.count());
}

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_and_a_trial_closes_it() {
    let script = Script::new(vec![CLOSE; 10].into_iter().chain([OK]));
    let breaker = Some(BreakerSettings { open: Duration::from_secs(20), ..BreakerSettings::default() });
    let mut settings = Settings { breaker, ..Settings::client() };
    settings.retry.tries = 1;
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = events.clone();
    let listen = move |event: &Event<'_>| log.lock().unwrap().push(format!("{event:?}"));
    let client = Client::builder().base("http://a").settings(settings).on_event(listen).over(script.clone()).unwrap();
    for _ in 0..10 {
        assert_eq!(client.get("/").await.unwrap_err().failure().cause, Cause::ClosedBeforeReply);
    }
    let error = client.get("/").await.unwrap_err();
    assert_eq!((error.failure().cause, error.attempts(), script.count()), (Cause::BreakerOpen, 0, 10));
    assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(20)));
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(client.get("/").await.is_ok());
    let events = events.lock().unwrap();
    assert!(events.iter().any(|event| event.starts_with("BreakerOpened")), "{events:?}");
    assert!(events.iter().any(|event| event.starts_with("BreakerClosed")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn another_base_stands_in_at_once_and_the_first_is_asked_again_after_a_wait() {
    let script = Script::new([REFUSE, REFUSE, OK]);
    let client = Client::builder().base("http://a").backup("http://b/v2").over(script.clone()).unwrap();
    assert!(client.get("/x").await.is_ok());
    let seen = script.seen();
    assert_eq!([&seen[0].uri, &seen[1].uri, &seen[2].uri], ["http://a/x", "http://b/v2/x", "http://a/x"]);
    assert_eq!(seen[0].at, seen[1].at);
}

#[tokio::test(start_paused = true)]
async fn a_small_answer_that_breaks_off_is_asked_for_again() {
    let script = Script::new([Act::BreakOff, OK]);
    let response = client(&script, Settings::client()).get("/").await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), "done");
    assert_eq!(script.count(), 2);
    let settings = Settings { hold_back: None, ..Settings::client() };
    let script = Script::new([Act::BreakOff, OK]);
    let error = client(&script, settings).get("/").await.unwrap().bytes().await.unwrap_err();
    assert_eq!((error.failure().cause, script.count()), (Cause::BodyReset, 1));
}

#[tokio::test(start_paused = true)]
async fn a_502_of_any_gateway_explains_itself() {
    let script = Script::new([Act::Answer(502, &[("proxy-status", "cdn; error=connection_refused")])]);
    let error = client(&script, Settings::client()).get("/").await.unwrap_err();
    assert_eq!(error.failure().cause, Cause::ConnectRefused);
    assert_eq!((error.attempts(), error.response().unwrap().body()), (4, &Bytes::from("done")));
    assert!(error.user_message().contains("not running"));
}

#[tokio::test(start_paused = true)]
async fn a_retry_from_in_front_is_one_attempt_and_is_passed_on() {
    let script = Script::new([CLOSE, OK]);
    let request = Request::get("/").header("Retry-Attempt", "2").body(Bytes::new()).unwrap();
    let _failed = client(&script, Settings::client()).send(request).await.unwrap_err();
    assert_eq!((script.count(), &script.seen()[0].headers["retry-attempt"]), (1, &"2".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn layers_add_up_and_do_not_multiply() {
    let script = Script::new([CLOSE]);
    let many = BudgetSettings { percent: 100, floor: 100 };
    let settings = Settings { breaker: None, budget: many, ..Settings::client() };
    let (outer, inner) = (Retry::new(settings.clone()), Retry::new(settings));
    let layered = outer.layer(inner.layer(script.clone()));
    let request = Request::get("http://a/").body(Full::<Bytes>::default()).unwrap();
    let _failed = layered.oneshot(request).await.unwrap_err();
    assert_eq!(script.count(), 4 + 4 - 1);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_fails_over_and_leaves_a_failed_endpoint_alone() {
    let script = Script::new([REFUSE, OK]);
    let gateway = Gateway::over(script.clone(), ["http://a", "http://b"], Settings::gateway()).unwrap();
    for _ in 0..3 {
        let request = Request::get("/x").body(Full::<Bytes>::default()).unwrap();
        let response = gateway.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    let asked: Vec<String> = script.seen().into_iter().map(|seen| seen.uri).collect();
    assert_eq!(asked, ["http://a/x", "http://b/x", "http://b/x", "http://b/x"]);
}

#[tokio::test(start_paused = true)]
async fn the_gateway_answers_for_endpoints_in_the_form_that_is_asked_for() {
    let script = Script::new([CLOSE]);
    let gateway = Gateway::over(script.clone(), ["http://a"], Settings::gateway()).unwrap();
    for (accept, content_type) in
        [("*/*", "application/json"), ("application/problem+json", "application/problem+json")]
    {
        let request = Request::builder().method(Method::POST).uri("/x").header("accept", accept);
        let response = gateway.clone().oneshot(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (502, &content_type.parse().unwrap())
        );
        assert_eq!(response.headers()["proxy-status"], "tidegate-tower; error=connection_terminated");
        let body = response.into_body();
        assert!(!body.is_end_stream());
        let body: serde_json::Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(body["code"], "TG-5002");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_bound_is_sent_once() {
    let settings = Settings { replay: 2, ..Settings::client() };
    let script = Script::new([CLOSE, OK]);
    let request = Request::put("/").body("one".into()).unwrap();
    let _failed = client(&script, settings).send(request).await.unwrap_err();
    assert_eq!((script.count(), &script.seen()[0].body), (1, &Bytes::from("one")));
}

/// A body that never brings its next frame, but goes on for as long as somebody waits.
struct Stalled;

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_within_its_body_is_not_blamed_on_the_endpoint() {
    let script = Script::new([OK]);
    let gateway = Gateway::over(script.clone(), ["http://a", "http://b"], Settings::gateway()).unwrap();
    for _ in 0..2 {
        let response = gateway.clone().oneshot(Request::put("/x").body(Stalled).unwrap()).await.unwrap();
        assert_eq!(response.status(), 408);
    }
    let request = Request::get("/x").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(gateway.oneshot(request).await.unwrap().status(), 200, "no endpoint was taken out");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_falls_silent_ends_with_a_cause() {
    let service = tower::service_fn(async |_: Request<_>| Ok::<_, BoxError>(Response::new(Stalled)));
    let layered = Retry::new(Settings::client()).layer(service);
    let request = Request::get("http://a/").body(Full::<Bytes>::default()).unwrap();
    let error = layered.oneshot(request).await.unwrap().into_body().collect().await.unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert_eq!(error.failure().cause, Cause::BodyTimeout);
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_its_caller_gives_up_lets_the_next_one_through() {
    let script = Script::new(vec![CLOSE; 10].into_iter().chain([Act::Silence, OK]));
    let mut settings = Settings::client();
    settings.retry.tries = 1;
    let client = client(&script, settings);
    for _ in 0..10 {
        let _failed = client.get("/").await.unwrap_err();
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    let gone = tokio::time::timeout(Duration::from_secs(1), client.get("/")).await;
    assert!(gone.is_err());
    assert!(client.get("/").await.is_ok());
}

/// Who was asked when.
type Asked = Vec<(String, Instant)>;

/// Hosts, some of which are down.
#[derive(Clone, Default)]
struct Hosts(Arc<Mutex<(Vec<&'static str>, Asked)>>);

impl Hosts {
    fn down(&self, names: &[&'static str]) {
        *self.0.lock().unwrap() = (names.to_vec(), Vec::new());
    }

    fn asked(&self) -> Asked {
        self.0.lock().unwrap().1.clone()
    }
}

impl<B> Service<Request<B>> for Hosts {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (down, asked) = &mut *self.0.lock().unwrap();
        let host = request.uri().host().unwrap();
        asked.push((host.to_owned(), Instant::now()));
        let refused = || Error::from(Failure::new(Cause::ConnectRefused)).into();
        std::future::ready(if down.contains(&host) { Err(refused()) } else { Ok(Response::default()) })
    }
}

fn two_bases(hosts: &Hosts, breaker: BreakerSettings) -> Client<Hosts> {
    let budget = BudgetSettings { percent: 100, floor: 100 };
    let settings = Settings { budget, breaker: Some(breaker), ..Settings::client() };
    Client::builder().base("http://a").base("http://b").settings(settings).over(hosts.clone()).unwrap()
}

/// How many of so many requests, ten a second, have an answer.
async fn answered(client: &Client<Hosts>, requests: u32) -> u32 {
    let mut answered = 0;
    for _ in 0..requests {
        answered += u32::from(client.get("/").await.is_ok());
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    answered
}

#[tokio::test(start_paused = true)]
async fn of_several_bases_that_all_failed_the_first_to_be_back_is_found_soon() {
    let hosts = Hosts::default();
    let client = two_bases(&hosts, BreakerSettings::default());
    hosts.down(&["a"]);
    assert_eq!(answered(&client, 300).await, 300, "b stands in, and a's breaker doubles its time");
    hosts.down(&["b"]);
    assert_eq!(answered(&client, 30).await, 30, "a is asked though its time is not over");
}

#[tokio::test(start_paused = true)]
async fn a_base_whose_breaker_is_open_is_no_reason_to_ask_the_other_one_again_at_once() {
    let hosts = Hosts::default();
    let client = two_bases(&hosts, BreakerSettings { open: Duration::from_secs(600), ..BreakerSettings::default() });
    hosts.down(&["a"]);
    assert_eq!(answered(&client, 60).await, 60);
    hosts.down(&["a", "b"]);
    let _failed = client.get("/").await.unwrap_err();
    let asked = hosts.asked();
    assert_eq!(asked.iter().map(|(host, _)| host.as_str()).collect::<String>(), "bbbb");
    assert!(asked.windows(2).all(|pair| pair[0].1 < pair[1].1), "{asked:?}");
}
