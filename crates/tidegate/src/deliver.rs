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
use std::time::Duration;

use http1::{ChunkLimits, Decoder, Framing, encode};
use policy::{Failure, Phase};

use crate::buffer::{Buffer, LARGE};
use crate::client::ClientFailure;
use crate::response::FilePart;
use crate::stream::{Stream, Timer};

/// Bounds on a chunked response's overhead: a chunk's size line, and the trailers.
const CHUNK_LIMITS: ChunkLimits = ChunkLimits { line: 1024, trailer: 8192, trailer_fields: 100 };

/// How a delivery ended.
#[derive(Debug)]
pub(crate) enum Delivered {
    /// Every byte was handed to the client's kernel.
    Whole,
    /// The endpoint's body broke off: what was sent is not the whole response.
    CutOff(Failure),
    /// The client left, or took nothing for too long.
    Client(ClientFailure),
}

/// A body as it arrives from somewhere.
pub(crate) trait Source {
    /// The next bytes of the body; `None` at its end. What is returned is consumed by the next call.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, Failure>>;

    /// Trailers that followed the body.
    fn trailers(&mut self) -> Option<http1::Fields> {
        None
    }

    /// The longest wait between two reads; none for what never waits.
    fn timeout(&self) -> Option<Duration>;
}

/// The client's end of a delivery.
pub(crate) struct Sink<'a> {
    pub(crate) stream: &'a mut Stream,
    pub(crate) timer: &'a mut Timer,
    pub(crate) framing: Framing,
    pub(crate) send_timeout: Duration,
    /// The most bytes held for a client that is slower than the source.
    pub(crate) held: usize,
    /// Trailers may be passed on.
    pub(crate) trailers: bool,
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
        let slices = [&self.bytes[self.at..], pieces[0], pieces[1], pieces[2]].map(IoSlice::new);
        let first = slices.iter().position(|slice| !slice.is_empty()).unwrap_or(0);
        let last = slices.iter().rposition(|slice| !slice.is_empty()).map_or(first, |last| last + 1);
        let written = match stream.poll_write(cx, &slices[first..last]) {
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => 0,
        };
        self.sent += written as u64;
        let mut left = written;
        let old = left.min(self.waiting());
        self.at += old;
        left -= old;
        if self.waiting() == 0 {
            self.bytes.clear();
            self.at = 0;
        }
        for piece in pieces {
            let taken = left.min(piece.len());
            left -= taken;
            self.bytes.extend_from_slice(&piece[taken..]);
        }
        if written == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            ready!(self.poll_write(cx, stream, [&[], &[], &[]]))?;
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends `head` and then everything that `source` yields; the bytes written, and how it ended.
pub(crate) async fn deliver(head: Vec<u8>, source: &mut dyn Source, sink: Sink<'_>) -> (u64, Delivered) {
    let mut outbox = Outbox { bytes: head, at: 0, sent: 0 };
    let mut reading = Timer::new();
    let mut ended = sink.framing == Framing::Empty;
    let waits = source.timeout();
    sink.timer.arm(sink.send_timeout);
    if let Some(span) = waits {
        reading.arm(span);
    }
    let end = std::future::poll_fn(|cx| {
        loop {
            let room = outbox.waiting() <= sink.held;
            let mut source_waits = false;
            if !ended && room {
                match source.poll_next(cx) {
                    Poll::Ready(Err(failure)) => return Poll::Ready(Delivered::CutOff(failure)),
                    Poll::Ready(Ok(piece)) => {
                        ended = piece.is_none();
                        if let Some(span) = waits {
                            reading.arm(span);
                        }
                        let framed = piece.map(|piece| frame(sink.framing, piece));
                        let (lead, piece, tail) =
                            framed.as_ref().map_or((&b""[..], &b""[..], &b""[..]), |(lead, piece, tail)| {
                                (lead.as_ref().map_or(&b""[..], |lead| lead.as_bytes()), piece, tail)
                            });
                        let written = outbox.poll_write(cx, sink.stream, [lead, piece, tail]);
                        if let Poll::Ready(written) = written {
                            if written.is_err() {
                                return Poll::Ready(Delivered::Client(ClientFailure::Gone));
                            }
                            sink.timer.arm(sink.send_timeout);
                        }
                        if ended {
                            finish_framing(sink.framing, sink.trailers, source, &mut outbox);
                        }
                        continue;
                    }
                    Poll::Pending => source_waits = true,
                }
            }
            let before = outbox.sent;
            match outbox.poll_flush(cx, sink.stream) {
                Poll::Ready(Err(_)) => return Poll::Ready(Delivered::Client(ClientFailure::Gone)),
                Poll::Ready(Ok(())) if ended => return Poll::Ready(Delivered::Whole),
                Poll::Ready(Ok(())) if !room => continue,
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            if outbox.sent > before {
                sink.timer.arm(sink.send_timeout);
            }
            if outbox.waiting() > 0 && sink.timer.poll(cx).is_ready() {
                return Poll::Ready(Delivered::Client(ClientFailure::TimedOut));
            }
            if source_waits && reading.poll(cx).is_ready() {
                return Poll::Ready(Delivered::CutOff(Failure::timed_out(Phase::Body)));
            }
            return Poll::Pending;
        }
    })
    .await;
    (outbox.sent, end)
}

/// A piece of body with what frames it.
fn frame(framing: Framing, piece: &[u8]) -> (Option<encode::ChunkHead>, &[u8], &'static [u8]) {
    match framing {
        Framing::Chunked if !piece.is_empty() => (Some(encode::ChunkHead::new(piece.len())), piece, b"\r\n"),
        _ => (None, piece, b""),
    }
}

fn finish_framing(framing: Framing, trailers: bool, source: &mut dyn Source, outbox: &mut Outbox) {
    if framing == Framing::Chunked {
        let trailers = source.trailers().filter(|_| trailers);
        encode::last_chunk(&mut outbox.bytes, trailers.as_ref());
    }
}

/// The body of an endpoint's reply.
pub(crate) struct EndpointBody<'a> {
    stream: &'a mut Stream,
    buffer: Buffer,
    decoder: Decoder,
    timeout: Duration,
    /// Bytes to drop before the next look: they were returned by the last call.
    consumed: usize,
    /// Bytes of the body, framing not counted.
    pub(crate) length: u64,
    /// Bytes received behind what the head's reader took.
    pub(crate) received: u64,
    reused: bool,
}

