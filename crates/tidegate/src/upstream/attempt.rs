//! One attempt: one request on one connection, to the head of a reply or to a failure before one.
//! Not here: whether to try again, what the client gets, and how the body of the reply is moved.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use config::model::Proxy;
use http1::{Framing, ResponseHead, ResponseLimits};
use policy::failure::Fired;
use policy::{Cause, Failure, Phase, retry};

use super::Picked;
use super::evidence;
use super::pool::Connection;
use crate::body::Kept;
use crate::buffer::{Buffer, BufferPool, Inbox};
use crate::client::{Client, ClientFailure};

/// What is sent: the encoded head, and a body that is kept or still arrives.
pub(crate) struct Outgoing<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) body: OutgoingBody<'a>,
}

/// The body of what is sent.
#[derive(Clone, Copy)]
pub(crate) enum OutgoingBody<'a> {
    /// Complete, and can be sent again.
    Kept(&'a Kept),
    /// Read from the client as it is sent, framed as said.
    Streamed(Framing),
}

/// The time limits of an attempt, between two operations each.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) send_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) head: ResponseLimits,
}

/// A head that an endpoint answered with.
pub(crate) struct Reply {
    pub(crate) head: ResponseHead,
    pub(crate) framing: Framing,
    /// What was received behind the head.
    pub(crate) buffer: Buffer,
    /// Whether the endpoint keeps the connection open behind the response.
    pub(crate) persistent: bool,
    /// Whether the whole request was sent. If not, the connection cannot be used again.
    pub(crate) request_complete: bool,
    /// It was meant for the idle connection, not for this request.
    pub(crate) idle_timeout: Option<Failure>,
}

impl Reply {
    /// Waits until the whole body is here, but no longer than `time`; the number of bytes that came meanwhile.
    ///
    /// # Errors
    /// The endpoint ended the connection before.
    pub(crate) async fn hold_back(
        &mut self,
        connection: &mut Connection,
        length: u64,
        time: Duration,
    ) -> Result<u64, Failure> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let before = self.buffer.bytes().len();
        self.buffer.grow(length);
        connection.timer.arm(time);
        while self.buffer.bytes().len() < length {
            let Connection { stream, timer, .. } = connection;
            let read = std::future::poll_fn(|cx| match stream.poll_read(cx, &mut self.buffer) {
                Poll::Ready(read) => Poll::Ready(Some(read)),
                Poll::Pending => timer.poll(cx).map(|()| None),
            });
            let errno = match read.await {
                None => break,
                Some(Ok(1..)) => continue,
                Some(Ok(_)) => None,
                Some(Err(error)) => error.raw_os_error(),
            };
            let failure = Failure::from_io(Phase::Body, errno, false);
            return Err(evidence::on(connection, failure)
                .with(|evidence| evidence.offset = Some(self.buffer.bytes().len() as u64)));
        }
        Ok((self.buffer.bytes().len() - before) as u64)
    }
}

/// Why an attempt has no reply.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The endpoint's side failed.
    Failed(Failure),
    /// The client's side did.
    Client(ClientFailure),
}

impl Ended {
    /// The same, with the number of attempts so far and what it has in common with failures before.
    pub(crate) fn told(self, picked: &Picked, attempts: u32, proxy: &Proxy) -> Self {
        match self {
            Ended::Failed(failure) => Ended::Failed(picked.told(failure, attempts, proxy)),
            client => client,
        }
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Ended::Failed(failure)
    }
}

/// An attempt under way on a connection.
pub(crate) struct Attempt<'a> {
    connection: &'a mut Connection,
    sending: Sending<'a>,
    limits: Limits,
    method: &'a http::Method,
    inbox: Inbox,
    /// Bytes that the kernel took of this request.
    pub(crate) sent: u64,
    /// Bytes received, heads included.
    pub(crate) received: u64,
    /// Bytes of the last head.
    head_length: usize,
}

