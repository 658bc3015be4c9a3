//! Caddy's log, which is JSON.

use std::fs;
use std::path::Path;
use std::process::Command;

use tidegate::misbehave::Server;

use super::{ask, assert_explained, assert_reported, endpoint, eventually, find, huge_head, lines, start, written};

/// What it writes of each mode: the logger, and the causes that the words may have.
const MODES: [(&str, &str, &str); 10] = [
    ("refuse", ERROR, "connect_refused"),
    ("close-before-reply", ERROR, "stale_connection closed_before_reply"),
    ("reset-before-reply", ERROR, "stale_connection reset_before_reply"),
    ("silent", ERROR, "reply_timeout"),
    ("garbage", ERROR, "malformed_status_line"),
    ("big-head", ERROR, "head_too_large"),
    ("truncated-length", PROXY, "body_truncated chunks_truncated"),
    ("reset-in-body", PROXY, "body_reset"),
    ("bad-chunk-size", PROXY, "bad_chunk"),
    ("stall-in-body", PROXY, "body_timeout"),
];

const ERROR: &str = "\"http.log.error\"";
const PROXY: &str = "\"http.handlers.reverse_proxy\"";

#[test]
fn what_caddy_writes_is_explained() {
    let Some(program) = find("caddy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Server> =
        MODES.iter().map(|(mode, ..)| if *mode == "big-head" { huge_head() } else { endpoint(mode) }).collect();
    let handles = MODES.iter().zip(&servers).map(|((mode, ..), server)| handle(mode, server));
    fs::write(at("Caddyfile"), configuration(folder.path(), &handles.collect::<String>())).unwrap();
    let mut command = Command::new(program);
    let _caddy = start(command.args(["run", "--adapter", "caddyfile", "--config"]).arg(at("Caddyfile")), folder.path());

    for (mode, logger, causes) in MODES {
        ask(&at("caddy.sock"), &format!("/{mode}"));
        let wanted = format!("\"uri\":\"/{mode}\"");
        let line = written(&at("output"), 0, |line| line.contains(&wanted) && line.contains(logger));
        assert_explained("Caddy", mode, &line, causes);
    }
    let requests = || lines(&at("output")).iter().filter(|line| line.contains("\"http.log.access\"")).count();
    eventually(&"all requests are logged", || (requests() == MODES.len()).then_some(()));
    assert_reported(&at("output"), MODES.len(), MODES.len() - 4);
}

fn handle(mode: &str, server: &Server) -> String {
    let address = server.address();
    format!(
        "  handle /{mode} {{\n    reverse_proxy {address} {{\n      transport http {{\n        response_header_timeout 1s\n\
         \x20       read_timeout 1s\n      }}\n    }}\n  }}\n"
    )
}

fn configuration(folder: &Path, handles: &str) -> String {
    let folder = folder.display();
    format!(
        "{{\n  admin off\n  auto_https off\n  persist_config off\n  log {{\n    output stdout\n    format json\n  }}\n}}\n\
         http:// {{\n  bind unix/{folder}/caddy.sock\n  log\n{handles}}}\n"
    )
}
