//! The demonstration as a person sees it: the program without a word. Not here: its parts, which have their own tests.

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");

/// One at a time: two that start together may want the same port for their gateways.
static TURN: Mutex<()> = Mutex::new(());

struct Demo {
    _turn: MutexGuard<'static, ()>,
    process: Child,
    screen: Option<BufReader<ChildStdout>>,
}

impl Demo {
    fn start() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut process = Command::new(TIDEGATE).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let screen = BufReader::new(process.stdout.take().unwrap());
        Self { _turn: turn, process, screen: Some(screen) }
    }

    /// The next line that has all of these words.
    fn line(&mut self, words: &[&str]) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.screen.as_mut().unwrap().read_line(&mut line).unwrap(),
                0,
                "it ended before it said {words:?}"
            );
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    fn press_ctrl_c(&self) {
        let pid = i32::try_from(self.process.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get(url: &str) -> String {
    let authority = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "GET /alone HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_what_to_try_shows_what_fails_and_ends_with_an_account() {
    let mut demo = Demo::start();
    let url = demo.line(&["in front of three origins, at http://"]).split_whitespace().last().unwrap().to_owned();
    demo.line(&["curl -i", &url]);
    demo.line(&["--print-config"]);
    demo.line(&["moody now refuses connections"]);
    demo.line(&["moody", "connect() failed (Connection refused)", "200 from steady"]);
    demo.line(&["moody", "connect() failed (Connection refused)", "200 from backup"]);
    assert!(get(&url).starts_with("HTTP/1.1 200 OK\r\n"));
    demo.press_ctrl_c();
    demo.line(&["requests, ", " failed attempts."]);
    demo.line(&["were answered well all the same, 0 were not."]);
    assert_eq!(demo.process.wait().unwrap().code(), Some(0));
}

#[test]
fn it_ends_when_nobody_can_see_it_any_more() {
    let mut demo = Demo::start();
    demo.line(&["moody now refuses connections"]);
    demo.screen = None;
    assert_eq!(demo.process.wait().unwrap().code(), Some(0));
}

#[test]
fn its_configuration_is_one_that_can_be_run() {
    let printed = Command::new(TIDEGATE).arg("--print-config").output().unwrap();
    assert!(printed.status.success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, printed.stdout).unwrap();
    let checked = Command::new(TIDEGATE).arg("check").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
