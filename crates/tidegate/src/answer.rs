//! Who answers a request: a rule, a file or an upstream; and where internal redirects lead until somebody did.
//! Not here: the attempts (`exchange`), and sending what was decided (`finish`).

use config::model::{Level, Return, Set, SetVariable, Template};
use http::Method;
use http1::Framing;
use policy::{Cause, Failure};

use crate::downstream::h1::H1;
use crate::files;
use crate::local::error_pages::{self, ErrorAction, StatusRule};
use crate::local::pages;
use crate::local_response;
use crate::own;
use crate::proxy;
use crate::request::Request;
use crate::response::Response;
use crate::route::LocationId;
use crate::uri::{Escape, escape};
use crate::variables::evaluate;

/// nginx's bound on internal redirects of one request; beyond it the answer is 500.
const MAX_REDIRECTS: u32 = 10;

/// What is to be done next.
pub(crate) enum Step {
    /// Find the location of the current path.
    Route,
    /// Ask this location.
    Ask(LocationId),
    /// Go to another path inside.
    Redirect { path: Vec<u8>, args: Vec<u8> },
    /// Go to `@name`.
    Named(Box<str>),
    /// Send the client elsewhere.
    Move { status: u16, location: Vec<u8> },
    /// Answer with a status: an `error_page`, or a page of ours.
    Status(u16),
    /// Answer with this.
    Respond(Box<Response>),
    /// Close without an answer; logs show the status.
    Silence(u16),
}

/// Follows the steps to a response; `Err` is the status that logs show when there is none to send.
pub(crate) async fn answer(client: &mut H1, request: &mut Request, first: Step) -> Result<Box<Response>, u16> {
    let mut step = first;
    let mut redirects = 0;
    loop {
        let redirecting = matches!(step, Step::Redirect { .. } | Step::Named(_));
        redirects += u32::from(redirecting);
        step = match step {
            step if redirecting && redirects > MAX_REDIRECTS => cycle(request, &step),
            Step::Route => match own::serve(request).await {
                Some(own) => own,
                None => route(request),
            },
            Step::Ask(location) => ask(client, request, location).await,
            Step::Redirect { path, args } => inside(request, path, args),
            Step::Named(name) => named(request, &name),
            Step::Move { status, location } => {
                keep_location(request, &location);
                Step::Status(status)
            }
            Step::Status(status) => failed(request, status),
            Step::Respond(response) => return Ok(response),
            Step::Silence(status) => return Err(status),
        };
    }
}

/// One internal redirect too many: no error page is followed any more.
fn cycle(request: &mut Request, step: &Step) -> Step {
    request.error_page = true;
    let towards = match step {
        Step::Redirect { path, .. } => format!("internally redirecting to \"{}\"", String::from_utf8_lossy(path)),
        Step::Named(name) => format!("redirect to named location \"{name}\""),
        _ => return Step::Status(500),
    };
    let message = format!("rewrite or internal redirection cycle while {towards}");
    request.fail(Level::Error, &message, Failure::new(Cause::RedirectCycle));
    Step::Status(500)
}

/// Finds the location of the path, after the server's own `return`.
fn route(request: &mut Request) -> Step {
    request.location = LocationId::SERVER;
    let generation = request.generation.clone();
    let root = &generation.tables.config.servers[request.server].root;
    set(request, &root.sets);
    if let Some(answer) = &root.answer {
        return returned(request, answer);
    }
    let table = generation.tables.locations(request.server);
    match table.find(&request.uri.path, request.captures.get_mut()) {
        Ok(found) if found.redirect => {
            request.location = found.location;
            if let Some(refusal) = refused(request) {
                return refusal;
            }
            Step::Move { status: 301, location: table.slash_redirect(found.location, &request.uri.args) }
        }
        Ok(found) => Step::Ask(found.location),
        Err(error) => {
            request.fail(Level::Alert, &error.to_string(), Failure::new(Cause::ConfigurationError));
            Step::Status(500)
        }
    }
}

/// Asks a location, in the order of nginx's phases: access, rewrite, try_files, content.
async fn ask(client: &mut H1, request: &mut Request, id: LocationId) -> Step {
    request.location = id;
    let generation = request.generation.clone();
    let location = generation.tables.location(request.server, id);
    if let Some(refusal) = refused(request) {
        return refusal;
    }
    // The server's own were done before the location was looked for.
    if id != LocationId::SERVER {
        set(request, &location.sets);
    }
    if let Some(answer) = &location.answer {
        return returned(request, answer);
    }
    if let Some(try_files) = &location.settings.try_files
        && let Some(step) = files::try_files(request, try_files)
    {
        return step;
    }
    match &location.settings.proxy_pass {
        Some(pass) => proxy::pass(client, request, pass).await,
        None => files::serve(request),
    }
}

