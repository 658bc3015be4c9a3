//! TLS and HTTP/2 to endpoints. Not here: retries (`retry.rs`), plain HTTP/1.1 (`gateway.rs`).

#![allow(clippy::unwrap_used, reason = "a socket that cannot be had fails the test")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tidegate_tower::policy::Cause;
use tidegate_tower::{Client, Http, Settings};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server's certificate, with those who trust it.
struct Identity {
    server: ServerConfig,
    trusting: ClientConfig,
}

fn identity(name: &str, protocols: &[&[u8]]) -> Identity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()));
    let provider = Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let mut server = server.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    server.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Identity { server, trusting: client.with_root_certificates(roots).with_no_client_auth() }
}

/// Answers with the version of HTTP that it was asked in; its port.
async fn serve(server: ServerConfig) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _gone = connection.serve_connection(TokioIo::new(stream), service_fn(version)).await;
                } else {
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _gone = connection.serve_connection(TokioIo::new(stream), service_fn(version)).await;
                }
            });
        }
    });
    address.port()
}

async fn version(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(format!("{:?}", request.version()))))
}

fn client(base: String, http: Http) -> Client {
    let mut settings = Settings::client();
    settings.retry.tries = 1;
    Client::builder().base(base).settings(settings).over(http).unwrap()
}

#[tokio::test]
async fn tls_agrees_on_the_newest_version_that_both_speak() {
    for (protocols, spoken) in [(&[b"h2" as &[u8], b"http/1.1"] as &[&[u8]], "HTTP/2.0"), (&[b"http/1.1"], "HTTP/1.1")]
    {
        let Identity { server, trusting } = identity("localhost", protocols);
        let port = serve(server).await;
        let client = client(format!("https://localhost:{port}"), Http::builder().tls(trusting).build());
        for _ in 0..2 {
            assert_eq!(client.get("/x").await.unwrap().bytes().await.unwrap(), spoken);
        }
    }
}

#[tokio::test]
async fn http2_by_prior_knowledge_needs_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        connection.serve_connection(TokioIo::new(stream), service_fn(version)).await
    });
    let client = client(format!("http://{address}"), Http::builder().http2_by_prior_knowledge().build());
    let response = client.get("/x").await.unwrap().into_inner();
    assert_eq!(response.version(), Version::HTTP_2);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let Identity { server, trusting } = identity("shop.example", &[]);
    let port = serve(server).await;
    let base = format!("https://localhost:{port}");
    let asked = [
        (Http::builder().tls(trusting).build(), Cause::CertificateWrongName),
        (Http::new(), Cause::CertificateUntrusted),
    ];
    for (http, cause) in asked {
        let error = client(base.clone(), http).get("/x").await.unwrap_err();
        assert_eq!(error.failure().cause, cause, "{error}");
        assert!(error.failure().delivery() == tidegate_tower::policy::Delivery::NeverSent);
    }
}

#[tokio::test]
async fn an_endpoint_that_speaks_no_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let error = client(format!("https://localhost:{port}"), Http::new()).get("/x").await.unwrap_err();
    assert_eq!(error.failure().cause, Cause::TlsNotSpoken, "{error}");
}

#[tokio::test]
async fn a_stream_that_the_server_refuses_was_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut refused = 0;
        while let Some(Ok((_, mut answer))) = connection.accept().await {
            refused += 1;
            if refused == 1 {
                answer.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                answer.send_response(Response::new(()), true).unwrap();
            }
        }
    });
    let http = Http::builder().http2_by_prior_knowledge().build();
    let mut settings = Settings::client();
    settings.backoff.base = std::time::Duration::from_millis(1);
    let client = Client::builder().base(format!("http://{address}")).settings(settings).over(http).unwrap();
    let response = client.post("/orders", "one").await.unwrap();
    assert_eq!(response.status(), 200, "a POST is sent again, for nobody looked at it");
}