impl<'a> Attempt<'a> {
    /// Prepares to send `outgoing`; nothing is sent yet.
    pub(crate) fn new(
        connection: &'a mut Connection,
        outgoing: &'a Outgoing<'a>,
        method: &'a http::Method,
        limits: Limits,
        pool: Rc<BufferPool>,
    ) -> Self {
        let (sending, inbox) = (Sending::new(outgoing), Inbox::new(pool));
        Self { connection, sending, limits, method, inbox, sent: 0, received: 0, head_length: 0 }
    }

    /// Sends what is left to send and waits for the next head, interim or final.
    ///
    /// Sending goes on while waiting, and a write that fails does not end the attempt while the endpoint may have
    /// answered: an early final answer is a reply like any other.
    pub(crate) async fn next_head(
        &mut self,
        client: &mut dyn Client,
        watch_client: bool,
    ) -> Result<ResponseHead, Ended> {
        let mut head = ResponseHead::default();
        if self.parse(&mut head).map_err(|failure| evidence::on(self.connection, failure))? {
            return Ok(head);
        }
        self.arm();
        std::future::poll_fn(|cx| {
            if let Poll::Ready(Err(ended)) = self.poll_send(cx, client) {
                return Poll::Ready(Err(ended));
            }
            while let Poll::Ready(read) = self.inbox.poll_read(cx, &mut self.connection.stream) {
                match self.received(read) {
                    // The time for a head runs on: a head that drips is a head that does not come.
                    Ok(()) => {}
                    Err(failure) => return Poll::Ready(Err(failure.into())),
                }
                match self.parse(&mut head) {
                    Ok(true) => return Poll::Ready(Ok(())),
                    Ok(false) => {}
                    Err(failure) => return Poll::Ready(Err(failure.into())),
                }
            }
            if watch_client
                && self.sending.is_over()
                && let Poll::Ready(errno) = client.poll_gone(cx)
            {
                return Poll::Ready(Err(Ended::Client(ClientFailure::Gone(errno))));
            }
            if self.sending.waits_for_client {
                // The client's own timeout counts, not the endpoint's.
                return Poll::Pending;
            }
            self.connection.timer.poll(cx).map(|()| Err(self.timed_out().into()))
        })
        .await
        .map_err(|ended| match ended {
            Ended::Failed(failure) => Ended::Failed(evidence::on(self.connection, failure)),
            client => client,
        })?;
        Ok(head)
    }

    /// Ends the attempt with its final head.
    pub(crate) fn reply(self, head: ResponseHead) -> Result<Reply, Failure> {
        let framing = http1::response_framing(&head, self.method)
            .map_err(|error| evidence::on(self.connection, evidence::framing_failure(error, &head.fields)))?;
        if let Some(failure) = evidence::bad_chunks(framing, self.inbox.bytes()) {
            return Err(evidence::on(self.connection, failure));
        }
        let persistent = http1::persistent(head.version, &head.fields) && framing != Framing::Close;
        let request_complete = self.sending.is_complete();
        // Whoever said something before has got the request.
        let first = self.received == (self.head_length + self.inbox.bytes().len()) as u64;
        let idle_timeout = retry::idle_timeout(head.status, self.connection.reused() && first, persistent)
            .map(|failure| evidence::on(self.connection, failure));
        Ok(Reply { head, framing, buffer: self.inbox.into_buffer(), persistent, request_complete, idle_timeout })
    }

    /// The attempt fails by what the endpoint sent.
    pub(crate) fn fault(&self, cause: Cause) -> Ended {
        evidence::on(self.connection, cause.into()).into()
    }

    /// What the attempt is doing: it sends until everything is sent, then it waits.
    fn phase(&self) -> Phase {
        if self.sending.is_over() { Phase::AwaitHead } else { Phase::Send }
    }

    fn arm(&mut self) {
        let over = self.sending.is_over();
        self.connection.timer.arm(if over { self.limits.read_timeout } else { self.limits.send_timeout });
    }

