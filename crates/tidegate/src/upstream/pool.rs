//! Idle connections to the endpoints of one upstream, kept by one worker.
//! Not here: making connections, and the decision whether a connection may be reused (the attempt's).

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use config::model::Keepalive;
use policy::EndpointId;

use crate::stream::{Stream, Timer};

/// What tells connections apart that must not be mixed up. TLS and HTTP/2 add to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) endpoint: EndpointId,
    /// `proxy_bind`.
    pub(crate) bind: Option<SocketAddr>,
}

/// A connection and its history.
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    /// For whatever is waited for on this connection.
    pub(crate) timer: Timer,
    pub(crate) key: Key,
    pub(crate) born: Instant,
    /// Requests that it has carried.
    pub(crate) requests: u64,
}

impl Connection {
    /// Whether it was carried over from an earlier exchange.
    pub(crate) fn reused(&self) -> bool {
        self.requests > 0
    }
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The idle connections, least recently used first.
pub(crate) struct Pool {
    settings: Keepalive,
    idle: Vec<Idle>,
}

impl Pool {
    pub(crate) fn new(settings: Keepalive) -> Self {
        Self { settings, idle: Vec::new() }
    }

    /// The most recently used idle connection that is still open.
    pub(crate) fn take(&mut self, key: Key, now: Instant) -> Option<Connection> {
        while let Some(at) = self.idle.iter().rposition(|idle| idle.connection.key == key) {
            let Idle { connection, since } = self.idle.remove(at);
            if now.duration_since(since) < self.settings.timeout && is_quiet(&connection.stream) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose last response was complete, unless its time or its requests are used up.
    pub(crate) fn give(&mut self, connection: Connection, now: Instant) {
        let spent =
            connection.requests >= self.settings.requests || now.duration_since(connection.born) >= self.settings.time;
        if self.settings.idle == 0 || spent || !is_quiet(&connection.stream) {
            return;
        }
        if self.idle.len() >= self.settings.idle {
            self.idle.remove(0);
        }
        self.idle.push(Idle { connection, since: now });
    }

    /// Closes all of them; false when there were none.
    pub(crate) fn close_all(&mut self) -> bool {
        let any = !self.idle.is_empty();
        self.idle.clear();
        any
    }

    /// Closes connections that idled too long or that the endpoint has closed.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let timeout = self.settings.timeout;
        self.idle.retain(|idle| now.duration_since(idle.since) < timeout && is_quiet(&idle.connection.stream));
    }
}

/// An idle connection must have nothing to read: an end or bytes that nobody asked for disqualify it.
fn is_quiet(stream: &Stream) -> bool {
    matches!(stream.try_read(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
