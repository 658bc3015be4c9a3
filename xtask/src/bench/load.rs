//! The load generator: a fixed number of connections, each with one request in flight and the next one sent when its
//! answer is complete (a closed loop).
//!
//! It checks every answer and records its latency. It does not decide how long to run and knows nothing of proxies.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use super::answer::{Answer, Fault, Progress};
use super::failure::{Failure, Failures};
use super::histogram::Histogram;
use super::socket::{self, ByDescriptor, Interest, Poller};

/// When nothing moves for this long, the requests in flight have failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A run that saw this many failures sends no further requests.
const FAILURE_LIMIT: u64 = 100;
/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// What to send, and what must come back.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) target: SocketAddrV4,
    pub(crate) request: Vec<u8>,
    /// The length of the answer's body, in bytes.
    pub(crate) answer: u64,
    pub(crate) connections: usize,
    pub(crate) reuse: Reuse,
}

/// How many requests a connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    KeepAlive,
    /// The request asks the server to close, and the request ends when the server has closed.
    OnePerRequest,
}

/// When a run stops sending.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// Every connection made this many requests.
    Each(u64),
    Elapsed(Duration),
}

/// What a run saw.
pub(crate) struct Tally {
    pub(crate) completed: u64,
    pub(crate) wall: Duration,
    pub(crate) latencies: Histogram,
    pub(crate) failures: Failures,
}

impl Tally {
    fn new() -> Self {
        Self {
            completed: 0,
            wall: Duration::ZERO,
            latencies: Histogram::new(),
            failures: Failures::default(),
        }
    }

    /// Requests made: answered or failed.
    pub(crate) fn requests(&self) -> u64 {
        self.completed + self.failures.total()
    }
}

/// Connections to one target. They stay open between runs.
pub(crate) struct Load {
    script: Script,
    poller: Poller,
    clients: Vec<Client>,
    /// Which client owns a descriptor.
    owners: ByDescriptor<usize>,
    chunk: Vec<u8>,
}

/// One connection and its request.
struct Client {
    stream: Option<TcpStream>,
    state: State,
    answer: Answer,
    /// Requests begun in this run.
    begun: u64,
    started: Instant,
}

/// ```text
/// Idle ──▶ Sending ──all sent──▶ Receiving ──complete──▶ Idle            (keep-alive)
///                                          ──complete──▶ Closing ──▶ Idle    (one request a connection)
/// ```
enum State {
    Idle,
    Sending { sent: usize },
    Receiving,
    Closing,
}

/// What a step did for its request.
enum Step {
    Waiting,
    Done,
}

impl Load {
    pub(crate) fn new(script: Script) -> io::Result<Self> {
        let clients = (0..script.connections).map(|_| Client::new()).collect();
        Ok(Self {
            script,
            poller: Poller::new()?,
            clients,
            owners: ByDescriptor::new(),
            chunk: vec![0; CHUNK],
        })
    }

    /// Sends until `until`, then waits for the answers still missing. Connections are opened as they are needed.
    ///
    /// # Errors
    /// Only the poller's own: what happens to a request is in the tally.
    pub(crate) fn run(&mut self, until: Until) -> io::Result<Tally> {
        let mut run = Run {
            until,
            begin: Instant::now(),
            tally: Tally::new(),
            in_flight: 0,
        };
        for index in 0..self.clients.len() {
            if let Some(client) = self.clients.get_mut(index) {
                client.begun = 0;
            }
            self.begin(index, &mut run);
        }
        let mut ready = Vec::new();
        while run.in_flight > 0 {
            self.poller.wait(&mut ready, Some(PATIENCE))?;
            if ready.is_empty() {
                self.give_up(&mut run);
            }
            for descriptor in ready.drain(..) {
                self.advance(descriptor, &mut run);
            }
        }
        run.tally.wall = run.begin.elapsed();
        Ok(run.tally)
    }

    /// Sends the next request of this client, if the run wants one. A failure takes the place of a request, so that
    /// the loop is bounded by the run's own limits.
    fn begin(&mut self, index: usize, run: &mut Run) {
        while let Some(client) = self.clients.get_mut(index)
            && run.wants_more(client.begun)
        {
            client.begun += 1;
            client.started = Instant::now();
            client.answer = Answer::expecting(self.script.answer);
            let opened = client.open(index, &self.script, &self.poller, &mut self.owners);
            match opened.and_then(|()| client.send(&self.script.request, &self.poller)) {
                Ok(()) => {
                    run.in_flight += 1;
                    return;
                }
                Err(failure) => self.fail(index, failure, run),
            }
        }
    }

    fn advance(&mut self, descriptor: RawFd, run: &mut Run) {
        let Some(&index) = self.owners.get(descriptor) else {
            return;
        };
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        let was_idle = matches!(client.state, State::Idle);
        match client.step(&self.script, &self.poller, &mut self.chunk) {
            Ok(Step::Waiting) => return,
            // A server may close an idle connection; the next request opens another.
            Err(Failure::Closed | Failure::Io(_)) if was_idle => {
                return self.drop_connection(index);
            }
            Err(failure) if was_idle => return self.fail(index, failure, run),
            Ok(Step::Done) => {
                run.tally.completed += 1;
                run.tally.latencies.record(client.started.elapsed());
                if self.script.reuse == Reuse::OnePerRequest {
                    self.drop_connection(index);
                }
            }
            Err(failure) => self.fail(index, failure, run),
        }
        run.in_flight -= 1;
        self.begin(index, run);
    }

    fn fail(&mut self, index: usize, failure: Failure, run: &mut Run) {
        run.tally.failures.count(failure);
        self.drop_connection(index);
    }

