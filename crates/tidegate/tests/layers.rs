//! The client and the middleware of `tidegate-tower` in front of endpoints that misbehave, alone and with the gateway between
//! them: what they say, and how often an application is asked. Not here: virtual time (`crates/tower/tests`).

#![allow(clippy::unwrap_used, reason = "a server that does not start fails the test")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tidegate::misbehave::{Act, Listen, Server, modes};
use tidegate_tower::policy::Cause;
use tidegate_tower::policy::budget::BudgetSettings;
use tidegate_tower::{Client, Error, Gateway, Http, Settings};

fn server(mode: &str) -> Server {
    Server::start(&Listen::ANYWHERE, Act::named(mode).unwrap(), "hello\n", None).unwrap()
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address().tcp().unwrap())
}

/// Short waits, no breaker, and a budget that never ends: only the rules of what may be sent again are left.
fn quick(settings: Settings) -> Settings {
    let mut settings = Settings {
        budget: BudgetSettings { percent: 100, floor: 1000 },
        attempt_timeout: Duration::from_secs(1),
        body_timeout: Duration::from_secs(1),
        breaker: None,
        longest_retry_after: Duration::ZERO,
        ..settings
    };
    settings.backoff.base = Duration::from_millis(1);
    settings
}

fn client(base: String) -> Client {
    Client::builder().base(base).settings(quick(Settings::client())).build().unwrap()
}

/// The whole answer's status, or what failed and after how many attempts.
async fn get(client: &Client) -> Said {
    let told = |error: Error| (error.failure().cause, error.attempts());
    let response = client.get("/").await.map_err(told)?;
    let status = response.status().as_u16();
    response.bytes().await.map_err(told)?;
    Ok(status)
}

/// The status, or the cause and the attempts that were made.
type Said = Result<u16, (Cause, u32)>;

/// What hyper tells of each mode, and how often it was tried; a body without a length that breaks off is not asked for again.
const SAID: [(&str, Said); 26] = [
    ("well", Ok(200)),
    ("refuse", Err((Cause::ConnectRefused, 4))),
    ("silent", Err((Cause::ReplyTimeout, 4))),
    ("deaf", Err((Cause::ReplyTimeout, 4))),
    ("close-before-reply", Err((Cause::ClosedBeforeReply, 4))),
    ("reset-before-reply", Err((Cause::ResetBeforeReply, 4))),
    ("truncated-length", Err((Cause::BodyTruncated, 4))),
    ("reset-in-body", Err((Cause::BodyReset, 4))),
    ("truncated-chunk", Err((Cause::BodyTruncated, 1))),
    ("garbage", Err((Cause::MalformedStatusLine, 4))),
    ("bad-status", Err((Cause::MalformedStatusLine, 4))),
    ("nul-in-field", Err((Cause::MalformedField, 4))),
    ("big-head", Err((Cause::HeadTooLarge, 4))),
    ("bad-chunk-size", Err((Cause::BadChunk, 1))),
    ("close-on-reuse", Ok(200)),
    ("reset-on-reuse", Ok(200)),
    ("answer-in-pieces", Ok(200)),
    // Read as it is meant, it would end where nobody who counts by HTTP/1.0 ends it.
    ("chunked-in-http10", Err((Cause::MalformedField, 4))),
    ("status-500", Ok(500)),
    ("status-502", Err((Cause::ClosedBeforeReply, 4))),
    ("status-504", Err((Cause::ReplyTimeout, 4))),
    ("status-429", Ok(429)),
    ("early-answer", Ok(200)),
    ("unasked-100s", Ok(200)),
    ("stall-in-body", Err((Cause::BodyTimeout, 1))),
    ("silent-in-head", Err((Cause::ReplyTimeout, 4))),
];

