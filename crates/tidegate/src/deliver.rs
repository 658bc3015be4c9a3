//! Sends a response to the client: its head with the first of its body in one write, then the rest as it comes.
//!
//! Bytes go out as soon as they come in. What the client does not take at once is held up to the configured buffers; then the
//! endpoint waits (`proxy_buffering on`), or it waits from the first byte (`off`).
//!
//! Not here: what the response is.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http1::{Decoder, Framing, encode};
use policy::failure::Fired;
use policy::{Cause, Failure, Phase};

use crate::buffer::{Buffer, LARGE};
use crate::client::{Client, ClientFailure};
use crate::downstream::h1::H1;
use crate::response::FilePart;
use crate::stream::Stream;
use crate::upstream::evidence;
use crate::upstream::pool::Connection;

/// A piece of at most so many bytes is copied behind what waits: one plain write costs less than a gathering one.
const COPIED: usize = 2048;

/// How a delivery ended.
#[derive(Debug)]
pub(crate) enum Delivered {
    /// Every byte was handed to the client's kernel.
    Whole,
    /// The endpoint's body broke off: the client has what came before.
    CutOff(Failure),
    /// It broke off, and the client did not take what there was.
    BothFailed(Failure),
    /// The client left, or took nothing for too long.
    Client(ClientFailure),
}

/// A body as it arrives from somewhere.
pub(crate) trait Source {
    /// The next bytes of the body; `None` at its end. What is returned is consumed by the next call.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Failure>>;

    /// Trailers that followed the body.
    fn trailers(&self) -> Option<&http1::Fields> {
        None
    }
}

/// The client's end of a delivery.
pub(crate) struct Sink<'a> {
    pub(crate) client: &'a mut H1,
    /// A client that goes away is noticed while the source is waited for, not when something is sent to it.
    pub(crate) watched: bool,
    pub(crate) framing: Framing,
    pub(crate) send_timeout: Duration,
    /// The most bytes held for a client that is slower than the source.
    pub(crate) held: usize,
    /// Trailers may be passed on.
    pub(crate) trailers: bool,
    /// Trailers that tell why a body broke off, for a client that looks at them; otherwise its connection is cut.
    pub(crate) confession: Option<&'a dyn Fn(&Failure) -> http1::Fields>,
}

/// Bytes that wait for the client.
struct Outbox {
    bytes: Vec<u8>,
    at: usize,
    sent: u64,
}

