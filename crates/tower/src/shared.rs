//! What all exchanges of one layer share: the budget, the breakers, the health of endpoints. Locked for single calls only,
//! never across a wait. Not here: one exchange ([`crate::exchange`]).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use policy::breaker::{Breaker, Change, Permit};
use policy::budget::Budget;
use policy::hedge::{HedgeSettings, Latencies};
use policy::{Balance, Cause, EndpointId, EndpointSettings, Outcome, Pick, Tried, Upstream, Watch};

use crate::attempt::Attempt;
use crate::event::{Event, Events};
use crate::forward::Base;
use crate::idempotency::random;
use crate::settings::Settings;

/// Origins beyond this number have no breaker, and estimates of all begin anew, so that a program that asks many hosts keeps its memory.
pub(crate) const MOST_ORIGINS: usize = 1024;

/// The state of a layer.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) bases: Vec<Base>,
    events: Option<Arc<dyn Events>>,
    state: Mutex<State>,
}

struct State {
    budget: Budget,
    breakers: HashMap<Arc<str>, Breaker>,
    /// How long answers take, by origin; base URLs, which stand in for each other, have one estimate under an empty name.
    latencies: HashMap<Arc<str>, Latencies>,
    upstream: Upstream,
}

impl State {
    fn latencies_of(&mut self, attempt: &Attempt) -> &mut Latencies {
        let name = if attempt.endpoint.is_some() { Arc::default() } else { attempt.origin.clone() };
        if self.latencies.len() >= MOST_ORIGINS && !self.latencies.contains_key(&name) {
            self.latencies.clear();
        }
        self.latencies.entry(name).or_insert_with(|| Latencies::new(now()))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).field("bases", &self.bases).finish_non_exhaustive()
    }
}

/// How a base URL is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    Usual,
    /// No other of several base URLs is left: a breaker lets one attempt a second through, and where `max_fails` took all
    /// out, whoever was out for longest serves. One path that fails everywhere must not end all others.
    Alone,
}

