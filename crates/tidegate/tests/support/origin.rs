//! Servers behind the gateway that play a script and note what they received. What they answer is the script's;
//! they decide nothing.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::case::{Act, Blocks, Door, Origin, OriginAct, Receive, Script, Step, WireAct};
use crate::support::message::Message;
use crate::support::moments::Moments;
use crate::support::place::Place;
use crate::support::wire::{PATIENCE, Stream, Wire};

/// An origin's place in the world, before its script is known.
pub(crate) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
    /// Bound and not listening, so that nobody else can answer there.
    Refused(#[expect(dead_code, reason = "it holds the port")] socket2::Socket),
    /// The same, until it is opened.
    Late(socket2::Socket),
}

/// An origin at work.
pub(crate) struct Running {
    name: String,
    address: String,
    notes: Arc<Notes>,
    thread: Option<JoinHandle<()>>,
}

/// What an origin's connections share.
struct Notes {
    name: String,
    script: Mutex<Queue>,
    moments: Arc<Moments>,
    requests: Mutex<Vec<Message>>,
    problems: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

enum Queue {
    Echo,
    Requests(VecDeque<Vec<Step>>, Option<Vec<Step>>),
    Connections(VecDeque<Vec<Step>>, Option<Vec<Step>>),
}

/// What an origin has seen at the end.
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) requests: Vec<Message>,
    pub(crate) problems: Vec<String>,
}

/// Binds an origin and lets its name stand for its address.
pub(crate) fn bind(origin: &Origin, place: &mut Place) -> std::io::Result<Socket> {
    let tcp = |address: SocketAddr| TcpListener::bind(address);
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = match origin.door {
        Door::Tcp => Socket::Tcp(tcp(any)?),
        Door::Ipv6 => Socket::Tcp(tcp(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)))?),
        Door::Unix => Socket::Unix(UnixListener::bind(place.name_unix(&origin.name))?),
        Door::Refused => Socket::Refused(bind_silently(any, place, &origin.name)?),
        Door::Late => Socket::Late(bind_silently(any, place, &origin.name)?),
    };
    if let Socket::Tcp(listener) = &socket {
        place.name(&origin.name, listener.local_addr()?);
    }
    Ok(socket)
}

fn bind_silently(address: SocketAddr, place: &mut Place, name: &str) -> std::io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.bind(&address.into())?;
    if let Some(bound) = socket.local_addr()?.as_socket() {
        place.name(name, bound);
    }
    Ok(socket)
}

impl Running {
    pub(crate) fn start(origin: &Origin, socket: Socket, place: &Place, moments: &Arc<Moments>) -> Running {
        let notes = Arc::new(Notes {
            name: origin.name.clone(),
            script: Mutex::new(Queue::new(&origin.script)),
            moments: Arc::clone(moments),
            requests: Mutex::default(),
            problems: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&notes);
        let thread = Some(std::thread::spawn(move || match open(socket, &shared) {
            Some(socket) => serve(&socket, &shared),
            None => shared.problem("it was never opened".to_owned()),
        }));
        Running { name: origin.name.clone(), address: place.value(&origin.name).to_owned(), notes, thread }
    }

    /// Stops accepting, waits for connections at work, and tells what was seen.
    pub(crate) fn stop(mut self) -> Account {
        self.notes.stopped.store(true, Ordering::Release);
        // Wakes the accepting thread; where nothing listens there is nothing to wake.
        drop(Stream::connect(&self.address));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            self.notes.problem("its thread panicked".to_owned());
        }
        if let Some(left) = lock(&self.notes.script).left() {
            self.notes.problem(left);
        }
        Account {
            name: self.name,
            requests: std::mem::take(&mut lock(&self.notes.requests)),
            problems: std::mem::take(&mut lock(&self.notes.problems)),
        }
    }
}

/// Opens a late door at its moment.
fn open(socket: Socket, notes: &Notes) -> Option<Socket> {
    let Socket::Late(late) = socket else { return Some(socket) };
    notes.moments.wait("open", PATIENCE).ok()?;
    late.listen(128).ok()?;
    Some(Socket::Tcp(late.into()))
}

fn serve(socket: &Socket, notes: &Arc<Notes>) {
    let mut connections = Vec::new();
    while let Some(stream) = accept(socket) {
        if notes.stopped.load(Ordering::Acquire) {
            break;
        }
        let notes = Arc::clone(notes);
        connections.push(std::thread::spawn(move || {
            if let Err(why) = Wire::new(stream).and_then(|wire| notes.converse(wire)) {
                notes.problem(why);
            }
        }));
    }
    for connection in connections {
        if connection.join().is_err() {
            notes.problem("a connection's thread panicked".to_owned());
        }
    }
}

