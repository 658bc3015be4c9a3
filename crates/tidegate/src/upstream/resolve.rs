//! What the names of endpoints resolve to: found beside the workers, read by them when they build their upstreams.
//! Not here: balancing among the addresses, and connecting to them.

mod ask;
mod keeper;

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use config::model::{self, Address, UpstreamServer};
use policy::EndpointSettings;
use policy::names::Freshness;
use policy::patterns::{self, Patterns};
use tokio::sync::Notify;

pub(crate) use self::ask::{Name, Unresolved};
pub(crate) use self::keeper::{Audience, Keeper, keep};
use super::pool::Pool;
use super::{Endpoint, Peer, Place, Twin, Upstream};
use crate::worker::Share;

/// The most names that requests alone brought up whose addresses are kept: beyond it they are looked up again.
const PASSING_NAMES: usize = 1024;

/// The addresses of every name that a configuration mentions, or a request. Shared by all workers, read when upstreams are
/// built.
#[derive(Default)]
pub(crate) struct Names {
    known: Mutex<HashMap<Name, Vec<SocketAddr>>>,
    /// What only requests named: no more than [`PASSING_NAMES`].
    passing: Mutex<HashMap<Name, Passing>>,
    /// Names with an endpoint that could not be reached.
    suspects: Mutex<HashSet<Name>>,
    /// There are suspects.
    suspicion: Notify,
}

struct Passing {
    addresses: Vec<SocketAddr>,
    freshness: Freshness,
}

/// Whether an answer changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learned {
    Same,
    Other,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Names {
    /// The endpoints of an upstream, with their settings for one worker.
    pub(crate) fn build(&self, upstream: &model::Upstream, share: Share) -> Upstream {
        let mut endpoints = Vec::new();
        let mut settings = Vec::new();
        let mut places = Vec::new();
        for (index, server) in upstream.servers.iter().enumerate() {
            for endpoint in self.endpoints(server, upstream) {
                settings.push(endpoint_settings(server, share));
                places.push(patterns::Place { server: index, family: endpoint.place.peer.family() });
                endpoints.push(endpoint);
            }
        }
        let seed = share.worker as u64 + 1;
        let policy = policy::Upstream::new(upstream.balance, settings, seed);
        let pool = Pool::new(upstream.keepalive.clone());
        Upstream::new(endpoints, policy, Patterns::new(places), pool, upstream.health_checks.clone())
    }

    /// Whether the upstream would be built with other endpoints now.
    pub(crate) fn differs(&self, upstream: &model::Upstream, current: &[Endpoint]) -> bool {
        let wanted: Vec<_> = upstream.servers.iter().flat_map(|server| self.endpoints(server, upstream)).collect();
        wanted.len() != current.len() || wanted.iter().zip(current).any(|(one, other)| !one.is_at(other))
    }

    /// Looks up a name that only a request named, if what was found last does not hold any more. Says until when the
    /// addresses hold; those that were known stay in use while nobody knows others.
    pub(crate) async fn look_up(&self, name: &Name) -> Result<Instant, Unresolved> {
        if let Some(due) = self.still_fresh(name) {
            return Ok(due);
        }
        let answer = ask::ask(name).await;
        let now = Instant::now();
        let mut passing = locked(&self.passing);
        if passing.len() >= PASSING_NAMES && !passing.contains_key(name) {
            passing.clear();
        }
        match answer {
            Ok(found) => {
                let mut freshness = Freshness::new(now);
                freshness.answered(found.ttl, now);
                passing.insert(name.clone(), Passing { addresses: found.addresses, freshness });
                Ok(freshness.due())
            }
            Err(why) => {
                let known = passing.get_mut(name).ok_or(why)?;
                known.freshness.failed(now);
                Ok(known.freshness.due())
            }
        }
    }

    fn still_fresh(&self, name: &Name) -> Option<Instant> {
        let due = locked(&self.passing).get(name)?.freshness.due();
        (due > Instant::now()).then_some(due)
    }

    /// An endpoint at one of its addresses could not be reached: it is looked up soon.
    pub(crate) fn suspect(&self, name: &Name) {
        if let Some(passing) = locked(&self.passing).get_mut(name) {
            passing.freshness.suspected(Instant::now());
        }
        if locked(&self.known).contains_key(name) {
            locked(&self.suspects).insert(name.clone());
            self.suspicion.notify_one();
        }
    }

    fn take_suspects(&self) -> HashSet<Name> {
        std::mem::take(&mut *locked(&self.suspects))
    }

    fn knows(&self, name: &Name) -> bool {
        locked(&self.known).contains_key(name)
    }

    fn learn(&self, name: Name, addresses: Vec<SocketAddr>) -> Learned {
        let mut known = locked(&self.known);
        if known.get(&name) == Some(&addresses) {
            return Learned::Same;
        }
        known.insert(name, addresses);
        Learned::Other
    }

    fn endpoints(&self, server: &UpstreamServer, upstream: &model::Upstream) -> Vec<Endpoint> {
        match &server.address {
            Address::Socket(address) => vec![Endpoint::at((*address).into(), None)],
            Address::Unix(path) => {
                let text = format!("unix:{}", path.display()).into();
                vec![Endpoint::at(Place { text, peer: Peer::Unix(path.clone()) }, None)]
            }
            Address::Name { host, port } => {
                let name = name_of(server, upstream, host, *port);
                let known = locked(&self.known).get(&name).cloned();
                let known = known.or_else(|| locked(&self.passing).get(&name).map(|passing| passing.addresses.clone()));
                endpoints_of(&known.unwrap_or_default(), &Arc::new(name))
            }
        }
    }
}

/// One address of each family is one host with two ways to it; more than that are as many hosts.
fn endpoints_of(addresses: &[SocketAddr], name: &Arc<Name>) -> Vec<Endpoint> {
    let at = |address: &SocketAddr| Endpoint::at((*address).into(), Some(name.clone()));
    match addresses {
        [v4, v6] if v4.is_ipv4() && v6.is_ipv6() => {
            let twin = Twin { place: (*v6).into(), preferred: Cell::new(false) };
            vec![Endpoint { twin: Some(twin), ..at(v4) }]
        }
        several => several.iter().map(at).collect(),
    }
}

fn name_of(server: &UpstreamServer, upstream: &model::Upstream, host: &str, port: u16) -> Name {
    Name { host: host.into(), port, by: upstream.resolver.clone().filter(|_| server.resolve) }
}

fn endpoint_settings(server: &UpstreamServer, share: Share) -> EndpointSettings {
    EndpointSettings {
        weight: server.weight,
        max_conns: policy::share::of(server.max_conns, share.worker, share.workers),
        max_fails: server.max_fails,
        max_fails_written: server.max_fails_written,
        fail_timeout: server.fail_timeout,
        backup: server.backup,
        down: server.down,
        name: server.text.clone(),
    }
}

/// Every name that the upstreams mention.
pub(crate) fn names_of(upstreams: &[model::Upstream]) -> Vec<Name> {
    let servers = upstreams.iter().flat_map(|upstream| upstream.servers.iter().map(move |one| (upstream, one)));
    let names: HashSet<Name> = servers
        .filter_map(|(upstream, server)| match &server.address {
            Address::Name { host, port } => Some(name_of(server, upstream, host, *port)),
            Address::Socket(_) | Address::Unix(_) => None,
        })
        .collect();
    names.into_iter().collect()
}
