//! What a gateway makes of a mode: the origins to put behind it, its configuration in nginx's language, and a client that
//! notes what it gets. Not here: the gateway, and what it should do.

mod case;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Method;
use http1::{ChunkLimits, Decoder, ResponseHead, ResponseLimits};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::server::{Act, Server};
use super::{Account, Listen};

pub use case::{Case, cases};

/// The text of the origin that never fails.
pub const HEALTHY: &str = "healthy\n";

/// Bytes of a POST's body: more than a gateway takes in one read.
pub const BODY: usize = 256 << 10;

/// The text of good answers of the faulty one.
const HELLO: &str = "hello\n";

/// Every connection that a case waits for ends sooner.
const IN_VAIN: Duration = Duration::from_secs(3);

/// Longer than any answer takes that comes to an end; twenty times the timeouts of the gateways.
const PATIENCE: Duration = Duration::from_secs(20);

/// More than any answer has that comes to an end.
const MOST: usize = 16 << 20;

/// An origin that fails, and one that does not.
pub struct Origins {
    /// The one to be asked first.
    pub faulty: Server,
    /// The other.
    pub healthy: Server,
    ended: Mutex<UnboundedReceiver<Account>>,
}

impl Origins {
    /// Starts both.
    ///
    /// # Errors
    /// The system gives no more ports or threads.
    pub fn start(act: Act) -> io::Result<Self> {
        let (tell, ended) = unbounded_channel();
        let faulty = Server::start(&Listen::ANYWHERE, act, HELLO, Some(tell))?;
        let healthy = Server::start(&Listen::ANYWHERE, Act::named("well").map_err(io::Error::other)?, HEALTHY, None)?;
        Ok(Self { faulty, healthy, ended: ended.into() })
    }

    /// How many requests an application behind either of them would have acted on.
    pub fn executed(&self) -> u64 {
        self.faulty.tally().whole + self.healthy.tally().whole
    }

    /// Asks as the case has it: with the requests before, and the end of their connection.
    fn ask(&self, case: &Case, gateway: SocketAddr, method: &Method, path: &str) -> io::Result<Answered> {
        for _ in 0..case.before {
            ask(gateway, &Method::GET, path)?;
        }
        if case.ends {
            self.await_end();
        }
        ask(gateway, method, path)
    }

    /// Waits until a connection to the faulty one is over. A gateway that has asked the other one waits in vain.
    fn await_end(&self) {
        let started = Instant::now();
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while ended.try_recv().is_err() && started.elapsed() < IN_VAIN {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The three ways in which a gateway is asked, each with origins of its own: below `/alone`, `/pair` and `/post`.
pub struct Stand {
    /// The faulty one alone.
    pub alone: Origins,
    /// Both, for a GET.
    pub pair: Origins,
    /// Both, for a POST.
    pub post: Origins,
}

impl Stand {
    /// Starts all origins.
    ///
    /// # Errors
    /// The system gives no more ports or threads.
    pub fn start(act: Act) -> io::Result<Self> {
        Ok(Self { alone: Origins::start(act)?, pair: Origins::start(act)?, post: Origins::start(act)? })
    }

    /// Asks for `/alone` as the case has it.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn ask_alone(&self, case: &Case, gateway: SocketAddr) -> io::Result<Answered> {
        self.alone.ask(case, gateway, &Method::GET, "/alone")
    }

    /// Asks for `/pair` and `/post` as the case has it, so many times each: a gateway that lets endpoints take turns meets
    /// the faulty one in one of two.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn ask_both(&self, case: &Case, gateway: SocketAddr, times: u32) -> io::Result<Seen> {
        let worst = |origins: &Origins, method: Method, path| -> io::Result<Answered> {
            let mut worst = origins.ask(case, gateway, &method, path)?;
            for _ in 1..times {
                let next = ask(gateway, &method, path)?;
                if worst.is_right() {
                    worst = next;
                }
            }
            Ok(worst)
        };
        let (pair, post) = (worst(&self.pair, Method::GET, "/pair")?, worst(&self.post, Method::POST, "/post")?);
        let repeated = self.post.executed().saturating_sub(u64::from(case.before) + u64::from(times));
        Ok(Seen { pair, post, repeated })
    }

    /// A whole configuration, for nginx since 1.15.3 too. Timeouts are a second, connections are kept, and everything that
    /// can be is tried elsewhere.
    pub fn configuration(&self, listen: SocketAddr, folder: &Path) -> String {
        let (folder, upstreams) = (folder.display(), self.upstreams());
        format!(
            "\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;

events {{
}}

http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;

    proxy_http_version 1.1;
    proxy_set_header Connection \"\";
    proxy_connect_timeout 1s;
    proxy_send_timeout 1s;
    proxy_read_timeout 1s;
    proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504 http_429;

{upstreams}
    server {{
        listen {listen};
        location /alone {{
            proxy_pass http://alone;
        }}
        location /pair {{
            proxy_pass http://pair;
        }}
        location /post {{
            proxy_pass http://post;
        }}
    }}
}}
"
        )
    }

    fn upstreams(&self) -> String {
        let one =
            |name: &str, servers: String| format!("    upstream {name} {{\n{servers}        keepalive 8;\n    }}\n");
        let both = |origins: &Origins| {
            let (faulty, healthy) = (origins.faulty.address(), origins.healthy.address());
            format!("        server {faulty};\n        server {healthy} backup;\n")
        };
        let alone = format!("        server {};\n", self.alone.faulty.address());
        [one("alone", alone), one("pair", both(&self.pair)), one("post", both(&self.post))].concat()
    }
}

/// What came of a case with two endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The worst answer to a GET.
    pub pair: Answered,
    /// The worst answer to a POST.
    pub post: Answered,
    /// How many POSTs more than were sent have been read to their end.
    pub repeated: u64,
}

