//! From a URI to a file's name: `root`, `alias`, and the extension that chooses a type. Not here: whether the file exists.

use std::os::unix::ffi::OsStrExt;

use config::model::{Level, Part, Template, Types};

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
    if climbs(&path, &[&request.settings.root.path]) {
        return Err(climbing(&path));
    }
    Ok(Mapped { path, root })
}

/// Whether a name goes up where the file did not write it: by a variable, or by the path behind an `alias` in a location that
/// ends within a segment (`location /a { alias /b/; }` and `/a../x`). nginx follows it.
pub(super) fn climbs(path: &[u8], written: &[&Template]) -> bool {
    memchr::memmem::find(path, b"..").is_some()
        && ups(path) > written.iter().map(|template| written_ups(template)).sum()
}

/// What a name that climbs is answered with.
pub(super) fn climbing(path: &[u8]) -> Refusal {
    Refusal::logged(404, Level::Error, climbing_phrase(path))
}

/// What the error log says of a name that climbs.
pub(super) fn climbing_phrase(path: &[u8]) -> String {
    format!("\"{}\" leads up from where the configuration put it", String::from_utf8_lossy(path))
}

/// How many segments of a name are `..`.
fn ups(path: &[u8]) -> usize {
    path.split(|&byte| byte == b'/').filter(|segment| *segment == b"..").count()
}

/// How many of a template's segments are `..` whatever its variables hold.
fn written_ups(template: &Template) -> usize {
    let text = template.parts.iter().flat_map(|part| match part {
        Part::Text(text) => &**text,
        Part::Variable(_) => b"$",
    });
    ups(&text.copied().collect::<Vec<u8>>())
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
    fn a_name_climbs_where_the_file_did_not_write_it() {
        let variable = || Part::Variable(config::model::Variable::Uri);
        let text = |text: &str| Part::Text(text.as_bytes().into());
        let template = |parts: Vec<Part>| Template { source: "".into(), parts };
        let written = template(vec![text("/srv/../www/"), variable()]);
        assert!(!climbs(b"/srv/../www/a..b/..c", &[&written]));
        assert!(climbs(b"/srv/../www/../etc", &[&written]));
        let joined = template(vec![text("/srv/.."), variable()]);
        assert!(climbs(b"/srv/..", &[&joined]), "two dots and a variable are no segment of the file's");
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
