//! Where a message's body ends: one decision a side, from the same reading of the fields (RFC 9112 §6).
//! Not here: decoding.

use http::Method;

use crate::error::FramingError;
use crate::fields::Fields;
use crate::head::{RequestHead, ResponseHead, Version};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// So many bytes follow.
    Length(u64),
    /// Chunks follow.
    Chunked,
    /// Everything up to the end of the connection; responses only.
    Close,
}

/// The framing of a request's body.
///
/// # Errors
/// The fields contradict each other or cannot be understood: a request that another server might delimit differently.
pub fn request_framing(head: &RequestHead) -> Result<Framing, FramingError> {
    Ok(declared(head.version, &head.fields)?.unwrap_or(Framing::Empty))
}

/// The framing of a response's body to a request with `method`.
///
/// # Errors
/// As for [`request_framing`].
pub fn response_framing(head: &ResponseHead, method: &Method) -> Result<Framing, FramingError> {
    let declared = declared(head.version, &head.fields)?;
    if matches!(head.status, 100..200 | 204 | 304) || method == Method::HEAD {
        return Ok(Framing::Empty);
    }
    Ok(declared.unwrap_or(Framing::Close))
}

fn declared(version: Version, fields: &Fields) -> Result<Option<Framing>, FramingError> {
    let mut codings = fields.get_all("transfer-encoding");
    let mut lengths = fields.get_all("content-length");
    match (codings.next(), lengths.next()) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(FramingError::LengthAndCoding),
        (None, Some(length)) => match lengths.next() {
            Some(_) => Err(FramingError::DuplicateLength),
            None => number(length).map(|length| Some(Framing::Length(length))),
        },
        (Some(_), None) if codings.next().is_some() => Err(FramingError::DuplicateCoding),
        (Some(_), None) if version == Version::H10 => Err(FramingError::CodingInHttp10),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(Framing::Chunked)),
        (Some(_), None) => Err(FramingError::UnknownCoding),
    }
}

/// Digits only: no sign, no list, no white space inside (RFC 9110 §8.6).
fn number(text: &[u8]) -> Result<u64, FramingError> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    parsed.filter(|_| digits).ok_or(FramingError::Length)
}

/// Whether the connection outlives the message (RFC 9112 §9.3).
pub fn persistent(version: Version, fields: &Fields) -> bool {
    match version {
        Version::H11 => !fields.has_token("connection", "close"),
        Version::H10 => fields.has_token("connection", "keep-alive") && !fields.has_token("connection", "close"),
    }
}

/// Whether `Connection` holds more than what manages the connection itself: names of fields that end with it.
pub fn connection_names_fields(fields: &Fields) -> bool {
    const USUAL: [&[u8]; 4] = [b"keep-alive", b"close", b"upgrade", b""];
    let is_usual = |option: &[u8]| USUAL.iter().any(|usual| option.trim_ascii().eq_ignore_ascii_case(usual));
    fields.get_all("connection").any(|value| !value.split(|byte| *byte == b',').all(is_usual))
}

/// Whether a field belongs to one connection only (RFC 9110 §7.6.1).
pub fn is_hop_by_hop(name: &[u8]) -> bool {
    const NAMES: [&str; 7] =
        ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "trailer"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
