//! What can be wrong with a message. Not here: what is answered to it.

use std::fmt;

use crate::fields::Fields;

/// Why a request's head is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The method has a character that no method has.
    Method,
    /// The request line is not `METHOD TARGET HTTP/x.y`.
    Line,
    /// HTTP/0.9: a request line without a version.
    Http09,
    /// A version other than HTTP/1.x.
    Version,
    /// The request line is longer than the limit.
    LineTooLong,
    /// A field line is longer than the limit; with as much of it as is worth showing.
    FieldTooLong(Box<str>),
    /// The head is longer than the limit; with as much of the line that passed it as is worth showing.
    HeadTooLong(Box<str>),
    /// More field lines than the limit.
    TooManyFields,
    /// A field line that cannot be understood; with as much of it as is worth showing.
    Field(Box<str>),
    /// More than one `Host`: the line that repeats it, and the first one.
    DuplicateHost(Box<str>, Box<str>),
}

impl RequestError {
    /// The status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            RequestError::LineTooLong => 414,
            RequestError::Version => 505,
            _ => 400,
        }
    }

    /// Whether a bound on fields was passed, for which nginx has its own status 494.
    pub fn is_head_too_large(&self) -> bool {
        matches!(self, RequestError::FieldTooLong(_) | RequestError::HeadTooLong(_) | RequestError::TooManyFields)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Method => f.write_str("client sent invalid method"),
            RequestError::Line | RequestError::Http09 => f.write_str("client sent invalid request"),
            RequestError::Version => f.write_str("client sent invalid version"),
            RequestError::LineTooLong => f.write_str("client sent too long URI"),
            RequestError::FieldTooLong(line) | RequestError::HeadTooLong(line) => {
                write!(f, "client sent too long header line: \"{line}...\"")
            }
            RequestError::TooManyFields => f.write_str("client sent too many header lines"),
            RequestError::Field(line) => write!(f, "client sent invalid header line: \"{line}\""),
            RequestError::DuplicateHost(line, previous) => {
                write!(f, "client sent duplicate host header: \"{line}\", previous value: \"{previous}\"")
            }
        }
    }
}

impl std::error::Error for RequestError {}

/// Why a response's head is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseError {
    /// The first line is no status line: not HTTP/1.x at all.
    StatusLine,
    /// The head is longer than the limit.
    TooLarge,
    /// A field line that cannot be understood; with as much of it as is worth showing.
    Field(Box<str>),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::StatusLine => f.write_str("no valid status line"),
            ResponseError::TooLarge => f.write_str("too big header"),
            ResponseError::Field(line) => write!(f, "invalid header: \"{line}\""),
        }
    }
}

impl std::error::Error for ResponseError {}

/// Why fields do not say where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingError {
    /// `Content-Length` is not one number.
    Length,
    /// More than one `Content-Length`.
    DuplicateLength,
    /// Both `Content-Length` and `Transfer-Encoding`.
    LengthAndCoding,
    /// A transfer coding other than `chunked`.
    UnknownCoding,
    /// More than one `Transfer-Encoding`.
    DuplicateCoding,
    /// `Transfer-Encoding` in an HTTP/1.0 message.
    CodingInHttp10,
}

impl FramingError {
    /// The status for a request with this fault.
    pub fn status(self) -> u16 {
        if self == FramingError::UnknownCoding { 501 } else { 400 }
    }

    /// nginx's words for it, with what the fields say.
    pub fn told(self, fields: &Fields) -> String {
        match self {
            FramingError::DuplicateLength => fields.repetition("Content-Length"),
            FramingError::DuplicateCoding => fields.repetition("Transfer-Encoding"),
            FramingError::UnknownCoding => {
                let coding = fields.get("transfer-encoding").unwrap_or_default();
                format!("{self}: \"{}\"", String::from_utf8_lossy(coding))
            }
            FramingError::Length | FramingError::LengthAndCoding | FramingError::CodingInHttp10 => self.to_string(),
        }
    }
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FramingError::Length => "invalid \"Content-Length\" header",
            FramingError::DuplicateLength => "duplicate \"Content-Length\" header",
            FramingError::LengthAndCoding => "\"Content-Length\" and \"Transfer-Encoding\" headers at the same time",
            FramingError::UnknownCoding => "unknown \"Transfer-Encoding\"",
            FramingError::DuplicateCoding => "duplicate \"Transfer-Encoding\" header",
            FramingError::CodingInHttp10 => "\"Transfer-Encoding\" header in an HTTP/1.0 message",
        })
    }
}

impl std::error::Error for FramingError {}

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// A chunk's size is not hexadecimal, too large, or ends wrongly.
    ChunkSize,
    /// A chunk is not followed by CRLF.
    ChunkEnd,
    /// A line of the framing is longer than the limit.
    LineTooLong,
    /// Lines of the framing are more than the data that they frame deserves.
    Excess,
    /// A trailer is malformed.
    Trailer,
    /// One trailer is longer than the limit of all.
    TrailerTooLong,
    /// Trailers are beyond their limits together.
    TrailersTooLarge,
    /// The connection ended before the body did.
    Truncated,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::ChunkSize => "invalid chunk size",
            BodyError::ChunkEnd => "chunk data without a line end behind it",
            BodyError::LineTooLong => "too long chunk line",
            BodyError::Excess => "too many chunk extensions",
            BodyError::Trailer => "invalid trailers",
            BodyError::TrailerTooLong => "too long trailer",
            BodyError::TrailersTooLarge => "too many or too large trailers",
            BodyError::Truncated => "the body ended early",
        })
    }
}

impl std::error::Error for BodyError {}
