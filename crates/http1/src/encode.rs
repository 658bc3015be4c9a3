//! Writes heads and the framing of chunked bodies. Nothing that is put into a line can end it: what a configuration makes of
//! a client's bytes (`$uri` decodes `%0d%0a`) stays one target or one value.
//! Not here: which fields are written.

use crate::fields::{Field, Fields};
use crate::framing::is_forbidden_trailer;
use crate::head::Version;
use crate::syntax;

/// `METHOD TARGET HTTP/x.y` and its line end. An empty target is written as `/`; bytes that a target cannot have, white
/// space and control bytes, are escaped; those that a method cannot have are left out.
pub fn request_line(out: &mut Vec<u8>, method: &[u8], target: &[u8], version: Version) {
    out.extend(method.iter().filter(|byte| syntax::is_tchar(**byte)));
    out.push(b' ');
    write_target(out, target);
    for part in [b" ", version.as_str().as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
}

fn write_target(out: &mut Vec<u8>, target: &[u8]) {
    if target.is_empty() {
        return out.push(b'/');
    }
    if target.iter().fold(true, |visible, byte| visible & syntax::is_visible(*byte)) {
        return out.extend_from_slice(target);
    }
    for byte in target {
        if syntax::is_visible(*byte) {
            out.push(*byte);
        } else {
            let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value & 15)];
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(*byte)]);
        }
    }
}

/// `HTTP/x.y DDD reason` and its line end.
pub fn status_line(out: &mut Vec<u8>, version: Version, status: u16, reason: &[u8]) {
    out.extend_from_slice(version.as_str().as_bytes());
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[b' ', digit(status / 100), digit(status / 10), digit(status), b' ']);
    syntax::write_clean(out, reason);
    out.extend_from_slice(b"\r\n");
}

/// A field line whose value `write` appends; no line where that is nothing.
pub fn field_of(out: &mut Vec<u8>, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
    let line = out.len();
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    let value = out.len();
    write(out);
    if out.len() == value {
        return out.truncate(line);
    }
    syntax::clean_from(out, value);
    out.extend_from_slice(b"\r\n");
}

/// A field line. The name is received or configured, and taken as it is; the value stays on its line.
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    syntax::write_clean(out, value);
    out.extend_from_slice(b"\r\n");
}

/// A field line from a list of fields, whose values are clean already.
pub fn line(out: &mut Vec<u8>, field: Field<'_>) {
    out.reserve(field.name.len() + field.value.len() + 4);
    for part in [field.name, b": ", field.value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// `Content-Length`.
pub fn length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    number(out, length);
    out.extend_from_slice(b"\r\n");
}

/// A number in decimal digits.
pub fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut left = value;
    loop {
        start -= 1;
        digits[start] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return out.extend_from_slice(&digits[start..]);
        }
    }
}

/// The empty line behind the fields.
pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The end of a chunked body, with trailers if there are some, but for those that may not be any.
pub fn last_chunk(out: &mut Vec<u8>, trailers: Option<&Fields>) {
    out.extend_from_slice(b"0\r\n");
    let trailers = trailers.into_iter().flat_map(Fields::iter);
    for trailer in trailers.filter(|trailer| !is_forbidden_trailer(trailer.name)) {
        field(out, trailer.name, trailer.value);
    }
    end(out);
}

/// The size line of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct ChunkHead {
    bytes: [u8; 18],
    start: usize,
}

impl ChunkHead {
    /// The line for a chunk of `length` bytes.
    pub fn new(length: usize) -> Self {
        let mut bytes = [0; 18];
        bytes[16..].copy_from_slice(b"\r\n");
        let mut start = 16;
        let mut left = length;
        loop {
            start -= 1;
            bytes[start] = b"0123456789abcdef"[left & 15];
            left >>= 4;
            if left == 0 {
                return Self { bytes, start };
            }
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// The reason phrase of a status, in nginx's words; empty for statuses it has none for.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "",
    }
}
