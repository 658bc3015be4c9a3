//! Idle connections to the endpoints of one upstream, kept by one worker, and what they teach about the endpoints.
//! Not here: making connections, and how long one may idle (`policy::reuse`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model::Keepalive;
use policy::failure::History;
use policy::reuse::{Need, Reuse};
use policy::{Cause, EndpointId, Failure};

use crate::record::Attempted;
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
    /// Where it goes: of an endpoint with two addresses, this one.
    pub(crate) address: Arc<str>,
    pub(crate) key: Key,
    pub(crate) born: Instant,
    /// Requests that it has carried.
    pub(crate) requests: u64,
    /// Bytes of the requests before the one that it carries now.
    pub(crate) sent: u64,
    /// How long it idled before the request that it carries now; none for its first one.
    pub(crate) idled: Option<Duration>,
}

impl Connection {
    /// It has carried this attempt to its end.
    pub(crate) fn carried(&mut self, attempt: Option<&Attempted>) {
        self.requests += 1;
        self.sent += attempt.map_or(0, |attempt| attempt.bytes_sent);
    }

    /// What a failure on it tells of it.
    pub(crate) fn history(&self, now: Instant) -> History {
        History { age: now.saturating_duration_since(self.born), requests: self.requests, idled: self.idled }
    }

    /// Whether its endpoint had ended it before a byte of the request that it carries arrived there: it was closed in an
    /// orderly way, or with an answer that says so, and nothing of the request was acknowledged. A reset is no such proof,
    /// since it acknowledges nothing of what was read before it.
    pub(crate) fn was_unread(&self, failure: &Failure) -> bool {
        let orderly = failure.cause == Cause::StaleConnection && failure.evidence().errno.is_none();
        orderly && self.stream.acknowledged().is_some_and(|bytes| bytes <= 1 + self.sent)
    }

    /// Whether it was carried over from an earlier exchange.
    pub(crate) fn reused(&self) -> bool {
        self.requests > 0
    }
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
    /// When it was last seen to be open.
    open: Instant,
}

impl Idle {
    /// Whether it is open still.
    fn look(&mut self, now: Instant) -> bool {
        let quiet = is_quiet(&self.connection.stream);
        if quiet {
            self.open = now;
        }
        quiet
    }

    /// Tells what its end teaches about the endpoint.
    fn teach(&self, reuse: &mut Lessons, now: Instant) {
        reuse.of(self.connection.key.endpoint).closed(self.open - self.since, self.connection.requests, now);
    }
}

/// What is known of each endpoint's idle limit, by its index.
#[derive(Default)]
struct Lessons(Vec<Reuse>);

impl Lessons {
    fn of(&mut self, endpoint: EndpointId) -> &mut Reuse {
        if self.0.len() <= endpoint.index() {
            self.0.resize_with(endpoint.index() + 1, Reuse::default);
        }
        &mut self.0[endpoint.index()]
    }
}

/// The idle connections, least recently used first.
pub(crate) struct Pool {
    settings: Keepalive,
    idle: Vec<Idle>,
    lessons: Lessons,
}

impl Pool {
    pub(crate) fn new(settings: Keepalive) -> Self {
        Self { settings, idle: Vec::new(), lessons: Lessons::default() }
    }

    /// The most recently used idle connection that is open, and sure enough to stay so.
    pub(crate) fn take(&mut self, key: Key, need: Need, now: Instant) -> Option<Box<Connection>> {
        while let Some(at) = self.idle.iter().rposition(|idle| idle.connection.key == key) {
            let idled = now.duration_since(self.idle[at].since);
            let requests = self.idle[at].connection.requests;
            let reuse = self.lessons.of(key.endpoint);
            let fits = idled < self.settings.timeout && reuse.may_use(idled, requests, Need::Likely, now);
            if fits && !reuse.may_use(idled, requests, need, now) {
                // Good enough for another request; those below it have idled even longer.
                return None;
            }
            let mut idle = self.idle.remove(at);
            if !fits {
                continue;
            }
            if idle.look(now) && (need == Need::Likely || idle.connection.stream.is_quiet_now()) {
                idle.connection.idled = Some(idled);
                return Some(idle.connection);
            }
            idle.teach(&mut self.lessons, now);
        }
        None
    }

