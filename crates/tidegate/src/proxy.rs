//! `proxy_pass`: prepares a request for its upstream, and makes of what comes back the next step.
//! Not here: the attempts themselves (`exchange`), the text of heads (`forward`).

mod target;

use std::borrow::Cow;
use std::net::IpAddr;

use config::model::{Level, Proxy, ProxyPass, Template};
use http::Method;
use http1::Framing;
use policy::{Balance, Cause, Failure, Phase};

use self::target::Target;
use crate::answer::Step;
use crate::body::Kept;
use crate::client::{Client, ClientFailure};
use crate::downstream::h1::H1;
use crate::exchange::{Answered, Errand, Unanswered, exchange};
use crate::forward;
use crate::request::{Request, RequestBody};
use crate::response::{Body, Passed, Response};
use crate::resume;
use crate::upstream::attempt::{Outgoing, OutgoingBody};
use crate::uri::parse_internal;
use crate::variables;

/// Forwards the request and says what to do with the outcome.
pub(crate) async fn pass(client: &mut H1, request: &mut Request, pass: &ProxyPass) -> Step {
    if let Err(step) = renounce_body(client, request) {
        return step;
    }
    if let Err(failure) = prepare_body(client, request).await {
        request.log_client_failure(failure, None, None);
        return client_failed(request, failure);
    }
    let target = match target::find(request, pass).await {
        Ok(target) => target,
        Err(step) => return step,
    };
    match forward(client, request, pass, &target).await {
        Ok(answered) => answered_step(request, answered),
        Err(Unanswered::Failed(failure)) => {
            let status = failure.status().as_u16();
            request.record.failure = Some(failure);
            Step::Status(status)
        }
        Err(Unanswered::Client(failure)) => {
            // No attempt was under way to say it: the request waited for an endpoint.
            if request.record.failure.is_none() {
                request.log_client_failure(failure, Some(Phase::Select), None);
            }
            client_failed(request, failure)
        }
    }
}

async fn forward(
    client: &mut H1,
    request: &mut Request,
    pass: &ProxyPass,
    target: &Target,
) -> Result<Box<Answered>, Unanswered> {
    let generation = request.generation.clone();
    let proxy = &generation.tables.location(request.server, request.location).settings.proxy;
    let forwarding = generation.tables.forwarding(proxy);
    let replaced = proxy.set_body.as_ref().map(|body| Kept::from_bytes(variables::evaluate(body, request)));
    let (framing, _) = outgoing_body(request, proxy.pass_request_body, replaced.as_ref(), &request.body);
    let head = forward::request_head(request, pass, forwarding, target.uri.as_deref(), framing);
    // The body is lent to the errand while the request is being written to.
    let body = std::mem::take(&mut request.body);
    let (_, source) = outgoing_body(request, proxy.pass_request_body, replaced.as_ref(), &body);
    let config = &generation.tables.config;
    let errand = Errand {
        name: target.name(config),
        key: &balancing_key(request, target.balance(config)),
        upstream: target.upstream.clone(),
        outgoing: Outgoing { head: &head, body: source },
        proxy,
        avoid: None,
    };
    let result = exchange(client, request, &errand).await;
    drop(errand);
    request.body = body;
    request.upstream_head = head;
    result
}

/// What is sent as the body, and how it is framed.
fn outgoing_body<'a>(
    request: &Request,
    pass_body: bool,
    replaced: Option<&'a Kept>,
    body: &'a RequestBody,
) -> (Framing, OutgoingBody<'a>) {
    static NOTHING: Kept = Kept::EMPTY;
    if let Some(replaced) = replaced {
        return (Framing::Length(replaced.len()), OutgoingBody::Kept(replaced));
    }
    match body {
        _ if !pass_body => (Framing::Empty, OutgoingBody::Kept(&NOTHING)),
        RequestBody::Kept(kept) if request.framing == Framing::Empty => (Framing::Empty, OutgoingBody::Kept(kept)),
        RequestBody::Kept(kept) => (Framing::Length(kept.len()), OutgoingBody::Kept(kept)),
        RequestBody::Unread | RequestBody::Streamed => (request.framing, OutgoingBody::Streamed(request.framing)),
    }
}

