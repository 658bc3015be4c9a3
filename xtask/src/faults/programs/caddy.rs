//! Caddy. The faulty endpoint is the first; another one is tried after it.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tidegate::misbehave::trial::{Origins, Stand};

/// Its whole Caddyfile.
pub(crate) fn configuration(stand: &Stand, listen: SocketAddr, folder: &Path) -> String {
    let both = |origins: &Origins| format!("{} {}", origins.faulty.address(), origins.healthy.address());
    let handle = |name: &str, endpoints: String| {
        format!(
            "    handle /{name}* {{
        reverse_proxy {endpoints} {{
            lb_policy first
            lb_retries 1
            fail_duration 10s
            transport http {{
                dial_timeout 1s
                response_header_timeout 1s
                read_timeout 1s
                write_timeout 1s
            }}
        }}
    }}
"
        )
    };
    format!(
        "{{
    admin off
    auto_https off
    persist_config off
    log {{
        output file {folder}/caddy.log
        format json
        level DEBUG
    }}
}}
http://:{port} {{
    bind {address}
{}{}{}}}
",
        handle("alone", stand.alone.faulty.address().to_string()),
        handle("pair", both(&stand.pair)),
        handle("post", both(&stand.post)),
        folder = folder.display(),
        port = listen.port(),
        address = listen.ip(),
    )
}

/// The last error about an endpoint.
pub(crate) fn says(log: &str) -> String {
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut errors = entries.filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let fails = text("level") == "error" || text("level") == "warn" || !text("error").is_empty();
        let (message, error) = (text("msg"), text("error"));
        let says = if error.is_empty() { message } else { format!("{message}: {error}") };
        (fails && text("logger").starts_with("http.")).then_some(says)
    });
    errors.next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_read() {
        let log = "{\"level\":\"error\",\"logger\":\"http.log.error\",\"msg\":\"EOF\",\"status\":502}\n\
                   {\"level\":\"info\",\"logger\":\"http\",\"msg\":\"shut down\"}\n";
        assert_eq!(says(log), "EOF");
    }
}
