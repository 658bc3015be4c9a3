//! The middleware below a `reqwest` client, over real sockets. Not here: the rules (`retry.rs`).

#![allow(clippy::unwrap_used, reason = "a socket that cannot be had fails the test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tidegate_tower::policy::Cause;
use tidegate_tower::{Error, RetryMiddleware, Settings, failure_of_head};
use tokio::net::{TcpListener, TcpSocket};

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// An address at which nothing listens, and nothing will: its socket is kept.
fn closed() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}

fn quick() -> RetryMiddleware {
    let mut settings = Settings::client();
    settings.backoff.base = Duration::from_millis(1);
    RetryMiddleware::new(settings)
}

fn client(retries: RetryMiddleware) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(retries).build()
}

/// Answers 502 so often, then with what it was sent; and the count of requests.
fn recovering(failures: usize) -> (Router, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let answer = async move |headers: HeaderMap, body: String| {
        if count.fetch_add(1, Ordering::Relaxed) < failures {
            return (StatusCode::BAD_GATEWAY, [("proxy-status", "cdn; error=connection_refused")], "down")
                .into_response();
        }
        let retry = headers.get("retry-attempt").map_or("none", |value| value.to_str().unwrap());
        format!("{body} after {retry}").into_response()
    };
    (Router::new().fallback(any(answer)), asked)
}

#[tokio::test]
async fn a_restart_is_waited_out_and_the_answer_is_reqwests() {
    let (app, asked) = recovering(2);
    let url = format!("http://{}/put", serve(app).await);
    let response = client(quick()).put(&url).body("one").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.url().as_str()), (200, url.as_str()));
    assert_eq!(response.text().await.unwrap(), "one after 2");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_status_that_stays_is_an_answer_and_explains_itself() {
    let (app, asked) = recovering(usize::MAX);
    let response = client(quick()).get(format!("http://{}/", serve(app).await)).send().await.unwrap();
    assert_eq!((response.status().as_u16(), asked.load(Ordering::Relaxed)), (502, 4));
    let failure = failure_of_head(response.status(), response.headers()).unwrap();
    assert_eq!(failure.cause, Cause::ConnectRefused);
}

#[tokio::test]
async fn without_an_answer_the_error_is_typed() {
    let error = client(quick()).get(format!("http://{}/", closed())).send().await.unwrap_err();
    let found = Error::find(&error).unwrap();
    assert_eq!((found.failure().cause, found.attempts()), (Cause::ConnectRefused, 4));
    assert!(found.user_message().contains("not running"));
}

#[tokio::test]
async fn a_post_is_not_repeated_when_the_second_hop_of_a_redirect_fails() {
    let acted = Arc::new(AtomicUsize::new(0));
    let (count, elsewhere) = (acted.clone(), format!("http://{}/done", closed()));
    let order = post(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        Redirect::to(&elsewhere)
    });
    let address = serve(Router::new().route("/orders", order)).await;
    let error = client(quick()).post(format!("http://{address}/orders")).body("one").send().await.unwrap_err();
    assert_eq!(Error::find(&error).unwrap().failure().cause, Cause::ConnectRefused);
    assert_eq!(acted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_post_that_was_never_sent_is_sent_again_where_there_are_no_redirects() {
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (retries, attempts) in [(quick(), 1), (quick().without_redirects(), 4)] {
        let client = ClientBuilder::new(plain.clone()).with(retries).build();
        let error = client.post(format!("http://{}/", closed())).body("one").send().await.unwrap_err();
        assert_eq!(Error::find(&error).unwrap().attempts(), attempts);
    }
}

#[tokio::test]
async fn a_body_in_memory_goes_along_with_a_redirect() {
    let app = Router::new()
        .route("/old", any(async || Redirect::temporary("/new")))
        .route("/new", any(async |body: String| body));
    let url = format!("http://{}/old", serve(app).await);
    let response = client(quick()).put(&url).body("one").send().await.unwrap();
    assert!(response.url().path() == "/new", "{}", response.url());
    assert_eq!(response.text().await.unwrap(), "one");
}

#[tokio::test]
async fn a_time_limit_of_one_request_holds_for_each_attempt() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let silent = get(async move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    });
    let url = format!("http://{}/", serve(Router::new().fallback(silent)).await);
    let error = client(quick()).get(url).timeout(Duration::from_millis(500)).send().await.unwrap_err();
    let found = Error::find(&error).unwrap();
    assert_eq!((found.attempts(), asked.load(Ordering::Relaxed)), (4, 4), "{found}");
    assert_eq!(found.failure().cause, Cause::ReplyTimeout, "{found}");
}
