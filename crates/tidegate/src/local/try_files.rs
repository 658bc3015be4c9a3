//! `try_files`: the first candidate that exists becomes the URI; if none does, the last argument says what happens.
//! Not here: what the location then does with the URI, which may be a proxy as well as a file.
//!
//! See <https://nginx.org/en/docs/http/ngx_http_core_module.html#try_files>.

use config::model::{Level, Template, TryFiles, TryTarget};

use super::disk::{self, Kind};
use super::paths::{Alias, alias, climbing_phrase, climbs, root};
use super::request::{Eval, FileRequest, LogLine, text};
use crate::uri::split_args;

/// What `try_files` decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// A candidate exists: go on in this location with this URI.
    Found {
        /// The new `$uri`; `None` leaves it as it is.
        uri: Option<Vec<u8>>,
        /// To be kept for [`FileRequest::add_uri_to_alias`].
        add_uri_to_alias: bool,
    },
    /// Answer with this status.
    Status(u16),
    /// Go to a named location, with the `@`.
    Named(Box<str>),
    /// Redirect internally.
    Internal {
        /// The path, not normalised.
        uri: Vec<u8>,
        /// The arguments.
        args: Vec<u8>,
    },
}

/// Tries the candidates. The lines are what nginx logs about those that could not be looked at.
pub fn try_files(request: &FileRequest<'_>, files: &TryFiles, eval: &mut Eval<'_>) -> (Tried, Vec<LogLine>) {
    let root = root(request, eval);
    let mut lines = Vec::new();
    for candidate in &files.candidates {
        let name = below_root(request, &candidate.path, eval);
        let path = [root.as_slice(), &name].concat();
        if climbs(&path, &[&request.settings.root.path, &candidate.path]) {
            lines.push(LogLine { level: Level::Error, text: climbing_phrase(&path) });
            continue;
        }
        match disk::look(&path) {
            Ok(kind) if (kind == Kind::Directory) == candidate.directory => {
                return (found(request, name, candidate.directory), lines);
            }
            Ok(_) => {}
            Err(error) if error.is_absent() || error.is_impossible() => {}
            Err(error) => lines.push(LogLine { level: Level::Crit, text: error.phrase(&path) }),
        }
    }
    (last(request, &files.last, eval), lines)
}

/// A candidate as it is appended to the root. Below an `alias`, one with variables loses the location's prefix, which
/// `$uri` brings along.
fn below_root(request: &FileRequest<'_>, template: &Template, eval: &mut Eval<'_>) -> Vec<u8> {
    let name = text(template, eval).into_owned();
    if let Alias::Prefix(length) = alias(request)
        && template.as_literal().is_none()
        && let Some(prefix) = request.path.get(..length)
        && let Some(rest) = name.strip_prefix(prefix)
    {
        return rest.to_vec();
    }
    name
}

fn found(request: &FileRequest<'_>, name: Vec<u8>, directory: bool) -> Tried {
    let (uri, add_uri_to_alias) = match alias(request) {
        Alias::No => (Some(name), false),
        Alias::Prefix(length) => {
            let prefix = request.path.get(..length).unwrap_or_default();
            (Some([prefix, &name].concat()), false)
        }
        Alias::All if directory => (None, false),
        Alias::All => (Some(name), true),
    };
    Tried::Found { uri, add_uri_to_alias }
}

fn last(request: &FileRequest<'_>, target: &TryTarget, eval: &mut Eval<'_>) -> Tried {
    match target {
        TryTarget::Status(status) => Tried::Status(*status),
        TryTarget::Named(name) => Tried::Named(name.clone()),
        TryTarget::Uri(template) => {
            // nginx takes the prefix away here too, although this is no file: people's files are written around it.
            let value = below_root(request, template, eval);
            if value.starts_with(b"@")
                && let Ok(name) = String::from_utf8(value.clone())
            {
                return Tried::Named(name.into());
            }
            let (uri, args) = split_args(&value);
            Tried::Internal { uri: uri.to_vec(), args: args.to_vec() }
        }
    }
}

#[cfg(test)]
mod tests;
