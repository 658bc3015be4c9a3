//! Where a message's body ends: one decision a side, from the same reading of the fields (RFC 9112 §6).
//! Not here: decoding.

use http::Method;

use crate::error::FramingError;
use crate::fields::Fields;
use crate::head::{RequestHead, ResponseHead, Version};
use crate::names::Names;

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
    let declared = declared(&head.fields)?;
    if declared == Some(Framing::Chunked) && head.version == Version::H10 {
        return Err(FramingError::CodingInHttp10);
    }
    Ok(declared.unwrap_or(Framing::Empty))
}

/// The framing of a response's body to a request with `method`. Chunks in an HTTP/1.0 response are read as such, since some
/// servers send them, but end the connection ([`persistent`]).
///
/// # Errors
/// As for [`request_framing`].
pub fn response_framing(head: &ResponseHead, method: &Method) -> Result<Framing, FramingError> {
    let declared = declared(&head.fields)?;
    let is_bodiless = match head.status {
        100..200 | 204 | 304 => true,
        200..300 => method == Method::HEAD || method == Method::CONNECT,
        _ => method == Method::HEAD,
    };
    if is_bodiless {
        return Ok(Framing::Empty);
    }
    Ok(declared.unwrap_or(Framing::Close))
}

fn declared(fields: &Fields) -> Result<Option<Framing>, FramingError> {
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
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(Framing::Chunked)),
        (Some(_), None) => Err(FramingError::UnknownCoding),
    }
}

/// Digits only: no sign, no list, no white space inside (RFC 9110 §8.6). At most 2⁶³-1, as a reader behind us may count in
/// signed numbers.
fn number(text: &[u8]) -> Result<u64, FramingError> {
    let add = |sum: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    let sum = if text.is_empty() { None } else { text.iter().try_fold(0, add) };
    sum.filter(|sum| i64::try_from(*sum).is_ok()).ok_or(FramingError::Length)
}

/// What the `Connection` lines of a message say (RFC 9110 §7.6.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionOptions {
    /// `close`.
    pub close: bool,
    /// `keep-alive`.
    pub keep_alive: bool,
    /// They name fields, not only what manages the connection: [`is_named_by_connection`] tells which.
    pub fields: bool,
}

impl ConnectionOptions {
    /// Reads them.
    pub fn of(fields: &Fields) -> Self {
        let mut options = Self::default();
        for value in fields.get_all("connection") {
            value.split(|byte| *byte == b',').for_each(|option| options.add(option.trim_ascii()));
        }
        options
    }

    fn add(&mut self, option: &[u8]) {
        const KNOWN: Names<&[&str]> = Names::known(&["", "keep-alive", "close", "upgrade"]);
        self.close |= option.eq_ignore_ascii_case(b"close");
        self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        self.fields |= !KNOWN.contain(option);
    }

    /// Whether the connection stays open behind a message with these fields (RFC 9112 §9.3).
    pub fn persist(self, version: Version, fields: &Fields) -> bool {
        let asked = version == Version::H11 || (self.keep_alive && !fields.contains("transfer-encoding"));
        asked && !self.close
    }
}

/// Whether the connection outlives the message (RFC 9112 §9.3). Not one of HTTP/1.0 with a transfer coding: its framing is
/// not to be relied on (RFC 9112 §6.1).
pub fn persistent(version: Version, fields: &Fields) -> bool {
    ConnectionOptions::of(fields).persist(version, fields)
}

/// Fields that belong to one connection only, named or not (RFC 9110 §7.6.1).
const HOP_BY_HOP: Names<&[&str]> =
    Names::known(&["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "trailer"]);

/// Whether a field belongs to one connection only (RFC 9110 §7.6.1).
pub fn is_hop_by_hop(name: &[u8]) -> bool {
    HOP_BY_HOP.contain(name)
}

/// Whether `Connection` names fields at all: a quick look before [`is_named_by_connection`] is asked about each field.
pub fn connection_names_fields(fields: &Fields) -> bool {
    ConnectionOptions::of(fields).fields
}

/// Whether any `Connection` line names the field: then it ends here (RFC 9110 §7.6.1).
pub fn is_named_by_connection(fields: &Fields, name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| fields.has_token("connection", name))
}

/// Fields that are never sent as trailers: they frame, route, authenticate or say how to read the content, which whoever
/// merges trailers into the head would believe (RFC 9110 §6.5.1).
pub fn is_forbidden_trailer(name: &[u8]) -> bool {
    const NAMES: Names<&[&str]> = Names::known(&[
        "authorization",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "location",
        "proxy-authorization",
        "set-cookie",
    ]);
    is_hop_by_hop(name) || NAMES.contain(name)
}
