//! The upstream of every contender: a keep-alive HTTP/1.1 server with fixed answers, on a thread of
//! its own.
//!
//! It reads request bodies (by `Content-Length`) and drops them. It does no chunked coding and no
//! pipelining: a request that needs either closes the connection, which the load generator then
//! counts as a failure.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use super::answer::content_length;
use super::socket::{self, ByDescriptor, Interest, Poller};

/// A request head that is longer than this closes the connection, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;
const FIELD_LIMIT: usize = 64;
/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

pub(crate) const SMALL: Resource = Resource { path: "/small", length: 65 };
pub(crate) const MEDIUM: Resource = Resource { path: "/medium", length: 64 * 1024 };
pub(crate) const LARGE: Resource = Resource { path: "/large", length: 1024 * 1024 };

/// One fixed answer: its path and the length of its body in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    pub(crate) path: &'static str,
    pub(crate) length: usize,
}

impl Resource {
    fn answer(self, connection: &str) -> Vec<u8> {
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\n\
             Date: Mon, 05 Jan 2026 10:00:00 GMT\r\n\
             Content-Type: application/octet-stream\r\n\
             Content-Length: {}\r\n\
             Cache-Control: private, max-age=0\r\n\
             Vary: Accept-Encoding\r\n\
             X-Request-Class: benchmark\r\n\
             {connection}\r\n",
            self.length
        )
        .into_bytes();
        answer.resize(answer.len() + self.length, b'x');
        answer
    }
}

/// Starts the origin on its own thread, for as long as the process lives, and says where it
/// listens.
pub(crate) fn start() -> io::Result<SocketAddrV4> {
    let listener = socket::listen(socket::ANY_PORT)?;
    let address = socket::local_address(&listener)?;
    let run = move || {
        if let Err(error) = Origin::new(listener).and_then(|mut origin| origin.run()) {
            eprintln!("xtask: the origin stopped: {error}");
        }
    };
    std::thread::Builder::new().name("origin".into()).spawn(run)?;
    Ok(address)
}

struct Origin {
    listener: TcpListener,
    poller: Poller,
    peers: ByDescriptor<Peer>,
    answers: Vec<Prepared>,
    chunk: Vec<u8>,
}

/// The bytes of one resource's answer, as they are on a connection that stays and on one that
/// closes.
struct Prepared {
    path: &'static str,
    keep_alive: Vec<u8>,
    close: Vec<u8>,
}

/// A connection from a proxy.
struct Peer {
    stream: TcpStream,
    state: State,
}

/// ```text
/// Head ──empty line──▶ Body ──last byte──▶ Answering ──keep-alive──▶ Head
///                                                    ──close──▶ (dropped)
/// ```
enum State {
    Head(Vec<u8>),
    Body { left: u64, plan: Plan },
    Answering { sent: usize, waiting: bool, plan: Plan },
}

/// Which answer the request gets.
#[derive(Clone, Copy)]
struct Plan {
    answer: usize,
    close: bool,
}

/// Why a connection ends: an error, or simply its end.
struct Ended;

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Origin {
    fn new(listener: TcpListener) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&listener, Interest::IN)?;
        let prepare = |resource: Resource| Prepared {
            path: resource.path,
            keep_alive: resource.answer(""),
            close: resource.answer("Connection: close\r\n"),
        };
        let answers = [SMALL, MEDIUM, LARGE].map(prepare).into();
        Ok(Self { listener, poller, peers: ByDescriptor::new(), answers, chunk: vec![0; CHUNK] })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.poller.wait(&mut ready, None)?;
            for descriptor in ready.drain(..) {
                if descriptor == self.listener.as_raw_fd() {
                    self.accept()?;
                } else if self.serve(descriptor).is_err() {
                    self.peers.remove(descriptor);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some(stream) = socket::accept(&self.listener)? {
            self.poller.add(&stream, Interest::IN)?;
            self.peers.insert(stream.as_raw_fd(), Peer { stream, state: State::Head(Vec::new()) });
        }
        Ok(())
    }

    fn serve(&mut self, descriptor: RawFd) -> Result<(), Ended> {
        let Some(peer) = self.peers.get_mut(descriptor) else {
            return Ok(());
        };
        if matches!(peer.state, State::Answering { .. }) {
            return peer.answer(&self.answers, &self.poller);
        }
        let length = match peer.stream.read(&mut self.chunk) {
            Ok(0) => return Err(Ended),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(Ended),
        };
        peer.take(self.chunk.get(..length).unwrap_or_default(), &self.answers)?;
        match peer.state {
            State::Answering { .. } => peer.answer(&self.answers, &self.poller),
            _ => Ok(()),
        }
    }
}

