//! A second attempt beside one that is silent, in virtual time. Not here: retries one after the other (`retry.rs`).

#![allow(clippy::unwrap_used, reason = "a script that cannot be played fails the test")]

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tidegate_tower::policy::budget::BudgetSettings;
use tidegate_tower::policy::hedge::HedgeSettings;
use tidegate_tower::policy::{Cause, Failure};
use tidegate_tower::{BoxError, Client, Error, Event, ReplayBody, Settings};
use tokio::time::{Instant, sleep};
use tower::Service;

const MILLI: Duration = Duration::from_millis(1);
const SILENCE: Duration = Duration::from_secs(3600);

/// When an answer comes, and whether it is one.
type Act = (Duration, Result<(), Cause>);

const SILENT: Act = (SILENCE, Ok(()));
const AT_ONCE: Act = (Duration::ZERO, Ok(()));

/// When a request came, for whom, and as which retry.
type Seen = (Duration, String, Option<String>);

/// Plays one act for each request, the last one again and again.
#[derive(Clone)]
struct Script {
    acts: Arc<Vec<Act>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    began: Instant,
}

impl Script {
    fn new(acts: impl Into<Vec<Act>>) -> Self {
        Self { acts: Arc::new(acts.into()), seen: Arc::default(), began: Instant::now() }
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Service<Request<ReplayBody<Full<Bytes>>>> for Script {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReplayBody<Full<Bytes>>>) -> Self::Future {
        let mut seen = self.seen.lock().unwrap();
        let (after, result) = self.acts[seen.len().min(self.acts.len() - 1)];
        let retry = request.headers().get("retry-attempt").map(|value| value.to_str().unwrap().to_owned());
        seen.push((self.began.elapsed(), request.uri().to_string(), retry));
        Box::pin(async move {
            sleep(after).await;
            result.map_err(|cause| Error::from(Failure::new(cause)))?;
            Ok(Response::new(Full::from("done")))
        })
    }
}

fn settings(hedge: HedgeSettings) -> Settings {
    let budget = BudgetSettings { percent: 100, floor: 100 };
    Settings { hedge: Some(hedge), breaker: None, budget, ..Settings::client() }
}

fn client(script: &Script, settings: Settings) -> Client<Script> {
    Client::builder().base("http://a").base("http://b").settings(settings).over(script.clone()).unwrap()
}

const AFTER: HedgeSettings = HedgeSettings::After(Duration::from_millis(100));

#[tokio::test(start_paused = true)]
async fn a_silent_attempt_gets_another_beside_it_elsewhere_and_the_quicker_one_counts() {
    let script = Script::new([SILENT, (MILLI * 7, Ok(()))]);
    let began = Instant::now();
    let response = client(&script, settings(AFTER)).get("/x").await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), "done");
    assert_eq!(began.elapsed(), MILLI * 107);
    let seen = script.seen.lock().unwrap();
    assert_eq!(seen[0], (Duration::ZERO, "http://a/x".into(), None));
    assert_eq!(seen[1], (MILLI * 100, "http://b/x".into(), Some("1".into())), "a gateway behind leaves it at that");
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_first_one_counts_if_it_is_quicker_after_all() {
    let script = Script::new([(MILLI * 150, Ok(())), SILENT]);
    let began = Instant::now();
    assert!(client(&script, settings(AFTER)).get("/x").await.is_ok());
    assert_eq!((began.elapsed(), script.count()), (MILLI * 150, 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_has_nothing_beside_it() {
    let script = Script::new([(MILLI * 99, Ok(()))]);
    assert!(client(&script, settings(AFTER)).get("/x").await.is_ok());
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_leaves_it_to_the_other_and_both_failing_are_a_retry() {
    let fails = |after| (MILLI * after, Err(Cause::ClosedBeforeReply));
    let script = Script::new([(MILLI * 500, Ok(())), fails(1)]);
    let began = Instant::now();
    assert!(client(&script, settings(AFTER)).get("/x").await.is_ok());
    assert_eq!((began.elapsed(), script.count()), (MILLI * 500, 2));
    let script = Script::new([fails(200), fails(1), AT_ONCE]);
    assert!(client(&script, settings(AFTER)).get("/x").await.is_ok());
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn only_safe_methods_that_nobody_in_front_repeats_are_asked_twice_at_once() {
    let requests = [
        Request::post("/x").header("idempotency-key", "1"),
        Request::put("/x"),
        Request::delete("/x"),
        Request::get("/x").header("retry-attempt", "1"),
    ];
    for request in requests {
        let script = Script::new([(MILLI * 900, Ok(()))]);
        let request = request.body(Bytes::from("one")).unwrap();
        assert!(client(&script, settings(AFTER)).send(request).await.is_ok());
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hedge_costs_what_a_retry_costs() {
    let budget = BudgetSettings { percent: 10, floor: 0 };
    let script = Script::new([(MILLI * 900, Ok(()))]);
    let client = client(&script, Settings { budget, ..settings(AFTER) });
    let all: Vec<_> = (0..100).map(|_| Box::pin(client.get("/x"))).collect();
    for asked in all {
        assert!(asked.await.is_ok());
    }
    assert!(script.count() <= 110, "{}", script.count());
    let mut once = settings(AFTER);
    once.retry.tries = 1;
    let script = Script::new([(MILLI * 900, Ok(()))]);
    let one_try = Client::builder().base("http://a").settings(once).over(script.clone()).unwrap();
    assert!(one_try.get("/x").await.is_ok());
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn how_long_answers_take_is_learned() {
    let usual = (MILLI * 50, Ok(()));
    let acts: Vec<Act> = std::iter::repeat_n(usual, 20).chain([SILENT, AT_ONCE]).collect();
    let script = Script::new(acts);
    let client = client(&script, settings(HedgeSettings::Percentile { percent: 95, least: MILLI }));
    for _ in 0..20 {
        assert!(client.get("/x").await.is_ok());
    }
    assert_eq!(script.count(), 20, "without an estimate there are none");
    let began = Instant::now();
    assert!(client.get("/x").await.is_ok());
    assert!(MILLI * 50 <= began.elapsed() && began.elapsed() <= MILLI * 60, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn every_attempt_that_begins_is_told_to_end() {
    let told = Arc::new(Mutex::new((0_i32, 0, Vec::new())));
    let log = told.clone();
    let listen = move |event: &Event<'_>| {
        let mut told = log.lock().unwrap();
        match event {
            Event::Attempt { .. } => told.0 += 1,
            Event::Hedge { number, after } => told.2.push(format!("hedge {number} after {after:?}")),
            Event::Ended { number, took, met, .. } => {
                told.1 += 1;
                told.2.push(format!("{number} took {took:?}, {}", if met.is_some() { "counts" } else { "given up" }));
            }
            _ => {}
        }
    };
    let script = Script::new([SILENT, (MILLI, Ok(())), SILENT]);
    let builder = Client::builder().base("http://a").settings(settings(AFTER)).on_event(listen);
    let client = builder.over(script.clone()).unwrap();
    assert!(client.get("/x").await.is_ok());
    let expected = ["hedge 2 after 100ms", "1 took 101ms, given up", "2 took 1ms, counts"];
    assert_eq!(told.lock().unwrap().2, expected);
    assert!(tokio::time::timeout(MILLI, client.get("/x")).await.is_err(), "the caller goes away");
    let told = told.lock().unwrap();
    assert_eq!((told.0, told.1), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn whatever_answers_can_be_hedged() {
    let service = tower::service_fn(async |_: Request<ReplayBody<Full<Bytes>>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("x")))
    });
    let client = Client::builder().base("http://a").settings(settings(AFTER)).over(service).unwrap();
    assert!(client.get("/").await.is_ok());
}
