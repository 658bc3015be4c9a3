//! What a gateway makes of a mode: the origins to put behind it, its configuration in nginx's language, and a client that
//! notes what it gets. Not here: the gateway, and what it should do.

mod case;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use http::Method;
use http1::{ChunkLimits, Decoder, ResponseHead, ResponseLimits};

use super::server::{Act, Server};
use super::{Account, Listen};

pub use case::{Case, cases};

/// The text of the origin that never fails.
pub const HEALTHY: &str = "healthy\n";

/// Bytes of a POST's body: more than a gateway takes in one read.
pub const BODY: usize = 256 << 10;

/// Nothing that goes on takes longer than this between two bytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An origin that fails, and one that does not.
pub struct Origins {
    /// The one to be asked first.
    pub faulty: Server,
    /// The other.
    pub healthy: Server,
    ended: std::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<Account>>,
}

impl Origins {
    /// Starts both.
    ///
    /// # Errors
    /// The system gives no more ports or threads.
    pub fn start(act: Act) -> io::Result<Self> {
        let (tell, ended) = tokio::sync::mpsc::unbounded_channel();
        let faulty = Server::start(&Listen::ANYWHERE, act, "hello\n", Some(tell))?;
        let healthy = Server::start(&Listen::ANYWHERE, Act::named("well").map_err(io::Error::other)?, HEALTHY, None)?;
        Ok(Self { faulty, healthy, ended: ended.into() })
    }

    /// Waits until a connection to the faulty one is over.
    pub fn await_end(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = ended.blocking_recv();
    }

    /// How many requests an application behind either of them would have acted on.
    pub fn executed(&self) -> u64 {
        self.faulty.tally().whole + self.healthy.tally().whole
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

    /// Plays a case: asks the gateway at the address for each path, and before that what the case has before it.
    ///
    /// # Errors
    /// Nobody listens, or nothing happens for a minute.
    pub fn play(&self, case: &Case, gateway: SocketAddr) -> io::Result<Seen> {
        let ask = |origins: &Origins, method: Method, path| -> io::Result<Answered> {
            for _ in 0..case.before {
                ask(gateway, &Method::GET, path)?;
            }
            if case.ends {
                origins.await_end();
            }
            ask(gateway, &method, path)
        };
        let alone = ask(&self.alone, Method::GET, "/alone")?;
        let pair = ask(&self.pair, Method::GET, "/pair")?;
        let post = ask(&self.post, Method::POST, "/post")?;
        let executed = self.post.executed().saturating_sub(case.before.into());
        Ok(Seen { alone, pair, post, executed })
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

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// A GET with the faulty origin alone.
    pub alone: Answered,
    /// A GET with both.
    pub pair: Answered,
    /// A POST with both.
    pub post: Answered,
    /// How often the POST was read to its end by any origin.
    pub executed: u64,
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
}

impl Got {
    /// Whether a user would be content with it.
    pub fn is_well(self) -> bool {
        matches!(self, Got::Whole(200..400))
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Got::Whole(status) => write!(f, "{status}"),
            Got::Cut(status) => write!(f, "{status}, cut"),
            Got::Garbage => f.write_str("no HTTP"),
            Got::Nothing => f.write_str("nothing"),
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
/// Nobody listens, or nothing happens for a minute.
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
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Err(error) if is_timeout(&error) => Err(error),
        _ => Ok(understood(&received, method)),
    }
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
