//! `tidegate diagnose https://…` from outside, in front of TLS servers of every kind. Not here: what is beneath and above TLS
//! (`diagnose`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCertUsingSni, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use serde_json::Value;
use tidegate::misbehave::{Act, Listen, Server};

const NAME: &str = "app.example";

/// An authority that tests trust, and what it signs.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

/// A certificate with its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    fn file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    fn signs(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn config((chain, key): Identity) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    builder.with_no_client_auth().with_single_cert(chain, key).unwrap()
}

/// Serves in the background for as long as the test lives.
fn serve(mut config: ServerConfig) -> SocketAddr {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            // A client that gives up is what some tests are about.
            std::thread::spawn(move || converse(stream, config).unwrap_or_default());
        }
    });
    address
}

fn converse(mut stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let mut tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = Stream::new(&mut tls, &mut stream);
    let mut received: Vec<u8> = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            count => received.extend(&chunk[..count]),
        }
        while let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            received.drain(..end + 4);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwell\n")?;
        }
    }
}

fn examine(address: SocketAddr, words: &[&str]) -> Value {
    let url = format!("https://{address}/");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["diagnose", "--json", "--idle", "0", "--host", NAME, &url]).args(words);
    let output = command.output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    value["endpoints"][0].clone()
}

fn verdict(found: &Value) -> String {
    match found["healthy"].as_bool().unwrap() {
        true => "healthy".into(),
        false => found["verdict"]["fault"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn a_good_certificate_is_reported_with_version_names_and_expiry() {
    let authority = Authority::new();
    let address = serve(config(authority.signs(NAME, |params| params.not_after = date_time_ymd(2999, 12, 31))));
    let found = examine(address, &["--ca", &authority.file()]);
    assert_eq!(verdict(&found), "healthy", "{found:#}");
    let tls = &found["tls"];
    assert_eq!((&tls["version"], &tls["alpn"]), (&"TLS 1.3".into(), &"http/1.1".into()));
    assert_eq!((&tls["chain"][0]["names"][0], &tls["chain"][0]["expires"]), (&NAME.into(), &"2999-12-31".into()));
    assert_eq!(tls["needs_name"], false);
    assert_eq!(found["answer"]["status"], 200);
}

#[test]
fn certificates_that_a_client_would_refuse_are_told_apart_and_the_request_is_made_all_the_same() {
    let authority = Authority::new();
    let expired = authority.signs(NAME, |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 2, 3);
    });
    let future = authority.signs(NAME, |params| params.not_before = date_time_ymd(2998, 1, 1));
    let other = authority.signs("other.example", |_| {});
    let trusted = authority.file();
    for (identity, expected, seen) in [
        (expired, "certificate_expired", "expired on 2002-02-03"),
        (future, "certificate_not_yet_valid", "issued by "),
        (other, "certificate_wrong_name", "it is for other.example"),
    ] {
        let found = examine(serve(config(identity)), &["--ca", &trusted]);
        assert_eq!(verdict(&found), expected);
        assert!(found["tls"]["refused"]["seen"].as_str().unwrap().starts_with(seen), "{found:#}");
        assert_eq!(found["answer"]["status"], 200);
    }
}

#[test]
fn who_signed_it_matters() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let address = serve(config(stranger.signs(NAME, |_| {})));
    assert_eq!(verdict(&examine(address, &["--ca", &authority.file()])), "certificate_untrusted");
    assert_eq!(verdict(&examine(address, &["--ca", &stranger.file()])), "healthy");
}

#[test]
fn a_server_that_needs_the_name_is_reported() {
    let authority = Authority::new();
    let (chain, key) = authority.signs(NAME, |_| {});
    let key = CertifiedKey::new(chain, provider().key_provider.load_private_key(key).unwrap());
    let mut resolver = ResolvesServerCertUsingSni::new();
    resolver.add(NAME, key).unwrap();
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let address = serve(builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver)));
    let found = examine(address, &["--ca", &authority.file()]);
    assert_eq!((verdict(&found), &found["tls"]["needs_name"]), ("healthy".into(), &true.into()), "{found:#}");
}

#[test]
fn a_server_that_wants_a_clients_certificate_is_named() {
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let (chain, key) = authority.signs(NAME, |_| {});
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let address = serve(builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap());
    let found = examine(address, &["--ca", &authority.file()]);
    assert_eq!(verdict(&found), "tls_client_certificate_wanted", "{found:#}");
}

#[test]
fn what_is_no_tls_is_named_by_what_it_is() {
    for (mode, expected) in [
        ("well", "tls_not_spoken"),
        ("garbage", "tls_not_spoken"),
        ("ssh", "speaks_ssh"),
        ("redis", "speaks_redis"),
        ("tls-alert", "tls_no_common_parameters"),
        ("close-before-reply", "tls_closed"),
        ("reset-before-reply", "tls_closed"),
        ("silent", "tls_timeout"),
    ] {
        let server = Server::start(&Listen::ANYWHERE, Act::named(mode).unwrap(), "hello\n", None).unwrap();
        let found = examine(server.address().tcp().unwrap(), &["--timeout", "1s"]);
        assert_eq!(verdict(&found), expected, "{mode}: {found:#}");
    }
}

#[test]
fn a_tls_port_that_is_asked_in_plain_http_is_named() {
    let authority = Authority::new();
    let address = serve(config(authority.signs(NAME, |_| {})));
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    let output = command.args(["diagnose", "--json", &address.to_string()]).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["endpoints"][0]["verdict"]["fault"], "speaks_tls");
}

#[test]
fn a_bundle_that_cannot_be_read_is_said() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    let output = command.args(["diagnose", "https://127.0.0.1/", "--ca", "/no/such/file"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!Path::new("/no/such/file").exists());
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/file: "));
}
