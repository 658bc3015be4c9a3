//! From what was written to what it means: the walk over the tree, level by level, with the directive table in hand.
//!
//! Each block is read in two steps: its own settings first, then the blocks inside, which start as copies of it. So
//! the order of lines does not matter to what a nested block inherits. Nothing stops at a fault: all are collected.
//! Not here: what a single directive does (see `directives`), and text (lexer, parser, includes).

mod address;
mod apply;
#[cfg(test)]
mod arbitrary;
mod check;
mod conflicts;
mod context;
mod finish;
mod health_check;
mod http;
mod level;
mod load;
mod location;
mod names;
mod root;
mod server;

#[cfg(test)]
pub(crate) mod testing;
mod text;
mod upstream;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use load::{load, load_text, load_text_with};

pub(crate) use address::HostPart;
pub(crate) use context::{Build, Line};
pub(crate) use finish::RESOLVER_TIMEOUT;
pub(crate) use level::{HealthCheckDraft, Host, Level, UpstreamDraft, WrittenListen, no_types};
pub(crate) use server::plain_listen;
pub(crate) use upstream::{address_of, define_upstream, find_upstream, implicit_upstream};
pub(crate) mod addresses {
    //! The two ways of reading an address.
    pub(crate) use super::address::{Written, endpoint, listen};
}

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Config;
use crate::text::{Written, judge, leave_out_spoilt, path_of};
use crate::tree::{Span, Tree};

/// Things said of one configuration; what is beyond is only counted.
pub(crate) const MAX_SAID: usize = 1000;

/// What a configuration is read with: the command line's part.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-p`: what relative paths start from.
    pub prefix: PathBuf,
    /// `-g`: directives of the main context from the command line.
    pub globals: Option<String>,
    /// `-e`: the error log where none is written.
    pub error_log: Option<PathBuf>,
    /// A server without a `listen` takes port 8000 instead of 80, as nginx's does for an unprivileged user.
    pub unprivileged: bool,
}

/// What came of reading a configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it means; nothing when a diagnostic is an error.
    pub config: Option<Config>,
    /// What was written.
    pub tree: Tree,
    /// Everything there is to say, in the order of reading.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was written, and what it means.
pub(crate) fn meaning_of(written: Written, options: &Options) -> Loaded {
    let tree = written.tree;
    let mut build = Build::new(options, &tree);
    let config = root::config(&mut build, &tree);
    let mut diagnostics = build.into_diagnostics();
    leave_out_spoilt(&mut diagnostics, &written.said, &tree);
    diagnostics.extend(written.said);
    diagnostics.sort_by_cached_key(|said| tree.reading_order(said.span));
    // What is inherited is judged at each level that inherits it: once is enough to say.
    let mut seen = HashSet::new();
    diagnostics.retain(|said| {
        let related = said.related.as_ref().map(|(span, _)| *span);
        seen.insert((said.span, related, said.message.clone()))
    });
    judge(&mut diagnostics, &written.suspects);
    let broken = diagnostics.iter().any(|said| said.severity == Severity::Error);
    shorten(&mut diagnostics);
    Loaded { config: config.filter(|_| !broken), tree, diagnostics }
}

/// Leaves out what is beyond the bound, and says how much.
fn shorten(diagnostics: &mut Vec<Diagnostic>) {
    let more = diagnostics.len().saturating_sub(MAX_SAID);
    if more > 0 {
        diagnostics.truncate(MAX_SAID);
        let message = format!("there is more to say, {more} times: it is left out");
        diagnostics.push(Diagnostic::new(Severity::Note, Span::NOWHERE, message));
    }
}

/// A path made absolute against the prefix, as nginx's `ngx_conf_full_name` does.
pub(crate) fn absolute(prefix: &Path, path: &str) -> PathBuf {
    prefix.join(path_of(path))
}
