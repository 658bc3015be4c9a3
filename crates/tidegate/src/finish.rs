//! The end of a request: its response is sent, its record closed and logged, and its connection kept or given up.
//! Not here: who made the response (`answer`).

use std::time::{Duration, Instant};

use config::model::{Level, LingeringClose};
use http1::Framing;
use policy::failure::Fired;
use policy::{Failure, Outcome, Phase};

use crate::access_log;
use crate::client::ClientFailure;
use crate::deliver::{BytesBody, Delivered, EndpointBody, FileBody, Sink, Source, deliver};
use crate::downstream::h1::{H1, Idle};
use crate::exchange::Answered;
use crate::record::Summary;
use crate::request::{Request, upstream_url};
use crate::response::{self, Body, Response};
use crate::resume::{self, Broken as BrokenOff, NoRest};
use crate::tunnel::{self, Broken, End, Side};

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It waits for the next request.
    Keep(Idle),
    /// It is closed at once.
    Close,
    /// It is closed once the client has had time to read the answer.
    Linger { time: Duration, timeout: Duration },
}

/// Sends the answer that was found, or nothing where there is none to send.
pub(crate) async fn finish(client: &mut H1, request: &mut Request, answer: Result<Box<Response>, u16>) -> After {
    request.record.request_length += client.body_taken();
    let after = match answer {
        Ok(response) => send(client, request, response).await,
        Err(status) => {
            request.record.status = status;
            After::Close
        }
    };
    request.record.bytes_sent += client.interim_sent();
    access_log::write(request);
    observe(request);
    after
}

async fn send(client: &mut H1, request: &mut Request, mut response: Box<Response>) -> After {
    if let Some(status) = request.status_override {
        response.status = status;
        response.reason = None;
    }
    response.keep(std::mem::take(&mut request.kept));
    request.add_failure_fields(response.status, &mut response.fields);
    request.record.status = response.status;
    let framing = response::framing(request, &response);
    let keep_alive = keeps_alive(client, request, framing);
    if matches!(response.body, Body::Endpoint(_)) && request.tells_in_trailers(framing) {
        response.fields.push(b"Trailer", b"Proxy-Status");
        request.stand_for_trailer(&mut response.fields);
    }
    response::add_headers(request, &mut response, framing, keep_alive);
    let head = response::encode_head(request, &response, framing, keep_alive);
    request.record.head_length = head.len() as u64;
    if request.generation.tables.keeps_heads {
        request.record.sent_head = head.clone();
    }
    let switching = response.status == 101;
    let delivered = match std::mem::replace(&mut response.body, Body::Empty) {
        Body::Endpoint(answered) if switching => return Box::pin(upgrade(client, request, head, *answered)).await,
        Body::Endpoint(answered) => endpoint_body(client, request, head, framing, answered).await,
        Body::Bytes(bytes) => plain(client, request, head, framing, &mut BytesBody::new(bytes)).await,
        Body::File { file, parts, tail } => {
            plain(client, request, head, framing, &mut FileBody::new(file, parts, tail)).await
        }
        Body::Empty => plain(client, request, head, framing, &mut BytesBody::new(Vec::new())).await,
    };
    conclude(client, request, framing, keep_alive, delivered).await
}

/// Whether the connection can carry another request after this answer.
fn keeps_alive(client: &H1, request: &Request, framing: Framing) -> bool {
    let settings = request.settings();
    let connection = &request.connection;
    request.keep_alive
        && framing != Framing::Close
        && !request.worker.is_draining()
        && !settings.keepalive_timeout.is_zero()
        && connection.requests.get() < settings.keepalive_requests
        && request.record.started.duration_since(connection.started) < settings.keepalive_time
        && (client.body_is_complete() || !client.awaits_continue())
}

async fn plain(
    client: &mut H1,
    request: &mut Request,
    head: Vec<u8>,
    framing: Framing,
    source: &mut dyn Source,
) -> Delivered {
    let (sent, delivered) = deliver(head, source, sink(client, request, framing)).await;
    request.record.bytes_sent = sent;
    match &delivered {
        Delivered::Whole => {}
        Delivered::CutOff(failure) | Delivered::BothFailed(failure) => {
            let message = format!("{} while {}", failure.nginx_phrase(), failure.phase.nginx_action());
            request.fail(Level::Alert, &message, failure.clone());
        }
        Delivered::Client(failure) => request.log_client_failure(*failure, Some(Phase::Deliver), None),
    }
    delivered
}