    /// Tries to take a head off what was received.
    fn parse(&mut self, head: &mut ResponseHead) -> Result<bool, Failure> {
        if self.inbox.bytes().is_empty() {
            return Ok(false);
        }
        match http1::parse_response(head, self.inbox.bytes(), &self.limits.head) {
            Ok(Some(consumed)) => {
                self.inbox.consume(consumed);
                self.head_length = consumed;
                Ok(true)
            }
            Ok(None) => {
                self.inbox.grow_if_full(self.limits.head.head + 1);
                Ok(false)
            }
            Err(error) => Err(evidence::head_failure(&error, self.inbox.bytes(), &self.limits.head)),
        }
    }

    /// Counts a read, or says what its end means.
    fn received(&mut self, read: io::Result<usize>) -> Result<(), Failure> {
        match read {
            Ok(0) => Err(self.closed(None)),
            Ok(count) => {
                self.received += count as u64;
                Ok(())
            }
            Err(error) => Err(self.closed(error.raw_os_error())),
        }
    }

    /// The connection ended before a head. What the write said comes first: it happened first.
    fn closed(&self, errno: Option<i32>) -> Failure {
        let stale = self.connection.reused() && self.received == 0;
        let within = self.inbox.bytes().len() as u64;
        match &self.sending.state {
            _ if within > 0 => {
                let cause = Failure::new(Cause::ClosedWithinHead).errno(errno);
                cause.with(|evidence| evidence.offset = Some(within))
            }
            SendState::Broken(write) => Failure::from_io(Phase::Send, *write, stale),
            _ => Failure::from_io(Phase::AwaitHead, errno, stale),
        }
    }

    fn timed_out(&self) -> Failure {
        let phase = self.phase();
        let fired = match phase {
            Phase::Send => Fired { directive: "proxy_send_timeout", after: self.limits.send_timeout },
            _ => Fired { directive: "proxy_read_timeout", after: self.limits.read_timeout },
        };
        let within = self.inbox.bytes().len() as u64;
        Failure::timed_out(phase).with(|evidence| {
            evidence.timer = Some(fired);
            evidence.offset = (within > 0).then_some(within);
        })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, client: &mut dyn Client) -> Poll<Result<(), Ended>> {
        while !self.sending.is_over() {
            match self.sending.poll(cx, self.connection, client) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(count)) => {
                    self.sent += count;
                    self.arm();
                }
                Poll::Ready(Err(SendError::Client(failure))) => return Poll::Ready(Err(Ended::Client(failure))),
                Poll::Ready(Err(SendError::Endpoint(error))) => {
                    self.sending.state = SendState::Broken(error.raw_os_error());
                    self.connection.timer.arm(self.limits.read_timeout);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

enum SendError {
    Client(ClientFailure),
    Endpoint(io::Error),
}

/// ```text
/// Head ──▶ Body ──▶ Complete
///   └───────┴─────▶ Broken
/// ```
enum SendState {
    /// So many bytes of the head were taken.
    Head(usize),
    /// The stage holds what comes next; so many of its bytes were taken.
    Body { at: usize, more: bool },
    /// Everything was taken by the kernel.
    Complete,
    /// The endpoint takes no more; with the errno of the write that said so.
    Broken(Option<i32>),
}

/// The request on its way out.
struct Sending<'a> {
    outgoing: &'a Outgoing<'a>,
    state: SendState,
    /// Framed bytes of a streamed body, or a piece of a kept one that lies in a file.
    stage: Vec<u8>,
    /// How much of a kept body was staged or taken.
    kept_at: u64,
    /// The client has not sent the next piece of a streamed body yet.
    waits_for_client: bool,
}

impl<'a> Sending<'a> {
    fn new(outgoing: &'a Outgoing<'a>) -> Self {
        Self { outgoing, state: SendState::Head(0), stage: Vec::new(), kept_at: 0, waits_for_client: false }
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, SendState::Complete)
    }

    fn is_over(&self) -> bool {
        matches!(self.state, SendState::Complete | SendState::Broken(_))
    }

    /// Makes one step; the number of bytes that the kernel took.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        client: &mut dyn Client,
    ) -> Poll<Result<u64, SendError>> {
        match self.state {
            SendState::Head(at) => self.poll_head(cx, connection, at),
            SendState::Body { at, more } => self.poll_body(cx, connection, client, at, more),
            SendState::Complete | SendState::Broken(_) => Poll::Ready(Ok(0)),
        }
    }

