//! A worker's view of one upstream: the endpoints it has now, what policy knows of them, and their idle connections.
//! Not here: the decision which endpoint serves (policy's), and anything of the client's side.

pub(crate) mod attempt;
pub(crate) mod connect;
pub(crate) mod evidence;
pub(crate) mod health_check;
pub(crate) mod hold;
pub(crate) mod pool;
pub(crate) mod resolve;
mod return_probe;
pub(crate) mod unread;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model::{HealthCheck, Proxy};
use policy::budget::{Budget, BudgetSettings};
use policy::health::{EjectSettings, Reason, Sample};
use policy::patterns::{Family, Pattern, Patterns};
use policy::{Cause, EndpointId, Failure, Outcome, Refusal, Tried, Watch};

use self::health_check::Checks;
use self::hold::Held;
use self::pool::Pool;
use self::resolve::{Name, Names};
use crate::logs::clock;

/// For so long the answer to whether an endpoint is back holds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    Socket(SocketAddr),
    Unix(PathBuf),
}

impl Peer {
    fn family(&self) -> Family {
        match self {
            Peer::Socket(address) if address.is_ipv4() => Family::V4,
            Peer::Socket(_) => Family::V6,
            Peer::Unix(_) => Family::Unix,
        }
    }
}

/// An address, and the text by which logs name it: `127.0.0.1:3000`, `[::1]:3000` or `unix:/run/app.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) peer: Peer,
    pub(crate) text: Arc<str>,
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self { peer: Peer::Socket(address), text: address.to_string().into() }
    }
}

/// The other address of a host that has one of each family.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) place: Place,
    /// It is the one that worked last.
    pub(crate) preferred: Cell<bool>,
}

/// One endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) place: Place,
    /// Where it is, too (RFC 8305).
    pub(crate) twin: Option<Twin>,
    /// The name that it is an address of.
    pub(crate) name: Option<Arc<Name>>,
}

impl Endpoint {
    /// An endpoint with one address.
    fn at(place: Place, name: Option<Arc<Name>>) -> Self {
        Self { place, twin: None, name }
    }

    /// Whether both are at the same addresses.
    fn is_at(&self, other: &Endpoint) -> bool {
        let twin = |endpoint: &Endpoint| endpoint.twin.as_ref().map(|twin| twin.place.clone());
        self.place == other.place && twin(self) == twin(other)
    }

    /// The same host at another port; a unix socket has none.
    fn move_to_port(&mut self, port: u16) {
        let places = std::iter::once(&mut self.place).chain(self.twin.as_mut().map(|twin| &mut twin.place));
        for place in places {
            if let Peer::Socket(address) = place.peer {
                *place = SocketAddr::new(address.ip(), port).into();
            }
        }
    }

    /// The address that worked last.
    pub(crate) fn text(&self) -> &Arc<str> {
        match &self.twin {
            Some(twin) if twin.preferred.get() => &twin.place.text,
            _ => &self.place.text,
        }
    }
}

/// An upstream as this worker runs it. Replaced as a whole when its names resolve differently.
pub(crate) struct Upstream {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) pool: RefCell<Pool>,
    pub(crate) held: Held,
    /// When it was last looked whether an endpoint is back, and whether one was.
    looked: Cell<Option<(Instant, bool)>>,
    /// An endpoint that has its address from a name could not be reached.
    suspect: Cell<bool>,
    budget: RefCell<Budget>,
    patterns: RefCell<Patterns>,
    policy: RefCell<policy::Upstream>,
    checks: Checks,
}

impl Upstream {
    /// Joins endpoints, the policy over them, what their failures have in common, and what is to be probed; all are in the
    /// same order.
    pub(crate) fn new(
        endpoints: Vec<Endpoint>,
        policy: policy::Upstream,
        patterns: Patterns,
        pool: Pool,
        checks: Vec<HealthCheck>,
    ) -> Self {
        let upstream = Self {
            checks: Checks::new(checks, endpoints.len()),
            endpoints,
            policy: RefCell::new(policy),
            patterns: RefCell::new(patterns),
            pool: RefCell::new(pool),
            held: Held::default(),
            looked: Cell::new(None),
            suspect: Cell::new(false),
            budget: RefCell::new(Budget::new(Instant::now())),
        };
        (0..upstream.endpoints.len()).for_each(|index| upstream.apply_checks(EndpointId::from_index(index)));
        upstream
    }

