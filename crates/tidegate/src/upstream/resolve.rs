//! What the names of endpoints resolve to, kept fresh beside the workers.
//! Not here: balancing among the addresses, and connecting to them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::model::{self, Address, UpstreamServer};
use policy::EndpointSettings;
use policy::patterns::{Patterns, Place};

use super::pool::Pool;
use super::{Endpoint, Peer, Upstream};
use crate::worker::Share;

/// How long the start waits for names before it goes on without those that are missing.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(3);
/// How often names are resolved again.
const REFRESH: Duration = Duration::from_secs(30);
/// How often names are tried again that have not resolved yet.
const RETRY: Duration = Duration::from_secs(1);
/// How long one look-up may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);

/// The most names that requests alone brought up whose addresses are kept: beyond it they are looked up again.
const PASSING_NAMES: usize = 1024;

type Name = (Box<str>, u16);

/// The addresses of every name that a configuration mentions. Shared by all workers, read when upstreams are built.
#[derive(Default)]
pub(crate) struct Names {
    known: Mutex<HashMap<Name, Vec<SocketAddr>>>,
    /// What only requests named: no more than [`PASSING_NAMES`].
    passing: Mutex<HashMap<Name, Vec<SocketAddr>>>,
    /// Those without an address that were said already.
    said: Mutex<Vec<Name>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Names {
    fn known(&self) -> MutexGuard<'_, HashMap<Name, Vec<SocketAddr>>> {
        locked(&self.known)
    }

    /// The endpoints of an upstream, with their settings for one worker.
    pub(crate) fn build(&self, upstream: &model::Upstream, share: Share) -> Upstream {
        let mut endpoints = Vec::new();
        let mut settings = Vec::new();
        let mut places = Vec::new();
        for (index, server) in upstream.servers.iter().enumerate() {
            for endpoint in self.endpoints(server) {
                settings.push(endpoint_settings(server, share));
                places.push(Place { server: index, family: endpoint.peer.family() });
                endpoints.push(endpoint);
            }
        }
        let seed = share.worker as u64 + 1;
        let policy = policy::Upstream::new(upstream.balance, settings, seed);
        Upstream::new(endpoints, policy, Patterns::new(places), Pool::new(upstream.keepalive.clone()))
    }

    /// Whether the upstream would be built with other endpoints now.
    pub(crate) fn differs(&self, upstream: &model::Upstream, current: &[Endpoint]) -> bool {
        let wanted = upstream.servers.iter().flat_map(|server| self.endpoints(server));
        !wanted.map(|endpoint| endpoint.peer).eq(current.iter().map(|endpoint| endpoint.peer.clone()))
    }

    /// Looks up a name that only a request named; whether it has an address.
    pub(crate) async fn look_up(&self, host: &str, port: u16) -> bool {
        let name: Name = (host.into(), port);
        let found = lookup(name.clone()).await;
        let mut passing = locked(&self.passing);
        if !found.is_empty() {
            if passing.len() >= PASSING_NAMES {
                passing.clear();
            }
            passing.insert(name.clone(), found);
        }
        passing.contains_key(&name)
    }

    fn endpoints(&self, server: &UpstreamServer) -> Vec<Endpoint> {
        match &server.address {
            Address::Socket(address) => vec![socket_endpoint(*address)],
            Address::Unix(path) => {
                vec![Endpoint { text: format!("unix:{}", path.display()).into(), peer: Peer::Unix(path.clone()) }]
            }
            Address::Name { host, port } => {
                let name = (host.clone(), *port);
                let found = |names: &Mutex<HashMap<Name, Vec<SocketAddr>>>| locked(names).get(&name).cloned();
                let addresses = found(&self.known).or_else(|| found(&self.passing));
                addresses.unwrap_or_default().into_iter().map(socket_endpoint).collect()
            }
        }
    }

    /// Those of the missing names that were not said yet.
    fn to_say(&self, missing: &[Name]) -> Vec<Name> {
        let mut said = locked(&self.said);
        let new = missing.iter().filter(|name| !said.contains(name)).cloned().collect();
        *said = missing.to_vec();
        new
    }

