//! Each mode as a client sees it on the wire, byte for byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::*;

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
const FIVE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";

/// A server of this mode, `words` being its parameters as a query has them.
fn server(name: &str, words: &str) -> (Server, tokio::sync::mpsc::UnboundedReceiver<Account>) {
    let mode = modes::find(name).unwrap();
    let mut said = Words::default();
    for (name, value) in words.split('&').filter_map(|pair| pair.split_once('=')) {
        said.set(name, value).unwrap();
    }
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let act = Act::Mode(mode, mode.parameters(said).unwrap());
    (Server::start(&Listen::ANYWHERE, act, "hello\n", Some(tell)).unwrap(), told)
}

fn address(server: &Server) -> SocketAddr {
    server.address().tcp().unwrap()
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

struct Client(TcpStream);

impl Client {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(address(server)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    fn send(&mut self, text: &str) {
        // Who resets at once may have done so before.
        let _ = self.0.write_all(text.as_bytes());
    }

    fn expect(&mut self, text: &str) {
        let mut bytes = vec![0; text.len()];
        self.0.read_exact(&mut bytes).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), text);
    }

    /// All that still comes, and how it ends.
    fn rest(mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Ok(_) => (bytes, End::Closed),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (bytes, End::Reset),
            Err(error) => panic!("{error}"),
        }
    }
}

fn ask(name: &str, words: &str, request: &str) -> (String, End) {
    let (server, _told) = server(name, words);
    let mut client = Client::new(&server);
    client.send(request);
    let (bytes, end) = client.rest();
    (bytes.iter().map(|byte| char::from(*byte)).collect(), end)
}