/// A body that an endpoint got as it came is gone: a redirect to another one goes without it where the method has no use
/// for it, and nowhere otherwise. A head whose body does not follow would swallow the next request on its connection.
fn renounce_body(client: &H1, request: &mut Request) -> Result<(), Step> {
    if !matches!(request.body, RequestBody::Streamed) || client.body_taken() == 0 {
        return Ok(());
    }
    if !matches!(request.head.method, Method::GET | Method::HEAD) {
        let failure = Failure::new(Cause::BodyGone);
        let status = failure.status().as_u16();
        request.fail(Level::Error, &failure.nginx_phrase(), failure);
        return Err(Step::Status(status));
    }
    request.framing = Framing::Empty;
    request.body = RequestBody::Kept(Kept::EMPTY);
    Ok(())
}

/// Reads the body whole unless it is to be streamed.
async fn prepare_body(client: &mut H1, request: &mut Request) -> Result<(), ClientFailure> {
    if matches!(request.body, RequestBody::Kept(_)) {
        return Ok(());
    }
    let settings = request.settings();
    client.bound_body(settings.client_max_body_size, settings.client_body_timeout);
    // HTTP/1.0 has no chunks: the length must be known.
    let can_stream = request.framing != Framing::Chunked || settings.proxy.http11;
    if request.framing != Framing::Empty && !settings.proxy.request_buffering && can_stream {
        request.body = RequestBody::Streamed;
        return Ok(());
    }
    let mut kept = Kept::default();
    if request.framing != Framing::Empty {
        let mut piece = Vec::with_capacity(expected_length(request));
        loop {
            let more = std::future::poll_fn(|cx| client.poll_body(cx, &mut piece)).await?;
            keep_piece(request, &mut kept, &mut piece)?;
            if !more {
                break;
            }
        }
    }
    request.body = RequestBody::Kept(kept);
    Ok(())
}

/// Room for a body that is kept in memory and says its length.
fn expected_length(request: &Request) -> usize {
    let bound = request.settings().client_body_buffer_size;
    match request.framing {
        Framing::Length(length) => usize::try_from(length).map_or(bound, |length| length.min(bound)),
        _ => 0,
    }
}

fn keep_piece(request: &mut Request, kept: &mut Kept, piece: &mut Vec<u8>) -> Result<(), ClientFailure> {
    let settings = request.settings();
    let directory = &settings.client_body_temp_path;
    match kept.append(piece, settings.client_body_buffer_size, directory) {
        Ok(false) => {}
        Ok(true) => {
            let directory = directory.display();
            let message = format!("a client request body is buffered to a temporary file in {directory}");
            request.log(Level::Warn, &message, None);
        }
        Err(error) => {
            let message = format!("a request body cannot be kept in \"{}\": {error}", directory.display());
            request.fail(Level::Crit, &message, Failure::new(Cause::TempFileFailed));
            return Err(ClientFailure::Unkept);
        }
    }
    Ok(())
}

/// What `hash` and `ip_hash` balance by: nginx takes three bytes of an IPv4 address, all of an IPv6 one.
fn balancing_key(request: &Request, (balance, hash_key): (Balance, Option<&Template>)) -> Cow<'static, [u8]> {
    match (hash_key, balance) {
        (Some(key), _) => variables::evaluate(key, request).into(),
        (None, Balance::IpHash) => match request.connection.peer.map(|peer| peer.ip()) {
            Some(IpAddr::V4(address)) => address.octets()[..3].to_vec().into(),
            Some(IpAddr::V6(address)) => address.octets().to_vec().into(),
            None => Cow::Borrowed(&[0; 3]),
        },
        _ => Cow::Borrowed(&[]),
    }
}

/// What the gateway answers when the client's side of a request failed.
pub(crate) fn client_failed(request: &mut Request, failure: ClientFailure) -> Step {
    request.keep_alive = false;
    match failure {
        ClientFailure::Gone(_) | ClientFailure::Deaf(_) | ClientFailure::Broken(..) => Step::Silence(499),
        ClientFailure::CutOff => Step::Silence(400),
        ClientFailure::Malformed => Step::Status(400),
        ClientFailure::TooLarge { .. } => Step::Status(413),
        ClientFailure::TimedOut | ClientFailure::Stalled => Step::Status(408),
        ClientFailure::Unkept => Step::Status(500),
    }
}

