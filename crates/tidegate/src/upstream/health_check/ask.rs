//! One probe over HTTP: a request, and as much of the answer as its tests look at. Not here: what passes ([`super::judge`]).

use std::io::{self, IoSlice};

use config::model::{HealthCheck, Match, Test};
use http1::{Decoder, Framing, ResponseHead, ResponseLimits};
use policy::failure::Fired;
use policy::{Cause, Failure, Phase};

use super::{Fault, judge};
use crate::stream::Stream;
use crate::upstream::evidence;

/// Bytes of a body that are looked at.
const MAX_BODY: usize = 256 << 10;
/// Interim answers before the final one.
const MAX_INTERIM: usize = 100;

/// Asks, and judges the answer, within `proxy_read_timeout`.
pub(super) async fn ask(
    stream: &mut Stream,
    check: &HealthCheck,
    uri: &str,
    tests: Option<&Match>,
) -> Result<(), Fault> {
    let after = check.proxy.read_timeout;
    let asked = tokio::time::timeout(after, exchange(stream, check, uri, tests)).await;
    asked.unwrap_or_else(|_| {
        let fired = Fired { directive: "proxy_read_timeout", after };
        Err(Failure::timed_out(Phase::AwaitHead).with(|evidence| evidence.timer = Some(fired)).into())
    })
}

async fn exchange(stream: &mut Stream, check: &HealthCheck, uri: &str, tests: Option<&Match>) -> Result<(), Fault> {
    // An answer may be there although the request was not taken.
    let broken = send(stream, &request(check, uri)).await.err();
    let limits = ResponseLimits { head: check.proxy.buffer_size, fields: 1000 };
    let mut reading = Reading { stream, input: Vec::new(), limits };
    let head = match (reading.head().await, broken) {
        (Ok(head), _) => head,
        (Err(_), Some(error)) => return Err(Failure::from_io(Phase::Send, error.raw_os_error(), false).into()),
        (Err(failure), None) => return Err(failure.into()),
    };
    let looks_at_body = tests.is_some_and(|tests| tests.tests.iter().any(|test| matches!(test, Test::Body { .. })));
    let body = if looks_at_body { reading.body(&head).await? } else { Vec::new() };
    judge::judge(tests, &head, &body).map_err(Fault::Unwanted)
}

/// The request. Of `proxy_set_header`, what has variables is left out: there is no request that they could be of.
fn request(check: &HealthCheck, uri: &str) -> Vec<u8> {
    let version = if check.proxy.http11 { "1.1" } else { "1.0" };
    let mut request = format!("GET {uri} HTTP/{version}\r\n").into_bytes();
    let literal = check.proxy.set_headers.iter().filter_map(|(name, value)| Some((name, value.as_literal()?)));
    let fields: Vec<_> = literal.filter(|(name, value)| !value.is_empty() && !is_framing(name)).collect();
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        http1::encode::field(&mut request, b"Host", check.host.as_bytes());
    }
    for (name, value) in fields {
        http1::encode::field(&mut request, name.as_bytes(), value);
    }
    http1::encode::field(&mut request, b"Connection", b"close");
    http1::encode::end(&mut request);
    request
}

/// A probe has no body, and its connection ends with it.
fn is_framing(name: &str) -> bool {
    ["connection", "content-length", "transfer-encoding", "upgrade", "expect", "te", "keep-alive"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}

async fn send(stream: &mut Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = std::future::poll_fn(|cx| stream.poll_write(cx, &[IoSlice::new(bytes)])).await?;
        bytes = bytes.get(sent..).unwrap_or_default();
    }
    Ok(())
}

struct Reading<'a> {
    stream: &'a mut Stream,
    /// Received, and not understood yet.
    input: Vec<u8>,
    limits: ResponseLimits,
}

impl Reading<'_> {
    /// The final head.
    async fn head(&mut self) -> Result<ResponseHead, Failure> {
        let mut interim = 0;
        loop {
            let mut head = ResponseHead::default();
            match http1::parse_response(&mut head, &self.input, &self.limits) {
                Ok(Some(length)) => drop(self.input.drain(..length)),
                Ok(None) => {
                    self.fill(Phase::AwaitHead).await?;
                    continue;
                }
                Err(error) => return Err(evidence::head_failure(&error, &self.input, &self.limits)),
            }
            match head.status {
                101 => return Err(Failure::new(Cause::UnaskedUpgrade)),
                100..200 if interim >= MAX_INTERIM => return Err(Failure::new(Cause::TooManyInterims)),
                100..200 => interim += 1,
                _ => return Ok(head),
            }
        }
    }

    /// The body, or its first [`MAX_BODY`] bytes.
    async fn body(&mut self, head: &ResponseHead) -> Result<Vec<u8>, Failure> {
        let framing = http1::response_framing(head, &http::Method::GET)
            .map_err(|error| evidence::framing_failure(error, &head.fields))?;
        let mut decoder = Decoder::new(framing, evidence::CHUNK_LIMITS);
        let mut body = Vec::new();
        while !decoder.is_done() && body.len() < MAX_BODY {
            let decoded = decoder.decode(&self.input).map_err(evidence::body_failure)?;
            body.extend_from_slice(self.input.get(decoded.data).unwrap_or_default());
            self.input.drain(..decoded.consumed);
            if decoder.is_done() || decoded.consumed > 0 && !self.input.is_empty() {
                continue;
            }
            match self.fill(Phase::Body).await {
                Err(failure) if framing != Framing::Close || failure.cause != Cause::BodyTruncated => {
                    return Err(failure);
                }
                Err(_) => break,
                Ok(()) => {}
            }
        }
        body.truncate(MAX_BODY);
        Ok(body)
    }

    /// Waits for more input.
    async fn fill(&mut self, phase: Phase) -> Result<(), Failure> {
        let mut chunk = [0; 8 << 10];
        loop {
            let ready = std::future::poll_fn(|cx| self.stream.poll_readable(cx)).await;
            match ready.and_then(|()| self.stream.try_read(&mut chunk)) {
                Ok(0) => return Err(self.closed(phase, None)),
                Ok(count) => {
                    self.input.extend(chunk.iter().take(count));
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(self.closed(phase, error.raw_os_error())),
            }
        }
    }

    fn closed(&self, phase: Phase, errno: Option<i32>) -> Failure {
        match phase {
            Phase::AwaitHead if !self.input.is_empty() => Failure::new(Cause::ClosedWithinHead).errno(errno),
            phase => Failure::from_io(phase, errno, false),
        }
    }
}
