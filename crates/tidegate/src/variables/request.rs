//! What was asked, and what was answered.

use config::model::Variable;
use http1::Framing;

use super::{bytes, number, show};
use crate::files;
use crate::request::{Request, RequestBody};

/// `None` when the variable is of another room.
pub(super) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> Option<bool> {
    let fields = &request.head.fields;
    let found = match variable {
        Variable::Args | Variable::QueryString => bytes(out, non_empty(&request.uri.args)),
        Variable::IsArgs => bytes(out, non_empty(&request.uri.args).map(|_| b"?".as_slice())),
        Variable::Uri | Variable::DocumentUri => bytes(out, Some(&request.uri.path)),
        Variable::RequestUri => bytes(out, Some(&request.uri.raw)),
        Variable::Request => bytes(out, Some(request.line()).filter(|line| !line.is_empty())),
        Variable::RequestMethod => bytes(out, method(request)),
        Variable::ServerProtocol => bytes(out, protocol(request)),
        Variable::Host if request.host.is_empty() => show(out, request.server_name()),
        Variable::Host => bytes(out, Some(&request.host)),
        Variable::ContentLength => content_length(request, out),
        Variable::ContentType => bytes(out, fields.get("content-type")),
        Variable::RemoteUser => remote_user(fields.get("authorization"), out),
        Variable::RequestBody => match &request.body {
            RequestBody::Kept(kept) => bytes(out, Some(kept.in_memory()).filter(|body| !body.is_empty())),
            RequestBody::Unread | RequestBody::Streamed => false,
        },
        Variable::RequestBodyFile => false,
        Variable::RequestCompletion => bytes(out, request.record.complete.then_some(b"OK".as_slice())),
        Variable::RequestId => bytes(out, Some(request.id.get_or_init(crate::request_id::make))),
        Variable::RequestLength => number(out, request.record.request_length),
        Variable::RequestTime => show(out, Seconds(request.record.started.elapsed())),
        Variable::DocumentRoot => bytes(out, Some(&files::document_root(request))),
        Variable::RealpathRoot => bytes(out, files::real_root(request).as_deref()),
        Variable::RequestFilename => bytes(out, Some(&files::request_filename(request))),
        Variable::Status => status(request.status(), out),
        Variable::BytesSent => number(out, request.record.bytes_sent),
        Variable::BodyBytesSent => number(out, request.record.body_bytes_sent()),
        _ => return None,
    };
    Some(found)
}

/// That of the field; of a chunked body once it was read.
fn content_length(request: &Request, out: &mut Vec<u8>) -> bool {
    match &request.body {
        RequestBody::Kept(kept) if request.framing == Framing::Chunked => show(out, kept.len()),
        _ => bytes(out, request.head.fields.get("content-length")),
    }
}

fn non_empty(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty()).then_some(value)
}

/// Three digits, also for a request that was given up before it had a status.
fn status(status: u16, out: &mut Vec<u8>) -> bool {
    if status < 100 { show(out, format_args!("{status:03}")) } else { number(out, status.into()) }
}

fn method(request: &Request) -> Option<&[u8]> {
    (!request.line().is_empty()).then(|| request.head.method.as_str().as_bytes())
}

fn protocol(request: &Request) -> Option<&[u8]> {
    non_empty(request.head.protocol())
}

/// A duration as nginx shows it: seconds with three decimals.
pub(super) struct Seconds(pub(super) std::time::Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// The user of `Authorization: Basic`.
fn remote_user(authorization: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    let Some((scheme, credentials)) = authorization.and_then(|value| value.split_at_checked(6)) else { return false };
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return false;
    }
    let Some(decoded) = decode_base64(credentials.trim_ascii()) else { return false };
    let user = decoded.split(|byte| *byte == b':').next().unwrap_or_default();
    out.extend_from_slice(user);
    decoded.contains(&b':') && !user.is_empty()
}

/// RFC 4648 §4, padding optional; `None` for anything else.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_of_basic_credentials_is_shown() {
        let mut out = Vec::new();
        assert!(remote_user(Some(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), &mut out));
        assert_eq!(out, b"Aladdin");
        for wrong in [b"Basic !!".as_slice(), b"Bearer QWxhZGRpbjpv", b"Basic QQ==", b"Bas"] {
            assert!(!remote_user(Some(wrong), &mut Vec::new()));
        }
    }

    #[test]
    fn durations_have_three_decimals() {
        assert_eq!(Seconds(std::time::Duration::from_micros(1_002_999)).to_string(), "1.002");
    }
}
