//! Traefik. Endpoints take turns, and a retry goes to the next. Its routes are JSON in a file that must be called YAML.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tidegate::misbehave::trial::{Origins, Stand, ask};

/// Its routes.
pub(crate) fn configuration(stand: &Stand) -> String {
    let router = |name: &str, middlewares: Value| json!({ "rule": format!("PathPrefix(`/{name}`)"), "service": name, "middlewares": middlewares });
    let service =
        |servers: Vec<Value>| json!({ "loadBalancer": { "servers": servers, "serversTransport": "impatient" } });
    let server = |address: &dyn std::fmt::Display| json!({ "url": format!("http://{address}") });
    let both = |origins: &Origins| vec![server(origins.faulty.address()), server(origins.healthy.address())];
    json!({
        "http": {
            "routers": {
                "alone": router("alone", json!([])),
                "pair": router("pair", json!(["again"])),
                "post": router("post", json!(["again"])),
                "ready": router("ready", json!([])),
            },
            "middlewares": { "again": { "retry": { "attempts": 2 } } },
            "services": {
                "alone": service(vec![server(stand.alone.faulty.address())]),
                "pair": service(both(&stand.pair)),
                "post": service(both(&stand.post)),
                "ready": service(vec![server(stand.alone.healthy.address())]),
            },
            "serversTransports": {
                "impatient": { "forwardingTimeouts": { "dialTimeout": "1s", "responseHeaderTimeout": "1s" } },
            },
        },
    })
    .to_string()
}

/// Whether it has read its routes, which it does after it listens.
pub(crate) fn is_ready(listen: SocketAddr) -> bool {
    ask(listen, &http::Method::GET, "/ready").is_ok_and(|answered| answered.is_right())
}

/// The words after its name.
pub(crate) fn arguments(listen: SocketAddr, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    vec![
        format!("--entrypoints.clients.address={listen}"),
        format!("--providers.file.filename={folder}/routes.yml"),
        "--log.level=DEBUG".into(),
        "--log.format=json".into(),
        format!("--log.filepath={folder}/traefik.log"),
        "--global.checknewversion=false".into(),
        "--global.sendanonymoususage=false".into(),
    ]
}

/// The last message about a failure, which it logs at its level for debugging.
pub(crate) fn says(log: &str) -> String {
    let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut messages = entries.filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let (message, error) = (text("message")?, text("error"));
        let tells = error.is_some()
            || message.contains("caused by")
            || message.contains("copying")
            || message.contains("abort");
        tells.then(|| error.map_or(message.clone(), |error| format!("{message}: {error}")))
    });
    messages.next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_read() {
        let log = "{\"level\":\"debug\",\"message\":\"502 Bad Gateway\",\"error\":\"EOF\"}\n{\"message\":\"Server started\"}\n";
        assert_eq!(says(log), "502 Bad Gateway: EOF");
        assert_eq!(says(""), "");
    }
}
