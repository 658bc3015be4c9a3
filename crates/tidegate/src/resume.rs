//! Goes on with an answer that broke off on its way: the rest is asked of another endpoint, and the client sees one answer.
//! Not here: when that can be done (`policy::resume`), and passing the bytes on (`deliver`).

use std::rc::Rc;
use std::time::Instant;

use config::model::Level;
use http::{Method, StatusCode};
use http1::{Framing, encode};
use policy::EndpointId;
use policy::resume::{Head, Resume};

use crate::body::Kept;
use crate::client::ClientFailure;
use crate::downstream::h1::H1;
use crate::exchange::{Answered, Errand, Unanswered, exchange};
use crate::request::Request;
use crate::upstream::Upstream;
use crate::upstream::attempt::{Outgoing, OutgoingBody, Reply};

/// What it takes to go on with an answer if it breaks off. Nothing for one that is here already, as small ones are.
pub(crate) fn of(request: &Request, reply: &Reply) -> Option<Box<Resume>> {
    let Framing::Length(length) = reply.framing else { return None };
    let here = reply.buffer.bytes().len() as u64;
    let may =
        here < length && request.settings().proxy.resilience.resumes && request.upstream_head.starts_with(b"GET ");
    if may { Resume::of(&Method::GET, &head_of(reply)).map(Box::new) } else { None }
}

fn head_of(reply: &Reply) -> Head<'_> {
    let fields = &reply.head.fields;
    Head {
        status: StatusCode::from_u16(reply.head.status).unwrap_or_default(),
        etag: fields.get("etag"),
        accept_ranges: fields.get("accept-ranges"),
        content_range: fields.get("content-range"),
        length: match reply.framing {
            Framing::Length(length) => Some(length),
            Framing::Empty | Framing::Chunked | Framing::Close => None,
        },
    }
}

/// An answer on its way to the client.
pub(crate) struct Broken<'a> {
    pub(crate) resume: &'a mut Resume,
    /// Bytes of its body that the client got.
    pub(crate) come: u64,
    pub(crate) upstream: Rc<Upstream>,
    /// Where it broke off.
    pub(crate) endpoint: EndpointId,
}

/// Why there is no rest.
pub(crate) enum NoRest {
    /// No endpoint gave it, or none could be asked.
    Missing,
    Client(ClientFailure),
}

/// Asks another endpoint for the rest: the only one that there is, if there is but one.
pub(crate) async fn rest(client: &mut H1, request: &mut Request, broken: Broken<'_>) -> Result<Box<Answered>, NoRest> {
    let Broken { resume, come, upstream, endpoint } = broken;
    let generation = request.generation.clone();
    let proxy = &generation.tables.location(request.server, request.location).settings.proxy;
    let Some((range, etag)) = resume.ask(come) else { return Err(NoRest::Missing) };
    let Some(head) = head_for(&request.upstream_head, &range, etag) else { return Err(NoRest::Missing) };
    let takes = |budget| upstream.take_retry(budget, Instant::now());
    if !proxy.resilience.budget().is_none_or(takes) {
        return Err(NoRest::Missing);
    }
    let name = request.record.attempts.last().map(|attempt| attempt.endpoint.clone()).unwrap_or_default();
    let outgoing = Outgoing { head: &head, body: OutgoingBody::Kept(&Kept::EMPTY) };
    let errand = Errand { upstream, name: &name, key: etag, outgoing, proxy, avoid: Some(endpoint) };
    let answered = match exchange(client, request, &errand).await {
        Ok(answered) => answered,
        Err(Unanswered::Failed(_)) => return Err(NoRest::Missing),
        Err(Unanswered::Client(failure)) => return Err(NoRest::Client(failure)),
    };
    if resume.is_continued_by(come, &head_of(&answered.reply)) {
        let message = format!("the answer goes on with {range} of {}", answered.picked.endpoint().text());
        request.log(Level::Warn, &message, None);
        return Ok(answered);
    }
    let message = format!("{} has another answer than the one that broke off", answered.picked.endpoint().text());
    request.log(Level::Warn, &message, None);
    answered.put_away(request);
    Err(NoRest::Missing)
}

/// Conditions and ranges of the client's own: those of the rest take their place.
const REPLACED: &[&str] =
    &["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/// The head that was sent, asking for the rest. Nothing when a body went with it.
fn head_for(sent: &[u8], range: &str, etag: &[u8]) -> Option<Vec<u8>> {
    let (line, fields) = split_line(sent)?;
    let mut head = [line, b"\r\n"].concat();
    let mut left = fields;
    while let Some((field, rest)) = split_line(left).filter(|(field, _)| !field.is_empty()) {
        left = rest;
        let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        if ["content-length", "transfer-encoding"].iter().any(is) {
            return None;
        }
        if !REPLACED.iter().any(is) {
            head.extend_from_slice(field);
            head.extend_from_slice(b"\r\n");
        }
    }
    encode::field(&mut head, b"Range", range.as_bytes());
    encode::field(&mut head, b"If-Range", etag);
    encode::end(&mut head);
    Some(head)
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(bytes, b"\r\n")?;
    Some((&bytes[..at], &bytes[at + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sent: &str) -> Option<String> {
        head_for(sent.as_bytes(), "bytes=5-9", b"\"a\"").map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn the_rest_is_asked_for_like_the_whole_but_for_range_and_conditions() {
        let sent = "GET /a HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"b\"\r\nrange: bytes=1-\r\nAccept: */*\r\n\r\n";
        let rest = "GET /a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nRange: bytes=5-9\r\nIf-Range: \"a\"\r\n\r\n";
        assert_eq!(asked(sent).as_deref(), Some(rest));
    }

    #[test]
    fn what_was_sent_with_a_body_is_not_asked_again() {
        assert_eq!(asked("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), None);
        assert_eq!(asked("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), None);
    }
}
