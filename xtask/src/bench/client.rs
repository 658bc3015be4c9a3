//! One connection of the load generator: it opens, sends one request at a time and receives its
//! answer.
//!
//! It decides neither when to send nor what a failure means for the run: that is `load`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use super::answer::{Answer, Fault, Progress};
use super::failure::Failure;
use super::load::{Reuse, Script};
use super::socket::{self, Interest, Poller};

/// One connection and its request.
pub(crate) struct Client {
    stream: Option<TcpStream>,
    state: State,
    answer: Answer,
    started: Instant,
}

/// ```text
/// Idle ──▶ Sending ──all sent──▶ Receiving ──complete──▶ Idle     (keep-alive)
///                                          ──complete──▶ Closing  (one request a connection)
/// ```
///
/// `Closing` waits for the end of the connection; whoever drops it makes it `Idle` again.
enum State {
    Idle,
    Sending { sent: usize },
    Receiving,
    Closing,
}

/// What a step did for its request.
pub(crate) enum Step {
    Waiting,
    /// The answer is complete; this long after the request was begun.
    Done(Duration),
}

impl Client {
    pub(crate) fn new() -> Self {
        Self { stream: None, state: State::Idle, answer: Answer::expecting(0), started: Instant::now() }
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// The failure of a request that did not get on; `None` when there is no request.
    pub(crate) fn stuck(&self) -> Option<Failure> {
        match self.state {
            State::Idle => None,
            State::Closing => Some(Failure::NotClosed),
            State::Sending { .. } | State::Receiving => Some(Failure::NoProgress),
        }
    }

    /// Begins the next request, over a new connection when none is open, and says over which
    /// descriptor. `index` chooses the address to connect from.
    pub(crate) fn begin(&mut self, index: usize, script: &Script, poller: &Poller) -> Result<RawFd, Failure> {
        self.started = Instant::now();
        self.answer = Answer::expecting(script.answer);
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(index, script, poller)?,
        };
        let descriptor = stream.as_raw_fd();
        self.stream = Some(stream);
        self.send(&script.request, poller)?;
        Ok(descriptor)
    }

    /// Which connection is open.
    #[cfg(test)]
    pub(crate) fn local_address(&self) -> Option<std::net::SocketAddr> {
        self.stream.as_ref()?.local_addr().ok()
    }

    /// Closes the connection and gives up its request; says which descriptor it had.
    pub(crate) fn close(&mut self) -> Option<RawFd> {
        self.state = State::Idle;
        self.stream.take().map(|stream| stream.as_raw_fd())
    }

    /// Sends what there is room for of the request, or of the rest of it.
    fn send(&mut self, request: &[u8], poller: &Poller) -> Result<(), Failure> {
        let Some(stream) = &mut self.stream else {
            return Err(Failure::Closed);
        };
        let (before, waiting) = match self.state {
            State::Sending { sent } => (sent, true),
            _ => (0, false),
        };
        let written = match stream.write(request.get(before..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            result => result.map_err(io_failure)?,
        };
        let sent = before + written;
        let complete = sent == request.len();
        self.state = if complete { State::Receiving } else { State::Sending { sent } };
        if complete == waiting {
            let interest = if complete { Interest::IN } else { Interest::OUT };
            poller.modify(stream, interest).map_err(io_failure)?;
        }
        Ok(())
    }

    /// Does what the connection is ready for.
    pub(crate) fn step(&mut self, script: &Script, poller: &Poller, chunk: &mut [u8]) -> Result<Step, Failure> {
        if matches!(self.state, State::Sending { .. }) {
            self.send(&script.request, poller)?;
            return Ok(Step::Waiting);
        }
        loop {
            let Some(stream) = &mut self.stream else {
                return Err(Failure::Closed);
            };
            let read = match stream.read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Step::Waiting);
                }
                result => result.map_err(io_failure)?,
            };
            match self.receive(chunk.get(..read).unwrap_or_default(), script.reuse)? {
                // The end of the connection has mostly come with the answer.
                Step::Waiting if matches!(self.state, State::Closing) => {}
                step => return Ok(step),
            }
        }
    }

    /// Takes bytes of the answer; none are the end of the connection.
    fn receive(&mut self, bytes: &[u8], reuse: Reuse) -> Result<Step, Failure> {
        match self.state {
            State::Closing if bytes.is_empty() => Ok(Step::Done(self.started.elapsed())),
            _ if bytes.is_empty() => Err(Failure::Closed),
            State::Receiving => {
                let progress = self.answer.feed(bytes).map_err(Failure::Answer)?;
                Ok(self.progressed(progress, reuse))
            }
            _ => Err(Failure::Answer(Fault::SurplusBytes)),
        }
    }

    fn progressed(&mut self, progress: Progress, reuse: Reuse) -> Step {
        match (progress, reuse) {
            (Progress::More, _) => Step::Waiting,
            (Progress::Complete, Reuse::KeepAlive) => {
                self.state = State::Idle;
                Step::Done(self.started.elapsed())
            }
            (Progress::Complete, Reuse::OnePerRequest) => {
                self.state = State::Closing;
                Step::Waiting
            }
        }
    }
}

fn open(index: usize, script: &Script, poller: &Poller) -> Result<TcpStream, Failure> {
    let stream = socket::connect_from(index, script.target).map_err(|error| Failure::Connect(error.kind()))?;
    poller.add(&stream, Interest::IN).map_err(io_failure)?;
    Ok(stream)
}

fn io_failure(error: io::Error) -> Failure {
    Failure::Io(error.kind())
}
