//! `tidegate explain` from outside: lines as people have met them, and lines that real nginx and HAProxy write of endpoints
//! that fail on purpose. Not here: how lines are read (unit tests beside the code).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod peers;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");

/// Runs it with words and a standard input. Gives the exit code and what it said.
fn run(words: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(TIDEGATE);
    command.arg("explain").args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// The only reading of a line.
fn reading(line: &str) -> Value {
    let (_, said) = run(&["--json"], line);
    let value: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(value["readings"].as_array().unwrap().len(), 1, "{line}\n{said}");
    value["readings"][0].clone()
}

/// The names of a reading's causes, the likeliest first.
fn causes(reading: &Value) -> Vec<String> {
    reading["causes"].as_array().unwrap().iter().map(|cause| cause["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn lines_as_people_have_met_them_are_explained() {
    let lines = include_str!("lines.txt").lines().filter(|line| !line.starts_with('#'));
    for row in lines {
        let (vendor, rest) = row.split_once(" | ").unwrap();
        let (expected, line) = rest.split_once("| ").unwrap();
        let reading = reading(line);
        assert_eq!(reading["vendor"], vendor, "{line}");
        assert_eq!(causes(&reading), expected.split_whitespace().collect::<Vec<_>>(), "{line}");
        assert!(!expected.trim().is_empty() || reading["meaning"].as_str().unwrap().len() > 10, "{line}");
    }
}

#[test]
fn many_lines_are_grouped_and_counted() {
    let refused = "2026/11/25 16:39:28 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1\n";
    let input = format!("{}no live upstreams\nnonsense\n", refused.repeat(20));
    let (code, said) = run(&[], &input);
    assert_eq!(code, 0);
    assert!(said.starts_with("nginx: 20 lines, such as connect() failed (111: Connection refused)"), "{said}");
    assert!(said.contains("TG-2001 connect_refused") && said.contains("TG-1201 no_live_endpoints"), "{said}");
    assert!(said.contains("1 line was not understood, for example:\n  nonsense\n"), "{said}");
}

#[test]
fn questions_are_words_phrases_or_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("error.log");
    std::fs::write(&file, "2026/11/25 16:39:28 [error] 7#7: *1 no live upstreams while connecting to upstream\n")
        .unwrap();
    let file = file.display().to_string();
    for (words, expected) in [
        (&["TG-2001"][..], "connect_refused"),
        (&["stale_connection"], "TG-5001"),
        (&["502"], "causes with this status: TG-"),
        (&["no", "live", "upstreams"], "no_live_endpoints"),
        (&["SH--"], "HAProxy: SH--"),
        (&["UF,URX"], "The connection to the host failed."),
        (&[&file], "no_live_endpoints"),
    ] {
        let (code, said) = run(words, "");
        assert!(code == 0 && said.contains(expected), "{words:?}: {said}");
    }
    let (code, said) = run(&["/dev/stdin"], "no live upstreams\n");
    assert!(code == 0 && said.contains("no_live_endpoints"), "a pipe is read as a file is: {said}");
    let (code, said) = run(&["xyzzy"], "");
    assert!(code == 1 && said.contains("not understood"), "{said}");
}

#[test]
fn what_is_no_option_is_said_with_the_usage() {
    let output = Command::new(TIDEGATE).args(["explain", "--jsno"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("unknown option \"--jsno\"") && said.contains("Usage: tidegate explain"), "{said}");
}
