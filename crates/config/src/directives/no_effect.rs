//! Knobs of nginx that change nothing here: accepted, checked, and said by `tidegate check`. Each with its reason.

use super::shorthand::{EVENTS, HTTP, HTTP_SERVER, LEVELS, MAIN, Row, Value, nothing};

/// One word, whichever it is.
const ONE: Value = Value::Words(1, 1);

const HASH: &str = "tables size themselves";
const EVENT_LOOP: &str = "the event loop is not nginx's";
const POOL: &str = "memory is not taken from pools";
const FILES: &str = "open files are not cached";
const SENDING: &str = "the gateway chooses how bytes are sent by the size of the answer";
const PLAIN: &str = "answers are not compressed yet: clients get the same, in more bytes";
const NO_TLS: &str = "there are no TLS listeners yet that it could be about";
const PROCESS: &str = "workers are threads of one process";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = core_rows();
    rows.extend(http_rows());
    rows.extend(file_rows());
    rows.extend(proxy_rows());
    rows.extend(gzip_rows());
    rows.extend(tls_rows());
    rows
}

fn core_rows() -> Vec<Row> {
    [
        nothing("accept_mutex", EVENTS, Value::Flag, "each worker has listeners of its own"),
        nothing("accept_mutex_delay", EVENTS, Value::Time, "each worker has listeners of its own"),
        nothing("debug_connection", EVENTS, ONE, "debug lines are not chosen by client"),
        nothing("epoll_events", EVENTS, Value::Number, EVENT_LOOP),
        nothing("multi_accept", EVENTS, Value::Flag, EVENT_LOOP),
        nothing("use", EVENTS, ONE, "connections are always watched with epoll"),
        nothing("worker_aio_requests", EVENTS, Value::Number, EVENT_LOOP),
        nothing("debug_points", MAIN, Value::Choice(&["stop", "abort"]), "there are no debug points"),
        nothing("lock_file", MAIN, ONE, "each worker has listeners of its own"),
        nothing("pcre_jit", MAIN, Value::Flag, "regular expressions are not PCRE's"),
        nothing("ssl_engine", MAIN, ONE, "there are no TLS engines"),
        nothing("thread_pool", MAIN, Value::Words(2, 3), "files are read in threads without it"),
        nothing("timer_resolution", MAIN, Value::Time, EVENT_LOOP),
        nothing("worker_cpu_affinity", MAIN, Value::Words(1, usize::MAX), "the system places the workers"),
        nothing("worker_priority", MAIN, ONE, PROCESS),
        nothing("worker_rlimit_core", MAIN, Value::Offset, PROCESS),
    ]
    .map(|row| of("ngx_core_module", row))
    .into()
}

fn http_rows() -> Vec<Row> {
    [
        nothing(
            "client_body_in_file_only",
            LEVELS,
            Value::Choice(&["on", "off", "clean"]),
            "a kept body goes to a file only beyond client_body_buffer_size",
        ),
        nothing("client_body_in_single_buffer", LEVELS, Value::Flag, "a kept body is always in one piece"),
        nothing("connection_pool_size", HTTP_SERVER, Value::Size, POOL),
        nothing(
            "keepalive_disable",
            LEVELS,
            Value::Choice(&["none", "msie6", "safari"]),
            "the browsers that it is for are gone",
        ),
        nothing("log_subrequest", LEVELS, Value::Flag, "there are no subrequests"),
        nothing("msie_padding", LEVELS, Value::Flag, "the browsers that it is for are gone"),
        nothing("msie_refresh", LEVELS, Value::Flag, "the browsers that it is for are gone"),
        nothing("output_buffers", LEVELS, Value::Buffers, SENDING),
        nothing("postpone_output", LEVELS, Value::Size, SENDING),
        nothing("request_pool_size", HTTP_SERVER, Value::Size, POOL),
        nothing("send_lowat", LEVELS, Value::Size, "it concerns FreeBSD only"),
        nothing("server_names_hash_bucket_size", HTTP, Value::Number, HASH),
        nothing("server_names_hash_max_size", HTTP, Value::Number, HASH),
        nothing("subrequest_output_buffer_size", LEVELS, Value::Size, "there are no subrequests"),
        nothing("tcp_nopush", LEVELS, Value::Flag, "heads and bodies are sent together anyway"),
        nothing("types_hash_bucket_size", LEVELS, Value::Number, HASH),
        nothing("types_hash_max_size", LEVELS, Value::Number, HASH),
        nothing("variables_hash_bucket_size", HTTP, Value::Number, HASH),
        nothing("variables_hash_max_size", HTTP, Value::Number, HASH),
        of("ngx_http_map_module", nothing("map_hash_bucket_size", HTTP, Value::Number, HASH)),
        of("ngx_http_map_module", nothing("map_hash_max_size", HTTP, Value::Number, HASH)),
        of("ngx_http_log_module", nothing("open_log_file_cache", LEVELS, Value::Words(1, 4), "log files stay open")),
        of("ngx_http_rewrite_module", nothing("rewrite_log", LEVELS, Value::Flag, "there are no rewrite rules yet")),
    ]
    .map(|row| of("ngx_http_core_module", row))
    .into()
}

