//! What file decisions are asked about, and how they refuse. Not here: any decision.

use std::borrow::Cow;
use std::path::Path;

use config::model::{Level, Settings, Template};

/// Evaluates a template for the request at hand.
pub type Eval<'a> = dyn FnMut(&Template) -> Vec<u8> + 'a;

/// The fields of a request.
pub trait Fields {
    /// The value of the first field of that name; names are given in lower case.
    fn first(&self, name: &str) -> Option<&[u8]>;
}

/// A request as far as files are concerned.
pub struct FileRequest<'a> {
    /// The location's settings.
    pub settings: &'a Settings,
    /// `$uri`.
    pub path: &'a [u8],
    /// `$args`.
    pub args: &'a [u8],
    /// As received.
    pub method: &'a str,
    /// The request's fields.
    pub fields: &'a dyn Fields,
    /// Where relative roots start.
    pub prefix: &'a Path,
    /// `try_files` chose a file below the `alias` of a regular expression's location: see [`super::try_files`].
    pub add_uri_to_alias: bool,
    /// The media type that the answer has already, whatever the file's extension says.
    pub content_type: Option<&'a str>,
    /// The status that the answer will have: 200, or what an `error_page` gave it. Conditions and ranges hold for 200 only.
    pub status: u16,
    /// Names the boundary of a multipart answer: any number that differs from request to request.
    pub boundary: u64,
}

/// A line for the error log, without its head and tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its severity.
    pub level: Level,
    /// nginx's phrase. Bytes of paths that are not UTF-8 are replaced; control bytes are the log writer's to escape.
    pub text: String,
}

/// An error status instead of a file; `error_page` may still take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What nginx logs about it.
    pub log: Option<LogLine>,
    /// `Content-Range` of a 416.
    pub content_range: Option<String>,
}

impl Refusal {
    pub(super) fn silent(status: u16) -> Self {
        Self { status, log: None, content_range: None }
    }

    pub(super) fn logged(status: u16, level: Level, text: String) -> Self {
        Self { log: Some(LogLine { level, text }), ..Self::silent(status) }
    }
}

/// A template's value, without a copy where it is literal.
pub(super) fn text<'a>(template: &'a Template, eval: &mut Eval<'_>) -> Cow<'a, [u8]> {
    match template.as_literal() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(eval(template)),
    }
}
