//! Names that are known and not supported: nginx's other modules, and well-known modules of others. A file that uses
//! one is refused with its name, never half obeyed. Not here: what they would mean.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Whose directive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported {
    /// The module.
    pub module: &'static str,
    /// It is one of nginx's own, free or commercial.
    pub nginx: bool,
}

/// Who has the directive, if it is a known one that is not supported.
pub fn unsupported(name: &str) -> Option<Unsupported> {
    if let Some(&module) = BY_NAME.get(name) {
        return Some(Unsupported { module, nginx: true });
    }
    let foreign = FOREIGN_PATTERNS.iter().find(|(pattern, _)| fits(pattern, name));
    foreign.map(|&(_, module)| Unsupported { module, nginx: false })
}

static FOREIGN_PATTERNS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let of = |(module, patterns): &(&'static str, &'static str)| {
        let module = *module;
        patterns.split_whitespace().map(move |pattern| (pattern, module))
    };
    FOREIGN.iter().flat_map(of).collect()
});

static BY_NAME: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| unsupported_names().collect());

/// The names of nginx's own directives that are not supported yet, with their modules.
pub fn unsupported_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    MODULES.iter().flat_map(|(module, names)| names.split_whitespace().map(move |name| (name, *module)))
}

/// Whether a name fits a pattern with at most one `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}

