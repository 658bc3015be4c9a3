//! A client's HTTP/1.1 connection: heads in, bodies in, bytes out, its end.
//! Not here: what a request means and what is answered to it.

use std::io::IoSlice;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http1::{ChunkLimits, Decoder, Framing, RequestError, RequestHead, RequestLimits};

use crate::buffer::{Buffer, BufferPool, LARGE, SMALL};
use crate::client::{Client, ClientFailure};
use crate::stream::{Stream, TimedOut, Timer, within};
use crate::worker::leashes::{Leash, Reason, Wait};

/// What became of waiting for a request.
pub(crate) enum Arrival {
    /// A head, and the bytes it took.
    Request(RequestHead, usize),
    /// The client closed, or idled too long, or the worker drains: nothing was asked.
    Closed,
    /// Bytes that became no request; with as much of the head as was understood.
    Faulty(Fault, RequestHead),
}

/// Why bytes became no request.
pub(crate) enum Fault {
    /// The client closed within the head.
    CutOff,
    /// The head did not end in time.
    TimedOut,
    /// The head was still incomplete when another connection needed the place.
    Displaced,
    /// The head breaks a rule or a bound.
    Refused(RequestError),
}

/// How long to wait for a request to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Idle {
    /// The longest wait.
    pub(crate) most: Duration,
    /// As long as this, the worker does not let the connection go.
    pub(crate) least: Duration,
}

/// The connection.
pub(crate) struct H1 {
    pub(crate) stream: Stream,
    /// None while nothing was received that is not consumed: an idle connection holds no buffer.
    input: Option<Buffer>,
    pool: Rc<BufferPool>,
    pub(crate) timer: Timer,
    body: Incoming,
}

/// The body of the request that is being served.
struct Incoming {
    decoder: Decoder,
    /// Bytes of the body.
    received: u64,
    /// Bytes taken for it, framing included.
    taken: u64,
    /// The most bytes that its chunks may make.
    limit: u64,
    timeout: Duration,
    timer: Timer,
    /// What remains to be written of `100 Continue`.
    interim: &'static [u8],
    /// Bytes of interim responses that were written.
    interim_sent: u64,
    failed: Option<ClientFailure>,
}

/// How long an idle connection may still ask when its worker drains: a client that asks again and again hears from an answer
/// that its connection closes, and does not find it closed.
const DRAIN_GRACE: Duration = Duration::from_secs(1);

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Bounds on a chunked request body's overhead: a chunk's size line, and the trailers.
const CHUNK_LIMITS: ChunkLimits = ChunkLimits { line: 1024, excess: 16384, trailer: 8192, trailer_fields: 100 };

impl H1 {
    pub(crate) fn new(stream: Stream, pool: Rc<BufferPool>) -> Self {
        let body = Incoming {
            decoder: Decoder::new(Framing::Empty, CHUNK_LIMITS),
            received: 0,
            taken: 0,
            limit: u64::MAX,
            timeout: Duration::ZERO,
            timer: Timer::new(),
            interim: b"",
            interim_sent: 0,
            failed: None,
        };
        Self { stream, input: None, pool, timer: Timer::new(), body }
    }

    /// Puts bytes back that were read before HTTP began (behind a PROXY header).
    pub(crate) fn unread(&mut self, buffer: Buffer) {
        self.input = (!buffer.is_empty()).then_some(buffer);
    }

    /// Reads the head that begins, which may take so long, and only while nobody else needs the place.
    pub(crate) async fn next_request(&mut self, limits: &RequestLimits, timeout: Duration, leash: &Leash) -> Arrival {
        self.timer.arm(timeout);
        let arrival = self.receive_head(limits, leash).await;
        leash.busy();
        arrival
    }

    async fn receive_head(&mut self, limits: &RequestLimits, leash: &Leash) -> Arrival {
        let mut head = RequestHead::default();
        loop {
            match self.parse_head(&mut head, limits) {
                Ok(Some(count)) => return Arrival::Request(head, count),
                Ok(None) => {}
                Err(error) => return self.faulty(Fault::Refused(error), head),
            }
            let began = self.input.is_some();
            match self.read_more(leash).await {
                Ok(()) => {}
                Err(fault) if began => return self.faulty(fault, head),
                Err(_) => return Arrival::Closed,
            }
        }
    }

