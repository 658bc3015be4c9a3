//! Traefik's log and its access log, in both forms of either. Its routes are JSON in a file that must be called YAML.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tidegate::misbehave::Server;

use super::{
    ask_tcp, assert_explained, assert_reported, endpoint, eventually, find, free_address, huge_head, lines, reading,
    start, written,
};

/// What it writes of each mode: words, and the causes that they may have.
const MODES: [(&str, &str, &str); 9] = [
    ("refuse", "502 Bad", "connect_refused"),
    ("close-before-reply", "502 Bad", "stale_connection closed_before_reply"),
    ("reset-before-reply", "502 Bad", "stale_connection reset_before_reply"),
    ("silent", "504 Gateway", "reply_timeout"),
    ("garbage", "500 Internal", "malformed_status_line"),
    ("big-head", "500 Internal", "head_too_large"),
    ("truncated-length", "body copy", "body_truncated chunks_truncated"),
    ("reset-in-body", "body copy", "body_reset"),
    ("bad-chunk-size", "body copy", "bad_chunk"),
];

#[test]
fn what_traefik_writes_is_explained() {
    let Some(program) = find("traefik") else { return };
    for format in ["json", "common"] {
        let (folder, listen) = (tempfile::tempdir().unwrap(), free_address());
        let at = |name: &str| folder.path().join(name);
        let servers: Vec<Server> =
            modes().map(|mode| if mode == "big-head" { huge_head() } else { endpoint(mode) }).collect();
        fs::write(at("routes.yml"), routes(&servers).to_string()).unwrap();
        let _traefik = start(Command::new(&program).args(words(format, listen, folder.path())), folder.path());
        // It listens before it has read its routes.
        eventually(&"its routes", || ask_tcp(listen, "/well").ends_with(b"hello").then_some(()));

        for (mode, words, causes) in MODES {
            let before = lines(&at("traefik.log")).len();
            ask_tcp(listen, &format!("/{mode}"));
            let line = written(&at("traefik.log"), before, |line| line.contains(words));
            assert_explained("Traefik", mode, &line, causes);
            let line = written(&at("access.log"), 0, |line| line.contains(&format!("/{mode}")));
            assert!(!reading(&line).to_string().contains("itself answered"), "nobody answered: {line}");
        }
        // One more for each look whether it is ready that it answered.
        assert_reported(&at("access.log"), lines(&at("access.log")).len(), MODES.len() - 3);
        let line = written(&at("traefik.log"), 0, |line| line.contains("has been aborted"));
        assert_explained("Traefik", "aborted", &line, "body_truncated body_reset body_timeout client_gone");
    }
}

fn modes() -> impl Iterator<Item = &'static str> {
    MODES.iter().map(|(mode, ..)| *mode).chain(["well"])
}

fn words(format: &str, listen: SocketAddr, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    vec![
        format!("--entrypoints.clients.address={listen}"),
        format!("--providers.file.filename={folder}/routes.yml"),
        "--log.level=DEBUG".into(),
        format!("--log.format={format}"),
        format!("--log.filepath={folder}/traefik.log"),
        "--accesslog=true".into(),
        format!("--accesslog.format={format}"),
        format!("--accesslog.filepath={folder}/access.log"),
        "--global.checknewversion=false".into(),
        "--global.sendanonymoususage=false".into(),
    ]
}

fn routes(servers: &[Server]) -> Value {
    let (mut routers, mut services) = (serde_json::Map::new(), serde_json::Map::new());
    for (mode, server) in modes().zip(servers) {
        let url = format!("http://{}", server.address());
        routers.insert(mode.into(), json!({ "rule": format!("Path(`/{mode}`)"), "service": mode }));
        services.insert(
            mode.into(),
            json!({ "loadBalancer": { "servers": [{ "url": url }], "serversTransport": "impatient" } }),
        );
    }
    let transports = json!({ "impatient": { "forwardingTimeouts": { "responseHeaderTimeout": "1s" } } });
    json!({ "http": { "routers": routers, "services": services, "serversTransports": transports } })
}
