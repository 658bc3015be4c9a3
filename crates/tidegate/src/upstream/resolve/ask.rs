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
/// How long the addresses of one family are waited for once there are some of the other.
const OTHER_FAMILY_TIMEOUT: Duration = Duration::from_millis(500);
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
    let of = |family| async move { look_up(asker(servers, family)?, &name.host).await };
    let found = match servers.families {
        (true, false) => vec![of(LookupIpStrategy::Ipv4Only).await?],
        (false, true) => vec![of(LookupIpStrategy::Ipv6Only).await?],
        _ => of_each_family(of(LookupIpStrategy::Ipv4Only), of(LookupIpStrategy::Ipv6Only)).await?,
    };
    let ttl = servers.valid.or_else(|| found.iter().map(holds_for).min()).unwrap_or_default();
    known(found.iter().flat_map(LookupIp::iter), name.port, ttl)
}

/// What two look-ups found that run at once. Servers that never answer for one of the families are common: they cost
/// the addresses of the other a moment, not the request.
async fn of_each_family<T>(
    four: impl Future<Output = Result<T, Unresolved>>,
    six: impl Future<Output = Result<T, Unresolved>>,
) -> Result<Vec<T>, Unresolved> {
    tokio::pin!(four, six);
    let (first, second) = tokio::select! {
        first = &mut four => { let second = after(&first, six).await; (first, second) }
        first = &mut six => { let second = after(&first, four).await; (first, second) }
    };
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(vec![first, second]),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(vec![found]),
        (Err(Unresolved::NotFound), Err(error)) | (Err(error), Err(_)) => Err(error),
    }
}

/// Waits for the second look-up: briefly where the first found something.
async fn after<T>(
    first: &Result<T, Unresolved>,
    second: impl Future<Output = Result<T, Unresolved>>,
) -> Result<T, Unresolved> {
    match first {
        Ok(_) => timeout(OTHER_FAMILY_TIMEOUT, second).await.unwrap_or(Err(Unresolved::TimedOut)),
        Err(_) => second.await,
    }
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
fn asker(servers: &model::Resolver, family: LookupIpStrategy) -> Result<TokioResolver, Unresolved> {
    let name_server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        server
    };
    let config = ResolverConfig::from_name_servers(servers.servers.iter().map(name_server).collect());
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    set(builder.options_mut(), family);
    builder.build().map_err(|_| Unresolved::Refused(2))
}

fn set(options: &mut ResolverOpts, family: LookupIpStrategy) {
    options.ip_strategy = family;
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_family_that_is_never_answered_for_costs_the_other_nothing() {
        assert_eq!(of_each_family(ready(Ok(4)), pending()).await, Ok(vec![4]));
        assert_eq!(of_each_family(pending(), ready(Ok(6))).await, Ok(vec![6]));
    }

    #[tokio::test]
    async fn one_family_is_enough_and_both_are_taken() {
        let both = of_each_family(ready(Ok(4)), ready(Ok(6))).await.map(|found| found.iter().sum());
        assert_eq!(both, Ok(10));
        assert_eq!(of_each_family(ready(Ok(4)), ready(Err(Unresolved::Refused(2)))).await, Ok(vec![4]));
        assert_eq!(of_each_family(ready(Err(Unresolved::NotFound)), ready(Ok(6))).await, Ok(vec![6]));
    }

    #[tokio::test]
    async fn of_two_failures_the_one_that_says_more_counts() {
        let refused = Err::<u8, _>(Unresolved::Refused(2));
        let none = Err(Unresolved::NotFound);
        assert_eq!(of_each_family(ready(none), ready(refused)).await, Err(Unresolved::Refused(2)));
        assert_eq!(of_each_family(ready(refused), ready(none)).await, Err(Unresolved::Refused(2)));
        assert_eq!(of_each_family(ready(none), ready(none)).await, Err(Unresolved::NotFound));
    }
}