    /// Sends the head, and with it a kept body that lies in memory: one write for most requests.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        at: usize,
    ) -> Poll<Result<u64, SendError>> {
        let head = &self.outgoing.head[at..];
        let body = self.kept_in_memory();
        let written = if body.is_empty() {
            connection.stream.poll_write(cx, &[IoSlice::new(head)])
        } else {
            connection.stream.poll_write(cx, &[IoSlice::new(head), IoSlice::new(body)])
        };
        let count = match written {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(SendError::Endpoint(error))),
            Poll::Ready(Ok(count)) => count,
        };
        if count < head.len() {
            self.state = SendState::Head(at + count);
        } else {
            self.kept_at = (count - head.len()) as u64;
            self.state = self.after_head();
        }
        Poll::Ready(Ok(count as u64))
    }

    fn after_head(&self) -> SendState {
        match &self.outgoing.body {
            OutgoingBody::Kept(kept) if self.kept_at >= kept.len() => SendState::Complete,
            OutgoingBody::Streamed(Framing::Empty) => SendState::Complete,
            _ => SendState::Body { at: 0, more: true },
        }
    }

    fn kept_in_memory(&self) -> &'a [u8] {
        match self.outgoing.body {
            OutgoingBody::Kept(kept) => kept.in_memory(),
            OutgoingBody::Streamed(_) => &[],
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        client: &mut dyn Client,
        at: usize,
        more: bool,
    ) -> Poll<Result<u64, SendError>> {
        if at < self.stage.len() {
            return match connection.stream.poll_write(cx, &[IoSlice::new(&self.stage[at..])]) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(SendError::Endpoint(error))),
                Poll::Ready(Ok(count)) => {
                    self.state = SendState::Body { at: at + count, more };
                    Poll::Ready(Ok(count as u64))
                }
            };
        }
        if !more {
            self.state = SendState::Complete;
            return Poll::Ready(Ok(0));
        }
        self.stage.clear();
        let more = match self.outgoing.body {
            OutgoingBody::Kept(kept) => {
                self.kept_at += kept.read_at(self.kept_at, &mut self.stage).map_err(SendError::Endpoint)? as u64;
                self.kept_at < kept.len()
            }
            OutgoingBody::Streamed(framing) => {
                let staged = stage_streamed(cx, client, framing, &mut self.stage);
                self.waits_for_client = staged.is_pending();
                ready!(staged).map_err(SendError::Client)?
            }
        };
        self.state = SendState::Body { at: 0, more };
        Poll::Ready(Ok(0))
    }
}

/// Takes the next piece of the client's body and frames it for the endpoint.
fn stage_streamed(
    cx: &mut Context<'_>,
    client: &mut dyn Client,
    framing: Framing,
    stage: &mut Vec<u8>,
) -> Poll<Result<bool, ClientFailure>> {
    let mut piece = Vec::new();
    let more = match client.poll_body(cx, if framing == Framing::Chunked { &mut piece } else { stage }) {
        Poll::Pending => return Poll::Pending,
        Poll::Ready(more) => more?,
    };
    if framing == Framing::Chunked {
        if !piece.is_empty() {
            stage.extend_from_slice(http1::encode::ChunkHead::new(piece.len()).as_bytes());
            stage.append(&mut piece);
            stage.extend_from_slice(b"\r\n");
        }
        if !more {
            stage.extend_from_slice(http1::encode::LAST_CHUNK);
        }
    }
    Poll::Ready(Ok(more))
}
