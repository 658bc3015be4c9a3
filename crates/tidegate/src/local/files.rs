//! Static files: from a request to an open file and the bytes to send, or to another answer. Not here: sending.
//!
//! See <https://nginx.org/en/docs/http/ngx_http_core_module.html#root>. The path below the root cannot climb out of it,
//! since `$uri` has no `..` segment; symbolic links are followed wherever they lead.

use std::fs::File;
use std::ops::Range;

use config::model::{Level, Settings};

use super::conditions::{Verdict, judge};
use super::disk::{self, DiskError, Kind, Opened};
use super::paths::{map, media_type};
use super::ranges::{Selection, select};
use super::request::{Eval, FileRequest, Refusal};
use super::{date, index, paths};
use crate::uri::{Escape, escape_into};

/// The answer of the static files of a location.
#[derive(Debug)]
pub enum FileAnswer {
    /// 200, 206, or the status of the error whose page the file is.
    Send(Delivery),
    /// 304.
    NotModified(Validators),
    /// 301 to this `Location`, still relative: see [`super::redirect`].
    Redirect(Vec<u8>),
    /// The request goes on with another URI.
    Internal {
        /// The path, not normalised.
        uri: Vec<u8>,
        /// The arguments.
        args: Vec<u8>,
    },
    /// An error.
    Refuse(Refusal),
}

/// What identifies a file's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// `Last-Modified`; `None` if the answer is an error's page.
    pub last_modified: Option<String>,
    /// `ETag`; `None` with `etag off`.
    pub etag: Option<String>,
}

/// A file on its way to the client.
#[derive(Debug)]
pub struct Delivery {
    /// 206 for ranges, else the one asked for.
    pub status: u16,
    /// `Content-Type`; none if it is empty.
    pub content_type: String,
    /// `Content-Length`: all parts, their heads and the trailer.
    pub content_length: u64,
    /// `Content-Range` of a single range.
    pub content_range: Option<String>,
    /// `Last-Modified` and `ETag`.
    pub validators: Validators,
    /// Whether to send `Accept-Ranges: bytes`.
    pub accept_ranges: bool,
    /// What to send, in order. Nothing for HEAD is left out: the engine does not send a body there.
    pub parts: Vec<Part>,
    /// Sent after the last part.
    pub trailer: Vec<u8>,
    /// The file, opened for reading.
    pub file: File,
}

/// A piece of a [`Delivery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Sent before the bytes: a boundary and the part's own fields; empty unless there are several parts.
    pub head: Vec<u8>,
    /// The file's bytes.
    pub range: Range<u64>,
}

/// Answers a request from the files of its location.
pub fn serve(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> FileAnswer {
    decide(request, eval).unwrap_or_else(FileAnswer::Refuse)
}

/// `$request_filename`; empty where the location's `alias` does not fit the URI.
pub fn request_filename(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Vec<u8> {
    map(request, eval).map_or_else(|_| Vec::new(), |mapped| mapped.path)
}

/// The media type of a path by its extension: for files, and for texts of `return`.
pub fn content_type<'a>(path: &[u8], settings: &'a Settings) -> &'a str {
    media_type(path, &settings.types, &settings.default_type)
}