#[tokio::test]
async fn the_client_says_what_endpoints_do_wrong() {
    let wrong: Vec<String> = futures(SAID.into_iter().map(|(mode, expected)| async move {
        let server = server(mode);
        let said = get(&client(url(&server))).await;
        (said != expected).then(|| format!("{mode}: {said:?}, not {expected:?}"))
    }))
    .await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn no_way_of_failing_makes_an_application_act_twice_on_a_post() {
    let modes: Vec<&str> = modes::all().map(|mode| mode.name).collect();
    assert!(modes.len() > 70);
    let wrong: Vec<String> = futures(modes.into_iter().map(|mode| async move {
        let server = server(mode);
        if let Ok(response) = client(url(&server)).post("/orders", "one").await {
            let _broken_or_not = response.bytes().await;
        }
        let acted = server.tally().whole;
        (acted > 1).then(|| format!("{mode}: {acted} times"))
    }))
    .await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Runs all of them at once; what is left to say.
async fn futures<F: Future<Output = Option<String>>>(all: impl IntoIterator<Item = F>) -> Vec<String> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut said = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(text) => {
                said.extend(text);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    said
}

#[tokio::test]
async fn a_client_waits_out_an_endpoint_that_restarts() {
    let server = server("close-before-reply");
    let mut settings = quick(Settings::client());
    // However long the server's thread takes to become another one.
    settings.retry.tries = 1000;
    settings.backoff.cap = Duration::from_millis(20);
    let client = Client::builder().base(url(&server)).settings(settings).build().unwrap();
    let asking = get(&client);
    let restart = async {
        while server.tally().requests < 2 {
            tokio::task::yield_now().await;
        }
        server.set(Act::named("well").unwrap());
    };
    let (said, ()) = tokio::join!(asking, restart);
    assert_eq!(said, Ok(200));
}

#[tokio::test]
async fn the_middleware_fails_over_between_endpoints_and_client_and_middleware_add_up() {
    let (one, two) = (server("close-before-reply"), server("well"));
    let mut settings = quick(Settings::gateway());
    settings.max_fails = 0;
    let gateway = Gateway::over(Http::new(), [url(&one), url(&two)], settings.clone()).unwrap();
    let front = Client::builder().base("http://mounted").settings(quick(Settings::client())).over(gateway).unwrap();
    for _ in 0..4 {
        assert_eq!(front.get("/").await.unwrap().status(), 200);
    }
    assert_eq!(two.tally().requests, 4);
    two.set(Act::named("close-before-reply").unwrap());
    let before = one.tally().requests + two.tally().requests;
    let error = front.get("/").await.map(|response| response.status()).unwrap_err();
    assert_eq!((error.failure().cause, error.attempts()), (Cause::ClosedBeforeReply, 4));
    let asked = one.tally().requests + two.tally().requests - before;
    assert_eq!(asked, 3 + 3, "three by the middleware, and one for each of the client's three retries: not 4 times 3");
}

/// The gateway, until the test ends.
struct Running {
    gateway: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

/// The gateway in front of these, none of which is ever left alone.
fn gateway(endpoints: &[&Server]) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let servers = endpoints.iter().map(|server| format!("server {} max_fails=0;", server.address().tcp().unwrap()));
    let servers: String = servers.collect();
    loop {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!(
            "daemon off; worker_processes 1; pid {path}/pid; error_log {path}/error.log; events {{}}\n\
             http {{ access_log off; retry_budget off; upstream app {{ {servers} }}\n\
             server {{ listen {address}; location / {{ proxy_pass http://app; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut gateway = command.spawn().unwrap();
        // Somebody may have taken the port meanwhile: then the gateway ends, and another is tried.
        loop {
            if gateway.try_wait().unwrap().is_some() {
                break;
            }
            if TcpStream::connect(address).is_ok() {
                return Running { gateway, address, _folder: folder };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[tokio::test]
async fn client_and_gateway_add_up_and_do_not_multiply() {
    let (one, two) = (server("close-before-reply"), server("close-before-reply"));
    let running = gateway(&[&one, &two]);
    let front = client(format!("http://{}", running.address));
    let error = front.get("/").await.map(|response| response.status()).unwrap_err();
    assert_eq!(error.failure().cause, Cause::ClosedBeforeReply, "the gateway's Proxy-Status says so");
    assert_eq!(error.attempts(), 4);
    let asked = one.tally().requests + two.tally().requests;
    assert_eq!(asked, 2 + 3, "two by the gateway, and one for each of the client's three retries: not 4 times 2");
}