fn accept(socket: &Socket) -> Option<Stream> {
    match socket {
        Socket::Tcp(listener) => {
            let (stream, _) = listener.accept().ok()?;
            stream.set_nodelay(true).ok()?;
            Some(Stream::Tcp(stream))
        }
        Socket::Unix(listener) => listener.accept().ok().map(|(stream, _)| Stream::Unix(stream)),
        Socket::Refused(_) | Socket::Late(_) => None,
    }
}

impl Queue {
    fn new(script: &Script) -> Queue {
        let split = |blocks: &Blocks| (VecDeque::from(blocks.first.clone()), blocks.every.clone());
        match script {
            Script::Echo => Queue::Echo,
            Script::Requests(blocks) => {
                let (first, every) = split(blocks);
                Queue::Requests(first, every)
            }
            Script::Connections(blocks) => {
                let (first, every) = split(blocks);
                Queue::Connections(first, every)
            }
        }
    }

    fn next(&mut self) -> Option<Vec<Step>> {
        match self {
            Queue::Echo => Some(vec![Step { line: 0, act: Act::Origin(OriginAct::Echo) }]),
            Queue::Requests(first, every) | Queue::Connections(first, every) => {
                first.pop_front().or_else(|| every.clone())
            }
        }
    }

    /// What the script waited for and did not get.
    fn left(&self) -> Option<String> {
        match self {
            Queue::Requests(first, _) if !first.is_empty() => {
                Some(format!("{} more request(s) should have come", first.len()))
            }
            Queue::Connections(first, _) if !first.is_empty() => {
                Some(format!("{} more connection(s) should have come", first.len()))
            }
            _ => None,
        }
    }
}

impl Notes {
    fn problem(&self, why: String) {
        lock(&self.problems).push(format!("origin {}: {why}", self.name));
    }

    fn converse(&self, mut wire: Wire) -> Result<(), String> {
        if matches!(*lock(&self.script), Queue::Connections(..)) {
            let steps = lock(&self.script).next().ok_or("a connection came that its script does not speak of")?;
            return self.play(&steps, &mut wire, Message::default()).map(|_| ());
        }
        while wire.await_bytes() {
            let request = wire.receive(&Receive::Message)?;
            self.note(&request);
            let steps = lock(&self.script).next();
            let steps = steps.ok_or_else(|| format!("a request came that its script does not speak of:\n{request}"))?;
            if !self.play(&steps, &mut wire, request)? {
                break;
            }
        }
        Ok(())
    }

    fn note(&self, message: &Message) {
        if !message.start.is_empty() {
            lock(&self.requests).push(message.clone());
        }
    }

    /// Plays a block; false if the connection is over.
    fn play(&self, steps: &[Step], wire: &mut Wire, mut last: Message) -> Result<bool, String> {
        let mut goes_on = true;
        for step in steps {
            let played = self.play_one(&step.act, wire, &mut last);
            goes_on &= played.map_err(|why| format!("line {}: {why}", step.line))?;
        }
        Ok(goes_on)
    }

    /// False if the step ends the connection; what stands behind it can still notify.
    fn play_one(&self, act: &Act, wire: &mut Wire, last: &mut Message) -> Result<bool, String> {
        match act {
            Act::Wire(act) => {
                if let Some(message) = wire.play(act)? {
                    self.note(&message);
                    *last = message;
                }
                return Ok(!matches!(act, WireAct::Close | WireAct::Reset));
            }
            Act::Expect(expect) => last.check(expect)?,
            Act::Notify(moment) => self.moments.notify(moment),
            Act::Await(moment) => self.moments.wait(moment, PATIENCE)?,
            Act::Origin(OriginAct::Echo) => wire.send(&echo(last)),
            Act::Origin(OriginAct::Answer { status, fields, body }) => wire.send(&answer(status, fields, body, last)),
            Act::Origin(OriginAct::Stall) => {
                while !self.moments.ended() && !wire.ended_within(Duration::from_millis(20)) {}
                return Ok(false);
            }
            Act::Client(_) => return Err("this is a client's step".to_owned()),
        }
        Ok(true)
    }
}

fn echo(request: &Message) -> Vec<u8> {
    let mut body = format!("{}\n", request.start_without_version()).into_bytes();
    body.extend(&request.body);
    answer("200 OK", &["Content-Type: text/plain".to_owned()], &body, request)
}

fn answer(status: &str, fields: &[String], body: &[u8], request: &Message) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for field in fields {
        head.push_str(&format!("{field}\r\n"));
    }
    if !status.starts_with("204") && !status.starts_with("304") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let body = if request.start.starts_with("HEAD ") { &[] } else { body };
    [head.as_bytes(), body].concat()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
