//! The gateway below axum, and the client, over real sockets. Not here: waits and scripts (`retry.rs`).

#![allow(clippy::unwrap_used, reason = "a socket that cannot be had fails the test")]

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full, StreamBody};
use tidegate_tower::policy::Cause;
use tidegate_tower::{Client, Gateway, Host, Http, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower::ServiceExt;

/// Starts an application; its address.
async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// An address at which nothing listens, and nothing will: its socket is kept.
async fn closed() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    std::mem::forget(socket);
    address
}

/// A server that reads a head and says `answer` to it, on every connection, and closes.
async fn says(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            let _gone = stream.write_all(answer).await;
        }
    });
    address
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An application with a gateway to these below `/api`; its address.
async fn mounted(endpoints: &[SocketAddr]) -> SocketAddr {
    let urls = endpoints.iter().map(|address| format!("http://{address}"));
    let gateway = Gateway::new(urls)
        .unwrap()
        .host(Host::Client)
        .client_address(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()));
    serve(Router::new().nest_service("/api", gateway).route("/health", get(async || "well"))).await
}

/// Sends one request as it is; the head and the body of the answer, until the connection ends.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

const GET: &str = "GET /api/x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn an_endpoint_that_is_down_is_not_noticed() {
    let works = serve(Router::new().fallback(get(async |uri: http::Uri| uri.to_string()))).await;
    let gateway = mounted(&[closed().await, works]).await;
    for _ in 0..3 {
        let (head, body) = ask(gateway, GET).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, "/x", "axum takes the prefix away");
    }
}

#[tokio::test]
async fn without_a_live_endpoint_the_answer_is_json_and_health_stays_outside() {
    let gateway = mounted(&[closed().await]).await;
    let (head, body) = ask(gateway, GET).await;
    assert!(head.starts_with("http/1.1 502"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["error"], &body["code"]), (&"Bad Gateway".into(), &"TG-2001".into()));
    let (_, body) = ask(gateway, "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert_eq!(body, "well");
}

#[tokio::test]
async fn a_path_that_fails_everywhere_leaves_the_others_alone() {
    let app = || Router::new().route("/bug", get(async || http::StatusCode::INTERNAL_SERVER_ERROR));
    let app = || app().fallback(get(async || "works"));
    let gateway = mounted(&[serve(app()).await, serve(app()).await]).await;
    for _ in 0..2 {
        let (head, _) = ask(gateway, &GET.replace("/x", "/bug")).await;
        assert!(head.starts_with("http/1.1 500"), "{head}");
        let (head, body) = ask(gateway, GET).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, "works");
    }
}

#[tokio::test]
async fn when_all_endpoints_are_down_the_answer_says_why_each_time() {
    let gateway = mounted(&[closed().await, closed().await]).await;
    for _ in 0..3 {
        let (head, body) = ask(gateway, GET).await;
        assert!(head.starts_with("http/1.1 502"), "{head}");
        assert!(body.contains("TG-2001"), "{body}");
    }
}

#[tokio::test]
async fn endpoints_learn_who_asks_and_nothing_of_the_connection() {
    let echo = get(async |headers: HeaderMap| {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines.join("\n")
    });
    let gateway = mounted(&[serve(Router::new().fallback(echo)).await]).await;
    let request = "GET /api/x HTTP/1.1\r\nHost: shop.example\r\nConnection: close, x-mine\r\nX-Mine: 1\r\n\
                   Keep-Alive: 5\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    let (_, body) = ask(gateway, request).await;
    let expected = "forwarded: for=127.0.0.1;host=\"shop.example\"\nhost: shop.example\n\
                    x-forwarded-for: 192.0.2.1, 127.0.0.1\nx-forwarded-host: shop.example\nx-real-ip: 127.0.0.1";
    assert_eq!(body, expected);
}

#[tokio::test]
async fn what_endpoints_do_wrong_has_its_cause() {
    let cases: [(&[u8], Cause); 4] = [
        (b"", Cause::ClosedBeforeReply),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Cause::BodyTruncated),
        (b"HTTP/1.1 200 OK\r\nBad Field: 1\r\n\r\n", Cause::MalformedField),
        (b"HTTP/1.1 OK\r\n\r\n", Cause::MalformedStatusLine),
    ];
    for (answer, cause) in cases {
        let gateway = mounted(&[says(answer).await]).await;
        let (head, body) = ask(gateway, GET).await;
        assert!(head.starts_with("http/1.1 502"), "{cause:?}: {head}");
        assert!(body.contains(&cause.code().to_string()), "{cause:?}: {body}");
    }
}

