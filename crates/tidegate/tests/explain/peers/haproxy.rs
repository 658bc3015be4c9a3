//! HAProxy's log of requests.

use std::fs;
use std::path::Path;
use std::process::Command;

use tidegate::misbehave::Server;

use super::{ask, assert_explained, assert_reported, causes, endpoint, find, reading, start, written};

/// What HAProxy writes of each mode: the letters, and the likeliest cause.
const MODES: [(&str, &str, &str); 9] = [
    ("refuse", "SC--", "connect_refused"),
    ("close-before-reply", "SH--", "stale_connection"),
    ("reset-before-reply", "SH--", "stale_connection"),
    ("silent", "sH--", "reply_timeout"),
    ("garbage", "PH--", "malformed_field"),
    ("big-head", "PH--", "malformed_field"),
    ("truncated-length", "SD--", "body_truncated"),
    ("stall-in-body", "sD--", "body_timeout"),
    ("down", "SC--", "no_live_endpoints"),
];

#[test]
fn what_haproxy_writes_is_explained() {
    let Some(program) = find("haproxy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Option<Server>> =
        MODES.iter().map(|(mode, ..)| (*mode != "down").then(|| endpoint(mode))).collect();
    let mut backends: String =
        MODES.iter().zip(&servers).map(|((mode, ..), server)| backend(mode, server.as_ref())).collect();
    let refusing = endpoint("refuse");
    backends += &format!("backend checked\n  server s1 {} check inter 50ms fall 1\n", refusing.address());
    fs::write(at("haproxy.cfg"), configuration(&at("haproxy.sock"), &backends)).unwrap();
    let mut command = Command::new(program);
    let _haproxy = start(command.arg("-db").arg("-f").arg(at("haproxy.cfg")), folder.path());

    for (mode, letters, cause) in MODES {
        ask(&at("haproxy.sock"), &format!("/{mode}"));
        let wanted = format!("GET /{mode} ");
        let line = written(&at("output"), 0, |line| line.contains(&wanted));
        let reading = reading(&line);
        assert_eq!((reading["vendor"].as_str(), reading["words"].as_str()), (Some("HAProxy"), Some(letters)), "{line}");
        // On the loopback a new connection may take 0 ms or 1 ms, which is all that tells it from a kept one.
        let either = letters == "SH--" && causes(&reading)[0] == "closed_before_reply";
        assert!(either || causes(&reading)[0] == cause, "{mode}: {line}: {:?}", causes(&reading));
    }
    let down = written(&at("output"), 0, |line| line.contains("Server checked/s1 is DOWN"));
    assert_explained("HAProxy", "a check", &down, "connect_refused");
    let empty = written(&at("output"), 0, |line| line.contains("backend checked has no server available"));
    assert_explained("HAProxy", "no server", &empty, "no_live_endpoints");
    // All but the two whose head was good.
    assert_reported(&at("output"), MODES.len(), MODES.len() - 2);
}

fn backend(mode: &str, server: Option<&Server>) -> String {
    let server = server.map_or("127.0.0.1:1 disabled".to_owned(), |server| server.address().to_string());
    format!("backend {mode}\n  server s1 {server}\n")
}

fn configuration(socket: &Path, backends: &str) -> String {
    let socket = socket.display();
    format!(
        "global\n  log stdout format raw local0\ndefaults\n  mode http\n  log global\n  option httplog\n  retries 0\n\
         \x20 timeout client 10s\n  timeout connect 5s\n  timeout server 300ms\nfrontend in\n  bind unix@{socket}\n\
         \x20 use_backend %[path,field(2,/)]\n{backends}"
    )
}