fn sink<'a>(client: &'a mut H1, request: &Request, framing: Framing) -> Sink<'a> {
    let settings = request.settings();
    let (count, size) = settings.proxy.buffers;
    Sink {
        client,
        watched: false,
        framing,
        send_timeout: settings.send_timeout,
        held: if request.buffering.unwrap_or(settings.proxy.buffering) { count * size } else { 0 },
        trailers: settings.proxy.pass_trailers,
        confession: None,
    }
}

/// Sends what follows an endpoint's head; where that breaks off, what another endpoint has of it.
async fn endpoint_body(
    client: &mut H1,
    request: &mut Request,
    head: Vec<u8>,
    framing: Framing,
    mut answered: Box<Answered>,
) -> Delivered {
    let Some(mut resume) = answered.resume.take() else {
        return pass_on(client, request, head, framing, answered).await.0;
    };
    let (upstream, mut endpoint) = (answered.picked.upstream().clone(), answered.picked.endpoint);
    let (mut delivered, mut come) = pass_on(client, request, head, framing, answered).await;
    while matches!(delivered, Delivered::CutOff(_)) {
        let broken = BrokenOff { resume: &mut resume, come, upstream: upstream.clone(), endpoint };
        // Few answers come to this: the others' futures stay small.
        match Box::pin(resume::rest(client, request, broken)).await {
            Ok(rest) => {
                endpoint = rest.picked.endpoint;
                let (outcome, length) = pass_on(client, request, Vec::new(), framing, rest).await;
                come += length;
                delivered = outcome;
            }
            Err(NoRest::Missing) => break,
            Err(NoRest::Client(failure)) => {
                // If no attempt was under way to say it, it is said here.
                if request.record.failure.is_none() {
                    request.log_client_failure(failure, Some(Phase::Deliver), None);
                }
                return Delivered::Client(failure);
            }
        }
    }
    delivered
}

/// Sends what one endpoint has, and takes the endpoint's connection back if it ended well; how that went, and how many bytes
/// of body there were.
async fn pass_on(
    client: &mut H1,
    request: &mut Request,
    head: Vec<u8>,
    framing: Framing,
    answered: Box<Answered>,
) -> (Delivered, u64) {
    let Answered { reply, mut connection, picked, .. } = *answered;
    let persistent = reply.persistent && reply.request_complete;
    let timeout = request.settings().proxy.read_timeout;
    let mut body = EndpointBody::new(&mut connection, reply.buffer, reply.framing, timeout);
    let watched = !request.settings().proxy.ignore_client_abort;
    let confess = |failure: &Failure| request.failure_trailers(failure);
    let confession = request.tells_in_trailers(framing).then_some(&confess as &dyn Fn(&Failure) -> http1::Fields);
    let sink = Sink { watched, confession, ..sink(client, request, framing) };
    let (sent, delivered) = deliver(head, &mut body, sink).await;
    let (clean, excess) = (body.left_clean(), body.excess());
    let (length, received) = (body.length, body.received);
    let now = Instant::now();
    request.record.bytes_sent += sent;
    request.record.upstream_trailers = body.take_trailers();
    request.record.sent_trailers = framing == Framing::Chunked && request.settings().proxy.pass_trailers;
    if let Some(attempt) = request.record.attempts.last_mut() {
        attempt.response_length = length;
        attempt.bytes_received += received;
        attempt.response_time = Some(now.duration_since(attempt.started));
    }
    if persistent && clean && matches!(delivered, Delivered::Whole) {
        connection.carried(request.record.attempts.last());
        picked.upstream().pool.borrow_mut().give(connection, now);
    }
    let attempts = u32::try_from(request.record.attempts.len()).unwrap_or(u32::MAX);
    let told = |failure| picked.told(failure, attempts, &request.settings().proxy);
    let delivered = match delivered {
        Delivered::CutOff(failure) => Delivered::CutOff(told(failure)),
        Delivered::BothFailed(failure) => Delivered::BothFailed(told(failure)),
        delivered => delivered,
    };
    match &delivered {
        Delivered::Whole => {
            if let Some(excess) = excess {
                let upstream = upstream_url(picked.endpoint().text(), &request.upstream_head);
                request.log(Level::Warn, &format!("{excess} while {}", Phase::Body.nginx_action()), Some(&upstream));
            }
            picked.finish(Outcome::Success, now);
        }
        Delivered::CutOff(failure) | Delivered::BothFailed(failure) => {
            let endpoint = picked.endpoint().text().clone();
            let upstream = upstream_url(&endpoint, &request.upstream_head);
            request.log_failure(failure, &endpoint, &upstream);
            if let Some(attempt) = request.record.attempts.last_mut() {
                attempt.failure = Some(failure.clone());
            }
            if picked.finish(Outcome::Failure, now) {
                request.log_disabled(Phase::Body, &upstream);
            }
        }
        Delivered::Client(failure) => {
            let upstream = upstream_url(picked.endpoint().text(), &request.upstream_head);
            request.log_client_failure(*failure, Some(Phase::Deliver), Some(&upstream));
            picked.finish(Outcome::Neutral, now);
        }
    }
    (delivered, length)
}

