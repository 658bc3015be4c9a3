//! Names behind the gateway, with the real program and a name server of ours: whom it asks, how long it believes, and what
//! it does when a name moves or the name server fails. Not here: names that only the system knows (`tests/scenarios`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod dns;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dns::{Dns, Says};

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const AN_HOUR: u32 = 3600;

/// Only a broken program takes longer.
const LONG: Duration = Duration::from_secs(60);

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An origin that answers every request with its own name and then closes.
fn origin(address: SocketAddr, name: &'static str) -> Option<SocketAddr> {
    let listener = TcpListener::bind(address).ok()?;
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            answer(client.unwrap(), name);
        }
    });
    Some(address)
}

fn answer(mut client: TcpStream, name: &str) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
        head.extend(byte);
    }
    // The gateway may have gone.
    let _ = write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{name}", name.len());
}

/// Two origins with one port, as the addresses of one name have.
fn two_origins() -> u16 {
    for _ in 0..100 {
        let port = origin((FIRST, 0).into(), "first").unwrap().port();
        if origin((SECOND, port).into(), "second").is_some() {
            return port;
        }
    }
    panic!("no port is free on two addresses");
}

struct Gateway {
    child: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Gateway {
    /// Runs this inside `http`, where `LISTEN` stands for the address. Names were asked for once when it returns.
    fn start(http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let http = http.replace("LISTEN", &address.to_string());
        let text = format!(
            "daemon off; pid {path}/pid; error_log {path}/error.log warn; events {{}}\nhttp {{ access_log off;\n{http} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        let child = command.arg("-c").arg(&file).stdin(Stdio::null()).spawn().unwrap();
        let gateway = Self { child, folder, address };
        eventually("it listens", || TcpStream::connect(address).is_ok());
        assert_eq!(gateway.ask("/up").0, 204);
        gateway
    }

    fn get(&self) -> (u16, String) {
        self.ask("/")
    }

    /// The status line's code and the body.
    fn ask(&self, path: &str) -> (u16, String) {
        let (head, body) = self.whole(path);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    /// The head and the body.
    fn whole(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (format!("{head}\r\n"), body.to_owned())
    }

    fn body(&self) -> String {
        self.get().1
    }

    /// Waits until it is written in the error log.
    fn says(&self, text: &str) {
        eventually(text, || self.log().contains(text));
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has said then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An upstream with one name, asked of the name server.
fn upstream(dns: &Dns, port: u16) -> Gateway {
    Gateway::start(&format!(
        "resolver {};\nupstream app {{ server app.test:{port} resolve; }}\n\
         server {{ listen LISTEN; location = /up {{ return 204; }} location / {{ proxy_pass http://app; }} }}",
        dns.address
    ))
}

#[test]
fn a_name_is_followed_when_its_time_to_live_is_over() {
    let (dns, port) = (Dns::start(), two_origins());
    dns.says("app.test", Says::Address(FIRST, 1));
    let gateway = upstream(&dns, port);
    assert_eq!(gateway.body(), "first");
    dns.says("app.test", Says::Address(SECOND, AN_HOUR));
    eventually("the second answers", || gateway.body() == "second");
    let asked = dns.asked("app.test");
    assert_eq!((0..20).map(|_| gateway.body()).filter(|body| body == "second").count(), 20);
    assert_eq!(dns.asked("app.test"), asked, "an answer for an hour holds for an hour");
}

#[test]
fn a_connection_that_cannot_be_made_lets_the_name_be_asked_for_again_at_once() {
    let (dns, port) = (Dns::start(), origin((SECOND, 0).into(), "second").unwrap().port());
    dns.says("app.test", Says::Address(FIRST, AN_HOUR));
    let gateway = upstream(&dns, port);
    dns.says("app.test", Says::Address(SECOND, AN_HOUR));
    assert_eq!(gateway.get().0, 502, "nobody listens at the first address");
    eventually("the second answers", || gateway.body() == "second");
}

#[test]
fn addresses_stay_in_use_while_the_name_server_fails() {
    let (dns, port) = (Dns::start(), two_origins());
    for (code, said) in [(3, "(3: Host not found)"), (2, "(2: Server failure)"), (5, "(5: Operation refused)")] {
        dns.says("app.test", Says::Address(FIRST, 1));
        let gateway = upstream(&dns, port);
        dns.says("app.test", Says::Code(code));
        gateway.says(&format!("app.test could not be resolved {said}, its last addresses stay in use"));
        assert_eq!(gateway.body(), "first");
    }
}

#[test]
fn a_name_in_variables_is_asked_of_the_locations_name_servers() {
    let (dns, port) = (Dns::start(), two_origins());
    let gateway = Gateway::start(&format!(
        "server {{ listen LISTEN; location = /up {{ return 204; }} location / {{ resolver {} valid=1s; set $to app.test; proxy_pass http://$to:{port}; }} }}",
        dns.address
    ));
    dns.says("app.test", Says::Code(2));
    assert_eq!(gateway.get().0, 502);
    gateway.says("app.test could not be resolved (2: Server failure)");
    dns.says("app.test", Says::Address(FIRST, AN_HOUR));
    assert_eq!(gateway.body(), "first");
    dns.says("app.test", Says::Address(SECOND, AN_HOUR));
    eventually("`valid` is over", || gateway.body() == "second");
}

#[test]
fn a_name_server_that_says_nothing_is_waited_for_as_long_as_resolver_timeout_says() {
    let (dns, port) = (Dns::start(), two_origins());
    dns.says("app.test", Says::Silence);
    let gateway = Gateway::start(&format!(
        "resolver {}; resolver_timeout 1s;\n\
         server {{ listen LISTEN; location = /up {{ return 204; }} location / {{ set $to app.test; proxy_pass http://$to:{port}; }} }}",
        dns.address
    ));
    assert_eq!(gateway.get().0, 502);
    gateway.says("app.test could not be resolved (110: Operation timed out)");
}

#[test]
fn a_host_with_an_address_of_each_family_is_one_endpoint_that_remembers_which_works() {
    let (dns, port) = (Dns::start(), origin((Ipv6Addr::LOCALHOST, 0).into(), "the IPv6 address").unwrap().port());
    dns.says("app.test", Says::Both(FIRST, AN_HOUR));
    let gateway = Gateway::start(&format!(
        "resolver {};\nupstream app {{ server app.test:{port} resolve; }}\nadd_header Addresses $upstream_addr;\n\
         server {{ listen LISTEN; location = /up {{ return 204; }} location / {{ proxy_pass http://app; }} }}",
        dns.address
    ));
    assert_eq!(gateway.get(), (200, "the IPv6 address".into()), "nobody listens at the IPv4 address");
    let (head, _) = gateway.whole("/");
    assert!(head.contains(&format!("Addresses: [::1]:{port}\r\n")), "{head}");
    if origin((FIRST, port).into(), "the IPv4 address").is_some() {
        assert_eq!(gateway.body(), "the IPv6 address");
    }
    assert_eq!(gateway.log(), "", "no attempt failed");
}
