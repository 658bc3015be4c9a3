//! Clients that ask without pause, and count what fails. Not here: what happens to the gateway meanwhile.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::place::{LONG, Place, eventually};

/// What every client does again and again.
#[derive(Clone, Copy)]
enum Kind {
    /// Asks over one connection, which must never be closed.
    Kept(&'static str),
    /// Makes a connection for each request.
    New(&'static str),
    /// Sends a body through to the origin, over one connection.
    Posts,
}

const KINDS: [Kind; 7] = [
    Kind::Kept("/"),
    Kind::Kept("/origin"),
    Kind::Kept("/origin"),
    Kind::New("/"),
    Kind::New("/origin"),
    Kind::New("/origin"),
    Kind::Posts,
];

/// A body that is larger than what the gateway keeps in memory.
const BODY: usize = 40_000;

/// What the clients share with the test.
struct Shared {
    address: SocketAddrV4,
    ends: AtomicBool,
    /// An answer may say that its connection closes; the client makes another one then.
    may_close: AtomicBool,
    /// A connection that was answered before may break as it asks again.
    may_break: AtomicBool,
    /// A client that cannot connect ends.
    may_refuse: AtomicBool,
    failures: Mutex<Vec<String>>,
}

pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<(Arc<AtomicUsize>, JoinHandle<()>)>,
}

impl Load {
    /// Starts the clients; returns when each has been answered.
    pub(crate) fn start(place: &Place, port: u16) -> Self {
        let shared = Arc::new(Shared {
            address: place.address(port),
            ends: AtomicBool::new(false),
            may_close: AtomicBool::new(false),
            may_break: AtomicBool::new(false),
            may_refuse: AtomicBool::new(false),
            failures: Mutex::default(),
        });
        let clients = KINDS.map(|kind| {
            let (shared, count) = (shared.clone(), Arc::new(AtomicUsize::new(0)));
            (count.clone(), std::thread::spawn(move || shared.run(kind, &count)))
        });
        let load = Self { shared, clients: clients.into() };
        load.every_client_asks_twice_more();
        load
    }

    /// Returns when every client has been answered two requests more: the second of them was sent after this call.
    pub(crate) fn every_client_asks_twice_more(&self) {
        for (count, client) in &self.clients {
            let before = count.load(Ordering::SeqCst);
            eventually("a client is answered", || client.is_finished() || count.load(Ordering::SeqCst) >= before + 2);
        }
        assert_eq!(self.shared.failures(), [""; 0]);
    }

    /// From now on an answer may say that its connection closes, as those of a process that drains do.
    pub(crate) fn let_go_when_told(&self) {
        self.shared.may_close.store(true, Ordering::SeqCst);
    }

    /// The same, and idle connections may be closed as the next request is on its way.
    pub(crate) fn connections_may_break(&self) {
        self.let_go_when_told();
        self.shared.may_break.store(true, Ordering::SeqCst);
    }

    /// From now on nobody may listen any more.
    pub(crate) fn connections_may_be_refused(&self) {
        self.shared.may_refuse.store(true, Ordering::SeqCst);
    }

    /// Ends the clients. Returns how many requests were answered.
    pub(crate) fn end_without_a_failure(self) -> usize {
        self.shared.ends.store(true, Ordering::SeqCst);
        let mut answered = 0;
        for (count, client) in self.clients {
            client.join().unwrap();
            answered += count.load(Ordering::SeqCst);
        }
        assert_eq!(self.shared.failures(), [""; 0]);
        answered
    }
}

impl Shared {
    fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    fn run(&self, kind: Kind, count: &AtomicUsize) {
        while !self.ends.load(Ordering::SeqCst) {
            let ended = match kind {
                Kind::Kept(path) => self.keep_asking(count, &request("GET", path, ""), None),
                Kind::New(path) => self.ask_once(count, path),
                Kind::Posts => self.keep_asking(count, &post(), Some(&BODY.to_string())),
            };
            match ended {
                Ok(()) => {}
                Err(Failure::Broken(_)) if self.may_break.load(Ordering::SeqCst) => {}
                Err(Failure::Refused) if self.may_refuse.load(Ordering::SeqCst) => return,
                Err(failure) => return self.failures.lock().unwrap().push(failure.describe(kind)),
            }
        }
    }

