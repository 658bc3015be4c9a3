//! Where records go: access logs, their formats, error logs. Not here: writing.

use std::path::PathBuf;
use std::time::Duration;

use super::Template;

/// A destination for log lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogFile {
    /// A file, its path made absolute against the prefix.
    Path(PathBuf),
    /// A path with variables is evaluated at each write, as nginx does.
    Template(Template),
    /// Standard error.
    Stderr,
}

/// One `access_log` line in force at a location.
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// Where it goes.
    pub file: LogFile,
    /// Index into [`super::Config::log_formats`].
    pub format: usize,
    /// `buffer=SIZE`: bytes collected before a write; `None` writes as soon as the writer runs.
    pub buffer: Option<usize>,
    /// `flush=TIME`: the longest a buffered line waits.
    pub flush: Option<Duration>,
    /// `if=CONDITION`: the line is written unless this is empty or `0`.
    pub condition: Option<Template>,
}

/// A `log_format`.
#[derive(Debug, Clone)]
pub struct LogFormat {
    /// Its name.
    pub name: Box<str>,
    /// How values are escaped.
    pub escape: Escape,
    /// The line, without its newline.
    pub line: Template,
}

/// `escape=` of `log_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// `"`, `\` and bytes below 32 or above 126 become `\xXX`; an absent value becomes `-`.
    #[default]
    Default,
    /// JSON string escapes; an absent value becomes empty.
    Json,
    /// No escaping.
    None,
}

/// One `error_log` line in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLog {
    /// Where it goes.
    pub file: LogFile,
    /// The least severe level that is written.
    pub level: Level,
}

/// Severity, most severe first, as nginx orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The process cannot go on.
    Emerg,
    /// Somebody must act at once.
    Alert,
    /// A resource or configuration is broken.
    Crit,
    /// A request failed.
    Error,
    /// Something to look at.
    Warn,
    /// Normal but notable.
    Notice,
    /// Clients' faults and connections' ends.
    Info,
    /// Everything.
    Debug,
}

impl Level {
    /// The word in the log and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Level::Emerg => "emerg",
            Level::Alert => "alert",
            Level::Crit => "crit",
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Notice => "notice",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}
