//! The load generator: a fixed number of connections, each with one request in flight and the next
//! one sent when its answer is complete (a closed loop).
//!
//! It checks every answer and records its latency. It does not decide how long to run and knows
//! nothing of proxies.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::client::{Client, Step};
use super::failure::{Failure, Failures};
use super::histogram::Histogram;
use super::socket::{ByDescriptor, Poller};

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
        Self { completed: 0, wall: Duration::ZERO, latencies: Histogram::new(), failures: Failures::default() }
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

impl Load {
    pub(crate) fn new(script: Script) -> io::Result<Self> {
        let clients = (0..script.connections).map(|_| Client::new()).collect();
        Ok(Self { script, poller: Poller::new()?, clients, owners: ByDescriptor::new(), chunk: vec![0; CHUNK] })
    }

    /// Sends until `until`, then waits for the answers still missing. Connections are opened as
    /// they are needed.
    ///
    /// # Errors
    /// Only the poller's own: what happens to a request is in the tally.
    pub(crate) fn run(&mut self, until: Until) -> io::Result<Tally> {
        let mut run =
            Run { until, begin: Instant::now(), begun: vec![0; self.clients.len()], tally: Tally::new(), in_flight: 0 };
        for index in 0..self.clients.len() {
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

    /// Sends the next request of this client, if the run wants one. A failure takes the place of a
    /// request, so that the loop is bounded by the run's own limits.
    fn begin(&mut self, index: usize, run: &mut Run) {
        while let (Some(client), Some(begun)) = (self.clients.get_mut(index), run.begun.get_mut(index))
            && run.until.wants_more(*begun, run.begin)
            && run.tally.failures.total() < FAILURE_LIMIT
        {
            *begun += 1;
            match client.begin(index, &self.script, &self.poller) {
                Ok(descriptor) => {
                    self.owners.insert(descriptor, index);
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
        let was_idle = client.is_idle();
        match client.step(&self.script, &self.poller, &mut self.chunk) {
            Ok(Step::Waiting) => return,
            // A server may close an idle connection; the next request opens another.
            Err(Failure::Closed | Failure::Io(_)) if was_idle => return self.close(index),
            Err(failure) if was_idle => return self.fail(index, failure, run),
            Err(failure) => self.fail(index, failure, run),
            Ok(Step::Done(latency)) => self.complete(index, latency, run),
        }
        run.in_flight -= 1;
        self.begin(index, run);
    }

    fn complete(&mut self, index: usize, latency: Duration, run: &mut Run) {
        run.tally.completed += 1;
        run.tally.latencies.record(latency);
        if self.script.reuse == Reuse::OnePerRequest {
            self.close(index);
        }
    }

    fn fail(&mut self, index: usize, failure: Failure, run: &mut Run) {
        run.tally.failures.count(failure);
        self.close(index);
    }

    fn close(&mut self, index: usize) {
        if let Some(descriptor) = self.clients.get_mut(index).and_then(Client::close) {
            self.owners.remove(descriptor);
        }
    }

    fn give_up(&mut self, run: &mut Run) {
        for index in 0..self.clients.len() {
            if let Some(failure) = self.clients.get(index).and_then(Client::stuck) {
                self.fail(index, failure, run);
            }
        }
        run.in_flight = 0;
    }
}

/// One call of [`Load::run`].
struct Run {
    until: Until,
    begin: Instant,
    /// Requests begun, by client.
    begun: Vec<u64>,
    tally: Tally,
    in_flight: usize,
}

impl Until {
    fn wants_more(self, begun: u64, since: Instant) -> bool {
        match self {
            Self::Each(requests) => begun < requests,
            Self::Elapsed(duration) => since.elapsed() < duration,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::super::answer::Fault;
    use super::super::case::{CASES, SMALL_GET};
    use super::super::{forwarder, minimal, origin, socket};
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
        let script = Script { connections: 1, ..SMALL_GET.script(target) };
        let tally = run(script, Until::Each(2));
        assert_eq!(tally.completed, 0);
        tally.failures.iter().collect()
    }

    #[test]
    fn every_case_is_answered_by_the_origin_through_our_own_contenders() {
        let origin = origin::start().unwrap();
        every_case_is_answered(forwarder::tests::start(origin));
        every_case_is_answered(minimal::tests::start(origin));
    }

    fn every_case_is_answered(target: SocketAddrV4) {
        for case in &CASES {
            let script = Script { connections: 4, ..case.script(target) };
            let tally = run(script, Until::Each(3));
            let failures: Vec<_> = tally.failures.iter().collect();
            assert_eq!((tally.completed, failures), (12, vec![]), "{}", case.name);
        }
    }

    #[test]
    fn connections_stay_open_between_runs() {
        let target = origin::start().unwrap();
        let mut load = Load::new(Script { connections: 2, ..SMALL_GET.script(target) }).unwrap();
        let open = |load: &Load| -> Vec<_> { load.clients.iter().map(Client::local_address).collect() };
        assert_eq!(load.run(Until::Each(1)).unwrap().completed, 2);
        let before = open(&load);
        assert_eq!(load.run(Until::Each(5)).unwrap().completed, 10);
        assert!(before.iter().all(Option::is_some));
        assert_eq!(open(&load), before);
    }

    #[test]
    fn a_bad_answer_is_a_failure_each_time() {
        let target = start_server(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(failures_against(target), [(Failure::Answer(Fault::Status(502)), 2)]);
    }

    #[test]
    fn an_answer_cut_short_is_a_failure() {
        let target = start_server(b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\nshort");
        assert_eq!(failures_against(target), [(Failure::Closed, 2)]);
    }

    #[test]
    fn a_target_that_does_not_listen_is_a_failure() {
        let target = socket::free_address().unwrap();
        assert_eq!(failures_against(target), [(Failure::Connect(io::ErrorKind::ConnectionRefused), 2)]);
    }

    #[test]
    fn failures_end_a_run_long_before_its_time() {
        let target = socket::free_address().unwrap();
        let tally = run(SMALL_GET.script(target), Until::Elapsed(Duration::from_secs(3600)));
        assert_eq!(tally.failures.total(), FAILURE_LIMIT);
    }
}
