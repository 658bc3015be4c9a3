//! Makes one attempt: a connection from the pool or a new one, the request on it, the heads that come back, and where it
//! can be mended the whole of a small body. Not here: which endpoint, and what follows from how it went.

use std::time::{Duration, Instant};

use config::model::Proxy;
use http1::{Framing, ResponseHead, ResponseLimits, Version, encode};
use policy::reuse::Need;
use policy::{Cause, Failure};

use super::Errand;
use crate::downstream::h1::H1;
use crate::record::Attempted;
use crate::request::Request;
use crate::upstream::attempt::{Attempt, Ended, Limits, Outgoing, Reply};
use crate::upstream::connect::{self, Opened};
use crate::upstream::pool::{Connection, Key};
use crate::upstream::{Endpoint, Picked};

/// What an attempt leaves behind for the decision about the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traces {
    /// The connection had carried a request before, and then idled so long.
    pub(super) idled: Option<Duration>,
    /// The kernel took bytes of the request.
    pub(super) sent: bool,
    /// And none of them arrived at the endpoint.
    unread: bool,
}

impl Traces {
    /// The endpoint may have got some of the request.
    pub(super) fn reached(self) -> bool {
        self.sent && !self.unread
    }
}

/// What an attempt is made under.
pub(super) struct Terms {
    /// How sure a cached connection must be to be open.
    pub(super) need: Need,
    /// Another attempt could mend an answer that breaks off.
    pub(super) mends: bool,
    /// Which retry it is, where endpoints are told; 0 for the first attempt.
    pub(super) retry: u32,
    pub(super) started: Instant,
}

/// An attempt that is over, or has its answer.
pub(super) struct Made {
    pub(super) result: Result<(Reply, Box<Connection>), Ended>,
    pub(super) traces: Traces,
}

/// Makes one attempt and writes it into the record.
pub(super) async fn make(
    client: &mut H1,
    request: &mut Request,
    errand: &Errand<'_>,
    picked: &Picked,
    terms: &Terms,
) -> Made {
    let (endpoint, started) = (picked.endpoint(), terms.started);
    let mut attempted = Attempted::new(endpoint.text().clone(), std::mem::take(&mut request.redirected), started);
    let key = Key { endpoint: picked.endpoint, bind: errand.proxy.bind };
    let pooled = errand.upstream.pool.borrow_mut().take(key, terms.need, started);
    let idled = pooled.as_ref().and_then(|connection| connection.idled);
    let opened = match pooled {
        Some(connection) => Ok((connection, Duration::ZERO)),
        None => Box::pin(open(request, errand.proxy, endpoint)).await.map(|Opened { stream, timer, address }| {
            let connection =
                Connection { stream, timer, address, key, born: started, requests: 0, sent: 0, idled: None };
            (Box::new(connection), started.elapsed())
        }),
    };
    let result = match opened {
        Err(failure) => Err(Ended::Failed(failure)),
        Ok((connection, took)) => {
            attempted.connect_time = Some(took);
            attempted.endpoint.clone_from(&connection.address);
            converse(client, request, errand, connection, &mut attempted, terms).await
        }
    };
    let (sent, unread) = (attempted.bytes_sent > 0, attempted.unread && errand.proxy.resilience.replays_unread);
    let attempts = request.record.attempts.len() as u32 + 1;
    let result = result.map_err(|ended| ended.told(picked, attempts, errand.proxy));
    match &result {
        Ok(_) => {}
        Err(Ended::Failed(failure)) => attempted.failed(failure.clone()),
        Err(Ended::Client(_)) => attempted.response_time = Some(started.elapsed()),
    }
    request.record.attempts.push(attempted);
    Made { result, traces: Traces { idled, sent, unread } }
}

/// Connects; without a descriptor left, once more after what idles has made room.
async fn open(request: &Request, proxy: &Proxy, endpoint: &Endpoint) -> Result<Opened, Failure> {
    match connect::connect(endpoint, proxy).await {
        Err(failure) if failure.cause == Cause::DescriptorsExhausted && request.worker.free_descriptors().await => {
            connect::connect(endpoint, proxy).await
        }
        opened => opened,
    }
}