    /// Asks over one connection until all is to end, or an answer says that the connection does.
    fn keep_asking(&self, count: &AtomicUsize, request: &[u8], expected: Option<&str>) -> Result<(), Failure> {
        let mut client = Kept::connect(self.address).map_err(|_| Failure::Refused)?;
        while !self.ends.load(Ordering::SeqCst) {
            let answer = client.ask(request).map_err(|error| client.broken(&error))?;
            answer.check(expected)?;
            count.fetch_add(1, Ordering::SeqCst);
            if answer.closes {
                return if self.may_close.load(Ordering::SeqCst) { Ok(()) } else { Err(Failure::Closed) };
            }
        }
        Ok(())
    }

    fn ask_once(&self, count: &AtomicUsize, path: &str) -> Result<(), Failure> {
        let mut client = Kept::connect(self.address).map_err(|_| Failure::Refused)?;
        let answer = client.ask(&request("GET", path, "Connection: close\r\n"));
        answer.map_err(|error| client.broken(&error))?.check(None)?;
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// What must not happen.
enum Failure {
    /// Nobody listens.
    Refused,
    /// A new connection broke before it was answered anything.
    Unanswered(String),
    Broken(String),
    Closed,
    Answer(String),
}

impl Failure {
    fn describe(&self, kind: Kind) -> String {
        let kind = match kind {
            Kind::Kept(path) => format!("{path} over a kept connection"),
            Kind::New(path) => format!("{path} over a new connection"),
            Kind::Posts => "POST".to_owned(),
        };
        match self {
            Failure::Refused => format!("{kind}: refused"),
            Failure::Unanswered(error) | Failure::Broken(error) => format!("{kind}: {error}"),
            Failure::Closed => format!("{kind}: told to close"),
            Failure::Answer(answer) => format!("{kind}: answered {answer}"),
        }
    }
}

fn request(method: &str, path: &str, fields: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

fn post() -> Vec<u8> {
    let mut bytes = request("POST", "/origin", &format!("Content-Length: {BODY}\r\n"));
    bytes.resize(bytes.len() + BODY, b'x');
    bytes
}

/// A connection for many requests.
pub(crate) struct Kept {
    stream: BufReader<TcpStream>,
    answered: usize,
}

impl Kept {
    pub(crate) fn connect(address: SocketAddrV4) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LONG))?;
        Ok(Self { stream: BufReader::new(stream), answered: 0 })
    }

    /// The body of a 200.
    pub(crate) fn get(&mut self, path: &str) -> Result<String, String> {
        let answer = self.ask(&request("GET", path, "")).map_err(|error| error.to_string())?;
        match answer.closes {
            false => Ok(answer.body()),
            true => Err(format!("told to close: {}", answer.body())),
        }
    }

    /// The body of what was asked for already.
    pub(crate) fn answer(&mut self) -> io::Result<String> {
        self.receive().map(|answer| answer.body())
    }

    /// The body of a 200 behind which the connection ends.
    pub(crate) fn last(&mut self, path: &str) -> Result<String, String> {
        self.send(&request("GET", path, "")).map_err(|error| error.to_string())?;
        self.last_answer()
    }

    /// The same, of a request that was sent already.
    pub(crate) fn last_answer(&mut self) -> Result<String, String> {
        let answer = self.receive().map_err(|error| error.to_string())?;
        match self.stream.fill_buf() {
            Ok([]) if answer.closes => Ok(answer.body()),
            end => Err(format!("closes: {}, then {end:?}", answer.closes)),
        }
    }

    fn broken(&self, error: &io::Error) -> Failure {
        if self.answered == 0 { Failure::Unanswered(error.to_string()) } else { Failure::Broken(error.to_string()) }
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<Message> {
        self.send(request)?;
        self.receive()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    fn receive(&mut self) -> io::Result<Message> {
        let answer = read_message(&mut self.stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.answered += 1;
        Ok(answer)
    }
}

/// A message with a length.
pub(crate) struct Message {
    line: String,
    pub(crate) body: Vec<u8>,
    closes: bool,
}

impl Message {
    fn body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn check(&self, expected: Option<&str>) -> Result<(), Failure> {
        let right = self.line.starts_with("HTTP/1.1 200 ") && expected.is_none_or(|expected| self.body() == expected);
        if right { Ok(()) } else { Err(Failure::Answer(format!("{} {}", self.line, self.body()))) }
    }
}

/// Reads a request or an answer; nothing at the end of the stream.
///
/// # Errors
/// The stream breaks, or ends inside a message.
pub(crate) fn read_message(stream: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(line) = read_line(stream)? else { return Ok(None) };
    let (mut length, mut closes) = (0, false);
    loop {
        let field = read_line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?.to_ascii_lowercase();
        match field.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(("connection", "close")) => closes = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Message { line, body, closes }))
}

fn read_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Ok(None),
        _ if line.ends_with('\n') => Ok(Some(line.trim_end().to_owned())),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
