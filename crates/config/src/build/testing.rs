//! For tests beside the rows: what a few lines mean, and what is said of them.

use crate::model::{Config, Location, Settings};
use crate::{Loaded, Severity, load_text};

/// A server's lines, with `/` as its first location where there is one.
pub(crate) fn in_server(lines: &str) -> Loaded {
    in_http(&format!("server {{ listen 127.0.0.1:8080; {lines} }}"))
}

pub(crate) fn in_http(lines: &str) -> Loaded {
    load_text(&format!("events {{ }} http {{ {lines} }}"))
}

/// What must be right means something.
pub(crate) fn config(loaded: Loaded) -> Config {
    let said = loaded.diagnostics;
    loaded.config.unwrap_or_else(|| panic!("not right: {said:?}"))
}

/// The settings of the first server's own level.
pub(crate) fn server_settings(lines: &str) -> Settings {
    config(in_server(lines)).servers.remove(0).root.settings
}

/// The first location of the first server.
pub(crate) fn first_location(lines: &str) -> Location {
    config(in_server(lines)).servers.remove(0).root.children.remove(0)
}

/// The messages of a severity.
pub(crate) fn said(loaded: &Loaded, severity: Severity) -> Vec<&str> {
    let of = loaded.diagnostics.iter().filter(|said| said.severity == severity);
    of.map(|said| said.message.as_str()).collect()
}

pub(crate) fn errors(loaded: &Loaded) -> Vec<&str> {
    said(loaded, Severity::Error)
}