    fn faulty(&self, fault: Fault, mut head: RequestHead) -> Arrival {
        head.salvage(self.input.as_ref().map_or(&[], Buffer::bytes));
        Arrival::Faulty(fault, head)
    }

    /// Waits for a request to begin, without a buffer, and reads its first bytes. False when there will be none.
    pub(crate) async fn wait_for_bytes(&mut self, idle: Idle, leash: &Leash) -> bool {
        let Self { stream, input, pool, timer, .. } = self;
        let least = idle.least.min(idle.most);
        if !least.is_zero()
            && let Ok(begun) = within(timer, least, |cx| poll_first_bytes(stream, input, pool, cx)).await
        {
            return begun;
        }
        let wait = within(timer, idle.most - least, |cx| match poll_first_bytes(stream, input, pool, cx) {
            Poll::Ready(begun) => Poll::Ready(Ok(begun)),
            Poll::Pending => leash.poll_released(cx, Wait::Request).map(Err),
        });
        match wait.await {
            Ok(Ok(begun)) => begun,
            // What has been asked already is answered.
            Err(TimedOut) | Ok(Err(Reason::Room)) => stream.has_input(),
            Ok(Err(Reason::Drain)) => self.wait_for_last(leash).await,
        }
    }

    /// Waits a while longer for a request, whose answer will tell the client that it is the last.
    async fn wait_for_last(&mut self, leash: &Leash) -> bool {
        let Self { stream, input, pool, timer, .. } = self;
        timer.shorten(DRAIN_GRACE);
        std::future::poll_fn(|cx| match poll_first_bytes(stream, input, pool, cx) {
            Poll::Ready(begun) => Poll::Ready(begun),
            Poll::Pending if leash.poll_displaced(cx, Wait::Request).is_pending() && timer.poll(cx).is_pending() => {
                Poll::Pending
            }
            // The runtime may not know yet of what is there.
            Poll::Pending => Poll::Ready(stream.has_input()),
        })
        .await
    }

