//! Everything that may be written in http, server and location, as it holds at one place. Not here: how it came to hold there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{AccessLog, ErrorLog, Regex, Template, Trusted, TryFiles};

/// The settings in force at a location.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `root` or `alias`.
    pub root: Root,
    /// `index`, default `index.html`.
    pub index: Arc<[Template]>,
    /// `types` and `default_type`.
    pub types: Arc<Types>,
    /// `default_type`, default `text/plain`.
    pub default_type: Box<str>,
    /// `try_files`; not inherited.
    pub try_files: Option<TryFiles>,
    /// `error_page`.
    pub error_pages: Arc<[ErrorPage]>,
    /// `recursive_error_pages`, default off.
    pub recursive_error_pages: bool,
    /// `add_header`.
    pub add_headers: Arc<[AddHeader]>,
    /// `client_max_body_size` in bytes, default 1m; 0 for no limit.
    pub client_max_body_size: u64,
    /// `client_body_buffer_size`, default 16k: what a kept body may hold in memory before it goes to a file.
    pub client_body_buffer_size: usize,
    /// `client_body_timeout` between two reads, default 60 s.
    pub client_body_timeout: Duration,
    /// `client_body_temp_path`, default `/tmp`.
    pub client_body_temp_path: PathBuf,
    /// `send_timeout` between two writes to the client, default 60 s.
    pub send_timeout: Duration,
    /// `keepalive_timeout TIMEOUT`, default 75 s; zero closes after each answer.
    pub keepalive_timeout: Duration,
    /// The second argument: the `Keep-Alive: timeout=` field to send.
    pub keepalive_header: Option<Duration>,
    /// `keepalive_requests`, default 1000.
    pub keepalive_requests: u64,
    /// `keepalive_time`, default one hour.
    pub keepalive_time: Duration,
    /// `keepalive_min_timeout`, default 0.
    pub keepalive_min_timeout: Duration,
    /// `lingering_close`, default on.
    pub lingering_close: LingeringClose,
    /// `lingering_time`, default 30 s.
    pub lingering_time: Duration,
    /// `lingering_timeout`, default 5 s.
    pub lingering_timeout: Duration,
    /// `reset_timedout_connection`, default off.
    pub reset_timedout_connection: bool,
    /// `absolute_redirect`, default on.
    pub absolute_redirect: bool,
    /// `server_name_in_redirect`, default off.
    pub server_name_in_redirect: bool,
    /// `port_in_redirect`, default on.
    pub port_in_redirect: bool,
    /// `if_modified_since`, default exact.
    pub if_modified_since: IfModifiedSince,
    /// `etag`, default on.
    pub etag: bool,
    /// `max_ranges`; `None` for no limit, 0 turns ranges off.
    pub max_ranges: Option<usize>,
    /// `chunked_transfer_encoding`, default on.
    pub chunked_transfer_encoding: bool,
    /// `server_tokens`, default on.
    pub server_tokens: ServerTokens,
    /// `log_not_found`, default on.
    pub log_not_found: bool,
    /// `uninitialized_variable_warn`, default on.
    pub uninitialized_variable_warn: bool,
    /// `tcp_nodelay`, default on.
    pub tcp_nodelay: bool,
    /// `access_log` lines in force; empty when off.
    pub access_logs: Arc<[AccessLog]>,
    /// `error_log` lines in force.
    pub error_logs: Arc<[ErrorLog]>,
    /// `resolver` and `resolver_timeout`.
    pub resolver: Option<Arc<Resolver>>,
    /// The proxy module.
    pub proxy: Arc<Proxy>,
    /// `proxy_status`.
    pub proxy_status: ProxyStatus,
    /// `failure_details`: the clients that are told of a failure what operators are told; default nobody.
    pub failure_details: Trusted,
    /// `local_response`.
    pub local_response: LocalResponse,
    /// `proxy_pass` of this very location; not inherited.
    pub proxy_pass: Option<ProxyPass>,
}

