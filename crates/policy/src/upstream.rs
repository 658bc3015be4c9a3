//! The endpoints of one upstream as one worker sees them: which may serve, which serves next, how attempts went.
//!
//! Semantics are nginx's (`ngx_http_upstream_module`): smooth weighted choice, `max_fails` within `fail_timeout`, then one
//! trial; a group of one is never taken out; backups serve only when no other may. Beside them, for those who ask for it,
//! stand the rules of [`crate::health`], within the floor that is kept here. Who is barred by probes is asked by nobody.
//! Not here: the choice among equals, which is the balancing method's ([`crate::balance`]).

use std::time::{Duration, Instant};

use crate::balance::ewma::Expected;
use crate::balance::{Balance, Ring, random::Random};
use crate::health::{EjectSettings, Ejected, Health, Reason, Sample};

/// The index of an endpoint in its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub(crate) u32);

impl EndpointId {
    /// The endpoint at this index of the list that the upstream was made of.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// As an index into the list that the upstream was made of.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is configured for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSettings {
    /// Share of the traffic, at least 1.
    pub weight: u32,
    /// The most attempts at once; 0 for no limit.
    pub max_conns: u32,
    /// Failures within `fail_timeout` that take it out; 0 for never.
    pub max_fails: u32,
    /// `max_fails` was written: it counts also where [`EjectSettings`] say who leaves.
    pub max_fails_written: bool,
    /// The window of failures, and the time out of rotation.
    pub fail_timeout: Duration,
    /// Serves only when no other endpoint may.
    pub backup: bool,
    /// Never serves.
    pub down: bool,
    /// The server as written, by which consistent hashing places it on its ring. Endpoints of one name share the place.
    pub name: Box<str>,
}

/// How an attempt ended, as far as health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It worked.
    Success,
    /// It failed by the endpoint's fault.
    Failure,
    /// It says nothing about the endpoint.
    Neutral,
}

/// Why no endpoint was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// All are down, ejected or tried already.
    NoLiveEndpoints,
    /// Some would be tried if they had not as many attempts under way as they may.
    AllFull,
}

/// What a pick depends on.
#[derive(Debug)]
pub struct Pick<'a> {
    /// The time.
    pub now: Instant,
    /// Endpoints not to be tried again.
    pub tried: &'a Tried,
    /// What hashing methods balance by.
    pub key: &'a [u8],
    /// Whether health beyond nginx's counts.
    pub watch: Watch,
}

/// Whether health beyond nginx's counts for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Watch {
    /// Only nginx's.
    #[default]
    Off,
    /// Who was ejected is passed over; [`Upstream::finish_watched`] ends the attempt. Where everybody is out, the least bad
    /// serves.
    On {
        /// The request can be sent again, so that it may be the first one after an ejection.
        replayable: bool,
    },
}

/// For so long after a failure an endpoint is doubtful: a request that cannot be sent twice goes to others.
const DOUBT: Duration = Duration::from_secs(5);

/// The endpoints that an exchange has tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    first: u64,
    rest: Vec<u64>,
}

impl Tried {
    /// Marks an endpoint.
    pub fn insert(&mut self, id: EndpointId) {
        let (word, bit) = (id.index() / 64, id.index() % 64);
        if word == 0 {
            self.first |= 1 << bit;
            return;
        }
        if self.rest.len() < word {
            self.rest.resize(word, 0);
        }
        self.rest[word - 1] |= 1 << bit;
    }

    /// Whether the endpoint was tried.
    pub fn contains(&self, id: EndpointId) -> bool {
        let (word, bit) = (id.index() / 64, id.index() % 64);
        let bits = if word == 0 { self.first } else { self.rest.get(word - 1).copied().unwrap_or(0) };
        bits >> bit & 1 == 1
    }
}

/// An endpoint and what is known of it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) settings: EndpointSettings,
    /// Attempts under way.
    pub(crate) active: u32,
    pub(crate) current_weight: i64,
    /// The weight in force: lowered by failures, recovering by one a pick.
    pub(crate) effective_weight: i64,
    fails: u32,
    /// The last failure.
    failed_at: Option<Instant>,
    /// The last failure, or the last trial after one.
    checked_at: Option<Instant>,
    pub(crate) health: Health,
    /// The last failure where health beyond nginx's counts.
    doubted_at: Option<Instant>,
    /// Kept where [`Balance::Ewma`] asks for it.
    pub(crate) expected: Expected,
    /// Some check says that no request may go there.
    barred: bool,
}

impl Endpoint {
    fn new(settings: EndpointSettings) -> Self {
        let weight = i64::from(settings.weight);
        Self {
            settings,
            active: 0,
            current_weight: 0,
            effective_weight: weight,
            fails: 0,
            failed_at: None,
            checked_at: None,
            health: Health::default(),
            doubted_at: None,
            expected: Expected::default(),
            barred: false,
        }
    }

