//! Asks what one name resolves to: the system, or the name servers that a `resolver` names. Not here: when, and what
//! becomes of the addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::lookup_ip::LookupIp;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::{Resolver, TokioResolver};
use policy::Cause;
use tokio::time::timeout;

/// How long a look-up by the system may take.
const SYSTEM_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the time to live is waited for once the system has given the addresses.
const TTL_TIMEOUT: Duration = Duration::from_millis(500);
/// How long an answer of the system's holds where DNS does not tell.
const SYSTEM_TTL: Duration = Duration::from_secs(30);
/// How long one name server is waited for before the next is asked.
const TRY_TIMEOUT: Duration = Duration::from_secs(2);
/// How often each name server is asked.
const TRIES: usize = 2;

/// A name with a port, and whom it is asked of: the system where that is nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    pub(crate) by: Option<Arc<model::Resolver>>,
}

/// The addresses of a name: at least one, sorted, so that answers that differ in order only are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) addresses: Vec<SocketAddr>,
    /// How long they hold.
    pub(crate) ttl: Duration,
}

/// Why a name has no address now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unresolved {
    NotFound,
    TimedOut,
    /// The answer's response code (RFC 1035 §4.1.1).
    Refused(u16),
}

impl Unresolved {
    pub(crate) fn cause(self) -> Cause {
        match self {
            Unresolved::NotFound => Cause::NameNotFound,
            Unresolved::TimedOut => Cause::DnsTimeout,
            Unresolved::Refused(_) => Cause::DnsServerFailed,
        }
    }
}

/// As nginx says it in parentheses.
impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::NotFound => f.write_str("3: Host not found"),
            Unresolved::TimedOut => f.write_str("110: Operation timed out"),
            Unresolved::Refused(1) => f.write_str("1: Format error"),
            Unresolved::Refused(2) => f.write_str("2: Server failure"),
            Unresolved::Refused(4) => f.write_str("4: Unimplemented"),
            Unresolved::Refused(5) => f.write_str("5: Operation refused"),
            Unresolved::Refused(code) => write!(f, "{code}: Unknown error"),
        }
    }
}

/// Asks for a name's addresses.
pub(crate) async fn ask(name: &Name) -> Result<Found, Unresolved> {
    match &name.by {
        Some(resolver) => {
            timeout(resolver.timeout, by_name_servers(name, resolver)).await.unwrap_or(Err(Unresolved::TimedOut))
        }
        None => by_system(name).await,
    }
}

async fn by_name_servers(name: &Name, servers: &model::Resolver) -> Result<Found, Unresolved> {
    let found = look_up(asker(servers)?, &name.host).await?;
    let ttl = servers.valid.unwrap_or_else(|| holds_for(&found));
    known(found.iter(), name.port, ttl)
}

async fn by_system(name: &Name) -> Result<Found, Unresolved> {
    let lookup = tokio::net::lookup_host((&*name.host, name.port));
    let found = timeout(SYSTEM_TIMEOUT, lookup).await.map_err(|_| Unresolved::TimedOut)?;
    let found: Vec<IpAddr> = found.map_err(|_| Unresolved::NotFound)?.map(|address| address.ip()).collect();
    let ttl = system_ttl(&name.host, &found).await.unwrap_or(SYSTEM_TTL);
    known(found.into_iter(), name.port, ttl)
}

/// What the system's name servers say of how long its answer holds. The system itself does not tell; what it has from
/// elsewhere, such as its file of hosts, has no such time.
async fn system_ttl(host: &str, found: &[IpAddr]) -> Option<Duration> {
    if found.iter().all(IpAddr::is_loopback) {
        return None;
    }
    let asker = Resolver::builder_tokio().ok()?.build().ok()?;
    let answer = timeout(TTL_TIMEOUT, asker.lookup_ip(host)).await.ok()?.ok()?;
    answer.iter().any(|address| found.contains(&address)).then(|| holds_for(&answer))
}

/// Nothing is kept by it: whoever asks has a reason to.
fn asker(servers: &model::Resolver) -> Result<TokioResolver, Unresolved> {
    let name_server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        server
    };
    let config = ResolverConfig::from_name_servers(servers.servers.iter().map(name_server).collect());
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    set(builder.options_mut(), servers);
    builder.build().map_err(|_| Unresolved::Refused(2))
}

fn set(options: &mut ResolverOpts, servers: &model::Resolver) {
    options.ip_strategy = match servers.families {
        (true, false) => LookupIpStrategy::Ipv4Only,
        (false, true) => LookupIpStrategy::Ipv6Only,
        _ => LookupIpStrategy::Ipv4AndIpv6,
    };
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.server_ordering_strategy = ServerOrderingStrategy::RoundRobin;
    options.timeout = TRY_TIMEOUT;
    options.attempts = TRIES;
}

async fn look_up(asker: TokioResolver, host: &str) -> Result<LookupIp, Unresolved> {
    // A dot at the end keeps search domains out: the name is meant as it stands.
    let whole = format!("{}.", host.trim_end_matches('.'));
    asker.lookup_ip(whole).await.map_err(|error| match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => code(none.response_code),
        NetError::Dns(DnsError::ResponseCode(refused)) => code(refused),
        NetError::Proto(_) => Unresolved::NotFound,
        _ => Unresolved::TimedOut,
    })
}

fn code(code: ResponseCode) -> Unresolved {
    match code {
        ResponseCode::NoError | ResponseCode::NXDomain => Unresolved::NotFound,
        other => Unresolved::Refused(other.into()),
    }
}

fn holds_for(answer: &LookupIp) -> Duration {
    answer.valid_until().saturating_duration_since(Instant::now())
}

fn known(addresses: impl Iterator<Item = IpAddr>, port: u16, ttl: Duration) -> Result<Found, Unresolved> {
    let mut addresses: Vec<_> = addresses.map(|ip| SocketAddr::new(ip, port)).collect();
    addresses.sort_unstable_by_key(|address| (address.is_ipv6(), *address));
    addresses.dedup();
    if addresses.is_empty() { Err(Unresolved::NotFound) } else { Ok(Found { addresses, ttl }) }
}