/// What a client got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Got {
    /// A whole answer with this status.
    Whole(u16),
    /// A head with this status, and a body that broke off.
    Cut(u16),
    /// Bytes that are no HTTP.
    Garbage,
    /// No byte.
    Nothing,
    /// Nothing that comes to an end.
    Hangs,
}

impl Answered {
    /// Whether it is a good answer of one of the origins, and nothing else.
    pub fn is_right(&self) -> bool {
        let known = [HELLO, HEALTHY, "well\n"].iter().any(|text| self.body == text.as_bytes());
        known && self.got == Got::Whole(200)
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Got::Whole(status) => write!(f, "{status}"),
            Got::Cut(status) => write!(f, "{status}, cut"),
            Got::Garbage => f.write_str("no HTTP"),
            Got::Nothing => f.write_str("nothing"),
            Got::Hangs => f.write_str("hangs"),
        }
    }
}

/// An answer as a client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What it is.
    pub got: Got,
    /// What there is of its body.
    pub body: Vec<u8>,
}

/// Asks for a path, and reads to the end of the connection. A POST has a body of [`BODY`] bytes.
///
/// # Errors
/// Nobody listens.
pub fn ask(address: SocketAddr, method: &Method, path: &str) -> io::Result<Answered> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = if *method == Method::POST { BODY } else { 0 };
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: trial\r\nConnection: close\r\n");
    if length > 0 {
        request.push_str(&format!("Content-Length: {length}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.resize(bytes.len() + length, b'x');
    // An answer may be there although the request was not taken to its end.
    if stream.write_all(&bytes).is_err() {
        let _ = stream.shutdown(Shutdown::Write);
    }
    Ok(match read_all(&mut stream)? {
        Some(received) => understood(&received, method),
        None => Answered { got: Got::Hangs, body: Vec::new() },
    })
}

/// Everything up to the end of the connection; nothing if that does not come.
fn read_all(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (started, mut received) = (Instant::now(), Vec::new());
    let mut chunk = vec![0; 64 << 10];
    while started.elapsed() < PATIENCE && received.len() < MOST {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(Some(received)),
            Ok(count) => received.extend(chunk.iter().take(count)),
            Err(error) if is_timeout(&error) => return Ok(None),
            // A reset ends it too; what was received tells.
            Err(_) => return Ok(Some(received)),
        }
    }
    Ok(None)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn understood(mut received: &[u8], method: &Method) -> Answered {
    let limits = ResponseLimits { head: 1 << 20, fields: 10_000 };
    if received.is_empty() {
        return Answered { got: Got::Nothing, body: Vec::new() };
    }
    let mut head = ResponseHead::default();
    loop {
        match http1::parse_response(&mut head, received, &limits) {
            Ok(Some(length)) => received = received.get(length..).unwrap_or_default(),
            Ok(None) | Err(_) => return Answered { got: Got::Garbage, body: received.to_vec() },
        }
        if !(100..200).contains(&head.status) || head.status == 101 {
            return read_body(received, &head, method);
        }
    }
}

fn read_body(mut received: &[u8], head: &ResponseHead, method: &Method) -> Answered {
    let limits = ChunkLimits { line: 4096, excess: 1 << 20, trailer: 1 << 20, trailer_fields: 1000 };
    let Ok(framing) = http1::response_framing(head, method) else {
        return Answered { got: Got::Garbage, body: received.to_vec() };
    };
    let (mut decoder, mut body) = (Decoder::new(framing, limits), Vec::new());
    while !received.is_empty() && !decoder.is_done() {
        let Ok(decoded) = decoder.decode(received) else { break };
        body.extend_from_slice(&received[decoded.data]);
        received = &received[decoded.consumed..];
    }
    let whole = decoder.end_of_input().is_ok();
    Answered { got: if whole { Got::Whole(head.status) } else { Got::Cut(head.status) }, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(text: &str) -> Got {
        understood(text.as_bytes(), &Method::GET).got
    }

    #[test]
    fn a_client_tells_whole_answers_from_cut_ones() {
        assert_eq!(got("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Got::Whole(200));
        assert_eq!(got("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), Got::Cut(200));
        assert_eq!(got("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), Got::Whole(200));
        assert_eq!(got("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), Got::Cut(200));
        assert_eq!(got("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n\r\nx"), Got::Whole(502));
        assert_eq!(got("SSH-2.0-x\r\n"), Got::Garbage);
        assert_eq!(got(""), Got::Nothing);
    }

    #[test]
    fn an_answer_is_right_only_with_the_text_of_an_origin() {
        let right = |text: &str| understood(text.as_bytes(), &Method::GET).is_right();
        assert!(right("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"));
        assert!(!right("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nSSH-"));
        assert!(!right("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\nhello\n"));
    }

    #[test]
    fn its_configuration_is_right() {
        let stand = Stand::start(Act::named("silent").unwrap()).unwrap();
        let text = stand.configuration("127.0.0.1:1".parse().unwrap(), Path::new("/tmp"));
        let loaded = config::load_text(&text);
        assert!(loaded.config.is_some(), "{:?}", loaded.diagnostics);
    }

    #[test]
    fn requests_are_counted_where_they_are_executed() {
        let origins = Origins::start(Act::named("close-before-reply").unwrap()).unwrap();
        let at = |server: &Server, method| ask(server.address().tcp().unwrap(), &method, "/").unwrap();
        assert_eq!(at(&origins.faulty, Method::POST).got, Got::Nothing);
        assert_eq!(origins.executed(), 1);
        let healthy = Answered { got: Got::Whole(200), body: HEALTHY.into() };
        assert_eq!(at(&origins.healthy, Method::POST), healthy);
        assert_eq!(origins.executed(), 2);
    }
}
