//! Writes heads and the framing of chunked bodies. Not here: which fields are written.

use crate::fields::Fields;
use crate::head::Version;

/// `METHOD TARGET HTTP/x.y` and its line end.
pub fn request_line(out: &mut Vec<u8>, method: &[u8], target: &[u8], version: Version) {
    for part in [method, b" ", target, b" ", version.as_str().as_bytes(), b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// `HTTP/x.y DDD reason` and its line end.
pub fn status_line(out: &mut Vec<u8>, version: Version, status: u16, reason: &[u8]) {
    out.extend_from_slice(version.as_str().as_bytes());
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[b' ', digit(status / 100), digit(status / 10), digit(status), b' ']);
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// A field line.
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    for part in [name, b": ", value, b"\r\n"] {
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

/// The end of a chunked body, with trailers if there are some.
pub fn last_chunk(out: &mut Vec<u8>, trailers: Option<&Fields>) {
    out.extend_from_slice(b"0\r\n");
    for trailer in trailers.into_iter().flat_map(Fields::iter) {
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