/// An endpoint answered: it may send us elsewhere, its error may be replaced, or it is the response.
fn answered_step(request: &mut Request, answered: Box<Answered>) -> Step {
    if request.generation.tables.keeps_heads {
        request.record.upstream_fields = Some(answered.reply.head.fields.clone());
    }
    let settings = request.settings();
    let ignores = |name: &str| settings.proxy.ignore_headers.iter().any(|ignored| &**ignored == name);
    let fields = &answered.reply.head.fields;
    let status = answered.reply.head.status;
    if settings.proxy.intercept_errors && status >= 300 && settings.error_pages.iter().any(|page| page.status == status)
    {
        for challenge in fields.get_all("www-authenticate").filter(|_| status == 401) {
            request.kept.push(b"WWW-Authenticate", challenge);
        }
        answered.put_away(request);
        return Step::Status(status);
    }
    if let Some(target) = fields.get("x-accel-redirect").filter(|_| !ignores("x-accel-redirect")) {
        let target = target.to_vec();
        for field in forward::kept_fields(request, fields).iter() {
            request.kept.push(field.name, field.value);
        }
        answered.put_away(request);
        return accelerate(request, &target);
    }
    Step::Respond(Box::new(respond(request, answered)))
}

/// `X-Accel-Redirect`: the endpoint names who answers instead of it.
fn accelerate(request: &mut Request, target: &[u8]) -> Step {
    if target.first() == Some(&b'@') {
        return Step::Named(String::from_utf8_lossy(target).into());
    }
    match parse_internal(target) {
        Some(uri) => {
            if request.head.method != http::Method::HEAD {
                request.head.method = http::Method::GET;
            }
            Step::Redirect { path: uri.path, args: uri.args }
        }
        None => {
            let shown = String::from_utf8_lossy(target);
            request.log(
                Level::Error,
                &format!("unsafe URI \"{shown}\" was detected while reading response header from upstream"),
                None,
            );
            Step::Status(404)
        }
    }
}

fn respond(request: &mut Request, mut answered: Box<Answered>) -> Response {
    let head = &mut answered.reply.head;
    let ignores = request.settings().proxy.ignore_headers.iter().any(|ignored| &**ignored == "x-accel-buffering");
    request.buffering = match head.fields.get("x-accel-buffering").filter(|_| !ignores) {
        Some(value) if value.eq_ignore_ascii_case(b"no") => Some(false),
        Some(value) if value.eq_ignore_ascii_case(b"yes") => Some(true),
        _ => None,
    };
    let declared = || std::str::from_utf8(head.fields.get("content-length")?).ok()?.parse().ok();
    let length = match answered.reply.framing {
        Framing::Length(length) => Some(length),
        Framing::Empty if crate::response::is_bodiless(request, head.status) => declared(),
        // Asked with HEAD for a client that asked with another method (`proxy_method`): there is no body to pass on.
        Framing::Empty => Some(0),
        Framing::Chunked | Framing::Close => None,
    };
    answered.resume = resume::of(request, &answered.reply);
    let head = &mut answered.reply.head;
    let received = std::mem::take(&mut head.fields);
    let (fields, completes_location) = forward::response_fields(request, head.status, received);
    Response {
        status: head.status,
        reason: Some(head.take_reason()),
        passed: passed(&request.settings().proxy),
        fields,
        last_modified: None,
        ranges: None,
        completes_location,
        length,
        body: Body::Endpoint(answered),
    }
}

/// What `proxy_pass_header` leaves to the endpoint: the gateway adds none of its own, even where the endpoint sent none.
fn passed(proxy: &Proxy) -> Passed {
    let passes = |name: &str| !proxy.hide_headers.iter().any(|hidden| &**hidden == name);
    Passed { server: passes("server"), date: passes("date") }
}