impl Outbox {
    fn waiting(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Writes what waits, and behind it the pieces; what the client does not take of these waits from now on.
    fn poll_write(&mut self, cx: &mut Context<'_>, stream: &mut Stream, pieces: [&[u8]; 3]) -> Poll<io::Result<()>> {
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() <= COPIED {
            pieces.into_iter().for_each(|piece| self.bytes.extend_from_slice(piece));
            return self.poll_flush(cx, stream);
        }
        let slices = [&self.bytes[self.at..], pieces[0], pieces[1], pieces[2]].map(IoSlice::new);
        let first = slices.iter().position(|slice| !slice.is_empty()).unwrap_or(0);
        let written = match stream.poll_write(cx, &slices[first..]) {
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => 0,
        };
        let mut left = written.saturating_sub(self.waiting());
        self.written(written.min(self.waiting()));
        for piece in pieces {
            let taken = left.min(piece.len());
            left -= taken;
            self.sent += taken as u64;
            self.bytes.extend_from_slice(&piece[taken..]);
        }
        if written == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// Counts bytes that waited and are gone.
    fn written(&mut self, count: usize) {
        self.sent += count as u64;
        self.at += count;
        if self.waiting() == 0 {
            self.bytes.clear();
            self.at = 0;
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let count = ready!(stream.poll_write(cx, &[IoSlice::new(&self.bytes[self.at..])]))?;
            self.written(count);
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends `head` and then everything that `source` yields; the bytes written, and how it ended.
pub(crate) async fn deliver(head: Vec<u8>, source: &mut dyn Source, sink: Sink<'_>) -> (u64, Delivered) {
    let ended = sink.framing == Framing::Empty;
    let mut delivery = Delivery { outbox: Outbox { bytes: head, at: 0, sent: 0 }, source, sink, ended, cut: None };
    delivery.sink.client.timer.arm(delivery.sink.send_timeout);
    let end = std::future::poll_fn(|cx| delivery.poll(cx)).await;
    (delivery.outbox.sent, end)
}

/// A delivery under way.
struct Delivery<'a> {
    outbox: Outbox,
    source: &'a mut dyn Source,
    sink: Sink<'a>,
    /// The source has no more.
    ended: bool,
    /// Why it broke off. What came before is sent first.
    cut: Option<Failure>,
}

impl Delivery<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Delivered> {
        loop {
            if !self.ended && self.outbox.waiting() <= self.sink.held {
                match self.poll_move(cx) {
                    Poll::Ready(Ok(())) => continue,
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Pending => {}
                }
            }
            let before = self.outbox.sent;
            let flushed = self.outbox.poll_flush(cx, &mut self.sink.client.stream);
            let progress = self.outbox.sent > before;
            if progress {
                self.sink.client.timer.arm(self.sink.send_timeout);
            }
            return match flushed {
                Poll::Ready(Err(error)) => Poll::Ready(self.client_failed(ClientFailure::Deaf(error.raw_os_error()))),
                Poll::Ready(Ok(())) if self.ended => {
                    Poll::Ready(self.cut.take().map_or(Delivered::Whole, Delivered::CutOff))
                }
                // There may be room for the source's bytes now.
                _ if progress && !self.ended => continue,
                Poll::Ready(Ok(())) => self.poll_gone(cx),
                Poll::Pending if self.sink.client.timer.poll(cx).is_ready() => {
                    Poll::Ready(self.client_failed(ClientFailure::Stalled))
                }
                Poll::Pending => self.poll_gone(cx),
            };
        }
    }

    /// A client that does not take the rest of a body that broke off has seen no more than that.
    fn client_failed(&mut self, failure: ClientFailure) -> Delivered {
        self.cut.take().map_or(Delivered::Client(failure), Delivered::BothFailed)
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Delivered> {
        if self.ended || !self.sink.watched {
            return Poll::Pending;
        }
        self.sink.client.poll_gone(cx).map(|errno| Delivered::Client(ClientFailure::Gone(errno)))
    }

    /// Moves the source's next piece to the client, as far as it takes it.
    fn poll_move(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Delivered>> {
        let piece = match ready!(self.source.poll_next(cx)) {
            Err(failure) => {
                if let Some(confess) = self.sink.confession {
                    encode::last_chunk(&mut self.outbox.bytes, Some(&confess(&failure)));
                }
                (self.ended, self.cut) = (true, Some(failure));
                return Poll::Ready(Ok(()));
            }
            Ok(Some(piece)) => piece,
            Ok(None) => {
                self.ended = true;
                finish_framing(self.sink.framing, self.sink.trailers, self.source, &mut self.outbox);
                return Poll::Ready(Ok(()));
            }
        };
        let chunk = (self.sink.framing == Framing::Chunked).then(|| encode::ChunkHead::new(piece.len()));
        let (lead, tail) = match &chunk {
            Some(chunk) => (chunk.as_bytes(), b"\r\n".as_slice()),
            None => (b"".as_slice(), b"".as_slice()),
        };
        match self.outbox.poll_write(cx, &mut self.sink.client.stream, [lead, piece, tail]) {
            Poll::Ready(Err(error)) => {
                return Poll::Ready(Err(Delivered::Client(ClientFailure::Deaf(error.raw_os_error()))));
            }
            Poll::Ready(Ok(())) => self.sink.client.timer.arm(self.sink.send_timeout),
            // What was not taken waits in the outbox.
            Poll::Pending => {}
        }
        Poll::Ready(Ok(()))
    }
}

fn finish_framing(framing: Framing, trailers: bool, source: &mut dyn Source, outbox: &mut Outbox) {
    if framing == Framing::Chunked {
        encode::last_chunk(&mut outbox.bytes, source.trailers().filter(|_| trailers));
    }
}

/// The body of an endpoint's reply.
pub(crate) struct EndpointBody<'a> {
    connection: &'a mut Connection,
    buffer: Buffer,
    framing: Framing,
    decoder: Decoder,
    /// The longest wait between two reads.
    timeout: Duration,
    /// Bytes to drop before the next look: they were returned by the last call.
    consumed: usize,
    /// Bytes of the body, framing not counted.
    pub(crate) length: u64,
    /// Bytes received behind what the head's reader took.
    pub(crate) received: u64,
}

impl<'a> EndpointBody<'a> {
    pub(crate) fn new(connection: &'a mut Connection, buffer: Buffer, framing: Framing, timeout: Duration) -> Self {
        let decoder = Decoder::new(framing, evidence::CHUNK_LIMITS);
        connection.timer.arm(timeout);
        Self { connection, buffer, framing, decoder, timeout, consumed: 0, length: 0, received: 0 }
    }

    /// The trailers, once all is delivered.
    pub(crate) fn take_trailers(&mut self) -> Option<http1::Fields> {
        self.decoder.take_trailers()
    }

    /// Whether the message ended where it should and nothing came behind it: the connection can carry another.
    pub(crate) fn left_clean(&self) -> bool {
        self.decoder.is_done() && self.buffer.bytes().len() == self.consumed
    }

    /// nginx's words for bytes that came behind the end of the message.
    pub(crate) fn excess(&self) -> Option<&'static str> {
        let over = self.decoder.is_done() && self.buffer.bytes().len() > self.consumed;
        over.then_some(match self.framing {
            Framing::Chunked => "upstream sent data after final chunk",
            _ => "upstream sent more data than specified in \"Content-Length\" header",
        })
    }

    /// Bytes of body at hand, as a range of the buffer.
    fn decode(&mut self) -> Result<std::ops::Range<usize>, Failure> {
        self.buffer.consume(std::mem::take(&mut self.consumed));
        let mut skipped = 0;
        while !self.decoder.is_done() && skipped < self.buffer.bytes().len() {
            let decoded = self
                .decoder
                .decode(&self.buffer.bytes()[skipped..])
                .map_err(|error| self.failed(evidence::body_failure(error)))?;
            let data = skipped + decoded.data.start..skipped + decoded.data.end;
            skipped += decoded.consumed;
            if !data.is_empty() {
                self.consumed = skipped;
                self.length += data.len() as u64;
                return Ok(data);
            }
            if decoded.consumed == 0 {
                break;
            }
        }
        self.consumed = skipped;
        Ok(0..0)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.buffer.consume(std::mem::take(&mut self.consumed));
        if self.buffer.is_empty() && self.received > self.buffer.capacity() as u64 {
            self.buffer.grow(LARGE);
        }
        let read = match self.connection.stream.poll_read(cx, &mut self.buffer) {
            Poll::Ready(read) => read,
            Poll::Pending => {
                return self.connection.timer.poll(cx).map(|()| Err(self.timed_out()));
            }
        };
        self.connection.timer.arm(self.timeout);
        Poll::Ready(match read {
            Ok(0) => self.decoder.end_of_input().map_err(|_| self.failed(self.truncated())),
            Ok(count) => {
                self.received += count as u64;
                Ok(())
            }
            Err(error) => Err(self.failed(Failure::from_io(Phase::Body, error.raw_os_error(), false))),
        })
    }

    fn truncated(&self) -> Failure {
        Failure::new(if self.framing == Framing::Chunked { Cause::ChunksTruncated } else { Cause::BodyTruncated })
    }

    fn timed_out(&self) -> Failure {
        let fired = Fired { directive: "proxy_read_timeout", after: self.timeout };
        self.failed(Failure::timed_out(Phase::Body).with(|evidence| evidence.timer = Some(fired)))
    }

    /// With how far the body had come, and the connection's history.
    fn failed(&self, failure: Failure) -> Failure {
        failure.with(|evidence| {
            evidence.offset = Some(self.length);
            evidence.connection = Some(self.connection.history(Instant::now()));
        })
    }
}

impl Source for EndpointBody<'_> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Failure>> {
        loop {
            let data = self.decode()?;
            if !data.is_empty() {
                return Poll::Ready(Ok(Some(&self.buffer.bytes()[data])));
            }
            if self.decoder.is_done() {
                return Poll::Ready(Ok(None));
            }
            ready!(self.poll_fill(cx))?;
        }
    }

    fn trailers(&self) -> Option<&http1::Fields> {
        self.decoder.trailers()
    }
}

/// Bytes at hand.
pub(crate) struct BytesBody {
    bytes: Vec<u8>,
    taken: bool,
}

impl BytesBody {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, taken: false }
    }
}

