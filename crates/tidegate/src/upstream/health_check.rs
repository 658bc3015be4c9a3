//! Probes endpoints as `health_check` says, bars those that fail, and says so once. Each worker probes for itself.
//! Not here: how many probes decide (`policy::health::active`), making one ([`ask`]), what passes ([`judge`]).

mod ask;
mod judge;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Instant;

use config::model::{HealthCheck, Level, Probe};
use policy::health::active::{Change, Probed};
use policy::{Blame, EndpointId, Failure, Phase};

use super::{Endpoint, Upstream};
use crate::logs::error_log::Context;
use crate::tables::Tables;

/// Why a probe did not pass.
enum Fault {
    /// There is no answer.
    Failed(Failure),
    /// There is one, of which a test says so.
    Unwanted(String),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault::Failed(failure)
    }
}

impl Fault {
    /// Whether it says nothing of the endpoint: no ports or descriptors are left here.
    fn is_local(&self) -> bool {
        matches!(self, Fault::Failed(failure) if failure.phase == Phase::Connect && failure.blame() == Blame::Gateway)
    }

    fn why(&self) -> String {
        match self {
            Fault::Failed(failure) => format!("{} while {}", failure.nginx_phrase(), failure.phase.nginx_action()),
            Fault::Unwanted(why) => why.clone(),
        }
    }
}

/// The checks of an upstream, and what they know of its endpoints.
#[derive(Default)]
pub(crate) struct Checks {
    checks: Vec<HealthCheck>,
    /// For each check, of each endpoint.
    probed: RefCell<Vec<Vec<Probed>>>,
    /// The upstream was replaced by another, which probes in its place.
    over: Cell<bool>,
}

impl Checks {
    /// Checks of so many endpoints, none of which was probed yet.
    pub(crate) fn new(checks: Vec<HealthCheck>, endpoints: usize) -> Self {
        let probed = checks.iter().map(|check| vec![Probed::new(&check.settings); endpoints]).collect();
        Self { checks, probed: RefCell::new(probed), over: Cell::new(false) }
    }

    fn all_serve(&self, endpoint: EndpointId) -> bool {
        self.probed.borrow().iter().all(|endpoints| endpoints[endpoint.index()].serves())
    }
}

impl Upstream {
    /// Probes no more: another upstream stands in its place.
    pub(crate) fn stop_probing(&self) {
        self.checks.over.set(true);
    }

    /// Whether an endpoint is barred follows from what its checks know.
    pub(super) fn apply_checks(&self, endpoint: EndpointId) {
        if !self.checks.checks.is_empty() {
            self.policy.borrow_mut().bar(endpoint, !self.checks.all_serve(endpoint));
        }
    }

    /// Takes over what checks that ask the same knew of an endpoint.
    pub(super) fn adopt_checks(&self, endpoint: EndpointId, before: &Upstream, was: EndpointId) {
        let known = before.checks.probed.borrow();
        let mut probed = self.checks.probed.borrow_mut();
        for (check, endpoints) in self.checks.checks.iter().zip(probed.iter_mut()) {
            if let Some(same) = before.checks.checks.iter().position(|other| other.asks_the_same(check)) {
                endpoints[endpoint.index()] = known[same][was.index()].clone();
            }
        }
        drop(probed);
        self.apply_checks(endpoint);
    }

    /// Takes the result of a probe up.
    fn probed(&self, check: usize, endpoint: EndpointId, passed: bool) -> Option<Change> {
        let settings = &self.checks.checks[check].settings;
        let change = self.checks.probed.borrow_mut()[check][endpoint.index()].probed(settings, passed)?;
        self.apply_checks(endpoint);
        if change == Change::Serves {
            self.readmit(endpoint, Instant::now());
        }
        Some(change)
    }
}

/// Starts to probe each endpoint that may serve, until the upstream is gone or replaced.
pub(crate) fn start(upstream: &Rc<Upstream>, tables: &Arc<Tables>, name: &str) {
    for index in 0..upstream.checks.checks.len() {
        for endpoint in (0..upstream.endpoints.len()).map(EndpointId::from_index) {
            if upstream.may_serve(endpoint) {
                let prober = Prober::new(upstream, tables, name, index, endpoint);
                tokio::task::spawn_local(prober.run());
            }
        }
    }
}

/// One check of one endpoint.
struct Prober {
    upstream: Weak<Upstream>,
    tables: Arc<Tables>,
    name: Box<str>,
    check: HealthCheck,
    /// Its place among the upstream's checks.
    index: usize,
    id: EndpointId,
    /// Where it is probed.
    endpoint: Endpoint,
}

impl Prober {
    fn new(upstream: &Rc<Upstream>, tables: &Arc<Tables>, name: &str, index: usize, id: EndpointId) -> Self {
        let check = upstream.checks.checks[index].clone();
        let mut endpoint = upstream.endpoints[id.index()].clone();
        if let Some(port) = check.port {
            endpoint.move_to_port(port);
        }
        Self {
            upstream: Rc::downgrade(upstream),
            tables: tables.clone(),
            name: name.into(),
            check,
            index,
            id,
            endpoint,
        }
    }

    async fn run(self) {
        let mut first = true;
        loop {
            tokio::time::sleep(self.check.settings.pause(first, chance())).await;
            first = false;
            if self.upstream().is_none() {
                return;
            }
            let found = self.probe().await;
            let Some(upstream) = self.upstream() else { return };
            if found.as_ref().is_err_and(Fault::is_local) {
                continue;
            }
            match (upstream.probed(self.index, self.id, found.is_ok()), found) {
                (Some(Change::Barred), Err(fault)) => self.say_unhealthy(&fault),
                (Some(Change::Serves), _) => self.say(Level::Notice, "peer is healthy", None),
                _ => {}
            }
        }
    }

    /// The upstream, unless it is gone or replaced.
    fn upstream(&self) -> Option<Rc<Upstream>> {
        self.upstream.upgrade().filter(|upstream| !upstream.checks.over.get())
    }

    async fn probe(&self) -> Result<(), Fault> {
        let mut opened = super::connect::connect(&self.endpoint, &self.check.proxy).await?;
        match &self.check.probe {
            Probe::Tcp => Ok(()),
            Probe::Http { uri, tests } => ask::ask(&mut opened.stream, &self.check, uri, tests.as_deref()).await,
        }
    }

    fn say_unhealthy(&self, fault: &Fault) {
        let summary = match fault {
            Fault::Failed(failure) => Some(failure.summary()),
            Fault::Unwanted(_) => None,
        };
        self.say(Level::Warn, &format!("peer is unhealthy: {}", fault.why()), summary.as_deref());
    }

    fn say(&self, level: Level, message: &str, failure: Option<&str>) {
        let asked = match &self.check.probe {
            Probe::Http { uri, .. } => uri,
            Probe::Tcp => "tcp",
        };
        let (peer, name) = (self.endpoint.text(), &self.name);
        let message = format!("{message}, health check \"{asked}\" of peer {peer} in upstream \"{name}\"");
        self.tables.log(level, None, &message, &Context { failure, ..Context::default() });
    }
}

/// At least 0 and below 1.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