/// Where times were written that fire: those of the level, and those that it inherited.
#[derive(Debug, Clone, Default)]
pub struct WrittenTimes(Vec<(&'static str, Box<str>)>);

impl WrittenTimes {
    /// A line that sets a time is at `place`, such as `server, /etc/nginx/nginx.conf:14`.
    pub(crate) fn wrote(&mut self, directive: &'static str, place: Box<str>) {
        self.0.retain(|(known, _)| *known != directive);
        self.0.push((directive, place));
    }

    /// What to say of where a time comes from.
    pub fn told(&self, directive: &str) -> Box<str> {
        match self.0.iter().find(|(known, _)| *known == directive) {
            Some((_, place)) => format!("set in {place}").into(),
            None => "by default".into(),
        }
    }
}

/// When a client is told the type of a failure in the field `Proxy-Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyStatus {
    /// Never.
    #[default]
    Off,
    /// In the head.
    On,
    /// In the head, and where an answer breaks off behind it in a trailer, if the client reads them.
    Trailers,
}

/// What a client is told of an upstream's failure where no `error_page` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalResponse {
    /// What the client can read: a page that heals itself, problem details, a line.
    #[default]
    Auto,
    /// nginx's page.
    Nginx,
}

impl LocalResponse {
    /// Whether it is the gateway's own.
    pub fn is_own(self) -> bool {
        self == LocalResponse::Auto
    }
}

/// `root PATH` or `alias PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The path, absolute against the prefix unless it starts with a variable.
    pub path: Template,
    /// True for `alias`: the part of the URI that the location matched is replaced.
    pub alias: bool,
    /// For `alias`: how many bytes at the URI's start it replaces (a nested location inherits the outer one's count);
    /// `None` in a regular expression's location, where it replaces the whole URI, and for `root`.
    pub replaces: Option<usize>,
}

/// `types`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Types {
    /// Lower-case extension → media type.
    pub by_extension: HashMap<Box<str>, Box<str>>,
}

/// One code of an `error_page`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// The status it answers for.
    pub status: u16,
    /// `=` or `=CODE`: `None` keeps the status; `Some(0)` takes the status of what the page answers; else this code.
    pub overwrite: Option<u16>,
    /// Where the answer comes from.
    pub target: ErrorPageTarget,
}

/// The last argument of `error_page`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPageTarget {
    /// An internal redirect to a URI.
    Uri(Template),
    /// A named location, with the `@`.
    Named(Box<str>),
    /// A URL (anything that does not start with `/` or `@`): a redirect for the client, 302 unless overwritten.
    Url(Template),
}

/// `add_header NAME VALUE [always]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddHeader {
    /// The field's name.
    pub name: Box<str>,
    /// Its value; nothing is added when it is empty.
    pub value: Template,
    /// Also on answers other than 200, 201, 204, 206, 301, 302, 303, 304, 307, 308.
    pub always: bool,
}

/// `lingering_close`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word that is written")]
pub enum LingeringClose {
    Off,
    On,
    Always,
}

/// `if_modified_since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word that is written")]
pub enum IfModifiedSince {
    Off,
    Exact,
    Before,
}

/// `server_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the word that is written")]
pub enum ServerTokens {
    Off,
    On,
    Build,
}

/// `resolver ADDRESS … [valid=TIME]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resolver {
    /// Name servers.
    pub servers: Vec<SocketAddr>,
    /// `valid=`: overrides the TTL.
    pub valid: Option<Duration>,
    /// `resolver_timeout`, default 30 s.
    pub timeout: Duration,
    /// `ipv4=off`, `ipv6=off`.
    pub families: (bool, bool),
}

/// `proxy_pass`.
#[derive(Debug, Clone)]
pub struct ProxyPass {
    /// What was written.
    pub text: Template,
    /// Where to.
    pub target: ProxyTarget,
    /// The URI that replaces the matched part of the request's; `None` passes the request's on as it came.
    /// Always `None` where the target has variables: there the URI is part of [`ProxyTarget::Variable`].
    pub uri: Option<Template>,
    /// `$proxy_host` and the default `Host`: host and port as written, without a scheme's default port.
    pub host: Box<str>,
    /// `$proxy_port`.
    pub port: Box<str>,
}