    /// Whether no request goes there, whoever makes it.
    fn never_serves(&self) -> bool {
        self.settings.down || self.barred
    }

    fn is_doubtful(&self, now: Instant) -> bool {
        self.doubted_at.is_some_and(|doubted| now.saturating_duration_since(doubted) < DOUBT)
    }

    fn is_full(&self) -> bool {
        self.settings.max_conns > 0 && self.active >= self.settings.max_conns
    }

    fn is_out(&self, now: Instant) -> bool {
        let since = self.checked_at.map(|checked| now.saturating_duration_since(checked));
        self.settings.max_fails > 0
            && self.fails >= self.settings.max_fails
            && since.is_some_and(|since| since <= self.settings.fail_timeout)
    }

    /// Whether it is passed over by those for whom `watch` says what counts.
    fn is_passed_over(&self, watch: Watch, now: Instant) -> bool {
        match watch {
            Watch::Off => self.is_out(now),
            Watch::On { replayable } => self.counts_out(now) || !self.health.admits(replayable, now),
        }
    }

    /// Whether nginx's count keeps it out where health beyond nginx's counts.
    fn counts_out(&self, now: Instant) -> bool {
        self.settings.max_fails_written && self.is_out(now)
    }

    /// Until when it is out, of whichever rule.
    fn out_until(&self) -> Option<Instant> {
        let counted = self.checked_at.filter(|_| self.settings.max_fails_written && self.fails > 0);
        self.health.until().max(counted.map(|checked| checked + self.settings.fail_timeout))
    }

    /// Starts a new window: the attempt that comes now is the trial.
    fn check(&mut self, now: Instant) {
        let over = |checked| now.saturating_duration_since(checked) > self.settings.fail_timeout;
        if self.checked_at.is_none_or(over) {
            self.checked_at = Some(now);
        }
    }

    /// Counts a failure; true if it takes the endpoint out.
    fn fail(&mut self, now: Instant) -> bool {
        self.fails = self.fails.saturating_add(1);
        self.failed_at = Some(now);
        self.checked_at = Some(now);
        if self.settings.max_fails == 0 {
            return false;
        }
        let share = i64::from(self.settings.weight / self.settings.max_fails);
        self.effective_weight = (self.effective_weight - share).max(0);
        self.fails >= self.settings.max_fails
    }

    /// A success of a trial forgets the failures before it.
    fn succeed(&mut self) {
        if self.failed_at < self.checked_at {
            self.fails = 0;
        }
    }
}

/// The endpoints of one upstream.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) primaries: Vec<EndpointId>,
    backups: Vec<EndpointId>,
    balance: Balance,
    pub(crate) ring: Ring,
    pub(crate) random: Random,
    pub(crate) total_weight: u64,
    /// A choice is being made that passes over who is doubtful.
    careful: bool,
}

impl Upstream {
    /// An upstream of which nothing is known yet. `seed` makes random methods repeatable.
    pub fn new(balance: Balance, endpoints: Vec<EndpointSettings>, seed: u64) -> Self {
        let ids = |backup: bool| -> Vec<EndpointId> {
            let numbered = endpoints.iter().zip(0..);
            numbered.filter(|(settings, _)| settings.backup == backup).map(|(_, id)| EndpointId(id)).collect()
        };
        let (primaries, backups) = (ids(false), ids(true));
        let ring = if balance == (Balance::Hash { consistent: true }) {
            Ring::new(primaries.iter().map(|id| (*id, &endpoints[id.index()])))
        } else {
            Ring::default()
        };
        let total_weight = primaries.iter().map(|id| u64::from(endpoints[id.index()].weight)).sum();
        let endpoints = endpoints.into_iter().map(Endpoint::new).collect();
        Self { endpoints, primaries, backups, balance, ring, random: Random::new(seed), total_weight, careful: false }
    }

    /// How many attempts an exchange may make when nothing else limits it: one for each endpoint that is not `down`.
    pub fn tries(&self) -> u32 {
        self.endpoints.iter().filter(|endpoint| !endpoint.settings.down).count() as u32
    }

    /// Attempts under way at an endpoint.
    pub fn active(&self, id: EndpointId) -> u32 {
        self.endpoints[id.index()].active
    }

    /// Chooses an endpoint and counts an attempt on it; [`Upstream::finish`] ends it.
    ///
    /// # Errors
    /// No endpoint may be tried.
    pub fn pick(&mut self, pick: &Pick<'_>) -> Result<EndpointId, Refusal> {
        let id = self.choose(pick).ok_or_else(|| self.refusal(pick))?;
        let endpoint = &mut self.endpoints[id.index()];
        endpoint.active += 1;
        endpoint.check(pick.now);
        if self.balance == Balance::Ewma {
            endpoint.expected.begin(pick.now);
        }
        if pick.watch != Watch::Off {
            endpoint.health.begin(pick.now);
        }
        Ok(id)
    }