#[tokio::test]
async fn a_small_answer_that_breaks_off_is_asked_for_elsewhere() {
    let broken = says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").await;
    let whole = says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole").await;
    let (head, body) = ask(mounted(&[broken, whole]).await, GET).await;
    assert!(head.starts_with("http/1.1 200") && body == "whole", "{head}\n{body}");
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_asked_once() {
    let works = serve(Router::new().fallback(async || "twice")).await;
    let request = "POST /api/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\na";
    let (head, _) = ask(mounted(&[says(b"").await, works]).await, request).await;
    assert!(head.starts_with("http/1.1 502"), "{head}");
    let (head, _) = ask(mounted(&[closed().await, works]).await, request).await;
    assert!(head.starts_with("http/1.1 200"), "nothing of it was sent: {head}");
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let echo = async |request: axum::extract::Request| axum::body::Body::new(request.into_body());
    let endpoint = serve(Router::new().fallback(echo)).await;
    let gateway = Gateway::new([format!("http://{endpoint}")]).unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let body = StreamBody::new(Received(receiver));
    let answer = gateway.oneshot(Request::post("/echo").body(body).unwrap());
    let mut answer = tokio::spawn(answer).await.unwrap().unwrap().into_body();
    for part in ["one", "two"] {
        sender.send(part.into()).await.unwrap();
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part, "it comes back before the next is sent");
    }
    drop(sender);
    assert!(answer.frame().await.is_none());
}

/// What a channel brings, as frames.
struct Received(tokio::sync::mpsc::Receiver<Bytes>);

impl futures_core::Stream for Received {
    type Item = Result<http_body::Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| Ok(http_body::Frame::data(part))))
    }
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await.to_ascii_lowercase();
        assert!(head.contains("connection: upgrade") && head.contains("upgrade: echo"), "{head}");
        let agreed = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(agreed).await.unwrap();
        let mut four = [0; 4];
        stream.read_exact(&mut four).await.unwrap();
        stream.write_all(&four).await.unwrap();
    });
    let mut client = TcpStream::connect(mounted(&[endpoint]).await).await.unwrap();
    client.write_all(b"GET /api/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await.unwrap();
    let head = read_head(&mut client).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("upgrade: echo"), "{head}");
    client.write_all(b"ping").await.unwrap();
    let mut back = String::new();
    client.read_to_string(&mut back).await.unwrap();
    assert_eq!(back, "ping");
    server.await.unwrap();
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_a_failure() {
    let endpoint = says(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await;
    let (head, body) = ask(mounted(&[endpoint]).await, GET).await;
    assert!(head.starts_with("http/1.1 502") && body.contains("TG-"), "{head}\n{body}");
}

#[tokio::test]
async fn a_client_in_front_of_the_gateway_is_told_why_and_asks_no_more_than_it_may() {
    let gateway = mounted(&[closed().await]).await;
    let mut settings = Settings::client();
    settings.backoff.base = std::time::Duration::from_millis(1);
    let client = Client::builder().base(format!("http://{gateway}")).settings(settings).build().unwrap();
    let error = client.get("/api/x").await.unwrap_err();
    assert_eq!((error.failure().cause, error.attempts()), (Cause::ConnectRefused, 4));
}

#[tokio::test]
async fn requests_without_a_gateway_are_explained_too() {
    let mut service = Http::new();
    let request = Request::get(format!("http://{}/", closed().await)).body(Full::<Bytes>::default()).unwrap();
    let error = tower::Service::call(&mut service, request).await.unwrap_err();
    let failure = tidegate_tower::failure_of_error(&error, tidegate_tower::policy::Phase::AwaitHead);
    assert_eq!((failure.cause, failure.evidence().errno), (Cause::ConnectRefused, Some(111)));
}

#[tokio::test]
async fn a_post_that_a_gateway_says_it_never_sent_is_sent_again() {
    let refused = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nProxy-Status: g; error=connection_refused\r\n\r\n";
    let works = serve(Router::new().fallback(axum::routing::post(async || "arrived"))).await;
    let bases = Client::builder().base(format!("http://{}", says(refused).await));
    let client = bases.backup(format!("http://{works}")).build().unwrap();
    assert_eq!(client.post("/", "x").await.unwrap().text().await.unwrap(), "arrived");
}

#[tokio::test]
async fn a_url_without_a_host_is_an_error_at_once() {
    let error = Client::new().get("/api/data").await.unwrap_err();
    assert_eq!((error.failure().cause, error.attempts()), (Cause::ClientMalformed, 1));
}