/// Sends the request and reads heads until the final one.
async fn converse(
    client: &mut H1,
    request: &Request,
    errand: &Errand<'_>,
    mut connection: Box<Connection>,
    attempted: &mut Attempted,
    terms: &Terms,
) -> Result<(Reply, Box<Connection>), Ended> {
    let proxy = errand.proxy;
    let limits = Limits {
        send_timeout: proxy.send_timeout,
        read_timeout: proxy.read_timeout,
        head: ResponseLimits { head: proxy.buffer_size, fields: MAX_RESPONSE_FIELDS },
    };
    let pool = request.worker.buffers.clone();
    let method = sent_method(errand.outgoing.head);
    let marked = (terms.retry > 0).then(|| marked(errand.outgoing.head, terms.retry));
    let outgoing = Outgoing { head: marked.as_deref().unwrap_or(errand.outgoing.head), body: errand.outgoing.body };
    let mut attempt = Attempt::new(&mut connection, &outgoing, &method, limits, pool);
    let mut interim = 0;
    let head = loop {
        let head = attempt.next_head(client, !proxy.ignore_client_abort).await;
        attempted.bytes_sent = attempt.sent;
        attempted.bytes_received = attempt.received;
        let head = match head {
            Err(Ended::Failed(failure)) => {
                attempted.unread = connection.was_unread(&failure);
                return Err(failure.into());
            }
            head => head?,
        };
        interim += 1;
        match head.status {
            100..200 if interim > MAX_INTERIM => return Err(attempt.fault(Cause::TooManyInterims)),
            101 if request.asks_for_upgrade(errand.outgoing.head) => break head,
            101 => return Err(attempt.fault(Cause::UnaskedUpgrade)),
            100 => {}
            102..200 => Box::pin(relay_interim(client, request, &head)).await?,
            _ => break head,
        }
    };
    let answered = Instant::now();
    attempted.header_time = Some(answered.duration_since(attempted.started));
    attempted.status = head.status;
    let mut reply = attempt.reply(head)?;
    if let Some(failure) = &reply.idle_timeout {
        attempted.unread = connection.was_unread(failure);
        return Ok((reply, connection));
    }
    errand.upstream.pool.borrow_mut().answered(&connection, &reply.head.fields, answered);
    if let Some((length, time)) = held_back(&reply, proxy).filter(|_| terms.mends) {
        attempted.bytes_received += reply.hold_back(&mut connection, length, time).await?;
    }
    Ok((reply, connection))
}

/// A head that says which retry it is, so that whoever stands behind does not retry it in turn.
fn marked(head: &[u8], retry: u32) -> Vec<u8> {
    let mut marked = head.strip_suffix(b"\r\n").unwrap_or(head).to_vec();
    encode::field(&mut marked, b"Retry-Attempt", retry.to_string().as_bytes());
    encode::end(&mut marked);
    marked
}

/// How long a body is waited for until it is whole, and for how long.
fn held_back(reply: &Reply, proxy: &Proxy) -> Option<(u64, Duration)> {
    let settings = proxy.resilience.hold_back().filter(|_| proxy.buffering)?;
    let Framing::Length(length) = reply.framing else { return None };
    let streams = reply.head.fields.get("x-accel-buffering").is_some();
    (length <= settings.size && !streams).then_some((length, settings.time))
}

/// The most field lines of a response.
const MAX_RESPONSE_FIELDS: usize = 1000;

/// The most interim responses before a final one.
const MAX_INTERIM: usize = 100;

/// The method that an endpoint is asked with, which `proxy_method` may have changed: it says whether a body follows.
fn sent_method(head: &[u8]) -> http::Method {
    let word = head.split(|byte| *byte == b' ').next().unwrap_or_default();
    http::Method::from_bytes(word).unwrap_or_default()
}

/// Passes a 1xx on to a client that can understand it (RFC 9110 §15.2).
async fn relay_interim(client: &mut H1, request: &Request, head: &ResponseHead) -> Result<(), Ended> {
    if request.head.version == Version::H10 {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity(256);
    http1::encode::status_line(&mut bytes, Version::H11, head.status, head.reason());
    let ends_here = |name: &[u8]| {
        http1::is_hop_by_hop(name)
            || name.eq_ignore_ascii_case(b"content-length")
            || http1::is_named_by_connection(&head.fields, name)
    };
    for field in head.fields.iter().filter(|field| !ends_here(field.name)) {
        http1::encode::line(&mut bytes, field);
    }
    http1::encode::end(&mut bytes);
    client.write_interim(&bytes, request.settings().send_timeout).await.map_err(Ended::Client)
}