    /// Why none is chosen.
    fn refusal(&self, pick: &Pick<'_>) -> Refusal {
        let single = self.single();
        let waits = |(endpoint, id): (&Endpoint, EndpointId)| {
            let may_be_tried =
                single.is_some() || !(pick.tried.contains(id) || endpoint.is_passed_over(pick.watch, pick.now));
            endpoint.is_full() && !endpoint.never_serves() && may_be_tried
        };
        let full = self.endpoints.iter().zip((0..).map(EndpointId)).any(waits);
        if full { Refusal::AllFull } else { Refusal::NoLiveEndpoints }
    }

    fn choose(&mut self, pick: &Pick<'_>) -> Option<EndpointId> {
        if let Some(only) = self.single() {
            let endpoint = &self.endpoints[only.index()];
            return (!endpoint.never_serves() && !endpoint.is_full()).then_some(only);
        }
        let primaries = std::mem::take(&mut self.primaries);
        let backups = std::mem::take(&mut self.backups);
        let chosen = self
            .choose_carefully(&primaries, pick)
            .or_else(|| self.balance.choose(self, &primaries, pick))
            .or_else(|| self.balance.among_backups().choose(self, &backups, pick))
            .or_else(|| self.least_bad(pick));
        self.primaries = primaries;
        self.backups = backups;
        chosen
    }

    /// For a request that cannot be sent twice, where health counts and no key decides: among those that have not failed
    /// lately.
    fn choose_carefully(&mut self, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
        let by_key = matches!(self.balance, Balance::IpHash | Balance::Hash { .. });
        if by_key || pick.watch != (Watch::On { replayable: false }) {
            return None;
        }
        self.careful = true;
        let chosen = self.balance.choose(self, group, pick);
        self.careful = false;
        chosen
    }

    /// Where everybody is out and health counts: whoever's time is over first.
    fn least_bad(&self, pick: &Pick<'_>) -> Option<EndpointId> {
        if pick.watch == Watch::Off {
            return None;
        }
        let numbered = self.endpoints.iter().zip((0..).map(EndpointId));
        let may = |(endpoint, id): &(&Endpoint, EndpointId)| {
            !(pick.tried.contains(*id) || endpoint.never_serves() || endpoint.is_full())
        };
        numbered.filter(may).min_by_key(|(endpoint, _)| endpoint.out_until()).map(|(_, id)| id)
    }

    /// The endpoint of a group of one, which is tried whatever happened before.
    fn single(&self) -> Option<EndpointId> {
        match (self.primaries.as_slice(), self.backups.as_slice()) {
            ([only], []) => Some(*only),
            _ => None,
        }
    }

    /// Whether an endpoint may be picked.
    pub(crate) fn is_usable(&self, id: EndpointId, pick: &Pick<'_>) -> bool {
        let endpoint = &self.endpoints[id.index()];
        !(pick.tried.contains(id)
            || endpoint.never_serves()
            || endpoint.is_full()
            || endpoint.is_passed_over(pick.watch, pick.now)
            || self.careful && endpoint.is_doubtful(pick.now))
    }

    /// Whether an endpoint would be asked now, if it is not full.
    pub fn is_live(&self, id: EndpointId, now: Instant) -> bool {
        let endpoint = &self.endpoints[id.index()];
        !endpoint.never_serves() && (self.single() == Some(id) || !endpoint.is_out(now))
    }

    /// Whether an endpoint is not `down`.
    pub fn may_serve(&self, id: EndpointId) -> bool {
        !self.endpoints[id.index()].settings.down
    }

    /// An endpoint was seen to accept connections: it is tried again at once.
    pub fn readmit(&mut self, id: EndpointId, now: Instant) {
        let endpoint = &mut self.endpoints[id.index()];
        endpoint.fails = 0;
        endpoint.checked_at = None;
        endpoint.health.accepts(now);
    }

    /// Probes say whether requests may go to an endpoint.
    pub fn bar(&mut self, id: EndpointId, barred: bool) {
        self.endpoints[id.index()].barred = barred;
    }

    /// Takes over what the rules of [`crate::health`] know of an endpoint that had another index before.
    pub fn adopt(&mut self, id: EndpointId, before: &Upstream, was: EndpointId) {
        self.endpoints[id.index()].health = before.endpoints[was.index()].health.clone();
    }

    /// Whether an endpoint was ejected since it took no connections, and has not answered since.
    pub fn is_unreachable(&self, id: EndpointId) -> bool {
        self.endpoints[id.index()].health.is_unreachable()
    }

