//! Envoy's access log: in its default form, in Istio's, which has details, and as JSON.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tidegate::misbehave::{Listen, Server};

use super::{ask, assert_explained, assert_reported, endpoint, find, start, written};

/// What it writes of each mode: the causes that the flags may have, and those that the details may have.
const MODES: [(&str, &str, &str); 8] = [
    ("refuse", "connect_refused connect_timeout tls_protocol_error", "connect_refused"),
    ("close-before-reply", ENDED, ENDED),
    ("reset-before-reply", ENDED, ENDED),
    ("silent", "reply_timeout deadline_exceeded", "reply_timeout deadline_exceeded"),
    ("garbage", UNACCEPTABLE, UNACCEPTABLE),
    ("big-head", UNACCEPTABLE, UNACCEPTABLE),
    ("truncated-length", BROKEN_BODY, BROKEN_BODY),
    ("bad-chunk-size", BROKEN_BODY, BROKEN_BODY),
];

const ENDED: &str = "stale_connection closed_before_reply reset_before_reply";
const UNACCEPTABLE: &str = "not_http malformed_field length_and_coding head_too_large";
const BROKEN_BODY: &str = "body_truncated body_reset bad_chunk";

/// Istio's, as its documentation has it.
const ISTIO: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% \
                     %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \
                     \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
                     %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
                     \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER% \
                     %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% \
                     %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

#[test]
fn what_envoy_writes_is_explained() {
    let Some(program) = find("envoy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Server> = MODES.iter().map(|(mode, ..)| endpoint(mode)).collect();
    fs::write(at("envoy.json"), configuration(folder.path(), &servers).to_string()).unwrap();
    let mut command = Command::new(program);
    let words =
        ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "--file-flush-interval-msec", "10"];
    let _envoy = start(command.args(words).arg("-c").arg(at("envoy.json")), folder.path());

    for (mode, by_flags, by_details) in MODES {
        ask(&at("envoy.sock"), &format!("/{mode}"));
        for (log, causes) in [("default.log", by_flags), ("istio.log", by_details), ("json.log", by_details)] {
            let wanted = format!("/{mode}");
            let line = written(&at(log), 0, |line| line.contains(&wanted));
            assert_explained("Envoy", mode, &line, causes);
        }
    }
    for log in ["default.log", "istio.log", "json.log"] {
        // All but the two whose head was good.
        assert_reported(&at(log), MODES.len(), MODES.len() - 2);
    }
}

fn configuration(folder: &Path, servers: &[Server]) -> Value {
    let modes = || MODES.iter().map(|(mode, ..)| *mode);
    let clusters: Vec<_> = modes().zip(servers).map(|(mode, server)| cluster(mode, server)).collect();
    let routes: Vec<_> = modes().map(route).collect();
    let log = |name: &str, format: Value| {
        let file = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
        let mut config = json!({ "@type": file, "path": folder.join(name).display().to_string() });
        if !format.is_null() {
            config["log_format"] = format;
        }
        json!({ "name": name, "typed_config": config })
    };
    let members = json!({
        "start_time": "%START_TIME%", "duration": "%DURATION%",
        "path": "%REQ(:PATH)%", "response_code": "%RESPONSE_CODE%", "response_flags": "%RESPONSE_FLAGS%",
        "response_code_details": "%RESPONSE_CODE_DETAILS%", "upstream_host": "%UPSTREAM_HOST%",
        "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "clients",
        "access_log": [
            log("default.log", Value::Null),
            log("istio.log", json!({ "text_format_source": { "inline_string": ISTIO } })),
            log("json.log", json!({ "json_format": members })),
        ],
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    let listener = json!({
        "name": "clients",
        "address": { "pipe": { "path": folder.join("envoy.sock").display().to_string() } },
        "filter_chains": [{
            "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }],
        }],
    });
    json!({ "static_resources": { "listeners": [listener], "clusters": clusters } })
}

fn route(mode: &str) -> Value {
    json!({ "match": { "path": format!("/{mode}") }, "route": { "cluster": mode, "timeout": "1s" } })
}

fn cluster(mode: &str, server: &Server) -> Value {
    let Listen::Tcp(address) = server.address() else { panic!("it listens on TCP") };
    let address = json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } });
    let endpoints = json!([{ "lb_endpoints": [{ "endpoint": { "address": address } }] }]);
    json!({
        "name": mode, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": { "cluster_name": mode, "endpoints": endpoints },
    })
}
