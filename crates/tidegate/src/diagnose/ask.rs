//! One request over a link, and everything that can be told of the answer. Not here: what it means (`verdict`).

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use http::Method;
use http1::{Decoder, Framing, ResponseError, ResponseHead, ResponseLimits};
use policy::failure::{Fired, History};
use policy::{Cause, Failure, Phase};

use super::facts::{Body, Reply};
use super::link::{Link, is_timeout};
use super::target::Target;
use super::tls;
use crate::upstream::evidence;

/// What a gateway takes with nginx's default buffers.
const USUAL: ResponseLimits = ResponseLimits { head: 4096, fields: 1000 };

/// A head is read to its end up to this, to tell how large it is.
const READ: ResponseLimits = ResponseLimits { head: 1 << 20, fields: 100_000 };

/// Interim answers that a gateway takes.
const MAX_INTERIM: usize = 100;

/// Bytes of a body that are read.
const MAX_BODY: u64 = 64 << 20;

/// An answer, and whether another request may follow on the link.
pub(super) struct Answered {
    pub(super) reply: Reply,
    pub(super) reusable: bool,
}

/// Asks, and reads the answer to its end.
///
/// # Errors
/// There is no answer that can be understood.
pub(super) fn ask(link: &mut Link, target: &Target, within: Duration) -> Result<Answered, Failure> {
    let started = Instant::now();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: tidegate-diagnose/{}\r\nAccept: */*\r\n\r\n",
        target.path,
        target.host,
        env!("CARGO_PKG_VERSION")
    );
    let mut reading = Reading { link, input: Vec::new(), deadline: started + within, within };
    let sent = reading.link.limit(within).and_then(|()| reading.link.write_all(request.as_bytes()));
    // An answer may be there although the request was not taken.
    let broken = sent.err();
    reading.answer(started).map_err(|failure| match (&broken, failure.cause) {
        (Some(error), Cause::ClosedBeforeReply | Cause::ResetBeforeReply) => {
            reading.seen(Failure::from_io(Phase::Send, error.raw_os_error(), false))
        }
        _ => failure,
    })
}

struct Reading<'a> {
    link: &'a mut Link,
    /// Received, and not understood yet.
    input: Vec<u8>,
    deadline: Instant,
    within: Duration,
}

/// A final head, as it was received.
struct Head {
    head: ResponseHead,
    bytes: Vec<u8>,
    interim: usize,
}

impl Reading<'_> {
    fn answer(&mut self, started: Instant) -> Result<Answered, Failure> {
        let head = self.head()?;
        let first_byte = started.elapsed();
        let framing = http1::response_framing(&head.head, &Method::GET)
            .map_err(|error| evidence::framing_failure(error, &head.head.fields))?;
        let body = self.body(framing);
        let persistent = http1::persistent(head.head.version, &head.head.fields) && framing != Framing::Close;
        let reusable = persistent && matches!(body, Body::Whole(_)) && self.input.is_empty();
        let reply = Reply {
            status: head.head.status,
            version: head.head.version.as_str(),
            interim: head.interim,
            head: head.bytes.len(),
            fields: head.head.fields.len(),
            largest: evidence::largest_field(&head.bytes).map(|(name, size)| (name.into(), size as usize)),
            too_large: too_large(&head),
            framing,
            body,
            surplus: if framing == Framing::Close { 0 } else { self.input.len() },
            persistent,
            announces: announced(&head.head),
            first_byte,
        };
        Ok(Answered { reply, reusable })
    }

    /// Reads heads up to the final one.
    fn head(&mut self) -> Result<Head, Failure> {
        let mut interim = 0;
        loop {
            let mut head = ResponseHead::default();
            let length = match http1::parse_response(&mut head, &self.input, &READ) {
                Ok(Some(length)) => length,
                Ok(None) => {
                    self.fill(Phase::AwaitHead)?;
                    continue;
                }
                Err(ResponseError::TooLarge) => {
                    return Err(self.seen(evidence::head_failure(&ResponseError::TooLarge, &self.input, &USUAL)));
                }
                Err(error) => return Err(self.seen(evidence::head_failure(&error, &self.input, &READ))),
            };
            let bytes = self.input.drain(..length).collect();
            match head.status {
                101 => return Err(self.seen(Failure::new(Cause::UnaskedUpgrade))),
                100..200 if interim >= MAX_INTERIM => return Err(self.seen(Failure::new(Cause::TooManyInterims))),
                100..200 => interim += 1,
                _ => return Ok(Head { head, bytes, interim }),
            }
        }
    }

    fn body(&mut self, framing: Framing) -> Body {
        let mut decoder = Decoder::new(framing, evidence::CHUNK_LIMITS);
        let mut length = 0;
        while !decoder.is_done() && length < MAX_BODY {
            match decoder.decode(&self.input) {
                Ok(decoded) => {
                    length += decoded.data.len() as u64;
                    self.input.drain(..decoded.consumed);
                }
                Err(error) => return Body::Broken(self.at(evidence::body_failure(error), length)),
            }
            if decoder.is_done() || !self.input.is_empty() {
                continue;
            }
            match self.fill(Phase::Body) {
                Ok(()) if Instant::now() > self.deadline => return Body::Streams(length),
                Ok(()) => {}
                Err(failure) if ended(&failure) && decoder.end_of_input().is_ok() => break,
                Err(failure) if failure.cause == Cause::BodyTruncated && framing == Framing::Chunked => {
                    return Body::Broken(self.at(Failure::new(Cause::ChunksTruncated), length));
                }
                Err(failure) => return Body::Broken(self.at(failure, length)),
            }
        }
        if decoder.is_done() { Body::Whole(length) } else { Body::Streams(length) }
    }

    /// Waits for more input. A head has one limit for all of it; a body may go on as long as it does not pause.
    fn fill(&mut self, phase: Phase) -> Result<(), Failure> {
        let left = match phase {
            Phase::Body => self.within,
            _ => self.deadline.saturating_duration_since(Instant::now()),
        };
        let mut chunk = [0; 16 << 10];
        let read = self.link.limit(left).and_then(|()| self.link.read(&mut chunk));
        match read {
            Ok(0) => Err(self.closed(phase, None)),
            Ok(count) => {
                self.input.extend(chunk.iter().take(count));
                Ok(())
            }
            Err(error) if is_timeout(&error) => {
                let fired = Fired { directive: "--timeout", after: self.within };
                let failure = Failure::timed_out(phase).with(|evidence| evidence.timer = Some(fired));
                Err(self.seen(failure))
            }
            Err(error) => Err(match tls::failure(&error) {
                Some(failure) => self.seen(failure),
                None => self.closed(phase, error.raw_os_error()),
            }),
        }
    }

    /// The connection ended: before the head, within it, or within the body.
    fn closed(&self, phase: Phase, errno: Option<i32>) -> Failure {
        let failure = match phase {
            Phase::AwaitHead if !self.input.is_empty() => Failure::new(Cause::ClosedWithinHead).errno(errno),
            phase => Failure::from_io(phase, errno, false),
        };
        self.seen(failure)
    }

    fn at(&self, failure: Failure, offset: u64) -> Failure {
        failure.with(|evidence| evidence.offset = Some(offset))
    }

    fn seen(&self, failure: Failure) -> Failure {
        let history = History { age: self.link.born().elapsed(), requests: 0, idled: None };
        failure.with(|evidence| evidence.connection = Some(history))
    }
}

/// The orderly end of a connection.
fn ended(failure: &Failure) -> bool {
    failure.cause == Cause::BodyTruncated
}

/// What a gateway with default buffers makes of a head that is good.
fn too_large(head: &Head) -> Option<Failure> {
    let error = http1::parse_response(&mut ResponseHead::default(), &head.bytes, &USUAL).err()?;
    Some(evidence::head_failure(&error, &head.bytes, &USUAL))
}

/// `Keep-Alive: timeout=5`.
fn announced(head: &ResponseHead) -> Option<Duration> {
    let value = head.fields.get("keep-alive")?;
    let text = std::str::from_utf8(value).ok()?;
    let timeout = text.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    timeout.trim().parse().ok().map(Duration::from_secs)
}