/// nginx's modules and the names of theirs that are not in the table.
const MODULES: &[(&str, &str)] = &[
    ("ngx_http_access_module", "allow deny"),
    ("ngx_http_addition_module", "add_before_body add_after_body addition_types"),
    ("ngx_http_api_module", "api status_zone"),
    ("ngx_http_auth_basic_module", "auth_basic auth_basic_user_file"),
    (
        "ngx_http_auth_jwt_module",
        "auth_jwt auth_jwt_claim_set auth_jwt_header_set auth_jwt_key_cache auth_jwt_key_file \
         auth_jwt_key_request auth_jwt_leeway auth_jwt_require auth_jwt_type",
    ),
    ("ngx_http_auth_request_module", "auth_request auth_request_set"),
    ("ngx_http_autoindex_module", "autoindex autoindex_exact_size autoindex_format autoindex_localtime"),
    ("ngx_http_browser_module", "ancient_browser ancient_browser_value modern_browser modern_browser_value"),
    ("ngx_http_charset_module", "charset charset_map charset_types override_charset source_charset"),
    (
        "ngx_http_core_module",
        "auth_delay disable_symlinks early_hints if_range limit_except limit_rate post_action \
         limit_rate_after satisfy",
    ),
    ("ngx_http_dav_module", "create_full_put_path dav_access dav_methods min_delete_depth"),
    ("ngx_http_empty_gif_module", "empty_gif"),
    ("ngx_http_f4f_module", "f4f f4f_buffer_size"),
    (
        "ngx_http_fastcgi_module",
        "fastcgi_allow_upstream fastcgi_bind fastcgi_buffer_size fastcgi_buffering \
         fastcgi_buffers fastcgi_busy_buffers_size fastcgi_cache \
         fastcgi_cache_background_update fastcgi_cache_bypass fastcgi_cache_key \
         fastcgi_cache_lock fastcgi_cache_lock_age fastcgi_cache_lock_timeout \
         fastcgi_cache_max_range_offset fastcgi_cache_methods fastcgi_cache_min_uses \
         fastcgi_cache_path fastcgi_cache_purge fastcgi_cache_revalidate \
         fastcgi_cache_use_stale fastcgi_cache_valid fastcgi_catch_stderr \
         fastcgi_connect_timeout fastcgi_force_ranges fastcgi_hide_header \
         fastcgi_ignore_client_abort fastcgi_ignore_headers fastcgi_index \
         fastcgi_intercept_errors fastcgi_keep_conn fastcgi_limit_rate \
         fastcgi_max_temp_file_size fastcgi_next_upstream fastcgi_next_upstream_timeout \
         fastcgi_next_upstream_tries fastcgi_no_cache fastcgi_param fastcgi_pass \
         fastcgi_pass_header fastcgi_pass_request_body fastcgi_pass_request_headers \
         fastcgi_read_timeout fastcgi_request_buffering fastcgi_request_dynamic \
         fastcgi_send_lowat fastcgi_send_timeout fastcgi_socket_keepalive \
         fastcgi_split_path_info fastcgi_store fastcgi_store_access \
         fastcgi_temp_file_write_size fastcgi_temp_path",
    ),
    ("ngx_http_flv_module", "flv"),
    ("ngx_http_geo_module", "geo"),
    ("ngx_http_geoip_module", "geoip_city geoip_country geoip_org geoip_proxy geoip_proxy_recursive"),
    (
        "ngx_http_grpc_module",
        "grpc_allow_upstream grpc_bind grpc_buffer_size grpc_connect_timeout grpc_hide_header \
         grpc_ignore_headers grpc_intercept_errors grpc_next_upstream \
         grpc_next_upstream_timeout grpc_next_upstream_tries grpc_pass grpc_pass_header \
         grpc_read_timeout grpc_request_dynamic grpc_send_timeout grpc_set_header \
         grpc_socket_keepalive grpc_ssl_certificate grpc_ssl_certificate_cache \
         grpc_ssl_certificate_key grpc_ssl_ciphers grpc_ssl_conf_command grpc_ssl_crl \
         grpc_ssl_key_log grpc_ssl_name grpc_ssl_password_file grpc_ssl_protocols \
         grpc_ssl_server_name grpc_ssl_session_reuse grpc_ssl_trusted_certificate \
         grpc_ssl_verify grpc_ssl_verify_depth",
    ),
    ("ngx_http_gunzip_module", "gunzip gunzip_buffers"),
    ("ngx_http_gzip_module", "gzip_hash gzip_no_buffer gzip_window postpone_gzipping"),
    ("ngx_http_gzip_static_module", "gzip_static"),
    ("ngx_http_headers_module", "add_header_inherit add_trailer add_trailer_inherit expires"),
    (
        "ngx_http_hls_module",
        "hls hls_buffers hls_forward_args hls_fragment hls_mp4_buffer_size hls_mp4_max_buffer_size",
    ),
    (
        "ngx_http_image_filter_module",
        "image_filter image_filter_buffer image_filter_interlace image_filter_jpeg_quality \
         image_filter_sharpen image_filter_transparency image_filter_webp_quality",
    ),
    ("ngx_http_internal_redirect_module", "internal_redirect"),
    (
        "ngx_http_js_module",
        "js_access js_body_filter js_content js_context_reuse js_fetch_buffer_size \
         js_fetch_ciphers js_fetch_max_response_buffer_size js_fetch_protocols \
         js_fetch_timeout js_fetch_trusted_certificate js_fetch_verify js_fetch_verify_depth \
         js_engine js_header_filter js_import js_include js_path js_periodic \
         js_preload_object js_set js_shared_dict_zone js_var",
    ),
    ("ngx_http_keyval_module", "keyval keyval_zone"),
    (
        "ngx_http_limit_conn_module",
        "limit_conn limit_conn_dry_run limit_conn_log_level limit_conn_status limit_conn_zone \
         limit_zone",
    ),
    ("ngx_http_limit_req_module", "limit_req limit_req_dry_run limit_req_log_level limit_req_status limit_req_zone"),
    (
        "ngx_http_memcached_module",
        "memcached_allow_upstream memcached_bind memcached_buffer_size \
         memcached_connect_timeout memcached_gzip_flag memcached_next_upstream \
         memcached_next_upstream_timeout memcached_next_upstream_tries memcached_pass \
         memcached_read_timeout memcached_send_timeout memcached_socket_keepalive",
    ),
    ("ngx_http_mirror_module", "mirror mirror_request_body"),
    (
        "ngx_http_mp4_module",
        "mp4 mp4_buffer_size mp4_limit_rate mp4_limit_rate_after mp4_max_buffer_size \
         mp4_start_key_frame",
    ),
    ("ngx_http_oidc_module", "auth_oidc oidc_provider"),
    (
        "ngx_otel_module",
        "otel_exporter otel_resource_attr otel_service_name otel_span_attr otel_span_name \
         otel_trace otel_trace_context",
    ),
    ("ngx_http_perl_module", "perl perl_modules perl_require perl_set"),
    (
        "ngx_http_proxy_module",
        "proxy_allow_upstream proxy_bind_dynamic proxy_cache proxy_cache_background_update \
         proxy_cache_bypass proxy_cache_convert_head proxy_cache_key proxy_cache_lock \
         proxy_cache_lock_age proxy_cache_lock_timeout proxy_cache_max_range_offset \
         proxy_cache_methods proxy_cache_min_uses proxy_cache_path proxy_cache_purge \
         proxy_cache_revalidate proxy_cache_use_stale proxy_cache_valid proxy_cookie_flags \
         proxy_limit_rate proxy_no_cache proxy_pass_early_hints proxy_request_dynamic \
         proxy_ssl_alpn proxy_ssl_certificate proxy_ssl_certificate_cache \
         proxy_ssl_certificate_key proxy_ssl_ciphers proxy_ssl_conf_command proxy_ssl_crl \
         proxy_ssl_key_log proxy_ssl_name proxy_ssl_password_file proxy_ssl_protocols \
         proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_trusted_certificate \
         proxy_ssl_verify proxy_ssl_verify_depth proxy_store proxy_store_access",
    ),
    ("ngx_http_proxy_protocol_vendor_module", "proxy_protocol_vendor"),
    ("ngx_http_random_index_module", "random_index"),
    ("ngx_http_realip_module", "real_ip_header real_ip_recursive set_real_ip_from"),
    ("ngx_http_referer_module", "referer_hash_bucket_size referer_hash_max_size valid_referers"),
    ("ngx_http_rewrite_module", "break if rewrite"),
    (
        "ngx_http_scgi_module",
        "scgi_bind scgi_buffer_size scgi_buffering scgi_buffers scgi_busy_buffers_size \
         scgi_cache scgi_cache_background_update scgi_cache_bypass scgi_cache_key \
         scgi_cache_lock scgi_cache_lock_age scgi_cache_lock_timeout \
         scgi_cache_max_range_offset scgi_cache_methods scgi_cache_min_uses scgi_cache_path \
         scgi_cache_purge scgi_cache_revalidate scgi_cache_use_stale scgi_cache_valid \
         scgi_connect_timeout scgi_force_ranges scgi_hide_header scgi_ignore_client_abort \
         scgi_ignore_headers scgi_intercept_errors scgi_limit_rate scgi_max_temp_file_size \
         scgi_next_upstream scgi_next_upstream_timeout scgi_next_upstream_tries scgi_no_cache \
         scgi_param scgi_pass scgi_pass_header scgi_pass_request_body \
         scgi_pass_request_headers scgi_read_timeout scgi_request_buffering scgi_send_timeout \
         scgi_socket_keepalive scgi_store scgi_store_access scgi_temp_file_write_size \
         scgi_temp_path",
    ),
    ("ngx_http_secure_link_module", "secure_link secure_link_md5 secure_link_secret"),
    ("ngx_http_session_log_module", "session_log session_log_format session_log_zone"),
    ("ngx_http_slice_module", "slice"),
    ("ngx_http_split_clients_module", "split_clients"),
    (
        "ngx_http_ssi_module",
        "ssi ssi_ignore_recycled_buffers ssi_last_modified ssi_min_file_chunk \
         ssi_silent_errors ssi_types ssi_value_length",
    ),
    (
        "ngx_http_ssl_module",
        "ssl ssl_buffer_size ssl_certificate ssl_certificate_cache \
         ssl_certificate_compression ssl_certificate_key ssl_client_certificate \
         ssl_conf_command ssl_crl ssl_dhparam ssl_early_data ssl_ech_file \
         ssl_key_log ssl_ocsp ssl_ocsp_cache ssl_ocsp_responder ssl_password_file \
         ssl_reject_handshake \
         ssl_session_ticket_key ssl_stapling \
         ssl_stapling_file ssl_stapling_responder ssl_stapling_verify ssl_trusted_certificate \
         ssl_verify_client ssl_verify_depth",
    ),
    ("ngx_http_status_module", "status status_format"),
    ("ngx_http_stub_status_module", "stub_status"),
    ("ngx_http_sub_module", "sub_filter sub_filter_last_modified sub_filter_once sub_filter_types"),
    ("ngx_http_upstream_module", "least_time queue state sticky sticky_cookie_insert"),
    ("ngx_http_upstream_conf_module", "upstream_conf"),
    (
        "ngx_http_userid_module",
        "userid userid_domain userid_expires userid_flags userid_mark userid_name userid_p3p \
         userid_path userid_service",
    ),
    (
        "ngx_http_uwsgi_module",
        "uwsgi_bind uwsgi_buffer_size uwsgi_buffering uwsgi_buffers uwsgi_busy_buffers_size \
         uwsgi_cache uwsgi_cache_background_update uwsgi_cache_bypass uwsgi_cache_key \
         uwsgi_cache_lock uwsgi_cache_lock_age uwsgi_cache_lock_timeout \
         uwsgi_cache_max_range_offset uwsgi_cache_methods uwsgi_cache_min_uses \
         uwsgi_cache_path uwsgi_cache_purge uwsgi_cache_revalidate uwsgi_cache_use_stale \
         uwsgi_cache_valid uwsgi_connect_timeout uwsgi_force_ranges uwsgi_hide_header \
         uwsgi_ignore_client_abort uwsgi_ignore_headers uwsgi_intercept_errors \
         uwsgi_limit_rate uwsgi_max_temp_file_size uwsgi_modifier1 uwsgi_modifier2 \
         uwsgi_next_upstream uwsgi_next_upstream_timeout uwsgi_next_upstream_tries \
         uwsgi_no_cache uwsgi_param uwsgi_pass uwsgi_pass_header uwsgi_pass_request_body \
         uwsgi_pass_request_headers uwsgi_read_timeout uwsgi_request_buffering \
         uwsgi_send_timeout uwsgi_socket_keepalive uwsgi_ssl_certificate \
         uwsgi_ssl_certificate_cache uwsgi_ssl_certificate_key uwsgi_ssl_ciphers \
         uwsgi_ssl_conf_command uwsgi_ssl_crl uwsgi_ssl_key_log uwsgi_ssl_name \
         uwsgi_ssl_password_file uwsgi_ssl_protocols uwsgi_ssl_server_name \
         uwsgi_ssl_session_reuse uwsgi_ssl_trusted_certificate uwsgi_ssl_verify \
         uwsgi_ssl_verify_depth uwsgi_store uwsgi_store_access uwsgi_string \
         uwsgi_temp_file_write_size uwsgi_temp_path",
    ),
    (
        "ngx_http_v2_module",
        "http2 http2_body_preread_size http2_chunk_size http2_idle_timeout \
         http2_max_concurrent_pushes http2_max_concurrent_streams http2_max_field_size \
         http2_max_header_size http2_max_requests http2_pool_size http2_push \
         http2_push_preload http2_recv_buffer_size http2_recv_timeout \
         http2_streams_index_size",
    ),
    (
        "ngx_http_v3_module",
        "http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size \
         quic_active_connection_id_limit quic_bpf quic_gso quic_host_key quic_retry",
    ),
    ("ngx_http_xslt_module", "xml_entities xslt_last_modified xslt_param xslt_string_param xslt_stylesheet xslt_types"),
    ("ngx_mail_core_module", "mail"),
    ("ngx_mgmt_module", "mgmt"),
    ("ngx_google_perftools_module", "google_perftools_profiles"),
    ("ngx_stream_core_module", "preread_buffer_size preread_timeout stream"),
    (
        "ngx_stream_proxy_module",
        "proxy_download_rate proxy_half_close proxy_protocol proxy_requests proxy_responses proxy_session_drop \
         proxy_timeout proxy_upload_rate",
    ),
    ("ngx_stream_ssl_preread_module", "ssl_preread"),
];