    /// A request that this connection carries was answered.
    pub(crate) fn answered(&mut self, connection: &Connection, fields: &http1::Fields, now: Instant) {
        let reuse = self.lessons.of(connection.key.endpoint);
        if let Some(idled) = connection.idled {
            reuse.served(idled, now);
        }
        if let Some(timeout) = fields.get("keep-alive").and_then(announced_timeout) {
            reuse.announced(timeout);
        }
    }

    /// After how long an endpoint closes idle connections, if that is known.
    pub(crate) fn closes_after(&mut self, endpoint: EndpointId, now: Instant) -> Option<Duration> {
        self.lessons.of(endpoint).closes_after(now)
    }

    /// A connection that had idled so long turned out to be closed when it was used.
    pub(crate) fn was_stale(&mut self, endpoint: EndpointId, idled: Duration, now: Instant) {
        self.lessons.of(endpoint).was_stale(idled, now);
    }

    /// Keeps a connection whose last response was complete, unless its time or its requests are used up.
    pub(crate) fn give(&mut self, connection: Box<Connection>, now: Instant) {
        let reuse = self.lessons.of(connection.key.endpoint);
        let spent = connection.requests >= self.settings.requests
            || now.duration_since(connection.born) >= self.settings.time
            || !reuse.may_use(Duration::ZERO, connection.requests, Need::Likely, now);
        if self.settings.idle == 0 || spent {
            return;
        }
        let mut idle = Idle { connection, since: now, open: now };
        if !idle.look(now) {
            return idle.teach(&mut self.lessons, now);
        }
        if self.idle.len() >= self.settings.idle {
            self.idle.remove(0);
        }
        self.idle.push(idle);
    }

    /// Closes all of them; false when there were none.
    pub(crate) fn close_all(&mut self) -> bool {
        let any = !self.idle.is_empty();
        self.idle.clear();
        any
    }

    /// Closes connections that idled too long or that the endpoint has closed.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let Self { settings, idle, lessons } = self;
        idle.retain_mut(|idle| {
            let open = idle.look(now);
            if !open {
                idle.teach(lessons, now);
            }
            let idled = now.duration_since(idle.since);
            let reuse = lessons.of(idle.connection.key.endpoint);
            open && idled < settings.timeout && reuse.may_use(idled, idle.connection.requests, Need::Likely, now)
        });
    }
}

/// `timeout` of a `Keep-Alive` field, in seconds.
fn announced_timeout(value: &[u8]) -> Option<Duration> {
    value.split(|byte| *byte == b',').find_map(|parameter| {
        let (name, seconds) = parameter.trim_ascii().split_at_checked(7)?;
        let seconds = std::str::from_utf8(seconds.strip_prefix(b"=")?).ok()?;
        let seconds = seconds.parse().ok().filter(|_| name.eq_ignore_ascii_case(b"timeout"))?;
        Some(Duration::from_secs(seconds))
    })
}

/// An idle connection must have nothing to read: an end or bytes that nobody asked for disqualify it.
fn is_quiet(stream: &Stream) -> bool {
    matches!(stream.try_read(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announced_timeout_is_read_wherever_it_stands() {
        let seconds = |value: &str| announced_timeout(value.as_bytes()).map(|timeout| timeout.as_secs());
        assert_eq!(seconds("timeout=5, max=100"), Some(5));
        assert_eq!(seconds("max=100,Timeout=7"), Some(7));
        for none in ["", "timeout", "timeout=", "timeout=x", "max=5", "timeouts=5"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }
}
