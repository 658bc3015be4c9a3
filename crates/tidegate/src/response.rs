//! A final response before it is sent: status, fields, and where its body comes from; and its head in nginx's order.
//! Not here: who made it (`answer`), and sending it (`deliver`).

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;

use http1::{Fields, Framing, Version, encode};

use crate::exchange::Answered;
use crate::local::{pages, redirect};
use crate::request::Request;
use crate::variables;

/// The response.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// An endpoint's own reason phrase; the standard one otherwise.
    pub(crate) reason: Option<Cow<'static, [u8]>>,
    /// Everything but what frames and ends the message, and but `Server` and `Date` unless they are an endpoint's.
    pub(crate) fields: Fields,
    /// `Last-Modified` of a file: nginx writes it before other fields.
    pub(crate) last_modified: Option<String>,
    /// `Accept-Ranges` or `Content-Range` of a file: nginx writes it behind other fields.
    pub(crate) ranges: Option<(&'static str, Cow<'static, str>)>,
    /// `Server` and `Date` are an endpoint's, which `proxy_pass_header` lets through.
    pub(crate) passed: Passed,
    /// A `Location` that is only a path gets a scheme and a host (`absolute_redirect`).
    pub(crate) completes_location: bool,
    /// Length of the body in bytes, if it is known.
    pub(crate) length: Option<u64>,
    pub(crate) body: Body,
}

/// Which of an endpoint's fields stand in the place of the gateway's own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Passed {
    pub(crate) server: bool,
    pub(crate) date: bool,
}

/// Where the body comes from.
pub(crate) enum Body {
    Empty,
    Bytes(Vec<u8>),
    /// Pieces of a file, each behind some bytes of its own (multipart), and bytes that close it.
    File {
        file: File,
        parts: Vec<FilePart>,
        tail: Vec<u8>,
    },
    /// What follows the head of an endpoint's reply.
    Endpoint(Box<Answered>),
}

/// A piece of a file.
pub(crate) struct FilePart {
    pub(crate) lead: Vec<u8>,
    pub(crate) range: Range<u64>,
}

impl Response {
    /// A response with a body at hand.
    pub(crate) fn with_bytes(status: u16, content_type: &str, bytes: Vec<u8>) -> Self {
        let mut fields = Fields::new();
        if !content_type.is_empty() {
            fields.push(b"Content-Type", content_type.as_bytes());
        }
        let length = Some(bytes.len() as u64);
        Self {
            status,
            reason: None,
            fields,
            last_modified: None,
            ranges: None,
            passed: Passed::default(),
            completes_location: true,
            length,
            body: Body::Bytes(bytes),
        }
    }

    /// Takes on the fields that were kept for whatever answer it would be. They come first; a type of its own wins.
    pub(crate) fn keep(&mut self, mut kept: Fields) {
        if kept.is_empty() {
            return;
        }
        if self.fields.contains("content-type") {
            kept.remove("content-type");
        }
        for field in self.fields.iter() {
            kept.push(field.name, field.value);
        }
        self.fields = kept;
    }

    /// Adds a field as `add_header` does: a validator takes the place of the one that is there, or takes it away.
    fn add(&mut self, name: &str, value: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let is_date = is("last-modified");
        let is_validator = is_date || is("etag");
        if is_date {
            self.last_modified = None;
        }
        match value {
            [] if is_validator => _ = self.fields.remove(name),
            [] => {}
            _ if is_validator => self.fields.set(name.as_bytes(), value),
            _ => self.fields.push(name.as_bytes(), value),
        }
    }
}

/// How the response's body is framed for this client.
pub(crate) fn framing(request: &Request, response: &Response) -> Framing {
    if is_bodiless(request, response.status) {
        return Framing::Empty;
    }
    match response.length {
        Some(length) => Framing::Length(length),
        None if request.head.version == Version::H11 && request.settings().chunked_transfer_encoding => {
            Framing::Chunked
        }
        None => Framing::Close,
    }
}

/// No body follows the head, whatever the fields say (RFC 9112 §6.3).
pub(crate) fn is_bodiless(request: &Request, status: u16) -> bool {
    request.head.method == http::Method::HEAD || matches!(status, 100..200 | 204 | 304)
}

