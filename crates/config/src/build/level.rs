//! What is being collected while blocks are walked: levels that inherit from one another, hosts, upstreams.
//! Not here: which directive writes what (the table), and what derived values come to (`finish`).

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use policy::health::active::ProbeSettings;

use crate::directives::nginx_default_types;
use crate::model::{
    ErrorLog, IfModifiedSince, Keepalive, LingeringClose, Listen, Pattern, Probe, Proxy, ProxyStatus, Redirect,
    Resolver, Return, Root, ServerName, ServerSettings, ServerTokens, Set, Settings, Template, Types, Upstream,
    UpstreamServer, WrittenTimes,
};
use crate::tree::Span;

/// The http level, a server's or a location's while its directives are read. A new level starts as a copy of the
/// one around it, so that what is written replaces what was inherited and nothing else has to be said.
#[derive(Clone)]
pub(crate) struct Level {
    /// What is in force, but for `proxy` and what [`Written`] holds.
    pub settings: Settings,
    /// The proxy module's part.
    pub proxy: Proxy,
    /// What holds before a location is chosen; a location's copy is not used.
    pub server: ServerSettings,
    /// What derived values are worked out from.
    pub written: Written,
    /// `internal`, which a nested location inherits.
    pub internal: bool,
    /// What no nested level inherits.
    pub own: Own,
}

/// Values as written, from which [`super::finish`] works out what holds.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub busy_buffers_size: Option<usize>,
    pub hide_headers: Vec<Box<str>>,
    pub pass_headers: Vec<Box<str>>,
    /// `None` until a `proxy_redirect` or a literal `proxy_pass` was seen here or above.
    pub redirects: Option<Vec<Redirect>>,
    /// `proxy_redirect off`.
    pub redirect_off: bool,
    pub resolver: Option<Resolver>,
    pub resolver_timeout: Option<Duration>,
    /// Where the latest of the buffer sizes that are compared was written.
    pub buffers_span: Option<Span>,
}

/// What belongs to one level alone.
#[derive(Clone)]
pub(crate) struct Own {
    /// The location's pattern.
    pub pattern: Pattern,
    /// Each `set` before the first `return`.
    pub sets: Vec<Set>,
    /// The first `return`.
    pub answer: Option<Return>,
    /// `root` or `alias`, whichever was written here.
    pub root: Option<&'static str>,
    /// `access_log off` was written here.
    pub access_log_off: bool,
    pub health_check: Option<HealthCheckDraft>,
}

/// A `health_check` as written; what it checks is known when its location is.
#[derive(Clone)]
pub(crate) struct HealthCheckDraft {
    pub settings: ProbeSettings,
    pub probe: Probe,
    pub port: Option<u16>,
    pub span: Span,
}

impl Own {
    fn of(pattern: Pattern) -> Self {
        Self { pattern, sets: Vec::new(), answer: None, root: None, access_log_off: false, health_check: None }
    }
}

impl Level {
    /// The http level before anything is written: nginx's defaults.
    pub(crate) fn http(prefix: &Path, error_logs: Arc<[ErrorLog]>) -> Self {
        Self {
            settings: default_settings(prefix, error_logs),
            proxy: default_proxy(prefix),
            server: default_server_settings(),
            written: Written::default(),
            internal: false,
            own: Own::of(Pattern::Server),
        }
    }

    /// A level inside this one: a copy without what is not inherited.
    pub(crate) fn child(&self, pattern: Pattern) -> Self {
        let mut child = self.clone();
        child.own = Own::of(pattern);
        child.settings.try_files = None;
        child.settings.proxy_pass = None;
        child
    }
}

/// The default proxy part, shared by levels that have not been finished yet.
static UNFINISHED_PROXY: LazyLock<Arc<Proxy>> = LazyLock::new(|| Arc::new(default_proxy(Path::new("/"))));