    fn parse_head(&mut self, head: &mut RequestHead, limits: &RequestLimits) -> Result<Option<usize>, RequestError> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let parsed = http1::parse_request(head, input.bytes(), limits)?;
        match parsed {
            Some(count) => input.consume(count),
            None if input.is_full() => input.grow(limits.head.max(LARGE) + SMALL),
            None => {}
        }
        self.release_empty();
        Ok(parsed)
    }

    /// Reads more of a head under the timer as it is armed.
    async fn read_more(&mut self, leash: &Leash) -> Result<(), Fault> {
        let Self { stream, input, pool, timer, .. } = self;
        let read = std::future::poll_fn(|cx| {
            let buffer = input.get_or_insert_with(|| pool.take(SMALL));
            match stream.poll_read(cx, buffer) {
                Poll::Ready(Ok(1..)) => Poll::Ready(Ok(())),
                Poll::Ready(_) => Poll::Ready(Err(Fault::CutOff)),
                Poll::Pending if leash.poll_displaced(cx, Wait::Head).is_ready() => Poll::Ready(Err(Fault::Displaced)),
                Poll::Pending => timer.poll(cx).map(|()| Err(Fault::TimedOut)),
            }
        })
        .await;
        self.release_empty();
        read
    }

    /// Gives the buffer back when nothing is in it.
    fn release_empty(&mut self) {
        if self.input.as_ref().is_some_and(Buffer::is_empty) {
            self.input = None;
        }
    }

    /// Prepares to receive the body of the request whose head was just taken.
    pub(crate) fn begin_body(&mut self, framing: Framing, expects_continue: bool) {
        self.body.decoder = Decoder::new(framing, CHUNK_LIMITS);
        self.body.received = 0;
        self.body.taken = 0;
        self.body.limit = u64::MAX;
        self.body.interim = if expects_continue { CONTINUE } else { b"" };
        self.body.interim_sent = 0;
        self.body.failed = None;
    }

    /// Bounds what is received of the body: bytes (0 for any number), and the wait between two reads.
    pub(crate) fn bound_body(&mut self, limit: u64, timeout: Duration) {
        self.body.limit = if limit == 0 { u64::MAX } else { limit };
        self.body.timeout = timeout;
        self.body.timer.arm(timeout);
    }

    /// Whether every byte of the body was received.
    pub(crate) fn body_is_complete(&self) -> bool {
        self.body.decoder.is_done()
    }

    /// Bytes taken for the body so far, framing included.
    pub(crate) fn body_taken(&self) -> u64 {
        self.body.taken
    }

    /// Bytes written of responses before the final one.
    pub(crate) fn interim_sent(&self) -> u64 {
        self.body.interim_sent
    }

    /// Writes an interim response.
    pub(crate) async fn write_interim(&mut self, bytes: &[u8], timeout: Duration) -> Result<(), ClientFailure> {
        self.body.interim_sent += bytes.len() as u64;
        self.write_all(bytes, timeout).await
    }

    /// Whether the client waits for leave to send its body.
    pub(crate) fn awaits_continue(&self) -> bool {
        self.body.interim.len() == CONTINUE.len() && self.input.is_none()
    }

    /// Writes everything, giving up when the client takes nothing for `timeout`.
    pub(crate) async fn write_all(&mut self, mut bytes: &[u8], timeout: Duration) -> Result<(), ClientFailure> {
        while !bytes.is_empty() {
            let Self { stream, timer, .. } = self;
            match within(timer, timeout, |cx| stream.poll_write(cx, &[IoSlice::new(bytes)])).await {
                Ok(Ok(count)) => bytes = &bytes[count..],
                Ok(Err(error)) => return Err(ClientFailure::Deaf(error.raw_os_error())),
                Err(TimedOut) => return Err(ClientFailure::Stalled),
            }
        }
        Ok(())
    }

    /// Reads and drops what is left of the body without blocking, so that a short one does not cost the connection.
    pub(crate) async fn discard_body(&mut self, timeout: Duration) -> Result<(), ClientFailure> {
        self.bound_body(0, timeout);
        self.body.interim = b"";
        let mut dropped = Vec::new();
        loop {
            dropped.clear();
            let more = std::future::poll_fn(|cx| self.poll_body(cx, &mut dropped)).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Closes so that the client can read the answer: our end first, then what it still sends is read and dropped for a while.
    /// Closing at once would make its kernel throw the answer away (RFC 9112 §9.6).
    pub(crate) async fn linger(&mut self, time: Duration, timeout: Duration) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let until = tokio::time::Instant::now() + time;
        let mut buffer = self.pool.take(SMALL);
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            buffer.consume(usize::MAX);
            let Self { stream, timer, .. } = self;
            match within(timer, left.min(timeout), |cx| stream.poll_read(cx, &mut buffer)).await {
                Ok(Ok(1..)) if !left.is_zero() => {}
                _ => return,
            }
        }
    }

    /// Whether bytes were received that nothing has consumed.
    pub(crate) fn has_input(&self) -> bool {
        self.input.is_some()
    }

    /// Takes the bytes that were received and not consumed.
    pub(crate) fn take_input(&mut self) -> Buffer {
        self.input.take().unwrap_or_else(|| self.pool.take(SMALL))
    }

    /// Takes the connection apart: its stream, and bytes received but not consumed.
    pub(crate) fn parts_mut(&mut self) -> (&mut Stream, &mut Option<Buffer>, &mut Timer) {
        (&mut self.stream, &mut self.input, &mut self.timer)
    }

    fn poll_continue(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientFailure>> {
        while !self.body.interim.is_empty() {
            let written = ready!(self.stream.poll_write(cx, &[IoSlice::new(self.body.interim)]));
            let count = written.map_err(|error| ClientFailure::Deaf(error.raw_os_error()))?;
            self.body.interim = &self.body.interim[count..];
            self.body.interim_sent += count as u64;
        }
        Poll::Ready(Ok(()))
    }

    /// Decodes what was received; `None` when more must be read first.
    fn decode(&mut self, stage: &mut Vec<u8>) -> Result<Option<bool>, ClientFailure> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let before = stage.len();
        while !input.is_empty() && !self.body.decoder.is_done() {
            let decoded = self.body.decoder.decode(input.bytes()).map_err(|_| ClientFailure::Malformed)?;
            stage.extend_from_slice(&input.bytes()[decoded.data.clone()]);
            self.body.received += decoded.data.len() as u64;
            self.body.taken += decoded.consumed as u64;
            input.consume(decoded.consumed);
            self.body.check_limit()?;
            if decoded.consumed == 0 && decoded.data.is_empty() {
                break;
            }
        }
        self.release_empty();
        if self.body.decoder.is_done() {
            return Ok(Some(false));
        }
        Ok((stage.len() > before).then_some(true))
    }

    fn poll_body_step(&mut self, cx: &mut Context<'_>, stage: &mut Vec<u8>) -> Poll<Result<bool, ClientFailure>> {
        loop {
            if self.body.decoder.is_done() {
                return Poll::Ready(Ok(false));
            }
            ready!(self.poll_continue(cx))?;
            if let Some(more) = self.decode(stage)? {
                return Poll::Ready(Ok(more));
            }
            let buffer = self.input.get_or_insert_with(|| self.pool.take(SMALL));
            if buffer.is_full() {
                return Poll::Ready(Err(ClientFailure::Malformed));
            }
            match ready!(self.stream.poll_read(cx, buffer)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(Err(ClientFailure::CutOff)),
            }
        }
    }
}

