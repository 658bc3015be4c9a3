//! From a URI to a file's name: `root`, `alias`, and the extension that chooses a type. Not here: whether the file exists.

use std::os::unix::ffi::OsStrExt;

use config::model::{Level, Types};

use super::request::{Eval, FileRequest, Refusal, text};

/// A file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) path: Vec<u8>,
    /// How much of it is `root` or `alias`.
    pub(super) root: usize,
}

/// How much of the URI an `alias` replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alias {
    /// `root`: nothing is replaced.
    No,
    /// The first bytes.
    Prefix(usize),
    /// All of it: the location is a regular expression, and its `alias` names the file.
    All,
}

/// How the request's location maps URIs.
pub(super) fn alias(request: &FileRequest<'_>) -> Alias {
    let root = &request.settings.root;
    match root.replaces {
        _ if !root.alias => Alias::No,
        Some(length) => Alias::Prefix(length),
        None => Alias::All,
    }
}

/// `root` or `alias`, evaluated: `$document_root`.
pub(super) fn root(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Vec<u8> {
    let setting = &request.settings.root;
    let mut root = text(&setting.path, eval).into_owned();
    if !root.starts_with(b"/") {
        let below = std::mem::replace(&mut root, request.prefix.as_os_str().as_bytes().to_vec());
        if !root.ends_with(b"/") {
            root.push(b'/');
        }
        root.extend_from_slice(&below);
    }
    if !setting.alias && setting.path.source.ends_with('/') && root.ends_with(b"/") {
        root.pop();
    }
    root
}

/// The name of the file that the request's URI means: `$request_filename`.
pub(super) fn map(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Result<Mapped, Refusal> {
    let below = match alias(request) {
        Alias::All if !request.add_uri_to_alias => b"",
        Alias::All | Alias::No => request.path,
        Alias::Prefix(length) => request.path.get(length..).ok_or_else(rewritten)?,
    };
    let mut path = root(request, eval);
    let root = path.len();
    path.extend_from_slice(below);
    Ok(Mapped { path, root })
}

fn rewritten() -> Refusal {
    let text = "\"alias\" cannot be used in a location where the URI was rewritten";
    Refusal::logged(500, Level::Alert, text.to_owned())
}

/// The media type of a URI by its extension, in lower case; `default` if it has none or an unknown one.
pub(super) fn media_type<'a>(uri: &[u8], types: &'a Types, default: &'a str) -> &'a str {
    extension(uri)
        .and_then(|extension| str::from_utf8(extension).ok())
        .and_then(|extension| types.by_extension.get(&*extension.to_ascii_lowercase()))
        .map_or(default, |media_type| media_type)
}

/// What follows the last dot of the last segment. A dot that opens the segment does not count.
fn extension(uri: &[u8]) -> Option<&[u8]> {
    let dot = uri.iter().rposition(|byte| matches!(byte, b'.' | b'/'))?;
    let opens_segment = dot < 2 || uri.get(dot - 1) == Some(&b'/');
    if uri.get(dot) == Some(&b'/') || opens_segment {
        return None;
    }
    uri.get(dot + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_extensions() {
        for (uri, expected) in [
            ("/a.txt", Some("txt")),
            ("/a.tar.gz", Some("gz")),
            ("/a.", Some("")),
            ("/..a", Some("a")),
            ("/.a.b", Some("b")),
            ("/a.d/b", None),
            ("/.htaccess", None),
            ("/d/.a", None),
            ("/a", None),
            ("x.txt", None),
            ("", None),
        ] {
            let got = extension(uri.as_bytes());
            assert_eq!(got, expected.map(str::as_bytes), "{uri}");
        }
    }

    #[test]
    fn types_are_looked_up_in_lower_case() {
        let mut types = Types::default();
        types.by_extension.insert("html".into(), "text/html".into());
        assert_eq!(media_type(b"/UP.HTML", &types, "d/d"), "text/html");
        assert_eq!(media_type(b"/a.\xff", &types, "d/d"), "d/d");
        assert_eq!(media_type(b"/a.css", &types, "d/d"), "d/d");
    }
}
