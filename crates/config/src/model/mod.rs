//! What a configuration means: typed, inherited, defaulted. Plain values, no behaviour but look-ups of their own fields.
//!
//! Not here: text, spans' files, directive names (see the directive table), and nothing that runs.

mod health_check;
mod location;
mod log;
mod regex;
mod server;
mod settings;
mod template;
mod trusted;
mod upstream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use health_check::{HeaderTest, HealthCheck, Match, Probe, Test};
pub use location::{Location, Pattern, Return, Set, SetVariable, TryCandidate, TryFiles, TryTarget};
pub use log::{AccessLog, ErrorLog, Escape, Level, LogFile, LogFormat};
pub use regex::{BACKTRACK_LIMIT, Regex};
pub use server::{Listen, ListenAddress, Server, ServerName, ServerSettings};
pub use settings::{
    AddHeader, CookieRewrite, ErrorPage, ErrorPageTarget, IfModifiedSince, LingeringClose, LocalResponse, Proxy,
    ProxyPass, ProxyStatus, ProxyTarget, Redirect, Resolver, Root, ServerTokens, Settings, Types, WrittenTimes,
};
pub use template::{Capture, Map, MapKey, Part, Template, Variable};
pub use trusted::{AddressRange, Trusted};
pub use upstream::{Address, Keepalive, Upstream, UpstreamServer};

/// A whole configuration, ready to be turned into tables.
#[derive(Debug, Clone)]
pub struct Config {
    /// Process-wide settings (the main and events contexts).
    pub main: Main,
    /// Named upstreams, in the order written. [`ProxyTarget::Upstream`] indexes this list.
    pub upstreams: Vec<Upstream>,
    /// Virtual hosts, in the order written.
    pub servers: Vec<Server>,
    /// `map` blocks; [`Variable::Map`] indexes this list.
    pub maps: Vec<Map>,
    /// Names that regular expressions and `set` define; [`Capture::Named`] and [`Variable::Set`] index this list.
    pub own_names: Vec<Box<str>>,
    /// Some template reads fields of responses: `$upstream_http_*`, `$sent_http_*` and the like. They are kept only then.
    pub reads_heads: bool,
    /// `log_format` definitions; [`AccessLog::format`] indexes this list. Entry 0 is `combined`.
    pub log_formats: Vec<LogFormat>,
    /// Settings of the `http` context itself: used where no server was chosen yet.
    pub http: Settings,
}

/// The main and events contexts.
#[derive(Debug, Clone)]
pub struct Main {
    /// `user NAME [GROUP]`.
    pub user: Option<User>,
    /// `worker_processes`; `None` means `auto`. nginx's default is 1.
    pub worker_processes: Option<usize>,
    /// `worker_connections` of `events`: the bound on connections a worker holds. Default 512.
    pub worker_connections: usize,
    /// `worker_rlimit_nofile`.
    pub worker_rlimit_nofile: Option<u64>,
    /// `worker_shutdown_timeout`: the longest a drain may take.
    pub worker_shutdown_timeout: Option<Duration>,
    /// `worker_priority`-like knobs do nothing here; `working_directory` does.
    pub working_directory: Option<PathBuf>,
    /// `pid FILE`, relative paths resolved against the prefix; `None` is `pid off`.
    pub pid: Option<PathBuf>,
    /// `daemon on|off`, default on.
    pub daemon: bool,
    /// `master_process on|off`, default on.
    pub master_process: bool,
    /// `error_log` of the main context (the default file when none is written).
    pub error_logs: Arc<[ErrorLog]>,
    /// `env NAME` / `env NAME=VALUE`.
    pub environment: Vec<(Box<str>, Option<Box<str>>)>,
}

/// `user NAME [GROUP]`; the group defaults to the user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account's name.
    pub name: Box<str>,
    /// The group's name.
    pub group: Box<str>,
}