/// Ready with true when the first bytes are in `input`, with false when none will come. Readiness alone says nothing: a
/// stream that was just accepted has it until a read finds nothing.
fn poll_first_bytes(
    stream: &mut Stream,
    input: &mut Option<Buffer>,
    pool: &Rc<BufferPool>,
    cx: &mut Context<'_>,
) -> Poll<bool> {
    if ready!(stream.poll_readable(cx)).is_err() {
        return Poll::Ready(false);
    }
    let mut buffer = pool.take(SMALL);
    let begun = matches!(ready!(stream.poll_read(cx, &mut buffer)), Ok(1..));
    *input = begun.then_some(buffer);
    Poll::Ready(begun)
}

impl Incoming {
    /// A chunk that would go beyond the limit is refused when its size is known, not when it is here.
    fn check_limit(&self) -> Result<(), ClientFailure> {
        let Some((chunk, left)) = self.decoder.chunk() else { return Ok(()) };
        if self.received.saturating_add(left) <= self.limit {
            return Ok(());
        }
        Err(ClientFailure::TooLarge { before: self.received + left - chunk, chunk })
    }
}

impl Client for H1 {
    fn poll_body(&mut self, cx: &mut Context<'_>, stage: &mut Vec<u8>) -> Poll<Result<bool, ClientFailure>> {
        if let Some(failure) = self.body.failed {
            return Poll::Ready(Err(failure));
        }
        let step = match self.poll_body_step(cx, stage) {
            Poll::Ready(step) => step,
            Poll::Pending => {
                self.release_empty();
                ready!(self.body.timer.poll(cx));
                Err(ClientFailure::TimedOut)
            }
        };
        self.body.timer.arm(self.body.timeout);
        self.body.failed = step.err();
        Poll::Ready(step)
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Option<i32>> {
        loop {
            let buffer = self.input.get_or_insert_with(|| self.pool.take(SMALL));
            if buffer.is_full() {
                return Poll::Pending;
            }
            match self.stream.poll_read(cx, buffer) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => return Poll::Ready(None),
                Poll::Ready(Err(error)) => return Poll::Ready(error.raw_os_error()),
                Poll::Pending => {
                    self.release_empty();
                    return Poll::Pending;
                }
            }
        }
    }
}
