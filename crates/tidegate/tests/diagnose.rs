//! `tidegate diagnose` from outside, in front of endpoints that misbehave: its verdicts, exit codes and both of its forms.
//! Not here: which facts make which verdict (`diagnose::verdict`), and TLS (`diagnose_tls`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::process::Command;

use serde_json::Value;
use tidegate::misbehave::{Act, Listen, Server, Words, modes};

/// Starts a mode, `words` being its parameters as a query has them.
fn server(name: &str, words: &str, listen: &Listen) -> Server {
    let mode = modes::find(name).unwrap();
    let mut said = Words::default();
    for (name, value) in words.split('&').filter_map(|pair| pair.split_once('=')) {
        said.set(name, value).unwrap();
    }
    let act = Act::Mode(mode, mode.parameters(said).unwrap());
    Server::start(listen, act, "hello\n", None).unwrap()
}

/// The exit code and what is printed.
fn diagnose(words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate")).arg("diagnose").args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// What is found of the only endpoint, and the exit code.
fn found(words: &[&str]) -> (i32, Value) {
    let (code, said) = diagnose(&[&["--json"], words].concat());
    let value: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (code, value["endpoints"][0].clone())
}

/// The fault's name and its code; `healthy` for none.
fn verdict(found: &Value) -> String {
    let text = |name: &str| found["verdict"][name].as_str().unwrap_or_default().to_owned();
    match found["healthy"].as_bool().unwrap() {
        true => "healthy".into(),
        false => format!("{} {}", text("code"), text("fault")).trim().to_owned(),
    }
}

/// Each mode with the verdict about it. A second is long for what answers at all, and short for what does not.
const VERDICTS: [(&str, &str, &str); 79] = [
    ("refuse", "", "TG-2001 connect_refused"),
    ("full-backlog", "", "TG-2004 backlog_full"),
    ("silent", "", "TG-5005 reply_timeout"),
    ("deaf", "", "TG-5005 reply_timeout"),
    ("silent-in-head", "", "TG-5005 reply_timeout"),
    ("delayed", "after=100ms", "healthy"),
    ("drip-head", "after=100ms", "TG-5005 reply_timeout"),
    ("stall-in-body", "", "TG-7005 body_timeout"),
    ("drip-body", "after=20ms", "healthy"),
    ("close-before-reply", "", "TG-5002 closed_before_reply"),
    ("reset-before-reply", "", "TG-5003 reset_before_reply"),
    ("worker-dies", "after=100ms", "TG-5002 closed_before_reply"),
    ("close-in-head", "", "TG-5004 closed_within_head"),
    ("reset-in-head", "", "TG-5004 closed_within_head"),
    ("truncated-length", "", "TG-7001 body_truncated"),
    ("reset-in-body", "", "TG-7004 body_reset"),
    ("truncated-chunk", "", "TG-7002 chunks_truncated"),
    ("no-last-chunk", "", "TG-7002 chunks_truncated"),
    ("garbage", "", "TG-6001 not_http"),
    ("html-only", "", "TG-6013 body_without_head"),
    ("no-status", "", "TG-6013 body_without_head"),
    ("bad-status", "", "TG-6101 malformed_status_line"),
    ("status-out-of-range", "", "TG-6101 malformed_status_line"),
    ("wrong-version", "", "TG-6101 malformed_status_line"),
    ("obs-fold", "", "TG-6102 malformed_field"),
    ("nul-in-field", "", "TG-6102 malformed_field"),
    ("cr-in-field", "", "TG-6102 malformed_field"),
    ("answer-in-pieces", "", "healthy"),
    ("big-head", "", "TG-6108 head_too_large"),
    ("big-field", "", "TG-6109 field_too_large"),
    ("many-fields", "", "TG-6108 head_too_large"),
    ("endless-head", "", "TG-6108 head_too_large"),
    ("length-and-chunked", "", "TG-6105 length_and_coding"),
    ("two-lengths", "", "TG-6104 duplicate_length"),
    ("same-length-twice", "", "TG-6104 duplicate_length"),
    ("negative-length", "", "TG-6103 bad_length"),
    ("plus-length", "", "TG-6103 bad_length"),
    ("huge-length", "", "TG-6103 bad_length"),
    ("unknown-coding", "", "TG-6107 unknown_coding"),
    ("two-codings", "", "TG-6106 duplicate_coding"),
    ("chunked-in-http10", "", "healthy"),
    ("bad-chunk-size", "", "TG-7003 bad_chunk"),
    ("huge-chunk-size", "", "TG-7003 bad_chunk"),
    ("long-chunk", "", "TG-7003 bad_chunk"),
    ("bare-lf-chunk", "", "TG-7003 bad_chunk"),
    ("big-trailer", "", "TG-7009 trailer_too_large"),
    ("surplus", "", "sends_surplus"),
    ("second-answer", "", "sends_surplus"),
    ("tls-alert", "", "TG-6002 speaks_tls"),
    ("http2-settings", "", "TG-6003 speaks_http2"),
    ("fastcgi", "", "TG-6004 speaks_fastcgi"),
    ("ssh", "", "TG-6005 speaks_ssh"),
    ("smtp", "", "TG-6006 speaks_mail"),
    ("mysql", "", "TG-6008 speaks_mysql"),
    ("postgresql", "", "TG-6009 speaks_postgres"),
    ("redis", "", "TG-6010 speaks_redis"),
    ("amqp", "", "TG-6014 speaks_amqp"),
    ("gzip-only", "", "TG-6013 body_without_head"),
    ("proxy-echo", "", "TG-6012 echoes_proxy_header"),
    ("echo", "", "TG-6015 echoes_request"),
    ("early-413", "", "healthy"),
    ("early-answer", "", "healthy"),
    ("no-continue", "", "healthy"),
    ("unasked-101", "", "TG-6112 unasked_upgrade"),
    ("unasked-100s", "", "healthy"),
    ("endless-interim", "", "TG-6111 too_many_interims"),
    ("closes-idle", "after=400ms", "TG-5001 closes_idle_unannounced"),
    ("announces-idle", "after=1s", "healthy"),
    ("lies-about-keep-alive", "", "TG-5001 drops_kept_connections"),
    ("closes-after-requests", "", "TG-5001 drops_kept_connections"),
    ("close-on-reuse", "", "TG-5001 drops_kept_connections"),
    ("reset-on-reuse", "", "TG-5001 drops_kept_connections"),
    ("408-on-reuse", "", "TG-5001 times_out_kept_connections"),
    ("status-500", "", "error_status"),
    ("status-503", "", "error_status"),
    ("status-502", "", "error_status"),
    ("status-504", "", "error_status"),
    ("status-429", "", "healthy"),
    ("well", "", "healthy"),
];

#[test]
fn each_mode_gets_its_verdict_and_exit_code() {
    let wrong = std::sync::Mutex::new(Vec::new());
    let check = |(name, words, expected): &(&str, &str, &str)| {
        let server = server(name, words, &Listen::ANYWHERE);
        let address = server.address().to_string();
        let (code, found) = found(&[&address, "--timeout", "1s", "--idle", "1500ms"]);
        let verdict = verdict(&found);
        if verdict != *expected || code != i32::from(*expected != "healthy") {
            wrong.lock().unwrap().push(format!("{name}: {verdict} ({code}), not {expected}\n{found:#}"));
        }
    };
    std::thread::scope(|scope| {
        for rows in VERDICTS.chunks(VERDICTS.len().div_ceil(6)) {
            scope.spawn(|| rows.iter().for_each(check));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where a close and a request cross, the system tells of one of them: each of these verdicts says that the endpoint ended the
/// connection before it answered.
#[test]
fn endpoints_that_end_connections_at_once_are_told_as_such_whichever_packet_comes_first() {
    let ended =
        ["TG-2005 connect_reset", "TG-5002 closed_before_reply", "TG-5003 reset_before_reply", "TG-4001 write_failed"];
    for (mode, resets) in [("reset-on-accept", true), ("close-on-accept", false), ("close-in-request", false)] {
        let server = server(mode, "", &Listen::ANYWHERE);
        let (code, found) = found(&[&server.address().to_string(), "--timeout", "10s", "--idle", "0"]);
        let verdict = verdict(&found);
        assert!(code == 1 && ended.contains(&verdict.as_str()), "{mode}: {verdict}");
        assert!(!resets || verdict != "TG-5002 closed_before_reply", "a reset is no orderly end");
    }
}

#[test]
fn the_steps_are_told_with_what_they_found_and_the_verdict_at_the_end() {
    let server = server("closes-idle", "after=400ms", &Listen::ANYWHERE);
    let address = server.address().to_string();
    let (code, said) = diagnose(&[&address]);
    assert_eq!(code, 1);
    let order = [
        &address,
        "resolve     127.0.0.1 ",
        "connect     127.0.0.1:",
        "listens     diagnose",
        "request     HTTP/1.1 200 OK\n",
        "body of 6 bytes, by Content-Length",
        "keep-alive  closes after 0.",
        "announces nothing",
        "versions    HTTP/1.1; no HTTP/2 without TLS",
        "closes idle unannounced (TG-5001)",
        "To change: `keepalive_timeout ",
    ];
    let mut rest = said.as_str();
    for part in order {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part} is missing, or in the wrong place:\n{said}")).1;
    }
}

#[test]
fn idle_connections_are_not_waited_for_when_nobody_wants_to_know() {
    let server = server("closes-idle", "after=400ms", &Listen::ANYWHERE);
    let (code, found) = found(&[&server.address().to_string(), "--idle", "0"]);
    assert_eq!((code, verdict(&found)), (0, "healthy".into()));
    assert!(found["seconds"]["keep-alive"].is_null());
}

#[test]
fn what_was_found_is_there_for_scripts() {
    let server = server("announces-idle", "after=1s", &Listen::ANYWHERE);
    let (_, found) = found(&[&format!("http://{}/x?y", server.address()), "--idle", "10s"]);
    assert_eq!(found["resolved"][0], "127.0.0.1");
    assert_eq!(found["answer"]["status"], 200);
    assert_eq!(found["answer"]["head_bytes"], 111);
    assert_eq!(found["answer"]["largest_field"]["name"], "Content-Type");
    assert_eq!(found["keep_alive"]["announces_seconds"], 1);
    assert_eq!(found["keep_alive"]["second_answer"], 200);
    assert!(found["keep_alive"]["closes_after_seconds"].as_f64().unwrap() >= 0.9);
    assert_eq!(found["listens"]["here"]["pid"], std::process::id());
    assert_eq!(found["h2c"], false);
}

#[test]
fn unix_sockets_are_examined_with_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let address = format!("unix:{}", path.display());
    let verdict_of = || {
        let (_, found) = found(&[&address, "--idle", "0", "--timeout", "1s"]);
        (verdict(&found), found["listens"]["file"].as_str().map(|file| file.starts_with("srwx")))
    };
    assert_eq!(verdict_of(), ("TG-2003 unix_socket_missing".into(), None));
    for (mode, expected) in
        [("refuse", "TG-2002 unix_socket_refused"), ("full-backlog", "TG-2004 backlog_full"), ("well", "healthy")]
    {
        let _server = server(mode, "", &Listen::Unix(path.clone()));
        assert_eq!(verdict_of(), (expected.into(), Some(true)), "{mode}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_told_as_such() {
    let (code, found) = found(&["http://no-such-name.invalid/", "--timeout", "60s"]);
    // Without any resolver the same name fails otherwise.
    let verdict = verdict(&found);
    let known = ["TG-1102 name_not_found", "TG-1103 dns_server_failed"];
    assert!(code == 1 && known.contains(&verdict.as_str()), "{verdict}");
}

#[test]
fn every_endpoint_of_a_configuration_is_examined() {
    let (well, silent) = (server("well", "", &Listen::ANYWHERE), server("silent", "", &Listen::ANYWHERE));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    let text = format!(
        "events {{}} http {{ upstream app {{ server {}; server {} backup; }}\n\
         server {{ listen 127.0.0.1:1; location / {{ proxy_pass http://app; }}\n\
         location /v {{ proxy_pass http://$host; }} }} }}",
        well.address(),
        silent.address()
    );
    std::fs::write(&file, text).unwrap();
    let (code, said) = diagnose(&["-c", file.to_str().unwrap(), "--idle", "0", "--timeout", "500ms"]);
    assert_eq!(code, 1, "{said}");
    for part in [
        format!("upstream app: server {}\n", well.address()),
        format!("upstream app: server {}\n", silent.address()),
        "2 endpoints, 1 with a fault.\n".to_owned(),
        "Note: 1 proxy_pass with variables is not examined".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} is missing in:\n{said}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, "nonsense;").unwrap();
    let (code, said) = diagnose(&["-c", file.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(said.contains("unknown directive \"nonsense\""), "{said}");
}

#[test]
fn words_that_mean_nothing_are_said() {
    let (code, said) = diagnose(&["nowhere"]);
    assert_eq!(code, 2);
    assert!(said.contains("\"nowhere\" is no address") && said.contains("Usage: tidegate diagnose"), "{said}");
}