/// Does some `set` lines.
fn set(request: &mut Request, sets: &[Set]) {
    for set in sets {
        let value = evaluate(&set.value, request);
        match set.variable {
            SetVariable::Own(name) => request.captures.get_mut().set(name, value.into()),
            SetVariable::Args => request.uri.set_args(value),
        }
    }
}

/// What keeps a request out of its location: it is `internal`, or the body is too large for it.
fn refused(request: &mut Request) -> Option<Step> {
    if request.location().internal && !request.internal {
        return Some(Step::Status(404));
    }
    too_large(request)
}

/// A declared length beyond `client_max_body_size` is refused before anything is read.
fn too_large(request: &mut Request) -> Option<Step> {
    let Framing::Length(length) = request.framing else { return None };
    let limit = request.settings().client_max_body_size;
    if limit == 0 || length <= limit || request.internal {
        return None;
    }
    let message = format!("client intended to send too large body: {length} bytes");
    request.fail(Level::Error, &message, Failure::new(Cause::ClientBodyTooLarge));
    Some(Step::Status(413))
}

/// A status that the configuration chose. nginx takes three of its own for the end of the connection.
pub(crate) fn configured(status: u16) -> Step {
    match status {
        408 | 444 | 499 => Step::Silence(status),
        _ => Step::Status(status),
    }
}

/// `return`.
fn returned(request: &mut Request, answer: &Return) -> Step {
    match answer {
        Return::Status(status @ (301 | 302 | 303 | 307 | 308)) => Step::Move { status: *status, location: Vec::new() },
        Return::Status(status @ 400..) => configured(*status),
        Return::Text(status @ 400.., body) if body.is_empty() => configured(*status),
        Return::Status(status) => text(request, *status, &Template::default()),
        Return::Text(status, body) => text(request, *status, body),
        Return::Redirect(status, location) => Step::Move { status: *status, location: evaluate(location, request) },
    }
}

fn text(request: &mut Request, status: u16, body: &Template) -> Step {
    // The text may show it.
    request.record.status = status;
    let content_type = files::content_type(request);
    Step::Respond(Box::new(Response::with_bytes(status, &content_type, evaluate(body, request))))
}

fn inside(request: &mut Request, path: Vec<u8>, args: Vec<u8>) -> Step {
    request.uri.redirect(path, args);
    request.internal = true;
    request.located_by_path = true;
    request.redirected = true;
    Step::Route
}

fn named(request: &mut Request, name: &str) -> Step {
    request.internal = true;
    request.located_by_path = false;
    request.redirected = true;
    match request.generation.tables.locations(request.server).named(name) {
        Some(location) => Step::Ask(location),
        None => {
            let message = format!("could not find named location \"{name}\"");
            request.fail(Level::Error, &message, Failure::new(Cause::ConfigurationError));
            Step::Status(500)
        }
    }
}

/// An error or a redirect: the `error_page` for it, unless the one that may be followed was; else a page of ours.
fn failed(request: &mut Request, status: u16) -> Step {
    request.status_override = Some(status);
    request.keep_alive &= !pages::closes_connection(status);
    request.kept.remove("content-type");
    let generation = request.generation.clone();
    let settings = &generation.tables.location(request.server, request.location).settings;
    let action = match request.error_page {
        false => error_pages::choose(&settings.error_pages, status, &mut |template| evaluate(template, request)),
        true => None,
    };
    request.error_page |= action.is_some() && !settings.recursive_error_pages;
    match action {
        None => Step::Respond(Box::new(page(request, status))),
        Some(ErrorAction::Internal { uri, args, status: rule }) => {
            request.status_override = overridden(status, rule);
            if request.head.method != Method::HEAD {
                request.head.method = Method::GET;
            }
            Step::Redirect { path: uri, args }
        }
        Some(ErrorAction::Named { name, status: rule }) => {
            request.status_override = overridden(status, rule);
            Step::Named(String::from_utf8_lossy(&name).into())
        }
        Some(ErrorAction::Redirect { status, location }) => {
            keep_location(request, &location);
            Step::Respond(Box::new(page(request, status)))
        }
    }
}

fn keep_location(request: &mut Request, location: &[u8]) {
    request.kept.set(b"Location", &escape(Escape::Line, location));
}

fn overridden(status: u16, rule: StatusRule) -> Option<u16> {
    match rule {
        StatusRule::Keep => Some(pages::sent_status(status)),
        StatusRule::Take => None,
        StatusRule::Fixed(other) => Some(other),
    }
}

/// A page of the gateway's own.
fn page(request: &mut Request, status: u16) -> Response {
    request.kept.remove("accept-ranges");
    request.status_override = Some(pages::sent_status(status));
    if let Some(told) = local_response::answer(request, status) {
        return told;
    }
    match pages::page(status, request.settings().server_tokens) {
        Some(body) => Response::with_bytes(pages::sent_status(status), "text/html", body),
        None => Response::with_bytes(status, "", Vec::new()),
    }
}