impl Peer {
    /// Takes bytes of a request.
    fn take(&mut self, bytes: &[u8], answers: &[Prepared]) -> Result<(), Ended> {
        match &mut self.state {
            State::Head(seen) if seen.is_empty() => self.take_head(bytes, answers),
            State::Head(seen) => {
                let mut head = std::mem::take(seen);
                head.extend_from_slice(bytes);
                self.take_head(&head, answers)
            }
            State::Body { left, plan } => {
                let (left, plan) = (*left, *plan);
                self.take_body(left, bytes, plan)
            }
            State::Answering { .. } => Err(Ended),
        }
    }

    fn take_head(&mut self, bytes: &[u8], answers: &[Prepared]) -> Result<(), Ended> {
        match read_head(bytes, answers)? {
            Some((head_length, left, plan)) => self.take_body(left, bytes.get(head_length..).unwrap_or_default(), plan),
            None if bytes.len() > HEAD_LIMIT => Err(Ended),
            None => {
                self.state = State::Head(bytes.to_vec());
                Ok(())
            }
        }
    }

    fn take_body(&mut self, left: u64, bytes: &[u8], plan: Plan) -> Result<(), Ended> {
        let left = left.checked_sub(bytes.len() as u64).ok_or(Ended)?;
        self.state = match left {
            0 => State::Answering { sent: 0, waiting: false, plan },
            left => State::Body { left, plan },
        };
        Ok(())
    }

    /// Sends as much of the answer as there is room for.
    fn answer(&mut self, answers: &[Prepared], poller: &Poller) -> Result<(), Ended> {
        let State::Answering { sent, waiting, plan } = &mut self.state else {
            return Ok(());
        };
        let prepared = answers.get(plan.answer).ok_or(Ended)?;
        let answer = if plan.close { &prepared.close } else { &prepared.keep_alive };
        match self.stream.write(answer.get(*sent..).unwrap_or_default()) {
            Ok(written) => *sent += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Ended),
        }
        let finished = *sent == answer.len();
        if *waiting == finished {
            poller.modify(&self.stream, if finished { Interest::IN } else { Interest::OUT })?;
            *waiting = !finished;
        }
        match (finished, plan.close) {
            (true, true) => return Err(Ended),
            (true, false) => self.state = State::Head(Vec::new()),
            (false, _) => {}
        }
        Ok(())
    }
}

/// The length of the head, the length of the body and the answer to it; `None` while the head's end
/// is missing.
fn read_head(bytes: &[u8], answers: &[Prepared]) -> Result<Option<(usize, u64, Plan)>, Ended> {
    let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let mut head = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head_length) = head.parse(bytes).map_err(|_| Ended)? else {
        return Ok(None);
    };
    let path = head.path.ok_or(Ended)?;
    let answer = answers.iter().position(|answer| answer.path == path).ok_or(Ended)?;
    let has = |name: &str| head.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    let body = match has("content-length").or(has("transfer-encoding")) {
        Some(_) => content_length(head.headers).map_err(|_| Ended)?,
        None => 0,
    };
    let close = has("connection").is_some_and(|field| field.value.eq_ignore_ascii_case(b"close"));
    Ok(Some((head_length, body, Plan { answer, close })))
}