/// Adds what `add_header` says. A value sees the head as it is so far.
pub(crate) fn add_headers(request: &mut Request, response: &mut Response, framing: Framing, keep_alive: bool) {
    if request.settings().add_headers.is_empty() {
        return;
    }
    let adds = request.settings().add_headers.clone();
    for add in adds.iter() {
        if !add.always && !matches!(response.status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308) {
            continue;
        }
        if request.generation.tables.keeps_heads {
            request.record.sent_head = encode_head(request, response, framing, keep_alive);
        }
        response.add(&add.name, &variables::field(&add.value, request));
    }
}

/// Encodes the head as nginx orders it.
pub(crate) fn encode_head(request: &Request, response: &Response, framing: Framing, keep_alive: bool) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let reason = response.reason.as_deref().unwrap_or_else(|| encode::reason(response.status).as_bytes());
    encode::status_line(&mut head, Version::H11, response.status, reason);
    if !response.passed.server {
        encode::field(&mut head, b"Server", pages::product(request.settings().server_tokens).as_bytes());
    }
    if !response.passed.date {
        encode::field(&mut head, b"Date", request.worker.clock.http_date().as_bytes());
    }
    // nginx leaves the head of an endpoint's 204 alone.
    if response.status != 204 || response.reason.is_some() {
        copy_field(response, "content-type", b"Content-Type", &mut head);
    }
    write_length(response, framing, &mut head);
    if let Some(modified) = &response.last_modified {
        encode::field(&mut head, b"Last-Modified", modified.as_bytes());
    }
    let location = absolute_location(request, response);
    if let Some(location) = &location {
        encode::field(&mut head, b"Location", location);
    }
    if framing == Framing::Chunked {
        encode::field(&mut head, b"Transfer-Encoding", b"chunked");
    }
    write_connection(request, response, keep_alive, &mut head);
    let is_written = |name: &[u8]| {
        name.eq_ignore_ascii_case(b"content-type") || (location.is_some() && name.eq_ignore_ascii_case(b"location"))
    };
    response.fields.write(&mut head, |field| !is_written(field.name));
    if let Some((name, value)) = &response.ranges {
        encode::field(&mut head, name.as_bytes(), value.as_bytes());
    }
    encode::end(&mut head);
    head
}

fn copy_field(response: &Response, name: &str, written: &[u8], head: &mut Vec<u8>) {
    if let Some(value) = response.fields.get(name).filter(|value| !value.is_empty()) {
        encode::field(head, written, value);
    }
}

/// `Content-Length` is shown for HEAD and 304 too, where it is known; never with 1xx and 204.
fn write_length(response: &Response, framing: Framing, head: &mut Vec<u8>) {
    let shown = match framing {
        Framing::Length(length) => Some(length),
        Framing::Empty => response.length,
        Framing::Chunked | Framing::Close => None,
    };
    if let Some(length) = shown.filter(|_| !matches!(response.status, 100..200 | 204)) {
        encode::length(head, length);
    }
}

/// The `Location` with scheme and host, where it needs them.
fn absolute_location(request: &Request, response: &Response) -> Option<Vec<u8>> {
    let location = response.fields.get("location").filter(|_| response.completes_location)?;
    let (address, port) = request.connection.server();
    let origin = redirect::Origin {
        https: false,
        host: &request.host,
        server_name: &request.server_name(),
        local_address: &address,
        local_port: port.unwrap_or(0),
    };
    redirect::absolute(location, &origin, request.settings())
}

fn write_connection(request: &Request, response: &Response, keep_alive: bool, head: &mut Vec<u8>) {
    if response.status == 101 {
        encode::field(head, b"Connection", b"upgrade");
        return;
    }
    encode::field(head, b"Connection", if keep_alive { b"keep-alive" } else { b"close" });
    if let Some(timeout) = request.settings().keepalive_header.filter(|_| keep_alive) {
        encode::field(head, b"Keep-Alive", format!("timeout={}", timeout.as_secs()).as_bytes());
    }
}