/// Closes the books on a delivery and decides about the connection.
async fn conclude(
    client: &mut H1,
    request: &mut Request,
    framing: Framing,
    keep_alive: bool,
    delivered: Delivered,
) -> After {
    match delivered {
        Delivered::Whole => request.record.complete = true,
        Delivered::CutOff(failure) | Delivered::BothFailed(failure) => {
            request.record.failure = Some(failure);
            // Without a length or a last chunk, only a reset tells the client that the rest is missing.
            if framing == Framing::Close {
                client.stream.reset_on_close();
            }
            return After::Close;
        }
        Delivered::Client(failure) => {
            if failure == ClientFailure::Stalled && request.settings().reset_timedout_connection {
                client.stream.reset_on_close();
            }
            return After::Close;
        }
    }
    let settings = request.settings();
    let linger = After::Linger { time: settings.lingering_time, timeout: settings.lingering_timeout };
    let keep = After::Keep(Idle { most: settings.keepalive_timeout, least: settings.keepalive_min_timeout });
    if keep_alive && client.body_is_complete() {
        return keep;
    }
    if keep_alive {
        let discard = tokio::time::timeout(settings.lingering_time, client.discard_body(settings.lingering_timeout));
        return match discard.await {
            Ok(Ok(())) => keep,
            _ => After::Close,
        };
    }
    match settings.lingering_close {
        LingeringClose::Off => After::Close,
        LingeringClose::On if client.body_is_complete() && !client.has_input() => After::Close,
        LingeringClose::On | LingeringClose::Always => linger,
    }
}

/// `101`: the head is sent, and from then on the two streams are one.
async fn upgrade(client: &mut H1, request: &mut Request, head: Vec<u8>, answered: Answered) -> After {
    let Answered { reply, mut connection, picked, .. } = answered;
    let (send_timeout, timeout) = (request.settings().send_timeout, request.settings().proxy.read_timeout);
    let upstream = upstream_url(picked.endpoint().text(), &request.upstream_head);
    if let Err(failure) = client.write_all(&head, send_timeout).await {
        request.log_client_failure(failure, Some(Phase::Deliver), Some(&upstream));
        return After::Close;
    }
    let early = client.take_input();
    let (stream, _, timer) = client.parts_mut();
    let (end, moved) = tunnel::run(stream, &mut connection.stream, (early, reply.buffer), timeout, timer).await;
    request.record.bytes_sent = head.len() as u64 + moved.to_client;
    request.record.complete = true;
    if let Some(attempt) = request.record.attempts.last_mut() {
        attempt.response_time = Some(attempt.started.elapsed());
        attempt.response_length = moved.to_client;
        attempt.bytes_received += moved.to_client;
        attempt.bytes_sent += moved.to_endpoint;
    }
    let failure = match end {
        End::Closed => None,
        End::TimedOut => {
            let fired = Fired { directive: "proxy_read_timeout", after: timeout };
            let set_at = request.settings().proxy.written.told(fired.directive);
            Some(Failure::timed_out(Phase::Tunnel).with(|evidence| {
                evidence.timer = Some(fired);
                evidence.set_at = set_at;
            }))
        }
        End::Broken(Broken { side: Side::Endpoint, call, errno }) => {
            Some(Failure::from_io(Phase::Tunnel, errno, false).detail(call))
        }
        End::Broken(Broken { side: Side::Client, call, errno }) => {
            request.log_client_failure(ClientFailure::Broken(call, errno), Some(Phase::Tunnel), Some(&upstream));
            None
        }
    };
    if let Some(failure) = failure {
        request.log_failure(&failure, picked.endpoint().text(), &upstream);
        request.record.failure = Some(failure);
    }
    picked.finish(Outcome::Success, Instant::now());
    After::Close
}

/// Tells the demonstration, if it listens.
fn observe(request: &Request) {
    let Some(observer) = &request.worker.observer else { return };
    let attempts = request.record.attempts.iter().map(|attempt| {
        let result = match &attempt.failure {
            Some(failure) => Err(failure.nginx_phrase().into_owned()),
            None => Ok(attempt.status),
        };
        (attempt.endpoint.to_string(), result)
    });
    // A demonstration that has ended listens no more.
    let _ = observer.send(Summary {
        method: request.head.method.to_string(),
        target: String::from_utf8_lossy(&request.uri.raw).into_owned(),
        status: request.record.status,
        attempts: attempts.collect(),
        took: request.record.started.elapsed(),
    });
}