/// `$document_root`.
pub fn document_root(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Vec<u8> {
    paths::root(request, eval)
}

fn decide(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Result<FileAnswer, Refusal> {
    // A POST may still find a directory's redirect or a 404; a file refuses it.
    if !matches!(request.method, "GET" | "HEAD" | "POST") {
        return Err(Refusal::silent(405));
    }
    if request.path.ends_with(b"/") {
        return index::find(request, eval);
    }
    let path = map(request, eval)?.path;
    let opened = disk::open(&path).map_err(|error| cannot_open(request, &path, error))?;
    match opened.kind {
        Kind::Directory => Ok(FileAnswer::Redirect(with_slash(request))),
        Kind::Other => Err(not_regular(&path)),
        Kind::Regular if request.method == "POST" => Err(Refusal::silent(405)),
        Kind::Regular => deliver(request, opened),
    }
}

fn cannot_open(request: &FileRequest<'_>, path: &[u8], error: DiskError) -> Refusal {
    let phrase = error.phrase(path);
    if error.is_absent() || error.is_impossible() {
        if !request.settings.log_not_found {
            return Refusal::silent(404);
        }
        return Refusal::logged(404, Level::Error, phrase);
    }
    if error.is_denied() || error.is_loop() {
        return Refusal::logged(403, Level::Error, phrase);
    }
    Refusal::logged(500, Level::Crit, phrase)
}

fn not_regular(path: &[u8]) -> Refusal {
    let path = String::from_utf8_lossy(path);
    let text = format!("\"{path}\" is not a regular file");
    Refusal::logged(404, Level::Crit, text)
}

/// The request's own URI with a slash, for a directory.
fn with_slash(request: &FileRequest<'_>) -> Vec<u8> {
    let mut location = Vec::with_capacity(request.path.len() + request.args.len() + 2);
    escape_into(&mut location, Escape::Uri, request.path);
    location.push(b'/');
    if !request.args.is_empty() {
        location.push(b'?');
        location.extend_from_slice(request.args);
    }
    location
}

fn deliver(request: &FileRequest<'_>, opened: Opened) -> Result<FileAnswer, Refusal> {
    let settings = request.settings;
    let Opened { size, modified, .. } = opened;
    let is_page = request.status != 200;
    let validators = Validators {
        last_modified: (!is_page).then(|| date::format(modified)),
        etag: settings.etag.then(|| format!("\"{modified:x}-{size:x}\"")),
    };
    let whole = |validators| Delivery::whole(request, opened, validators);
    if is_page {
        return Ok(FileAnswer::Send(whole(validators)));
    }
    let etag = validators.etag.as_deref();
    match judge(request.fields, modified, etag, settings.if_modified_since) {
        Verdict::Send => {}
        Verdict::NotModified => return Ok(FileAnswer::NotModified(validators)),
        Verdict::Failed => return Err(Refusal::silent(412)),
    }
    Ok(FileAnswer::Send(match select(request.fields, size, modified, etag, settings.max_ranges) {
        Selection::Whole => whole(validators),
        Selection::Parts(ranges) => whole(validators).cut(ranges, request.boundary),
        Selection::Unsatisfiable => return Err(unsatisfiable(size)),
    }))
}

fn unsatisfiable(size: u64) -> Refusal {
    Refusal { content_range: Some(format!("bytes */{size}")), ..Refusal::silent(416) }
}

impl Delivery {
    fn whole(request: &FileRequest<'_>, opened: Opened, validators: Validators) -> Self {
        let settings = request.settings;
        let everything = (opened.size > 0).then(|| Part { head: Vec::new(), range: 0..opened.size });
        Self {
            status: request.status,
            content_type: request.content_type.unwrap_or_else(|| content_type(request.path, settings)).to_owned(),
            content_length: opened.size,
            content_range: None,
            accept_ranges: request.status == 200 && settings.max_ranges != Some(0),
            validators,
            parts: everything.into_iter().collect(),
            trailer: Vec::new(),
            file: opened.file,
        }
    }

    /// Leaves only some ranges of the file.
    fn cut(mut self, ranges: Vec<Range<u64>>, boundary: u64) -> Self {
        let size = self.content_length;
        self.status = 206;
        self.accept_ranges = false;
        if let [range] = ranges.as_slice() {
            self.content_range = Some(content_range(range, size));
            self.content_length = range.end - range.start;
            self.parts = vec![Part { head: Vec::new(), range: range.clone() }];
            return self;
        }
        let head = |range: &Range<u64>| part_head(boundary, &self.content_type, range, size);
        self.parts = ranges.into_iter().map(|range| Part { head: head(&range), range }).collect();
        self.trailer = format!("\r\n--{boundary:020}--\r\n").into_bytes();
        self.content_type = format!("multipart/byteranges; boundary={boundary:020}");
        self.content_length = self.parts.iter().map(Part::length).sum::<u64>() + self.trailer.len() as u64;
        self
    }
}

impl Part {
    fn length(&self) -> u64 {
        self.head.len() as u64 + (self.range.end - self.range.start)
    }
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}

fn part_head(boundary: u64, content_type: &str, range: &Range<u64>, size: u64) -> Vec<u8> {
    let mut head = format!("\r\n--{boundary:020}\r\n");
    if !content_type.is_empty() {
        head += &format!("Content-Type: {content_type}\r\n");
    }
    head += &format!("Content-Range: {}\r\n\r\n", content_range(range, size));
    head.into_bytes()
}

#[cfg(test)]
mod tests;