/// No attempt may be made.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) cause: Cause,
    pub(crate) retry_after: Option<Duration>,
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Shared {
    pub(crate) fn new(settings: Settings, bases: Vec<Base>, events: Option<Arc<dyn Events>>) -> Self {
        let endpoint = |base: &Base| EndpointSettings {
            weight: 1,
            max_conns: 0,
            max_fails: settings.max_fails,
            max_fails_written: true,
            fail_timeout: settings.fail_timeout,
            backup: base.backup,
            down: false,
            name: (*base.origin).into(),
        };
        let upstream = Upstream::new(Balance::RoundRobin, bases.iter().map(endpoint).collect(), random());
        let state = Mutex::new(State {
            budget: Budget::new(now()),
            breakers: HashMap::new(),
            latencies: HashMap::new(),
            upstream,
        });
        Self { settings, bases, events, state }
    }

    pub(crate) fn emit(&self, event: &Event<'_>) {
        if let Some(events) = &self.events {
            events.on(event);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        self.state().budget.exchange(now());
    }

    pub(crate) fn take_retry(&self) -> bool {
        let granted = self.state().budget.take(self.settings.budget, now());
        if !granted {
            self.emit(&Event::BudgetSpent);
        }
        granted
    }

    /// How long an attempt may be silent before another one begins beside it.
    pub(crate) fn hedge_after(&self, attempt: &Attempt) -> Option<Duration> {
        let hedge = self.settings.hedge?;
        let mut state = self.state();
        hedge.delay(state.latencies_of(attempt), now())
    }

    /// An attempt had its head after so long, or had none when another one was quicker.
    pub(crate) fn took(&self, attempt: &Attempt, latency: Duration) {
        if matches!(self.settings.hedge, Some(HedgeSettings::Percentile { .. })) {
            self.state().latencies_of(attempt).record(latency, now());
        }
    }

    /// Whether some base URL was not asked yet and may be, as if nothing had happened to it.
    pub(crate) fn has_untried(&self, tried: &Tried) -> bool {
        let (state, now) = (self.state(), now());
        let mut ids = (0..self.bases.len()).map(EndpointId::from_index);
        ids.any(|id| {
            let breaker = state.breakers.get(&self.bases[id.index()].origin);
            !tried.contains(id) && state.upstream.is_live(id, now) && breaker.is_none_or(Breaker::is_closed)
        })
    }

    /// Whom the next attempt asks: one of the base URLs, those not tried first; or whom the request names.
    pub(crate) fn pick(self: &Arc<Self>, uri: &Uri, tried: &Tried) -> Result<Attempt, Refused> {
        if self.bases.is_empty() || uri.authority().is_some() {
            let origin: Arc<str> = origin_of(uri).into();
            let permit = self.admit(&mut self.state(), &origin, Admission::Usual).map_err(open)?;
            return Ok(Attempt::new(self.clone(), origin, None, permit));
        }
        let all = Tried::default();
        // One that failed for long would otherwise be left alone though it is back and the other one is down.
        let untried = self.pick_base(tried, Admission::Usual).or_else(|_| self.pick_base(tried, Admission::Alone));
        let again = untried.or_else(|_| self.pick_base(&all, Admission::Usual));
        again.or_else(|_| self.pick_base(&all, Admission::Alone))
    }

    fn pick_base(self: &Arc<Self>, tried: &Tried, admission: Admission) -> Result<Attempt, Refused> {
        let watch = match admission {
            Admission::Usual => Watch::Off,
            Admission::Alone => Watch::On { replayable: true },
        };
        let (mut skip, mut wait) = (tried.clone(), None);
        let mut state = self.state();
        loop {
            let pick = Pick { now: now(), tried: &skip, key: b"", watch };
            let Ok(id) = state.upstream.pick(&pick) else { break };
            // A group of one is picked whether it was tried or not.
            if !skip.contains(id) {
                let origin = &self.bases[id.index()].origin;
                match self.admit(&mut state, origin, admission) {
                    Ok(permit) => return Ok(Attempt::new(self.clone(), origin.clone(), Some(id), permit)),
                    Err(longer) => wait = Some(wait.map_or(longer, |wait: Duration| wait.min(longer))),
                }
                skip.insert(id);
                state.upstream.finish(id, Outcome::Neutral, now());
                continue;
            }
            state.upstream.finish(id, Outcome::Neutral, now());
            break;
        }
        Err(wait.map_or(Refused { cause: Cause::NoLiveEndpoints, retry_after: None }, open))
    }

    fn admit(&self, state: &mut State, origin: &Arc<str>, admission: Admission) -> Result<Option<Permit>, Duration> {
        let Some(settings) = &self.settings.breaker else { return Ok(None) };
        if let Some(breaker) = state.breakers.get_mut(origin) {
            return match admission {
                Admission::Alone if self.bases.len() > 1 => breaker.admit_alone(settings, now()).map(Some),
                _ => breaker.admit(now()).map(Some),
            };
        }
        if state.breakers.len() >= MOST_ORIGINS {
            state.breakers.retain(|_, breaker| !breaker.is_closed());
        }
        if state.breakers.len() >= MOST_ORIGINS {
            return Ok(None);
        }
        state.breakers.entry(origin.clone()).or_insert_with(|| Breaker::new(now())).admit(now()).map(Some)
    }

    pub(crate) fn report(&self, origin: &str, permit: Permit, outcome: Outcome) {
        let Some(settings) = &self.settings.breaker else { return };
        let change =
            self.state().breakers.get_mut(origin).and_then(|breaker| breaker.report(settings, permit, outcome, now()));
        match change {
            Some(Change::Opened(length)) => self.emit(&Event::BreakerOpened { origin, length }),
            Some(Change::Closed) => self.emit(&Event::BreakerClosed { origin }),
            None => {}
        }
    }

    /// A body that broke off counts too, while the breaker is closed.
    pub(crate) fn failed_late(&self, origin: &str) {
        let permit = {
            let mut state = self.state();
            let closed = state.breakers.get_mut(origin).filter(|breaker| breaker.is_closed());
            closed.and_then(|breaker| breaker.admit(now()).ok())
        };
        if let Some(permit) = permit {
            self.report(origin, permit, Outcome::Failure);
        }
    }

    pub(crate) fn finish(&self, id: EndpointId, outcome: Outcome) {
        self.state().upstream.finish(id, outcome, now());
    }
}

fn open(wait: Duration) -> Refused {
    // A trial under way may end at any time.
    Refused { cause: Cause::BreakerOpen, retry_after: Some(wait.max(Duration::from_secs(1))) }
}

/// The scheme and authority of a request.
fn origin_of(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    [uri.scheme_str().unwrap_or("http"), "://", authority].concat()
}