#[test]
fn nobody_listens_on_a_port_that_refuses() {
    let (server, _told) = server("refuse", "");
    assert_eq!(TcpStream::connect(address(&server)).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_full_queue_lets_tcp_wait_and_says_again_to_unix_sockets() {
    let (tcp, _told) = server("full-backlog", "");
    let connected = TcpStream::connect_timeout(&address(&tcp), Duration::from_millis(100));
    assert_eq!(connected.unwrap_err().kind(), ErrorKind::TimedOut);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let _unix = Server::start(&Listen::Unix(path.clone()), Act::named("full-backlog").unwrap(), "", None).unwrap();
    let client = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    client.set_nonblocking(true).unwrap();
    let connected = client.connect(&socket2::SockAddr::unix(&path).unwrap());
    assert_eq!(connected.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn connections_end_where_the_mode_says() {
    let short = format!("{FIVE}we");
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwe";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwell\n\r\n";
    for (name, words, expected, end) in [
        ("reset-on-accept", "", "", End::Reset),
        ("close-before-reply", "", "", End::Closed),
        ("reset-before-reply", "", "", End::Reset),
        ("worker-dies", "after=10ms", "", End::Closed),
        ("close-in-head", "", "HTTP/1.1 200 OK\r\nCon", End::Closed),
        ("close-in-head", "count=1", "H", End::Closed),
        ("reset-in-head", "", "HTTP/1.1 200 OK\r\nCon", End::Reset),
        ("truncated-length", "", &short, End::Closed),
        ("reset-in-body", "", &short, End::Reset),
        ("truncated-chunk", "", chunk, End::Closed),
        ("no-last-chunk", "", chunks, End::Closed),
    ] {
        assert_eq!(ask(name, words, GET), (expected.into(), end), "{name}");
    }
}

#[test]
fn a_connection_that_is_closed_on_accept_ends_without_a_byte() {
    let (server, mut told) = server("close-on-accept", "");
    let client = Client::new(&server);
    let account = told.blocking_recv().unwrap();
    assert_eq!((account.ending, account.received, account.sent), (Ending::Closed, 0, 0));
    assert_eq!(client.rest(), (vec![], End::Closed));
}

#[test]
fn answers_are_wrong_to_the_byte() {
    for (name, expected) in [
        ("garbage", "what are you talking about?\r\n\r\n"),
        ("bad-status", "HTTP/1.1 OK 200\r\nContent-Length: 5\r\n\r\nwell\n"),
        ("obs-fold", "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\nContent-Length: 5\r\n\r\nwell\n"),
        ("space-before-colon", "HTTP/1.1 200 OK\r\nX-Spaced : one\r\nContent-Length: 5\r\n\r\nwell\n"),
        ("nul-in-field", "HTTP/1.1 200 OK\r\nX-Binary: a\0b\r\nContent-Length: 5\r\n\r\nwell\n"),
        ("bare-lf-head", "HTTP/1.1 200 OK\nContent-Length: 5\n\nwell\n"),
        (
            "two-lengths",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nwell\n",
        ),
        ("bad-chunk-size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwell\n"),
        ("surplus", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nwell\nsurplus\n"),
        ("tls-alert", "\x15\x03\x01\0\x02\x02F"),
        ("redis", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nInvalid SSH identification string.\r\n"),
        ("echo", GET),
    ] {
        assert_eq!(ask(name, "", GET), (expected.into(), End::Closed), "{name}");
    }
}

#[test]
fn sizes_are_as_asked() {
    let (big, _) = ask("big-field", "size=1000", GET);
    let field = format!("Set-Cookie: token={}\r\n", "x".repeat(1000));
    assert_eq!(big, format!("HTTP/1.1 200 OK\r\n{field}Content-Length: 5\r\n\r\nwell\n"));
    let (many, _) = ask("many-fields", "count=7", GET);
    assert_eq!(many.matches("X: y\r\n").count(), 7);
    let (trailer, _) = ask("big-trailer", "size=10", GET);
    assert!(trailer.ends_with("0\r\nX-Big: xxxxxxxxxx\r\n\r\n"));
}

#[test]
fn who_greets_speaks_first() {
    let (server, _told) = server("smtp", "");
    let mut client = Client::new(&server);
    client.expect("220 mail.example ESMTP Postfix\r\n");
    client.send(GET);
    client.expect("500 5.5.2 Error: bad syntax\r\n");
    assert_eq!(client.rest(), (vec![], End::Closed));
}

#[test]
fn silence_lasts_until_the_peer_is_gone() {
    for (name, words, expected) in [
        ("silent", "", ""),
        ("silent-in-head", "", "HTTP/1.1 200 OK\r\nContent-Ty"),
        ("stall-in-body", "", &format!("{FIVE}we")),
    ] {
        let (server, mut told) = server(name, words);
        let mut client = Client::new(&server);
        client.send(GET);
        client.expect(expected);
        client.0.shutdown(std::net::Shutdown::Write).unwrap();
        let account = told.blocking_recv().unwrap();
        let seen = (account.mode, account.sent as usize, account.ending, account.requests);
        assert_eq!(seen, (name, expected.len(), Ending::PeerClosed, 1));
    }
}

#[test]
fn who_is_deaf_reads_not_a_byte() {
    let (server, mut told) = server("deaf", "");
    let mut client = Client::new(&server);
    client.send(GET);
    drop(client);
    let account = told.blocking_recv().unwrap();
    assert_eq!((account.received, account.sent, account.ending), (0, 0, Ending::PeerClosed));
}

#[test]
fn slow_answers_are_complete() {
    let five = format!("{FIVE}well\n");
    let last = GET.replace("Host: a", "Host: a\r\nConnection: close");
    for name in ["drip-head", "drip-body"] {
        assert_eq!(ask(name, "after=1ms", &last), (five.clone(), End::Closed), "{name}");
    }
    let (server, _told) = server("delayed", "after=1ms");
    let mut client = Client::new(&server);
    for _ in 0..2 {
        client.send(GET);
        client.expect(WELL);
    }
}

#[test]
fn what_has_no_end_ends_with_the_peer() {
    for name in ["endless-head", "endless-interim"] {
        let (server, mut told) = server(name, "");
        let mut client = Client::new(&server);
        client.send(GET);
        let mut bytes = vec![0; 1 << 20];
        client.0.read_exact(&mut bytes).unwrap();
        drop(client);
        let account = told.blocking_recv().unwrap();
        assert_eq!(account.ending, Ending::PeerReset, "{name}");
        assert!(account.sent >= 1 << 20, "{name}");
    }
}

#[test]
fn an_early_answer_leaves_the_body_unread() {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    let (server, mut told) = server("early-413", "");
    let mut client = Client::new(&server);
    client.send(&format!("{head}part"));
    let account = told.blocking_recv().unwrap();
    assert_eq!((account.received, account.ending), (head.len() as u64 + 4, Ending::Closed));
    client.expect("HTTP/1.1 413 ");
    assert_eq!(server.tally(), Tally { connections: 1, requests: 1, whole: 0 });
}

#[test]
fn a_body_that_is_read_to_its_end_counts_as_executed() {
    let (server, _told) = server("close-before-reply", "");
    let mut client = Client::new(&server);
    client.send(POST);
    assert_eq!(client.rest(), (vec![], End::Closed));
    assert_eq!(server.tally(), Tally { connections: 1, requests: 1, whole: 1 });
}

#[test]
fn a_client_that_waits_to_send_its_body_is_told_to_or_not() {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    let (inviting, _told) = server("well", "");
    let mut client = Client::new(&inviting);
    client.send(head);
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    client.expect(WELL);
    let (other, _told) = server("no-continue", "");
    let mut client = Client::new(&other);
    client.send(head);
    client.send("body");
    client.expect(WELL);
}

#[test]
fn kept_connections_end_unannounced() {
    for (name, words, before) in
        [("closes-idle", "after=10ms", 1), ("closes-after-requests", "count=3", 3), ("closes-after-requests", "", 2)]
    {
        let (server, mut told) = server(name, words);
        let mut client = Client::new(&server);
        for _ in 0..before {
            client.send(GET);
            client.expect(WELL);
        }
        assert_eq!(client.rest(), (vec![], End::Closed), "{name}");
        assert_eq!(told.blocking_recv().unwrap().requests, before);
    }
}

#[test]
fn the_second_request_meets_the_end() {
    for (name, expected, end) in [
        ("close-on-reuse", "", End::Closed),
        ("reset-on-reuse", "", End::Reset),
        (
            "408-on-reuse",
            "HTTP/1.1 408 Request Time-out\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\n\
             408 Request Time-out\n",
            End::Closed,
        ),
    ] {
        let (server, _told) = server(name, "");
        let mut client = Client::new(&server);
        client.send(GET);
        client.expect(WELL);
        client.send(GET);
        assert_eq!(client.rest(), (expected.into(), end), "{name}");
    }
}

#[test]
fn an_idle_limit_is_announced_in_seconds() {
    let (server, _told) = server("announces-idle", "after=900ms");
    let mut client = Client::new(&server);
    client.send(GET);
    client.expect("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n");
    client.expect("Connection: keep-alive\r\nKeep-Alive: timeout=1\r\n\r\nhello\n");
    assert_eq!(client.rest(), (vec![], End::Closed));
}

#[test]
fn every_so_many_th_connection_fails() {
    let (server, _told) = server("flapping", "count=3");
    let answers: Vec<bool> = (0..6)
        .map(|_| {
            let mut client = Client::new(&server);
            client.send(GET);
            !client.rest().0.is_empty()
        })
        .collect();
    assert_eq!(answers, [true, true, false, true, true, false]);
}

#[test]
fn each_path_is_a_mode() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(&Listen::ANYWHERE, Act::ByPath, "hello\n", Some(tell)).unwrap();
    let mut client = Client::new(&server);
    for path in ["/well", "/delayed?after=1ms", "/well"] {
        client.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        client.expect(WELL);
    }
    client.send("POST /close-in-head?count=3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(client.rest(), (b"HTT".to_vec(), End::Closed));
    assert_eq!(told.blocking_recv().unwrap().mode, "close-in-head");
    assert_eq!(server.tally().whole, 4);
    let mut client = Client::new(&server);
    client.send("GET /clos-in-head HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = String::from_utf8(client.rest().0).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("did you mean \"close-in-head\"?"), "{answer}");
}

#[test]
fn a_server_can_be_told_to_do_something_else() {
    let (server, _told) = server("well", "");
    let mut client = Client::new(&server);
    client.send(GET);
    client.expect(WELL);
    server.set(Act::named("refuse").unwrap());
    assert_eq!(client.rest(), (vec![], End::Closed));
    let refuses = || TcpStream::connect(address(&server)).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused);
    while !refuses() {
        std::thread::yield_now();
    }
    server.set(Act::named("well").unwrap());
    while refuses() {
        std::thread::yield_now();
    }
    let mut client = Client::new(&server);
    client.send(GET);
    client.expect(WELL);
}
