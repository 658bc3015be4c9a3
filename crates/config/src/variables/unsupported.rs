//! nginx's variables that are known and not supported, by module. Not here: directives.

use super::lower;

/// The module whose variable it is, if it is one of nginx's that is not supported yet. Case does not matter.
pub fn unsupported(name: &str) -> Option<&'static str> {
    let name = lower(name);
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    let of = |names: &str| names.split_whitespace().any(fits);
    UNSUPPORTED.iter().find(|(_, names)| of(names)).map(|(module, _)| *module)
}

/// Modules and their variables, parted by spaces; a star stands for the rest of a family's name.
pub fn unsupported_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    UNSUPPORTED.iter().copied()
}

/// Modules and their variables; a star stands for the rest of a family's name.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("ngx_http_auth_jwt_module", "jwt_header_* jwt_claim_* jwt_payload"),
    ("ngx_http_acme_module", "acme_certificate acme_certificate_key"),
    ("ngx_http_browser_module", "ancient_browser modern_browser msie"),
    (
        "ngx_http_core_module",
        "is_request_port limit_rate proxy_protocol_tlv_* request_port tcpinfo_rcv_space tcpinfo_rtt tcpinfo_rttvar \
         tcpinfo_snd_cwnd",
    ),
    ("ngx_http_fastcgi_module", "fastcgi_path_info fastcgi_script_name"),
    ("ngx_http_geoip_module", "geoip_*"),
    ("ngx_http_gzip_module", "gzip_ratio"),
    ("ngx_http_limit_conn_module", "limit_conn_status"),
    ("ngx_http_limit_req_module", "limit_req_status"),
    ("ngx_http_memcached_module", "memcached_key"),
    ("ngx_http_oidc_module", "oidc_*"),
    ("ngx_http_realip_module", "realip_remote_addr realip_remote_port"),
    ("ngx_http_referer_module", "invalid_referer"),
    ("ngx_http_secure_link_module", "secure_link secure_link_expires"),
    ("ngx_http_session_log_module", "session_log_binary_id session_log_id"),
    ("ngx_http_slice_module", "slice_range"),
    ("ngx_http_ssi_module", "date_gmt date_local"),
    (
        "ngx_http_ssl_module",
        "ssl_alpn_protocol ssl_cipher ssl_ciphers ssl_client_* ssl_curve ssl_curves ssl_early_data ssl_ech_* \
         ssl_protocol ssl_server_name ssl_session_id ssl_session_reused ssl_sigalg",
    ),
    ("ngx_http_stub_status_module", "connections_active connections_reading connections_waiting connections_writing"),
    (
        "ngx_http_upstream_module",
        "upstream_cache_age upstream_cache_etag upstream_cache_key upstream_cache_last_modified \
         upstream_cache_status upstream_last_server_name upstream_queue_time",
    ),
    ("ngx_http_userid_module", "uid_got uid_reset uid_set"),
    ("ngx_http_v2_module", "http2"),
    ("ngx_http_v3_module", "http3"),
    ("ngx_otel_module", "otel_parent_id otel_parent_sampled otel_span_id otel_trace_id"),
    ("ngx_stream_ssl_preread_module", "ssl_preread_alpn_protocols ssl_preread_protocol ssl_preread_server_name"),
];