fn file_rows() -> Vec<Row> {
    [
        nothing("aio", LEVELS, ONE, "files are read in threads without it"),
        nothing("aio_write", LEVELS, Value::Flag, "files are written in threads without it"),
        nothing("directio", LEVELS, ONE, "files are read through the page cache"),
        nothing("directio_alignment", LEVELS, Value::Offset, "files are read through the page cache"),
        nothing("open_file_cache", LEVELS, Value::Words(1, 2), FILES),
        nothing("open_file_cache_errors", LEVELS, Value::Flag, FILES),
        nothing("open_file_cache_events", LEVELS, Value::Flag, FILES),
        nothing("open_file_cache_min_uses", LEVELS, Value::Number, FILES),
        nothing("open_file_cache_valid", LEVELS, Value::Seconds, FILES),
        nothing("read_ahead", LEVELS, Value::Size, "the system reads ahead"),
        nothing("sendfile", LEVELS, Value::Flag, SENDING),
        nothing("sendfile_max_chunk", LEVELS, Value::Size, SENDING),
    ]
    .map(|row| of("ngx_http_core_module", row))
    .into()
}

fn gzip_rows() -> Vec<Row> {
    [
        nothing("gzip", LEVELS, Value::Flag, PLAIN),
        nothing("gzip_buffers", LEVELS, Value::Buffers, PLAIN),
        nothing("gzip_comp_level", LEVELS, Value::Number, PLAIN),
        nothing("gzip_disable", LEVELS, Value::Words(1, usize::MAX), PLAIN),
        nothing("gzip_http_version", LEVELS, Value::Choice(&["1.0", "1.1"]), PLAIN),
        nothing("gzip_min_length", LEVELS, Value::Size, PLAIN),
        nothing("gzip_proxied", LEVELS, Value::Words(1, usize::MAX), PLAIN),
        nothing("gzip_types", LEVELS, Value::Words(1, usize::MAX), PLAIN),
        nothing("gzip_vary", LEVELS, Value::Flag, PLAIN),
    ]
    .map(|row| of("ngx_http_gzip_module", row))
    .into()
}

/// Settings of TLS that stock files have at the level of http. A certificate, or a listener with `ssl`, is refused still.
fn tls_rows() -> Vec<Row> {
    [
        nothing("ssl_ciphers", HTTP_SERVER, ONE, NO_TLS),
        nothing("ssl_ecdh_curve", HTTP_SERVER, ONE, NO_TLS),
        nothing("ssl_prefer_server_ciphers", HTTP_SERVER, Value::Flag, NO_TLS),
        nothing("ssl_protocols", HTTP_SERVER, Value::Words(1, usize::MAX), NO_TLS),
        nothing("ssl_session_cache", HTTP_SERVER, Value::Words(1, 2), NO_TLS),
        nothing("ssl_session_tickets", HTTP_SERVER, Value::Flag, NO_TLS),
        nothing("ssl_session_timeout", HTTP_SERVER, Value::Seconds, NO_TLS),
    ]
    .map(|row| of("ngx_http_ssl_module", row))
    .into()
}

fn proxy_rows() -> Vec<Row> {
    [
        nothing("proxy_headers_hash_bucket_size", LEVELS, Value::Number, HASH),
        nothing("proxy_headers_hash_max_size", LEVELS, Value::Number, HASH),
        nothing("proxy_send_lowat", LEVELS, Value::Size, "it concerns FreeBSD only"),
        nothing("proxy_temp_file_write_size", LEVELS, Value::Size, "temporary files are written as bytes come"),
    ]
    .map(|row| of("ngx_http_proxy_module", row))
    .into()
}

fn of(module: &'static str, row: Row) -> Row {
    if row.module.is_empty() { Row { module, ..row } } else { row }
}

#[cfg(test)]
mod tests {
    use crate::Severity;
    use crate::build::testing::{errors, in_server, said};

    #[test]
    fn a_knob_without_effect_is_said_with_its_reason() {
        let loaded = in_server("sendfile on;");
        assert!(loaded.config.is_some());
        let notes = said(&loaded, Severity::Note);
        assert!(notes.first().unwrap().starts_with("\"sendfile\" has no effect here: "));
    }

    #[test]
    fn a_knob_without_effect_must_still_be_right() {
        let loaded = in_server("sendfile perhaps; postpone_output much;");
        assert_eq!(errors(&loaded).len(), 2);
    }
}
