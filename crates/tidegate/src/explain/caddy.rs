//! What Caddy says: JSON lines of `http.log.error`, `http.log.access` and the reverse proxy's health checks. Not here: Go's
//! messages that it passes on (`go`).

use policy::Cause;

use super::json_line::each_member;
use super::reading::{Reading, Vendor, said};
use super::{access, go};

/// Whether Caddy wrote the line: its loggers have its names.
pub(super) fn wrote(line: &str) -> bool {
    line.starts_with('{') && (line.contains("\"logger\":\"http.") || line.contains("\"err_trace\":"))
}

#[derive(Default)]
struct Line {
    logger: String,
    message: String,
    error: String,
    status: u16,
    took: Option<u64>,
    at: String,
    client: String,
    target: String,
    upstream: String,
}

/// What a line says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let line = Line::read(line);
    let reading = line.failure().or_else(|| line.access())?;
    let reading = reading.fact("at", line.at).fact("client", line.client);
    Some(reading.fact("request", line.target).fact("upstream", line.upstream))
}

impl Line {
    fn read(text: &str) -> Self {
        let mut line = Self::default();
        each_member(text.as_bytes(), |object, name, value| {
            let text = || value.text().into_owned();
            match (object, name) {
                (b"", b"logger") => line.logger = text(),
                (b"", b"msg") => line.message = text(),
                (b"", b"error") => line.error = text(),
                (b"", b"status") => line.status = text().parse().unwrap_or(0),
                (b"", b"duration") => line.took = text().parse::<f64>().ok().map(|seconds| (seconds * 1e6) as u64),
                (b"", b"ts") => line.at = text(),
                (b"", b"host" | b"upstream") => line.upstream = text(),
                (b"request", b"client_ip" | b"remote_ip") => line.client = text(),
                (b"request", b"uri") => line.target = text(),
                _ => {}
            }
        });
        line
    }

    /// The message of an error, or the error beside a message.
    fn failure(&self) -> Option<Reading> {
        [&self.error, &self.message].into_iter().find_map(|text| {
            if text == "no upstreams available" {
                return Some(Reading::new(Vendor::Caddy, text, const { &[said(Cause::NoLiveEndpoints)] }));
            }
            let candidates = if self.message == "aborting with incomplete response" {
                go::body_candidates(text)?
            } else {
                go::candidates(text).filter(|_| go::wrote(text))?
            };
            Some(Reading::new(Vendor::Caddy, text, candidates).fact("upstream", go::address(text)))
        })
    }

    fn access(&self) -> Option<Reading> {
        access::reading(Vendor::Caddy, &access::Seen { status: self.status, took: self.took, answered: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(line: &str) -> Vec<Cause> {
        assert!(wrote(line), "{line}");
        read(line).unwrap().candidates.iter().map(|candidate| candidate.cause).collect()
    }

    #[test]
    fn an_error_line_names_gos_message() {
        let line = r#"{"level":"error","ts":1795624768.1,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:3000: connect: connection refused","request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/a","headers":{}},"duration":0.0006,"status":502,"err_id":"x","err_trace":"reverseproxy.statusError (reverseproxy.go:1390)"}"#;
        assert_eq!(causes(line), [Cause::ConnectRefused]);
        let reading = read(line).unwrap();
        let upstream = reading.facts.iter().find(|(name, _)| *name == "upstream").unwrap();
        assert_eq!(upstream.1, "127.0.0.1:3000");
    }

    #[test]
    fn a_reset_on_reuse_is_ambiguous() {
        let line = r#"{"level":"error","logger":"http.log.error.log0","msg":"read tcp 10.0.0.1:2->10.0.0.2:80: read: connection reset by peer","status":502}"#;
        assert_eq!(causes(line), [Cause::StaleConnection, Cause::ResetBeforeReply]);
    }

    #[test]
    fn health_checks_and_empty_pools_are_read() {
        let line = r#"{"level":"info","logger":"http.handlers.reverse_proxy.health_checker.active","msg":"HTTP request failed","host":"10.0.0.1:80","error":"Get \"http://10.0.0.1:80/h\": dial tcp 10.0.0.1:80: connect: no route to host"}"#;
        assert_eq!(causes(line), [Cause::HostUnreachable]);
        let line = r#"{"level":"error","logger":"http.log.error","msg":"no upstreams available","status":503}"#;
        assert_eq!(causes(line), [Cause::NoLiveEndpoints]);
    }
}
