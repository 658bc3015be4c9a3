//! Settings for unit tests: nginx's defaults with nothing configured. Not here: anything that runs.

use std::sync::Arc;
use std::time::Duration;

use config::model::{
    IfModifiedSince, LingeringClose, Location, Pattern, Proxy, Root, ServerTokens, Settings,
    Template, Types,
};

/// A location with default settings.
pub(crate) fn location(pattern: Pattern, children: Vec<Location>) -> Location {
    Location {
        pattern,
        settings: settings(),
        answer: None,
        internal: false,
        children,
    }
}

/// nginx's defaults.
pub(crate) fn settings() -> Settings {
    const MINUTE: Duration = Duration::from_secs(60);
    Settings {
        root: Root {
            path: Template::literal("html"),
            alias: false,
        },
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
        tcp_nodelay: true,
        access_logs: Arc::new([]),
        error_logs: Arc::new([]),
        resolver: None,
        proxy: Arc::new(proxy()),
        proxy_pass: None,
    }
}

fn proxy() -> Proxy {
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
        next_upstream: policy::RetrySettings {},
        redirects: vec![],
        cookie_domains: vec![],
        cookie_paths: vec![],
        hide_headers: vec![],
        ignore_headers: vec![],
        pass_trailers: false,
        intercept_errors: false,
        ignore_client_abort: false,
        socket_keepalive: false,
        bind: None,
        force_ranges: false,
    }
}
