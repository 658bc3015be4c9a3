//! HAProxy. Endpoints take turns: its backups are asked only when health checks say that the others are down.

use std::net::SocketAddr;

use tidegate::misbehave::trial::{Origins, Stand};

/// Its whole configuration; it logs to its standard output.
pub(crate) fn configuration(stand: &Stand, listen: SocketAddr) -> String {
    let both = |origins: &Origins| {
        format!("    server faulty {}\n    server healthy {}\n", origins.faulty.address(), origins.healthy.address())
    };
    format!(
        "\
global
    nbthread 1
    log stdout format raw local0

defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 60s
    timeout server 1s
    timeout http-request 60s
    retries 1
    option redispatch 1
    retry-on all-retryable-errors
    http-reuse always

frontend clients
    bind {listen}
    http-request disable-l7-retry if METH_POST
    use_backend alone if {{ path_beg /alone }}
    use_backend pair if {{ path_beg /pair }}
    use_backend post if {{ path_beg /post }}

backend alone
    server faulty {alone}

backend pair
    balance roundrobin
{pair}
backend post
    balance roundrobin
{post}",
        alone = stand.alone.faulty.address(),
        pair = both(&stand.pair),
        post = both(&stand.post),
    )
}

/// The termination state of the last request, where it is no good end.
pub(crate) fn says(output: &str) -> String {
    let line = output.lines().rfind(|line| line.contains("\"GET /alone"));
    // `… timers status bytes - - STATE counts counts "request"`
    let state = line.and_then(|line| line.split(" - - ").nth(1)?.split(' ').next());
    state.filter(|state| *state != "----").unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_termination_state_is_read() {
        let line = |state| {
            format!(
                "127.0.0.1:36 [25/Nov/2026:17:00:00.000] clients alone/faulty 0/0/0/-1/0 502 208 - - {state} 1/1/0/0/0 0/0 \
                 \"GET /alone HTTP/1.1\"\n"
            )
        };
        assert_eq!(says(&line("SH--")), "SH--");
        assert_eq!(says(&line("----")), "");
    }
}
