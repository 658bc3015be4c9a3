//! Lines that the programs themselves write, each in front of endpoints that fail on purpose (`misbehave`): where programs
//! are, how they are asked, and how their lines are awaited. Without the program a test says so and ends, unless
//! `TIDEGATE_REQUIRE_PEERS=1`; `TIDEGATE_PEERS` is a folder to look in before `PATH`. Not here: what a program answers to its
//! client, and AWS's balancer, which nobody can run: its lines are its documentation's.

mod apache;
mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod traefik;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tidegate::misbehave::{Act, Listen, Server, Words};

use super::{causes, reading};

/// Longer than any program takes to start or to write a line.
const LONG: Duration = Duration::from_secs(60);

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a program is; if it is nowhere, the test is skipped, or fails where peers are required.
fn find(program: &str) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).unwrap_or_default();
    let folders = [variable("TIDEGATE_PEERS"), variable("PATH"), "/usr/sbin".into()];
    let files = folders.iter().flat_map(|folders| std::env::split_paths(folders)).map(|folder| folder.join(program));
    let found = files.into_iter().find(|file| file.is_file());
    if found.is_none() {
        assert!(variable("TIDEGATE_REQUIRE_PEERS") != "1", "there is no {program}");
        eprintln!("not tried: there is no {program} on this machine");
    }
    found
}

/// Starts a program; what it prints is in its folder.
fn start(command: &mut Command, folder: &Path) -> Running {
    let output = File::create(folder.join("output")).unwrap();
    command.current_dir(folder).env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    Running(command.spawn().unwrap())
}

/// An endpoint that fails in this way.
fn endpoint(mode: &str) -> Server {
    serve(Act::named(mode).unwrap())
}

/// An endpoint whose head is larger than what any of the programs takes.
fn huge_head() -> Server {
    let Act::Mode(mode, _) = Act::named("big-head").unwrap() else { panic!("big-head is no mode") };
    let mut words = Words::default();
    words.set("size", "12m").unwrap();
    serve(Act::Mode(mode, mode.parameters(words).unwrap()))
}

fn serve(act: Act) -> Server {
    Server::start(&Listen::parse("0").unwrap(), act, "hello", None).unwrap()
}

/// An address for a program that cannot listen on a unix socket. Nobody else binds to this loopback address, so that the port
/// stays free.
fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::new(127, 77, 0, 1), 0)).unwrap().local_addr().unwrap()
}

/// Asks once over the program's socket, as soon as it listens, and waits for the end of the answer.
fn ask(socket: &Path, path: &str) {
    ask_over(eventually(&socket.display(), || UnixStream::connect(socket).ok()), path);
}

/// The same over TCP. Gives what came.
fn ask_tcp(address: SocketAddr, path: &str) -> Vec<u8> {
    ask_over(eventually(&address, || TcpStream::connect(address).ok()), path)
}

fn ask_over(mut connection: impl Read + Write, path: &str) -> Vec<u8> {
    write!(connection, "GET {path} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = connection.read_to_end(&mut answer);
    answer
}

fn eventually<T>(what: &dyn std::fmt::Display, mut there: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    while started.elapsed() < LONG {
        if let Some(found) = there() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not within {LONG:?}")
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The first line after so many others that fits, as soon as it is written.
fn written(file: &Path, before: usize, fits: impl Fn(&str) -> bool) -> String {
    eventually(&file.display(), || lines(file).into_iter().skip(before).find(|line| fits(line)))
}

/// The line is this vendor's, and these are its causes, the likeliest first; others may follow.
fn assert_explained(vendor: &str, name: &str, line: &str, expected: &str) {
    let reading = reading(line);
    assert_eq!(reading["vendor"], vendor, "{name}: {line}");
    let causes = causes(&reading).join(" ");
    assert!(!expected.is_empty() && causes.starts_with(expected), "{name}: {causes} instead of {expected}: {line}");
}

/// `tidegate report` reads the program's access log too: so many requests, and at least those that failed with a status.
fn assert_reported(file: &Path, requests: usize, failed: usize) {
    let output = Command::new(crate::TIDEGATE).args(["report", "--json"]).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let value: serde_json::Value = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
    let count = |name: &str| usize::try_from(value[name].as_u64().unwrap()).unwrap();
    assert_eq!(count("requests"), requests, "{}: {value:#}", file.display());
    assert!(count("failed") >= failed, "{}: {value:#}", file.display());
}
