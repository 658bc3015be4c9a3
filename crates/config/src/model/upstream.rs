//! Named groups of endpoints. Not here: their state, which is `policy`'s, and name resolution, which is the gateway's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{HealthCheck, Resolver, Template};

/// An `upstream NAME { … }` block, or the implicit one of a `proxy_pass` with a literal host.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name: the block's, or `host:port` as written in `proxy_pass`.
    pub name: Box<str>,
    /// True for one that a `proxy_pass` made: nginx forms its `Host` and log entries differently.
    pub implicit: bool,
    /// Endpoints in the order written.
    pub servers: Vec<UpstreamServer>,
    /// The balancing method.
    pub balance: policy::Balance,
    /// The key of `hash KEY`.
    pub hash_key: Option<Template>,
    /// The pool of idle connections.
    pub keepalive: Keepalive,
    /// The name servers for servers with `resolve`: the block's own `resolver`, else that of `http`.
    pub resolver: Option<Arc<Resolver>>,
    /// `zone NAME SIZE` was given. State is per worker here; accepted and said by `check`.
    pub zone: Option<Box<str>>,
    /// What the locations that pass requests to it say of probes.
    pub health_checks: Vec<HealthCheck>,
}

/// A `server ADDRESS …` line of an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamServer {
    /// Where it is.
    pub address: Address,
    /// As written, for logs.
    pub text: Box<str>,
    /// `weight=`, default 1.
    pub weight: u32,
    /// `max_fails=`, default 1; 0 disables the accounting.
    pub max_fails: u32,
    /// `max_fails=` was written.
    pub max_fails_written: bool,
    /// `fail_timeout=`, default 10 s.
    pub fail_timeout: Duration,
    /// `max_conns=`, 0 for no limit.
    pub max_conns: u32,
    /// `backup`.
    pub backup: bool,
    /// `down`.
    pub down: bool,
    /// `resolve`: its name is asked of the upstream's `resolver`, not of the system's.
    pub resolve: bool,
}

impl UpstreamServer {
    /// One with every parameter at nginx's default.
    pub fn plain(address: Address, text: &str) -> Self {
        Self {
            address,
            text: text.into(),
            weight: 1,
            max_fails: 1,
            max_fails_written: false,
            fail_timeout: Duration::from_secs(10),
            max_conns: 0,
            backup: false,
            down: false,
            resolve: false,
        }
    }
}

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A numeric address.
    Socket(SocketAddr),
    /// A name to be resolved; each address it has is an endpoint.
    Name {
        /// The host as written.
        host: Box<str>,
        /// The port.
        port: u16,
    },
    /// A unix-domain socket.
    Unix(PathBuf),
}

/// `keepalive` and its parameters; nginx ≥ 1.29.7 has them on by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keepalive {
    /// The most idle connections that a worker keeps for the upstream; 0 turns the pool off. Default 32.
    pub idle: usize,
    /// `keepalive_requests`, default 1000.
    pub requests: u64,
    /// `keepalive_time`, default one hour.
    pub time: Duration,
    /// `keepalive_timeout`, default 60 s.
    pub timeout: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { idle: 32, requests: 1000, time: Duration::from_secs(3600), timeout: Duration::from_secs(60) }
    }
}
