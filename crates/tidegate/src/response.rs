//! A final response before it is sent: status, fields, and where its body comes from; and its head in nginx's order.
//! Not here: who made it (`answer`), and sending it (`deliver`).

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
    pub(crate) reason: Option<Vec<u8>>,
    /// Everything but `Server`, `Date` and what frames and ends the message.
    pub(crate) fields: Fields,
    /// `Last-Modified` of a file: nginx writes it before other fields.
    pub(crate) last_modified: Option<String>,
    /// Length of the body in bytes, if it is known.
    pub(crate) length: Option<u64>,
    pub(crate) body: Body,
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
        Self { status, reason: None, fields, last_modified: None, length, body: Body::Bytes(bytes) }
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

/// Adds what `add_header` says.
pub(crate) fn add_headers(request: &Request, response: &mut Response) {
    let settings = request.settings();
    for add in settings.add_headers.iter() {
        if !add.always && !matches!(response.status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308) {
            continue;
        }
        let value = variables::evaluate(&add.value, request);
        if !value.is_empty() {
            response.fields.push(add.name.as_bytes(), &value);
        }
    }
}

/// Encodes the head as nginx orders it.
pub(crate) fn encode_head(request: &Request, response: &Response, framing: Framing, keep_alive: bool) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let reason = response.reason.as_deref().unwrap_or_else(|| encode::reason(response.status).as_bytes());
    encode::status_line(&mut head, Version::H11, response.status, reason);
    encode::field(&mut head, b"Server", pages::product(request.settings().server_tokens).as_bytes());
    encode::field(&mut head, b"Date", request.worker.clock.http_date().as_bytes());
    if response.status != 304 && response.status != 204 {
        copy_field(response, "content-type", b"Content-Type", &mut head);
    }
    write_length(request, response, framing, &mut head);
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
    for field in response.fields.iter() {
        let written = field.name.eq_ignore_ascii_case(b"content-type")
            || (location.is_some() && field.name.eq_ignore_ascii_case(b"location"));
        if !written {
            encode::field(&mut head, field.name, field.value);
        }
    }
    encode::end(&mut head);
    head
}

fn copy_field(response: &Response, name: &str, written: &[u8], head: &mut Vec<u8>) {
    if let Some(value) = response.fields.get(name) {
        encode::field(head, written, value);
    }
}

/// `Content-Length` is shown for HEAD too, and for a 304 of an endpoint; never with 1xx and 204.
fn write_length(request: &Request, response: &Response, framing: Framing, head: &mut Vec<u8>) {
    let shown = match framing {
        Framing::Length(length) => Some(length),
        Framing::Empty if request.head.method == http::Method::HEAD && response.status != 304 => response.length,
        Framing::Empty | Framing::Chunked | Framing::Close => None,
    };
    if let Some(length) = shown.filter(|_| !matches!(response.status, 100..200 | 204)) {
        encode::length(head, length);
    }
}

/// A `Location` that is only a path is completed unless `absolute_redirect off`.
fn absolute_location(request: &Request, response: &Response) -> Option<Vec<u8>> {
    let location = response.fields.get("location")?;
    if location.first() != Some(&b'/') {
        return None;
    }
    let (address, port) = request.connection.server();
    let origin = redirect::Origin {
        https: false,
        host: &request.host,
        server_name: &request.server_name(),
        local_address: &address,
        local_port: port.unwrap_or(0),
    };
    Some(redirect::location(location, &origin, request.settings()))
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