    fn drop_connection(&mut self, index: usize) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        client.state = State::Idle;
        if let Some(stream) = client.stream.take() {
            self.owners.remove(stream.as_raw_fd());
        }
    }

    fn give_up(&mut self, run: &mut Run) {
        for index in 0..self.clients.len() {
            match self.clients.get(index).map(|client| &client.state) {
                None | Some(State::Idle) => {}
                Some(State::Closing) => self.fail(index, Failure::NotClosed, run),
                Some(State::Sending { .. } | State::Receiving) => {
                    self.fail(index, Failure::NoProgress, run)
                }
            }
        }
        run.in_flight = 0;
    }
}

/// One call of [`Load::run`].
struct Run {
    until: Until,
    begin: Instant,
    tally: Tally,
    in_flight: usize,
}

impl Run {
    fn wants_more(&self, begun: u64) -> bool {
        let more = match self.until {
            Until::Each(requests) => begun < requests,
            Until::Elapsed(duration) => self.begin.elapsed() < duration,
        };
        more && self.tally.failures.total() < FAILURE_LIMIT
    }
}

impl Client {
    fn new() -> Self {
        let answer = Answer::expecting(0);
        Self {
            stream: None,
            state: State::Idle,
            answer,
            begun: 0,
            started: Instant::now(),
        }
    }

    fn open(
        &mut self,
        index: usize,
        script: &Script,
        poller: &Poller,
        owners: &mut ByDescriptor<usize>,
    ) -> Result<(), Failure> {
        if self.stream.is_some() {
            return Ok(());
        }
        let stream = socket::connect_from(index, script.target)
            .map_err(|error| Failure::Connect(error.kind()))?;
        poller.add(&stream, Interest::IN).map_err(io_failure)?;
        owners.insert(stream.as_raw_fd(), index);
        self.stream = Some(stream);
        Ok(())
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
        self.state = if complete {
            State::Receiving
        } else {
            State::Sending { sent }
        };
        if complete == waiting {
            let interest = if complete {
                Interest::IN
            } else {
                Interest::OUT
            };
            poller.modify(stream, interest).map_err(io_failure)?;
        }
        Ok(())
    }

    /// Does what the connection is ready for.
    fn step(
        &mut self,
        script: &Script,
        poller: &Poller,
        chunk: &mut [u8],
    ) -> Result<Step, Failure> {
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
            State::Closing if bytes.is_empty() => Ok(Step::Done),
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
                Step::Done
            }
            (Progress::Complete, Reuse::OnePerRequest) => {
                self.state = State::Closing;
                Step::Waiting
            }
        }
    }
}

fn io_failure(error: io::Error) -> Failure {
    Failure::Io(error.kind())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::super::case::{CASES, SMALL_GET};
    use super::super::{forwarder, origin};
    use super::*;

    fn run(script: Script, until: Until) -> Tally {
        Load::new(script).unwrap().run(until).unwrap()
    }

    /// A server that answers the first bytes of each connection with `answer` and closes.
    fn start_server(answer: &'static [u8]) -> SocketAddrV4 {
        let listener = TcpListener::bind(socket::ANY_PORT).unwrap();
        let address = socket::local_address(&listener).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = stream.read(&mut [0; 4096]).unwrap();
                assert!(request > 0);
                stream.write_all(answer).unwrap();
            }
        });
        address
    }

    fn failures_against(target: SocketAddrV4) -> Vec<(Failure, u64)> {
        let script = Script {
            connections: 1,
            ..SMALL_GET.script(target)
        };
        let tally = run(script, Until::Each(2));
        assert_eq!(tally.completed, 0);
        tally.failures.iter().collect()
    }

    #[test]
    fn every_case_is_answered_by_the_origin_through_the_forwarder() {
        let target = forwarder::tests::start(origin::start().unwrap());
        for case in &CASES {
            let script = Script {
                connections: 4,
                ..case.script(target)
            };
            let tally = run(script, Until::Each(3));
            let failures: Vec<_> = tally.failures.iter().collect();
            assert_eq!((tally.completed, failures), (12, vec![]), "{}", case.name);
        }
    }

    #[test]
    fn connections_stay_open_between_runs() {
        let target = origin::start().unwrap();
        let mut load = Load::new(Script {
            connections: 2,
            ..SMALL_GET.script(target)
        })
        .unwrap();
        let ports = |load: &Load| -> Vec<_> {
            let streams = load
                .clients
                .iter()
                .map(|client| client.stream.as_ref().unwrap());
            streams.map(|stream| stream.local_addr().unwrap()).collect()
        };
        assert_eq!(load.run(Until::Each(1)).unwrap().completed, 2);
        let before = ports(&load);
        assert_eq!(load.run(Until::Each(5)).unwrap().completed, 10);
        assert_eq!(ports(&load), before);
    }

    #[test]
    fn a_bad_answer_is_a_failure_each_time() {
        let target = start_server(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(
            failures_against(target),
            [(Failure::Answer(Fault::Status(502)), 2)]
        );
    }

    #[test]
    fn an_answer_cut_short_is_a_failure() {
        let target = start_server(b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\nshort");
        assert_eq!(failures_against(target), [(Failure::Closed, 2)]);
    }

    #[test]
    fn a_target_that_does_not_listen_is_a_failure() {
        let target = socket::free_address().unwrap();
        assert_eq!(
            failures_against(target),
            [(Failure::Connect(io::ErrorKind::ConnectionRefused), 2)]
        );
    }

    #[test]
    fn failures_end_a_run_long_before_its_time() {
        let target = socket::free_address().unwrap();
        let tally = run(
            SMALL_GET.script(target),
            Until::Elapsed(Duration::from_secs(3600)),
        );
        assert_eq!(tally.failures.total(), FAILURE_LIMIT);
    }
}
