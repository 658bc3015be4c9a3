//! Envoy. Endpoints take turns, and a retry goes to another one. Its retries know no methods: a POST is retried here only
//! where nothing was sent.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tidegate::misbehave::Listen;
use tidegate::misbehave::trial::{Origins, Stand};

/// What its access log says of a request.
const FORMAT: &str = "%REQ(:PATH)% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";

/// Its whole configuration.
pub(crate) fn configuration(stand: &Stand, listen: SocketAddr, folder: &Path) -> String {
    let both = |origins: &Origins| vec![origins.faulty.address().clone(), origins.healthy.address().clone()];
    let clusters = json!([
        cluster("alone", &[stand.alone.faulty.address().clone()]),
        cluster("pair", &both(&stand.pair)),
        cluster("post", &both(&stand.post)),
    ]);
    let routes = json!([
        route("alone", "connect-failure", 0),
        route("pair", "5xx,reset,connect-failure,retriable-status-codes", 1),
        route("post", "connect-failure,refused-stream,reset-before-request", 1),
    ]);
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "clients",
        "access_log": [{
            "name": "file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": folder.join("access.log").display().to_string(),
                "log_format": { "text_format_source": { "inline_string": FORMAT } },
            },
        }],
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    let listener = json!({
        "name": "clients",
        "address": address(&Listen::Tcp(listen)),
        "filter_chains": [{
            "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }],
        }],
    });
    json!({ "static_resources": { "listeners": [listener], "clusters": clusters } }).to_string()
}

fn route(name: &str, retry_on: &str, retries: u32) -> Value {
    json!({
        "match": { "prefix": format!("/{name}") },
        "route": {
            "cluster": name,
            "timeout": "20s",
            "retry_policy": {
                "retry_on": retry_on,
                "retriable_status_codes": [429],
                "num_retries": retries,
                "per_try_idle_timeout": "1s",
                "retry_host_predicate": [{
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type":
                            "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                    },
                }],
                "host_selection_retry_max_attempts": 5,
            },
        },
    })
}

fn cluster(name: &str, endpoints: &[Listen]) -> Value {
    let endpoints: Vec<_> =
        endpoints.iter().map(|endpoint| json!({ "endpoint": { "address": address(endpoint) } })).collect();
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": endpoints }] },
    })
}

fn address(listen: &Listen) -> Value {
    match listen {
        Listen::Tcp(address) => {
            json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
        }
        Listen::Unix(path) => json!({ "pipe": { "path": path.display().to_string() } }),
    }
}

/// The words after its name. Nothing is shared with another one that runs at the same time.
pub(crate) fn arguments(file: &str) -> Vec<String> {
    let words = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "-c", file];
    words.map(str::to_owned).into()
}

/// Flags and details of the last request, where it is no good end.
pub(crate) fn says(log: &str) -> String {
    let line = log.lines().rfind(|line| line.starts_with("/alone "));
    let said = line.and_then(|line| line.split_once(' ')).map_or("", |(_, said)| said);
    match said {
        "- via_upstream" => String::new(),
        said => said.trim_start_matches("- ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_details_are_read() {
        assert_eq!(
            says("/alone UF upstream_reset_before_response_started{x}\n"),
            "UF upstream_reset_before_response_started{x}"
        );
        assert_eq!(says("/alone - via_upstream\n"), "");
    }
}