fn default_settings(prefix: &Path, error_logs: Arc<[ErrorLog]>) -> Settings {
    let seconds = Duration::from_secs;
    Settings {
        root: Root { path: Template::literal(&prefix.join("html").to_string_lossy()), alias: false, replaces: None },
        index: Arc::new([Template::literal("index.html")]),
        types: Arc::new(nginx_default_types()),
        default_type: "text/plain".into(),
        try_files: None,
        error_pages: Arc::new([]),
        recursive_error_pages: false,
        add_headers: Arc::new([]),
        client_max_body_size: 1 << 20,
        client_body_buffer_size: 16 << 10,
        client_body_timeout: seconds(60),
        client_body_temp_path: "/tmp".into(),
        send_timeout: seconds(60),
        keepalive_timeout: seconds(75),
        keepalive_header: None,
        keepalive_requests: 1000,
        keepalive_time: seconds(3600),
        keepalive_min_timeout: Duration::ZERO,
        lingering_close: LingeringClose::On,
        lingering_time: seconds(30),
        lingering_timeout: seconds(5),
        reset_timedout_connection: false,
        absolute_redirect: true,
        server_name_in_redirect: false,
        port_in_redirect: true,
        if_modified_since: IfModifiedSince::Exact,
        etag: true,
        max_ranges: None,
        chunked_transfer_encoding: true,
        server_tokens: ServerTokens::On,
        log_not_found: true,
        uninitialized_variable_warn: true,
        tcp_nodelay: true,
        access_logs: Arc::new([]),
        error_logs,
        resolver: None,
        proxy: Arc::clone(&UNFINISHED_PROXY),
        proxy_status: ProxyStatus::default(),
        failure_details: crate::model::Trusted::default(),
        local_response: crate::model::LocalResponse::default(),
        proxy_pass: None,
    }
}

/// One memory page, nginx's unit for the proxy's buffers.
const PAGE: usize = 4096;

fn default_proxy(prefix: &Path) -> Proxy {
    let minute = Duration::from_secs(60);
    Proxy {
        set_headers: Vec::new(),
        set_body: None,
        method: None,
        http11: true,
        pass_request_headers: true,
        pass_request_body: true,
        request_buffering: true,
        buffering: true,
        buffer_size: PAGE,
        buffers: (8, PAGE),
        busy_buffers_size: 2 * PAGE,
        max_temp_file_size: 1 << 30,
        temp_path: prefix.join("proxy_temp"),
        connect_timeout: minute,
        send_timeout: minute,
        read_timeout: minute,
        written: WrittenTimes::default(),
        next_upstream: policy::RetrySettings::default(),
        resilience: policy::resilience::Resilience::default(),
        redirects: Vec::new(),
        cookie_domains: Vec::new(),
        cookie_paths: Vec::new(),
        hide_headers: Vec::new(),
        ignore_headers: Vec::new(),
        pass_trailers: false,
        intercept_errors: false,
        ignore_client_abort: false,
        socket_keepalive: false,
        bind: None,
        force_ranges: false,
    }
}

fn default_server_settings() -> ServerSettings {
    ServerSettings {
        client_header_timeout: Duration::from_secs(60),
        client_header_buffer_size: 1024,
        large_client_header_buffers: (4, 8 << 10),
        max_headers: 1000,
        ignore_invalid_headers: true,
        underscores_in_headers: false,
        merge_slashes: true,
    }
}

/// What a `server` block has beside its level.
#[derive(Default)]
pub(crate) struct Host {
    /// Each `listen` and where it was written.
    pub listens: Vec<WrittenListen>,
    /// Each name and where it was written.
    pub names: Vec<(ServerName, Span)>,
}

/// A socket of a `listen`.
pub(crate) struct WrittenListen {
    pub listen: Listen,
    /// A parameter was given that only one `listen` of an address may have.
    pub options: bool,
    pub span: Span,
}

/// An `upstream` block while it is read.
pub(crate) struct UpstreamDraft {
    pub upstream: Upstream,
    /// A balancing method was named.
    pub method: bool,
    /// The method takes `backup` servers.
    pub takes_backup: bool,
    /// `resolver` and `resolver_timeout` of the block.
    pub resolver: Option<Resolver>,
    pub resolver_timeout: Option<Duration>,
    /// The first `resolve` of a name.
    pub resolve: Option<Span>,
}

impl UpstreamDraft {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            upstream: empty_upstream(name),
            method: false,
            takes_backup: true,
            resolver: None,
            resolver_timeout: None,
            resolve: None,
        }
    }
}

pub(crate) fn empty_upstream(name: &str) -> Upstream {
    Upstream {
        name: name.into(),
        implicit: false,
        servers: Vec::<UpstreamServer>::new(),
        balance: policy::Balance::RoundRobin,
        hash_key: None,
        keepalive: Keepalive::default(),
        resolver: None,
        zone: None,
        health_checks: Vec::new(),
    }
}

/// An empty table, for a first `types` block.
pub(crate) fn no_types() -> Types {
    Types { by_extension: HashMap::new() }
}
