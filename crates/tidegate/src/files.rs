//! Files as answers: joins a request to the decisions about files (`local`), and their outcome to the next step.
//! Not here: those decisions.

use std::borrow::Cow;
use std::path::Path;

use config::model::{Level, Template, TryFiles};

use crate::answer::{self, Step};
use crate::local::files::{self, Delivery, FileAnswer, Validators};
use crate::local::try_files::{self, Tried};
use crate::local::{Fields as RequestFields, FileRequest, Refusal};
use crate::request::Request;
use crate::response::{Body, FilePart, Response};
use crate::variables::evaluate;

impl RequestFields for http1::Fields {
    fn first(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|field| field.value)
    }
}

/// Asks a decision about files.
fn ask<T>(request: &Request, decide: impl FnOnce(&FileRequest<'_>, &mut dyn FnMut(&Template) -> Vec<u8>) -> T) -> T {
    let kept_type = kept_type(request);
    let file_request = FileRequest {
        settings: request.settings(),
        path: &request.uri.path,
        args: &request.uri.args,
        method: request.head.method.as_str(),
        fields: &request.head.fields,
        prefix: Path::new("/"),
        add_uri_to_alias: request.adds_uri_to_alias,
        content_type: kept_type.as_deref(),
        status: request.status_override.unwrap_or(200),
        boundary: request.connection.number << 32 | request.connection.requests.get(),
    };
    decide(&file_request, &mut |template| evaluate(template, request))
}

/// Answers from the files of the location.
pub(crate) fn serve(request: &mut Request) -> Step {
    match ask(request, |file, eval| files::serve(file, eval)) {
        FileAnswer::Send(delivery) => respond(request, send(delivery)),
        FileAnswer::NotModified(validators) => {
            request.kept.remove("content-type");
            respond(request, not_modified(&validators))
        }
        FileAnswer::Redirect(location) => Step::Move { status: 301, location },
        FileAnswer::Internal { uri, args } => Step::Redirect { path: uri, args },
        FileAnswer::Refuse(refusal) => refuse(request, refusal),
    }
}

/// The answer's status is its own: the one that an error set was asked for, and ranges and conditions changed it.
fn respond(request: &mut Request, response: Response) -> Step {
    request.status_override = None;
    Step::Respond(Box::new(response))
}

/// Runs `try_files`; `None` when the location goes on with the URI that is now in force.
pub(crate) fn try_files(request: &mut Request, files: &TryFiles) -> Option<Step> {
    let (tried, lines) = ask(request, |file, eval| try_files::try_files(file, files, eval));
    for line in lines {
        request.log(line.level, &line.text, None);
    }
    match tried {
        Tried::Found { uri, add_uri_to_alias } => {
            if let Some(path) = uri {
                let args = std::mem::take(&mut request.uri.args);
                request.uri.redirect(path, args);
            }
            request.adds_uri_to_alias = add_uri_to_alias;
            None
        }
        Tried::Status(status) => Some(answer::configured(status)),
        Tried::Named(name) => Some(Step::Named(name)),
        Tried::Internal { uri, args } => Some(Step::Redirect { path: uri, args }),
    }
}

fn send(delivery: Delivery) -> Response {
    let Delivery {
        status,
        content_type,
        content_length,
        content_range,
        validators,
        accept_ranges,
        parts,
        trailer,
        file,
    } = delivery;
    let mut response = Response::with_bytes(status, &content_type, Vec::new());
    push_validators(&mut response, &validators);
    response.ranges = match content_range {
        Some(range) => Some(("Content-Range", range.into())),
        None => accept_ranges.then_some(("Accept-Ranges", "bytes".into())),
    };
    let parts = parts.into_iter().map(|part| FilePart { lead: part.head, range: part.range }).collect();
    response.length = Some(content_length);
    response.body = Body::File { file, parts, tail: trailer };
    response
}

fn not_modified(validators: &Validators) -> Response {
    let mut response = Response::with_bytes(304, "", Vec::new());
    response.length = None;
    push_validators(&mut response, validators);
    response
}

fn push_validators(response: &mut Response, validators: &Validators) {
    response.last_modified = validators.last_modified.clone();
    if let Some(etag) = &validators.etag {
        response.fields.push(b"ETag", etag.as_bytes());
    }
}

fn refuse(request: &mut Request, refusal: Refusal) -> Step {
    if let Some(line) = &refusal.log {
        let unlogged = refusal.status == 404 && !request.settings().log_not_found;
        if !unlogged {
            request.log(line.level, &line.text, None);
        }
    }
    if let Some(range) = refusal.content_range {
        request.kept.set(b"Content-Range", range.as_bytes());
    }
    Step::Status(refusal.status)
}

/// `$document_root`.
pub(crate) fn document_root(request: &Request) -> Vec<u8> {
    ask(request, |file, eval| files::document_root(file, eval))
}

/// `$request_filename`.
pub(crate) fn request_filename(request: &Request) -> Vec<u8> {
    ask(request, |file, eval| files::request_filename(file, eval))
}

/// `$realpath_root`; `None` when the root does not exist.
pub(crate) fn real_root(request: &Request) -> Option<Vec<u8>> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let root = document_root(request);
    let real = std::fs::canonicalize(Path::new(std::ffi::OsStr::from_bytes(&root)));
    match real {
        Ok(real) => Some(real.into_os_string().into_vec()),
        Err(error) => {
            let shown = String::from_utf8_lossy(&root);
            request.log(Level::Crit, &format!("realpath() \"{shown}\" failed ({error})"), None);
            None
        }
    }
}

/// The media type of an answer made here: the one that an endpoint chose for it, else what the location gives to the path.
pub(crate) fn content_type(request: &Request) -> Cow<'_, str> {
    kept_type(request).unwrap_or_else(|| files::content_type(&request.uri.path, request.settings()).into())
}

fn kept_type(request: &Request) -> Option<Cow<'_, str>> {
    request.kept.get("content-type").map(String::from_utf8_lossy)
}