    /// Looks every name up once more. The names that have no address, and whether anything changed.
    async fn refresh(&self, wanted: &[Name]) -> (Vec<Name>, bool) {
        let lookups: Vec<_> = wanted.iter().map(|name| tokio::task::spawn(lookup(name.clone()))).collect();
        let mut missing = Vec::new();
        let mut changed = false;
        for (name, lookup) in wanted.iter().zip(lookups) {
            let found = lookup.await.unwrap_or_default();
            let mut known = self.known();
            if !found.is_empty() {
                changed |= known.insert(name.clone(), found.clone()) != Some(found);
            } else if !known.contains_key(name) {
                missing.push(name.clone());
            }
        }
        (missing, changed)
    }
}

fn socket_endpoint(address: SocketAddr) -> Endpoint {
    Endpoint { text: address.to_string().into(), peer: Peer::Socket(address) }
}

fn endpoint_settings(server: &UpstreamServer, share: Share) -> EndpointSettings {
    EndpointSettings {
        weight: server.weight,
        max_conns: policy::share::of(server.max_conns, share.worker, share.workers),
        max_fails: server.max_fails,
        fail_timeout: server.fail_timeout,
        backup: server.backup,
        down: server.down,
        name: server.text.clone(),
    }
}

/// The addresses of a name, sorted, so that two answers that differ in order only are the same.
async fn lookup((host, port): Name) -> Vec<SocketAddr> {
    let found = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((&*host, port))).await;
    let mut addresses: Vec<_> = found.ok().and_then(Result::ok).into_iter().flatten().collect();
    addresses.sort_unstable_by_key(|address| (address.is_ipv6(), *address));
    addresses.dedup();
    addresses
}

/// Every name that the configuration's upstreams mention.
pub(crate) fn names_of(config: &model::Config) -> Vec<Name> {
    let servers = config.upstreams.iter().flat_map(|upstream| &upstream.servers);
    let mut names: Vec<Name> = servers
        .filter_map(|server| match &server.address {
            Address::Name { host, port } => Some((host.clone(), *port)),
            Address::Socket(_) | Address::Unix(_) => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Keeps names resolved for as long as the returned keeper lives.
///
/// `report` is called with names that could not be resolved, `changed` whenever addresses differ from before.
pub(crate) fn keep(
    names: Arc<Names>,
    wanted: Vec<Name>,
    report: impl Fn(&str) + Send + 'static,
    changed: impl Fn() + Send + 'static,
) -> Keeper {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (ready, first_round) = std::sync::mpsc::channel();
    if !wanted.is_empty() {
        let run = move || resolve_until(&names, &wanted, &report, &changed, &ready, stopped);
        // Without the thread nothing is resolved: the wait below is over at once and the names are reported by use.
        let _ = std::thread::Builder::new().name("resolver".into()).spawn(run);
        let _ = first_round.recv_timeout(START_PATIENCE);
    }
    Keeper { _stop: stop }
}

/// Dropping it ends the resolving.
pub(crate) struct Keeper {
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn resolve_until(
    names: &Names,
    wanted: &[Name],
    report: &dyn Fn(&str),
    changed: &dyn Fn(),
    ready: &std::sync::mpsc::Sender<()>,
    stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        tokio::select! {
            () = resolve_forever(names, wanted, report, changed, ready) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

async fn resolve_forever(
    names: &Names,
    wanted: &[Name],
    report: &dyn Fn(&str),
    changed: &dyn Fn(),
    ready: &std::sync::mpsc::Sender<()>,
) {
    loop {
        let (missing, differs) = names.refresh(wanted).await;
        for name in names.to_say(&missing) {
            report(&name.0);
        }
        if differs {
            changed();
        }
        let pause = if missing.is_empty() { REFRESH } else { RETRY };
        // Nobody waits for the first round any more after it.
        let _ = ready.send(());
        tokio::time::sleep(pause).await;
    }
}
