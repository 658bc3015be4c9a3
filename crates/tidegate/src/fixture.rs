//! Settings for unit tests: nginx's defaults with nothing configured. Not here: anything that runs.

use std::sync::Arc;
use std::time::Duration;

use config::model::{
    IfModifiedSince, LingeringClose, Location, Pattern, Proxy, Root, ServerTokens, Settings, Template, Types,
};

/// A location with default settings.
pub(crate) fn location(pattern: Pattern, children: Vec<Location>) -> Location {
    Location { pattern, settings: settings(), sets: Vec::new(), answer: None, internal: false, children }
}

/// nginx's defaults.
pub(crate) fn settings() -> Settings {
    const MINUTE: Duration = Duration::from_secs(60);
    Settings {
        root: Root { path: Template::literal("html"), alias: false, replaces: None },
        index: Arc::new([Template::literal("index.html")]),
        types: Arc::new(Types::default()),
        default_type: "text/plain".into(),
        try_files: None,
        error_pages: Arc::new([]),
        recursive_error_pages: false,
        add_headers: Arc::new([]),
        client_max_body_size: 1 << 20,
        client_body_buffer_size: 16 << 10,
        client_body_timeout: MINUTE,
        client_body_temp_path: "client_body_temp".into(),
        send_timeout: MINUTE,
        keepalive_timeout: Duration::from_secs(75),
        keepalive_header: None,
        keepalive_requests: 1000,
        keepalive_time: Duration::from_secs(3600),
        keepalive_min_timeout: Duration::ZERO,
        lingering_close: LingeringClose::On,
        lingering_time: Duration::from_secs(30),
        lingering_timeout: Duration::from_secs(5),
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
        error_logs: Arc::new([]),
        resolver: None,
        proxy: Arc::new(proxy()),
        proxy_status: config::model::ProxyStatus::Off,
        failure_details: config::model::Trusted::default(),
        local_response: config::model::LocalResponse::default(),
        proxy_pass: None,
    }
}

pub(crate) fn proxy() -> Proxy {
    const MINUTE: Duration = Duration::from_secs(60);
    Proxy {
        set_headers: vec![],
        set_body: None,
        method: None,
        http11: true,
        pass_request_headers: true,
        pass_request_body: true,
        request_buffering: true,
        buffering: true,
        buffer_size: 4096,
        buffers: (8, 4096),
        busy_buffers_size: 8192,
        max_temp_file_size: 1 << 30,
        temp_path: "proxy_temp".into(),
        connect_timeout: MINUTE,
        send_timeout: MINUTE,
        read_timeout: MINUTE,
        next_upstream: policy::RetrySettings::default(),
        resilience: policy::resilience::Resilience::default(),
        redirects: vec![],
        cookie_domains: vec![],
        cookie_paths: vec![],
        hide_headers: vec![],
        ignore_headers: vec![],
        written: config::model::WrittenTimes::default(),
        pass_trailers: false,
        intercept_errors: false,
        ignore_client_abort: false,
        socket_keepalive: false,
        bind: None,
        force_ranges: false,
    }
}

/// A directory that is removed at the end of a test.
pub(crate) struct Directory(std::path::PathBuf);

impl Directory {
    /// A new, empty one.
    pub(crate) fn new() -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("tidegate-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Writes a file of 2024-01-02 03:04:05, with the directories above it.
    pub(crate) fn file(&self, name: &str, content: &str) -> &Self {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let modified = std::time::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(modified).unwrap();
        self
    }

    /// Makes a directory.
    pub(crate) fn directory(&self, name: &str) -> &Self {
        std::fs::create_dir_all(self.0.join(name)).unwrap();
        self
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Fields by name.
pub(crate) struct Pairs<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl crate::local::Fields for Pairs<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value.as_bytes())
    }
}