    /// Counts an exchange, which gives its part to the budget of retries.
    pub(crate) fn begin_exchange(&self, now: Instant) {
        self.budget.borrow_mut().exchange(now);
    }

    /// Takes a retry from the budget; false when there is none left.
    pub(crate) fn take_retry(&self, settings: BudgetSettings, now: Instant) -> bool {
        self.budget.borrow_mut().take(settings, now)
    }

    /// An endpoint could not be reached: its name may have moved.
    pub(crate) fn suspect(&self, endpoint: EndpointId, names: &Names) {
        if let Some(name) = &self.endpoints[endpoint.index()].name {
            self.suspect.set(true);
            names.suspect(name);
        }
    }

    /// Whether an endpoint could not be reached since the names were looked up.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.get()
    }

    /// Its names were looked up and have the same addresses.
    pub(crate) fn trust_again(&self) {
        self.suspect.set(false);
    }

    /// Takes over the health of the endpoints that were there before, by their addresses. Who took no connections is looked after anew.
    pub(crate) fn adopt(self: &Rc<Self>, before: &Upstream) {
        let numbered = before.endpoints.iter().zip(0..);
        let known: HashMap<&Peer, usize> = numbered.map(|(endpoint, index)| (&endpoint.place.peer, index)).collect();
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let Some(was) = known.get(&endpoint.place.peer) else { continue };
            let (id, was) = (EndpointId::from_index(index), EndpointId::from_index(*was));
            self.policy.borrow_mut().adopt(id, &before.policy.borrow(), was);
            self.adopt_checks(id, before, was);
            if self.is_unreachable(id) {
                return_probe::send(self, id);
            }
        }
    }

    /// Whether an endpoint is ejected since it took no connections.
    fn is_unreachable(&self, endpoint: EndpointId) -> bool {
        self.policy.borrow().is_unreachable(endpoint)
    }

    /// Whether some endpoint would be asked and accepts connections. Asked for once a second at the most.
    pub(crate) async fn is_back(&self) -> bool {
        if let Some((at, is_back)) = self.looked.get()
            && at.elapsed() < LOOK_AGAIN
        {
            return is_back;
        }
        let now = Instant::now();
        let mut is_back = false;
        for endpoint in (0..self.endpoints.len()).map(EndpointId::from_index) {
            let live = self.policy.borrow().is_live(endpoint, now);
            is_back = live && connect::accepts(&self.endpoints[endpoint.index()]).await;
            if is_back {
                break;
            }
        }
        self.looked.set(Some((now, is_back)));
        is_back
    }

    /// Whether the configuration lets it serve.
    pub(crate) fn may_serve(&self, endpoint: EndpointId) -> bool {
        self.policy.borrow().may_serve(endpoint)
    }

    /// An endpoint was seen to accept connections.
    pub(crate) fn readmit(&self, endpoint: EndpointId, now: Instant) {
        self.policy.borrow_mut().readmit(endpoint, now);
    }

    /// Chooses an endpoint for one attempt, which lasts until the [`Picked`] is dropped.
    pub(crate) fn pick(
        self: &Rc<Self>,
        tried: &Tried,
        key: &[u8],
        watched: Option<Watched>,
        now: Instant,
    ) -> Result<Picked, Refusal> {
        let watch = watched.map_or(Watch::Off, |watched| Watch::On { replayable: watched.replayable });
        let endpoint = self.policy.borrow_mut().pick(&policy::Pick { now, tried, key, watch })?;
        let eject = watched.map(|watched| watched.eject);
        Ok(Picked { upstream: self.clone(), endpoint, eject, latency: None, finished: false })
    }

    /// What a failure of an endpoint has in common with those before, as a clause.
    fn pattern(&self, endpoint: EndpointId, failure: &Failure, now: Instant) -> Option<Cow<'static, str>> {
        let pattern = self.patterns.borrow_mut().failed(endpoint, failure, now);
        match pattern {
            Some(Pattern::Unreachable { since, times }) => {
                Some(format!("no connection since {}, {times} times", clock::time_before(since)).into())
            }
            Some(pattern) => Some(pattern.to_string().into()),
            None if failure.cause == Cause::StaleConnection => {
                let limit = self.pool.borrow_mut().closes_after(endpoint, now)?;
                Some(format!("it closes idle connections after {:.1} s", limit.as_secs_f64()).into())
            }
            None => None,
        }
    }

    /// How many attempts an exchange may make when nothing else limits it.
    pub(crate) fn tries(&self) -> u32 {
        self.policy.borrow().tries()
    }
}