impl<'a> EndpointBody<'a> {
    pub(crate) fn new(
        stream: &'a mut Stream,
        buffer: Buffer,
        framing: Framing,
        timeout: Duration,
        reused: bool,
    ) -> Self {
        let decoder = Decoder::new(framing, CHUNK_LIMITS);
        Self { stream, buffer, decoder, timeout, consumed: 0, length: 0, received: 0, reused }
    }

    /// Whether the message ended where it should and nothing came behind it: the connection can carry another.
    pub(crate) fn left_clean(&self) -> bool {
        self.decoder.is_done() && self.buffer.bytes().len() == self.consumed
    }

    /// Bytes of body at hand, as a range of the buffer.
    fn decode(&mut self) -> Result<std::ops::Range<usize>, Failure> {
        self.buffer.consume(std::mem::take(&mut self.consumed));
        let mut skipped = 0;
        while !self.decoder.is_done() && skipped < self.buffer.bytes().len() {
            let decoded = self
                .decoder
                .decode(&self.buffer.bytes()[skipped..])
                .map_err(|_| Failure::HttpResponseTransferCoding)?;
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
        match ready!(self.stream.poll_read(cx, &mut self.buffer)) {
            Ok(0) => {
                Poll::Ready(self.decoder.end_of_input().map_err(|_| Failure::from_io(Phase::Body, None, self.reused)))
            }
            Ok(count) => {
                self.received += count as u64;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(Failure::from_io(Phase::Body, error.raw_os_error(), self.reused))),
        }
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

    fn trailers(&mut self) -> Option<http1::Fields> {
        self.decoder.trailers()
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.timeout)
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

    fn timeout(&self) -> Option<Duration> {
        None
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
            return Poll::Ready(Err(Failure::ProxyInternalError));
        }
        self.range.start += count as u64;
        Poll::Ready(Ok(Some(&self.buffer)))
    }

    fn timeout(&self) -> Option<Duration> {
        None
    }
}