/// Modules that nginx itself does not have, and the names they are known by.
const FOREIGN: &[(&str, &str)] = &[
    ("the Lua module (OpenResty)", "lua_* *_by_lua *_by_lua_block *_by_lua_file"),
    ("the headers-more module", "more_set_headers more_clear_headers more_set_input_headers more_clear_input_headers"),
    ("the Brotli module", "brotli brotli_*"),
    ("the Zstandard module", "zstd zstd_*"),
    ("the GeoIP2 module", "geoip2 geoip2_proxy geoip2_proxy_recursive"),
    ("ModSecurity", "modsecurity modsecurity_*"),
    ("the OpenTracing module", "opentracing opentracing_*"),
    ("the OpenTelemetry module", "opentelemetry opentelemetry_*"),
    ("PageSpeed", "pagespeed"),
    ("the traffic status module", "vhost_traffic_status vhost_traffic_status_*"),
    (
        "the upstream check module (Tengine)",
        "check check_http_send check_http_expect_alive check_keepalive_requests \
         check_shm_size check_status",
    ),
    ("the video on demand module", "vod vod_*"),
    ("the RTMP module", "rtmp rtmp_*"),
    (
        "the set-misc module",
        "set_escape_uri set_unescape_uri set_if_empty set_quote_* set_hashed_upstream \
         set_encode_* set_decode_* set_md5 set_sha1 set_hmac_* set_random set_secure_random_* \
         set_rotate set_local_today set_formatted_*",
    ),
    ("the echo module", "echo echo_*"),
    ("the secure token module", "secure_token secure_token_* akamai_* cloudfront_*"),
    ("the cache purge module", "proxy_cache_purge_*"),
    ("the Passenger module", "passenger_*"),
    ("the upload module", "upload_*"),
    ("the push stream module", "push_stream_*"),
    ("the Nchan module", "nchan_*"),
    ("the fancyindex module", "fancyindex fancyindex_*"),
    (
        "the ngx_http_proxy_connect module",
        "proxy_connect proxy_connect_allow proxy_connect_address proxy_connect_data_timeout",
    ),
    ("the Redis module", "redis_pass redis2_*"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_module_of_a_directive_that_is_not_supported_yet() {
        let ssl = unsupported("ssl_certificate").unwrap();
        assert_eq!(ssl.module, "ngx_http_ssl_module");
        assert!(ssl.nginx);
    }

    #[test]
    fn knows_modules_of_others_by_the_shape_of_their_names() {
        for name in ["content_by_lua_block", "lua_shared_dict", "vod_mode", "brotli"] {
            assert!(!unsupported(name).unwrap().nginx, "{name}");
        }
        assert_eq!(unsupported("by_lua"), None);
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<&str> = unsupported_names().map(|(name, _)| name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