/// An attempt for which health beyond nginx's counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pub(crate) eject: EjectSettings,
    /// The request can be sent again.
    pub(crate) replayable: bool,
}

/// An endpoint in use by one attempt. However the attempt ends, the endpoint is given back.
pub(crate) struct Picked {
    upstream: Rc<Upstream>,
    pub(crate) endpoint: EndpointId,
    eject: Option<EjectSettings>,
    /// How long the head of the answer took.
    latency: Option<Duration>,
    finished: bool,
}

impl Picked {
    /// It answered, so long after the attempt began.
    pub(crate) fn answered(&mut self, latency: Option<Duration>) {
        self.latency = latency;
        let mut policy = self.upstream.policy.borrow_mut();
        if let Some(latency) = latency.filter(|_| policy.learns_latency()) {
            policy.answered(self.endpoint, latency, Instant::now());
        }
    }

    /// The endpoint itself.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.upstream.endpoints[self.endpoint.index()]
    }

    /// The upstream that it belongs to.
    pub(crate) fn upstream(&self) -> &Rc<Upstream> {
        &self.upstream
    }

    /// A failure of the attempt, with the number of attempts so far and what it has in common with failures before.
    pub(crate) fn told(&self, failure: Failure, attempts: u32, proxy: &Proxy) -> Failure {
        let pattern = self.upstream.pattern(self.endpoint, &failure, Instant::now());
        failure.with(|evidence| {
            evidence.attempts = attempts;
            evidence.pattern = pattern;
            if let Some(timer) = evidence.timer {
                evidence.set_at = proxy.written.told(timer.directive);
            }
        })
    }

    /// Says how the attempt went; true if the endpoint has just left the rotation.
    pub(crate) fn finish(self, outcome: Outcome, now: Instant) -> bool {
        self.finish_attempt(outcome, false, now)
    }

    /// The same for an attempt that may not have got a connection.
    pub(crate) fn finish_attempt(mut self, outcome: Outcome, unreachable: bool, now: Instant) -> bool {
        self.finished = true;
        if outcome == Outcome::Success {
            self.upstream.patterns.borrow_mut().succeeded(self.endpoint, now);
        }
        self.give_back(outcome, unreachable, now)
    }

    fn give_back(&self, outcome: Outcome, unreachable: bool, now: Instant) -> bool {
        let mut policy = self.upstream.policy.borrow_mut();
        let Some(eject) = &self.eject else { return policy.finish(self.endpoint, outcome, now) };
        let sample = Sample { outcome, unreachable, latency: self.latency };
        let ejected = policy.finish_watched(self.endpoint, eject, &sample, now);
        if ejected.is_some_and(|ejected| ejected.reason == Reason::Unreachable) {
            return_probe::send(&self.upstream, self.endpoint);
        }
        ejected.is_some()
    }
}

impl Drop for Picked {
    fn drop(&mut self) {
        if !self.finished {
            // The client left, or the task was dropped: no verdict on the endpoint.
            self.give_back(Outcome::Neutral, false, Instant::now());
        }
    }
}
