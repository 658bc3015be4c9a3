//! Keep-alive, and HTTP/2 without TLS: what else an endpoint does with connections. Not here: requests (`ask`).

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use policy::failure::first_bytes::{Speaks, speaks};

use super::ask::{self, Answered};
use super::facts::{Idle, Reuse};
use super::link::{Link, Plain, is_timeout};
use super::target::Target;

/// Asks a second time on the same connection.
pub(super) fn reuse(link: &mut Link, target: &Target, within: Duration) -> (Reuse, bool) {
    match ask::ask(link, target, within) {
        Ok(Answered { reply, reusable }) => (Reuse::Answered(reply.status), reusable),
        Err(_) => (Reuse::Ended, false),
    }
}

/// Waits for the endpoint to close an idle connection; `requests` have been answered on it.
pub(super) fn idle(link: &mut Link, requests: u64, bound: Duration) -> Idle {
    let started = Instant::now();
    let mut space = [0; 4096];
    let read = link.limit(bound).and_then(|()| link.read(&mut space));
    let after = started.elapsed();
    match read {
        Ok(0) => Idle::Closed { after, requests },
        // Some say 408 before they close: nobody asked anything.
        Ok(_) if space.starts_with(b"HTTP/1.1 408") || space.starts_with(b"HTTP/1.0 408") => {
            Idle::Closed { after, requests }
        }
        Ok(bytes) => Idle::Spoke { bytes },
        Err(error) if is_timeout(&error) => Idle::Open { after },
        Err(_) => Idle::Closed { after, requests },
    }
}

/// The connection preface of HTTP/2 and empty settings (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Whether HTTP/2 is spoken to one who does not ask before.
pub(super) fn h2c(mut plain: Plain, within: Duration) -> bool {
    let mut space = [0; 256];
    let read = plain.limit(within).and_then(|()| plain.write_all(PREFACE)).and_then(|()| plain.read(&mut space));
    read.is_ok_and(|count| speaks(space.get(..count).unwrap_or_default()) == Speaks::Http2)
}