/// The target of a `proxy_pass`.
#[derive(Debug, Clone)]
pub enum ProxyTarget {
    /// Index into [`super::Config::upstreams`], which has an implicit entry for each literal host.
    Upstream(usize),
    /// A URL with variables, evaluated for each request: `http://NAME[:PORT][URI]`; an upstream's name wins over DNS.
    Variable(Template),
}

/// The proxy module's settings.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `proxy_set_header`, as inherited; the default fields (`Host`, `Connection`) are the gateway's to add.
    pub set_headers: Vec<(Box<str>, Template)>,
    /// `proxy_set_body`.
    pub set_body: Option<Template>,
    /// `proxy_method`.
    pub method: Option<Template>,
    /// `proxy_http_version` is 1.1 (the default since nginx 1.29.7).
    pub http11: bool,
    /// `proxy_pass_request_headers`, default on.
    pub pass_request_headers: bool,
    /// `proxy_pass_request_body`, default on.
    pub pass_request_body: bool,
    /// `proxy_request_buffering`, default on.
    pub request_buffering: bool,
    /// `proxy_buffering`, default on.
    pub buffering: bool,
    /// `proxy_buffer_size`, default 4k or 8k: the bound on a response's head.
    pub buffer_size: usize,
    /// `proxy_buffers NUMBER SIZE`, default 8 × 4k or 8k.
    pub buffers: (usize, usize),
    /// `proxy_busy_buffers_size`.
    pub busy_buffers_size: usize,
    /// `proxy_max_temp_file_size`, default 1024m.
    pub max_temp_file_size: u64,
    /// `proxy_temp_path`.
    pub temp_path: PathBuf,
    /// `proxy_connect_timeout`, default 60 s.
    pub connect_timeout: Duration,
    /// `proxy_send_timeout` between two writes, default 60 s.
    pub send_timeout: Duration,
    /// `proxy_read_timeout` between two reads, default 60 s.
    pub read_timeout: Duration,
    /// Where the times above were written.
    pub written: WrittenTimes,
    /// `proxy_next_upstream`, `_tries`, `_timeout`.
    pub next_upstream: policy::RetrySettings,
    /// `resilience`, `hold`, `retry_budget`, `proxy_replay_unread`.
    pub resilience: policy::resilience::Resilience,
    /// `proxy_redirect`; an empty list is `off`.
    pub redirects: Vec<Redirect>,
    /// `proxy_cookie_domain`.
    pub cookie_domains: Vec<CookieRewrite>,
    /// `proxy_cookie_path`.
    pub cookie_paths: Vec<CookieRewrite>,
    /// Names never passed to the client, lower case: nginx's built-in ones and `proxy_hide_header`, less `proxy_pass_header`.
    pub hide_headers: Vec<Box<str>>,
    /// `proxy_ignore_headers`, lower case.
    pub ignore_headers: Vec<Box<str>>,
    /// `proxy_pass_trailers`, default off.
    pub pass_trailers: bool,
    /// `proxy_intercept_errors`, default off.
    pub intercept_errors: bool,
    /// `proxy_ignore_client_abort`, default off.
    pub ignore_client_abort: bool,
    /// `proxy_socket_keepalive`, default off.
    pub socket_keepalive: bool,
    /// `proxy_bind`.
    pub bind: Option<SocketAddr>,
    /// `proxy_force_ranges`, default off.
    pub force_ranges: bool,
}

/// One `proxy_redirect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// `default`: from the `proxy_pass` URL to the location's prefix. Both texts are worked out when the file is read.
    Prefix {
        /// Replaced at the start of `Location` and `Refresh`.
        from: Template,
        /// Put in its place.
        to: Template,
    },
    /// `~` or `~*`.
    Regex {
        /// Matched anywhere from the start.
        from: Regex,
        /// May use captures.
        to: Template,
    },
}

/// One `proxy_cookie_domain` or `proxy_cookie_path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieRewrite {
    /// A literal domain or path prefix.
    Literal {
        /// Compared without regard to case for domains.
        from: Template,
        /// Put in its place.
        to: Template,
    },
    /// `~` or `~*`.
    Regex {
        /// Matched against the attribute's value.
        from: Regex,
        /// May use captures.
        to: Template,
    },
}