impl Source for BytesBody {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Failure>> {
        let first = !std::mem::replace(&mut self.taken, true) && !self.bytes.is_empty();
        Poll::Ready(Ok(first.then_some(&self.bytes)))
    }
}

/// Pieces of a file. Reads block for the time the page cache needs, as nginx's do without `aio`.
pub(crate) struct FileBody {
    file: File,
    parts: std::vec::IntoIter<FilePart>,
    range: std::ops::Range<u64>,
    tail: Vec<u8>,
    buffer: Vec<u8>,
}

impl FileBody {
    pub(crate) fn new(file: File, parts: Vec<FilePart>, tail: Vec<u8>) -> Self {
        Self { file, parts: parts.into_iter(), range: 0..0, tail, buffer: Vec::new() }
    }
}

impl Source for FileBody {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Failure>> {
        self.buffer.clear();
        while self.range.is_empty() {
            let Some(part) = self.parts.next() else {
                self.buffer.append(&mut self.tail);
                return Poll::Ready(Ok((!self.buffer.is_empty()).then_some(&self.buffer)));
            };
            self.range = part.range;
            self.buffer.extend_from_slice(&part.lead);
        }
        let count = (self.range.end - self.range.start).min(LARGE as u64) as usize;
        let from = self.buffer.len();
        self.buffer.resize(from + count, 0);
        if self.file.read_exact_at(&mut self.buffer[from..], self.range.start).is_err() {
            // The file shrank while it was sent: what was promised cannot be kept.
            return Poll::Ready(Err(Failure::new(Cause::FileChanged)));
        }
        self.range.start += count as u64;
        Poll::Ready(Ok(Some(&self.buffer)))
    }
}