    /// Whether an endpoint is neither ejected nor on trial by the rules of [`crate::health`].
    pub fn is_in(&self, id: EndpointId) -> bool {
        self.endpoints[id.index()].health.is_in()
    }

    /// Whether [`Upstream::answered`] is of use.
    pub fn learns_latency(&self) -> bool {
        self.balance == Balance::Ewma
    }

    /// The head of an answer came so long after the attempt began.
    pub fn answered(&mut self, id: EndpointId, latency: Duration, now: Instant) {
        self.endpoints[id.index()].expected.answered(latency, now);
    }

    /// Ends an attempt for the balancing method.
    fn ended(&mut self, id: EndpointId, outcome: Outcome, now: Instant) {
        if self.balance != Balance::Ewma {
            return;
        }
        let endpoint = &mut self.endpoints[id.index()];
        if outcome == Outcome::Failure {
            endpoint.expected.failed(now);
        }
        endpoint.expected.ended(endpoint.active);
    }

    /// Ends an attempt; true if its failure has just taken the endpoint out of rotation.
    pub fn finish(&mut self, id: EndpointId, outcome: Outcome, now: Instant) -> bool {
        let single = self.single().is_some();
        let endpoint = &mut self.endpoints[id.index()];
        endpoint.active = endpoint.active.saturating_sub(1);
        self.ended(id, outcome, now);
        let endpoint = &mut self.endpoints[id.index()];
        match outcome {
            _ if single => false,
            Outcome::Failure => endpoint.fail(now),
            Outcome::Success => {
                endpoint.succeed();
                false
            }
            Outcome::Neutral => false,
        }
    }

    /// Ends an attempt that was picked with [`Watch::On`]; why its endpoint leaves the rotation, if it does. nginx's count goes
    /// on beside it where `max_fails` was written, and leaves nothing to say.
    pub fn finish_watched(
        &mut self,
        id: EndpointId,
        settings: &EjectSettings,
        sample: &Sample,
        now: Instant,
    ) -> Option<Ejected> {
        let single = self.single().is_some();
        let endpoint = &mut self.endpoints[id.index()];
        if sample.outcome == Outcome::Failure {
            endpoint.doubted_at = Some(now);
        }
        if endpoint.settings.max_fails_written {
            self.finish(id, sample.outcome, now);
        } else {
            endpoint.active = endpoint.active.saturating_sub(1);
            self.ended(id, sample.outcome, now);
        }
        if single {
            return None;
        }
        let endpoint = &mut self.endpoints[id.index()];
        let was_in = endpoint.health.is_in();
        let reason = endpoint.health.sample(settings, sample, now).or_else(|| self.is_slow(id, settings, now))?;
        if was_in && !self.may_leave(id, settings, now) {
            return None;
        }
        Some(self.endpoints[id.index()].health.eject(settings, reason, now))
    }

    /// The endpoints that stand in for one, itself included: not backups for others.
    fn peers(&self, id: EndpointId) -> impl Iterator<Item = (EndpointId, &Endpoint)> {
        let backup = self.endpoints[id.index()].settings.backup;
        let group = if backup { &self.backups } else { &self.primaries };
        let serving = |(_, endpoint): &(EndpointId, &Endpoint)| !endpoint.settings.down;
        group.iter().map(|id| (*id, &self.endpoints[id.index()])).filter(serving)
    }

    /// Whether the floor under the rotation lets an endpoint go.
    fn may_leave(&self, id: EndpointId, settings: &EjectSettings, now: Instant) -> bool {
        let is_out = |endpoint: &Endpoint| endpoint.barred || !endpoint.health.is_in() || endpoint.counts_out(now);
        let out = self.peers(id).filter(|(other, endpoint)| *other != id && is_out(endpoint)).count();
        out < settings.most_out(self.peers(id).count())
    }

    /// Whether its answers take far longer than those of most others. Two others at least have to be known.
    fn is_slow(&self, id: EndpointId, settings: &EjectSettings, now: Instant) -> Option<Reason> {
        let health = &self.endpoints[id.index()].health;
        if settings.slow == 0 || !health.compares() {
            return None;
        }
        let own = health.typical(now).filter(|own| *own > EjectSettings::NEVER_SLOW)?;
        let others = self.peers(id).filter(|(other, endpoint)| *other != id && endpoint.health.is_in());
        let mut others: Vec<Duration> = others.filter_map(|(_, endpoint)| endpoint.health.typical(now)).collect();
        if others.len() < 2 {
            return None;
        }
        let middle = (others.len() - 1) / 2;
        let (_, median, _) = others.select_nth_unstable(middle);
        (own > *median * settings.slow).then_some(Reason::Slow)
    }
}
