//! The examples as they are run: what they print and what they answer. `cargo test` builds them; with `--test examples` alone,
//! `cargo build --examples` has to come first. Not here: how (`gateway.rs`, `retry.rs`).

#![allow(clippy::unwrap_used, reason = "an example that does not start fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where cargo puts an example that it builds with the tests.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join(name)
}

/// The Express example, until it has ended.
struct Express {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Express {
    fn start(upstream: Option<SocketAddr>) -> Self {
        let mut command = Command::new(program("axum"));
        command.env("PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null()).env_remove("UPSTREAM_URL");
        if let Some(upstream) = upstream {
            command.env("UPSTREAM_URL", format!("http://{upstream}"));
        }
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").unwrap().split('/').next().unwrap().parse().unwrap();
        Self { child, output, address }
    }

    fn send(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        stream
    }

    fn ask(&self, path: &str) -> String {
        whole(self.send(path))
    }

    /// Tells it to end, as a container's stop does.
    fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Waits until it has ended by itself.
    fn ended(mut self) {
        self.output.read_to_end(&mut Vec::new()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        // It has usually ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn whole(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_express_example_runs_by_one_command_and_hides_the_broken_upstream() {
    let express = Express::start(None);
    for _ in 0..4 {
        let answer = express.ask("/api/data");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("from the upstream that works"), "{answer}");
    }
    let health = express.ask("/health");
    let health: serde_json::Value = serde_json::from_str(health.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(health["status"], "ok");
    // 2026-01-31T12:34:56.789Z
    let shape = health["timestamp"].as_str().unwrap().replace(|character: char| character.is_ascii_digit(), "0");
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
}

#[test]
fn the_express_example_answers_in_the_shape_of_the_original() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let express = Express::start(Some(socket.local_addr().unwrap()));
    let silent = std::thread::spawn(move || socket.accept().map(|(stream, _)| drop(stream)));
    let answer = express.ask("/api/data");
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("{\"error\":\"Bad Gateway\",\"message\":\""), "{answer}");
    assert!(express.ask("/health").starts_with("HTTP/1.1 200"), "its health is not the upstream's");
    silent.join().unwrap().unwrap();
}

#[test]
fn the_express_example_ends_when_what_is_under_way_is_answered() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let express = Express::start(Some(socket.local_addr().unwrap()));
    let asking = express.send("/api/data");
    let (mut upstream, _) = socket.accept().unwrap();
    let mut head = [0; 1];
    upstream.read_exact(&mut head).unwrap();
    express.terminate();
    // No new connections are taken.
    while TcpStream::connect(express.address).is_ok() {
        std::thread::yield_now();
    }
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").unwrap();
    assert!(whole(asking).ends_with("late"));
    express.ended();
}

#[test]
fn the_fetch_example_waits_out_a_restart() {
    let output = Command::new(program("client")).output().unwrap();
    let (said, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(said, "{\"data\": \"is here\"}\n");
    assert_eq!(told.matches("answered 502").count(), 2, "{told}");
}
