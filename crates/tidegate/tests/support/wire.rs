//! One side of one connection, with blocking reads and writes that are bounded in time. It sends what it is told,
//! and reads messages whatever their shape; it judges nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::support::bytes::find;
use crate::support::case::{Receive, WireAct};
use crate::support::message::{End, Framing, Message, unchunk};

/// The longest that a peer may be silent, or not read, before a step gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

pub(crate) struct Wire {
    stream: Stream,
    /// Received, not yet taken by a step.
    buffer: Vec<u8>,
    /// Why nothing more comes.
    over: Option<End>,
}

impl Stream {
    /// Connects to `host:port` or to the path of a unix socket.
    pub(crate) fn connect(address: &str) -> std::io::Result<Stream> {
        if address.contains('/') {
            let path = address.strip_prefix("unix:").unwrap_or(address);
            return UnixStream::connect(path).map(Stream::Unix);
        }
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    fn set_patience(&self, patience: Duration) -> std::io::Result<()> {
        match self {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(Some(patience)).and(stream.set_write_timeout(Some(patience)))
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(Some(patience)).and(stream.set_write_timeout(Some(patience)))
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(into),
            Stream::Unix(stream) => stream.read(into),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    fn shutdown(&self, how: Shutdown) -> std::io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            Stream::Unix(stream) => stream.shutdown(how),
        }
    }

    /// Makes the close that follows a reset.
    fn linger_none(&self) -> std::io::Result<()> {
        match self {
            Stream::Tcp(stream) => socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)),
            Stream::Unix(_) => Ok(()),
        }
    }
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Result<Wire, String> {
        stream.set_patience(PATIENCE).map_err(|error| error.to_string())?;
        Ok(Wire { stream, buffer: Vec::new(), over: None })
    }

    /// Plays a step; `None` if it receives nothing.
    pub(crate) fn play(&mut self, act: &WireAct) -> Result<Option<Message>, String> {
        match act {
            WireAct::Send(bytes) => self.send(bytes),
            WireAct::Receive(what) => return self.receive(what).map(Some),
            WireAct::Drip(bytes) => self.drip(bytes)?,
            WireAct::Shutdown => self.stream.shutdown(Shutdown::Write).unwrap_or_default(),
            WireAct::Close => self.stream.shutdown(Shutdown::Both).unwrap_or_default(),
            WireAct::Reset => self.stream.linger_none().map_err(|error| error.to_string())?,
        }
        Ok(None)
    }

    /// A peer that has closed is no error here: what is received afterwards shows it.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_default();
    }

    /// How fast the peer listens does not matter: a peer that goes on listening fails the step after `PATIENCE`.
    fn drip(&mut self, bytes: &[u8]) -> Result<(), String> {
        const PACE: Duration = Duration::from_millis(5);
        let deadline = Instant::now() + PATIENCE;
        self.stream.set_patience(PACE).map_err(|error| error.to_string())?;
        loop {
            self.send(bytes);
            while self.fill() {}
            if self.over.take_if(|end| *end == End::Silent).is_none() {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("the peer went on listening for {PATIENCE:?}"));
            }
        }
        self.stream.set_patience(PATIENCE).map_err(|error| error.to_string())
    }

    pub(crate) fn receive(&mut self, what: &Receive) -> Result<Message, String> {
        match what {
            Receive::Message => self.message(false),
            Receive::Bodiless => self.message(true),
            Receive::Head => self.head(),
            Receive::Exactly(bytes) => self.exactly(bytes),
            Receive::Until(bytes) => self.until(bytes),
            Receive::End => Ok(self.rest()),
            Receive::Eof => match self.rest() {
                rest if rest.end == End::Complete => Ok(rest),
                rest => Err(format!("expected a clean end of the stream, got:\n{rest}")),
            },
        }
    }

    /// Drops what comes for as long as `patience`; true if the stream ended.
    pub(crate) fn ended_within(&mut self, patience: Duration) -> bool {
        self.stream.set_patience(patience).unwrap_or_default();
        while self.fill() {
            self.buffer.clear();
        }
        let ended = self.over.is_some_and(|end| end != End::Silent);
        self.over.take_if(|end| *end == End::Silent);
        self.stream.set_patience(PATIENCE).unwrap_or_default();
        ended
    }

    /// Waits for the peer's next bytes; false if none come.
    pub(crate) fn await_bytes(&mut self) -> bool {
        !self.buffer.is_empty() || self.fill()
    }

    fn head(&mut self) -> Result<Message, String> {
        loop {
            let crlf = find(&self.buffer, b"\r\n\r\n").map(|at| at + 4);
            let bare = find(&self.buffer, b"\n\n").map(|at| at + 2);
            if let Some(end) = [crlf, bare].into_iter().flatten().min() {
                return Ok(Message::from_head(&self.take(end)));
            }
            if !self.fill() {
                return Err(format!("expected a head, got:\n{}", self.rest()));
            }
        }
    }

    fn message(&mut self, bodiless: bool) -> Result<Message, String> {
        let mut message = self.head()?;
        match message.framing(bodiless) {
            Framing::None => {}
            Framing::Length(length) => {
                while self.buffer.len() < length && self.fill() {}
                message.end = if self.buffer.len() < length { self.cut() } else { End::Complete };
                message.body = self.take(length.min(self.buffer.len()));
            }
            Framing::UntilEnd => {
                let rest = self.rest();
                (message.body, message.end) = (rest.body, rest.end);
            }
            Framing::Chunked => self.chunked(&mut message),
        }
        Ok(message)
    }

    fn chunked(&mut self, message: &mut Message) {
        loop {
            match unchunk(&self.buffer) {
                Ok(Some((body, trailers, length))) => {
                    (message.body, message.trailers) = (body, trailers);
                    self.take(length);
                    return;
                }
                Err(body) => {
                    (message.body, message.end) = (body, End::Broken);
                    return;
                }
                Ok(None) if self.fill() => {}
                Ok(None) => {
                    (message.body, message.end) = (std::mem::take(&mut self.buffer), self.cut());
                    return;
                }
            }
        }
    }

    fn exactly(&mut self, bytes: &[u8]) -> Result<Message, String> {
        while self.buffer.len() < bytes.len() && self.fill() {}
        let got = self.take(bytes.len().min(self.buffer.len()));
        let message = Message { body: got, ..Message::default() };
        if message.body == bytes {
            Ok(message)
        } else {
            Err(format!("expected \"{}\", got:\n{message}", crate::support::bytes::show(bytes)))
        }
    }

    fn until(&mut self, bytes: &[u8]) -> Result<Message, String> {
        let mut searched = 0;
        loop {
            if let Some(at) = find(&self.buffer[searched..], bytes).map(|at| searched + at) {
                let body = self.take(at + bytes.len());
                return Ok(Message { body, ..Message::default() });
            }
            searched = self.buffer.len().saturating_sub(bytes.len());
            if !self.fill() {
                return Err(format!("expected \"{}\", got:\n{}", crate::support::bytes::show(bytes), self.rest()));
            }
        }
    }

    /// All that comes until the end; `Complete` if that is a clean end of the stream.
    fn rest(&mut self) -> Message {
        while self.fill() {}
        let end = match self.over {
            Some(End::Cut) => End::Complete,
            other => other.unwrap_or_default(),
        };
        Message { body: std::mem::take(&mut self.buffer), end, ..Message::default() }
    }

    fn cut(&self) -> End {
        self.over.unwrap_or(End::Cut)
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Reads more; false if nothing more comes.
    fn fill(&mut self) -> bool {
        if self.over.is_some() {
            return false;
        }
        let mut piece = [0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => self.over = Some(End::Cut),
            Ok(length) => self.buffer.extend(&piece[..length]),
            Err(error) => {
                self.over = Some(match error.kind() {
                    ErrorKind::Interrupted => return true,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => End::Silent,
                    _ => End::Reset,
                });
            }
        }
        self.over.is_none()
    }
}
