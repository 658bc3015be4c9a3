//! Virtual time: clients come, policy decides, endpoints answer or fail, and each second is counted.
//!
//! An attempt's future is known when it begins (`endpoint`), so that it is one event: whichever comes first of its fate, the
//! gateway's timer and the client's patience. Not here: any decision of the gateway (`policy`), and how figures are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

use config::model::Proxy;
use policy::budget::Budget;
use policy::health::{Reason, Sample};
use policy::retry::{self, Decision, Met, Situation};
use policy::{Cause, EndpointId, Failure, Outcome, Phase, Pick, Tried, Upstream, Watch};

use super::chance::Chance;
use super::endpoint::{Endpoint, Fate};
use super::faults::Kind;
use super::options::Load;
use super::subject::Subject;

/// A client that asks again does so within this time.
const CLIENT_PAUSE: Duration = Duration::from_millis(200);

/// After so long it is looked whether an endpoint that took no connections takes them; pauses grow by a half.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Where nothing is said, so much of what the endpoints can do is asked of them.
const USUAL_SHARE: f64 = 0.7;

/// What happened in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Second {
    /// New requests of clients; those that a client repeats do not count again.
    pub(super) offered: u64,
    /// Clients that got an answer in time.
    pub(super) answered: u64,
    /// Clients that got none, and gave up.
    pub(super) failed: u64,
    /// Attempts of the gateway at endpoints.
    pub(super) attempts: u64,
    /// Endpoints out of the rotation at its end.
    pub(super) out: u64,
    /// Ejections, also those by nginx's counts.
    pub(super) ejections: u64,
}

/// A client's request, from the client's side and the gateway's.
#[derive(Debug)]
struct Request {
    client_retries: u32,
    /// When the client stops waiting.
    deadline: Duration,
    started: Duration,
    tried: Tried,
    tries_left: u32,
    rounds: u32,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Answered,
    Failed(Cause, Phase),
    /// The client left.
    Left,
}

#[derive(Debug)]
enum Event {
    Arrival,
    /// A client asks, for the first time or again.
    Asks {
        client_retries: u32,
    },
    /// A pause between two rounds is over.
    Goes(Box<Request>),
    Ends {
        request: Box<Request>,
        endpoint: EndpointId,
        began: Duration,
        end: End,
    },
    Look {
        endpoint: EndpointId,
        pause: Duration,
    },
    SecondOver,
}

/// A simulation under way.
pub(super) struct World<'a> {
    proxy: &'a Proxy,
    load: &'a Load,
    rate: f64,
    /// Where virtual time begins on the clock that policy counts by.
    origin: Instant,
    now: Duration,
    policy: Upstream,
    tries: u32,
    budget: Budget,
    endpoints: Vec<Endpoint>,
    chance: Chance,
    /// By time, and then in the order in which they were planned.
    planned: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, Event>,
    order: u64,
    seconds: Vec<Second>,
}

/// Runs to the end of the time.
pub(super) fn run(subject: &Subject, load: &Load) -> Vec<Second> {
    let mut world = World::new(subject, load);
    world.plan(Duration::ZERO, Event::Arrival);
    world.plan(Duration::from_secs(1), Event::SecondOver);
    while let Some(Reverse((at, order))) = world.planned.pop() {
        if at > load.time {
            break;
        }
        world.now = at;
        if let Some(event) = world.events.remove(&order) {
            world.happens(event);
        }
    }
    world.seconds
}

/// New requests a second, without faults.
pub(super) fn rate(load: &Load, endpoints: usize) -> f64 {
    load.rate.unwrap_or(endpoints as f64 * load.capacity.rate() * USUAL_SHARE)
}

impl<'a> World<'a> {
    fn new(subject: &'a Subject, load: &'a Load) -> Self {
        let settings = subject.endpoints(load.endpoints);
        let number = settings.len();
        let faults_of = |index| load.faults.iter().filter(move |fault| fault.meets(index, number)).copied().collect();
        let policy = Upstream::new(subject.upstream.balance, settings, load.seed);
        let (origin, limit) = (Instant::now(), subject.proxy.next_upstream.tries);
        Self {
            proxy: &subject.proxy,
            load,
            rate: rate(load, number),
            origin,
            now: Duration::ZERO,
            tries: if limit == 0 { policy.tries() } else { policy.tries().min(limit) },
            policy,
            budget: Budget::new(origin),
            endpoints: (0..number).map(|index| Endpoint::new(faults_of(index))).collect(),
            chance: Chance::new(load.seed),
            planned: BinaryHeap::new(),
            events: BTreeMap::new(),
            order: 0,
            seconds: vec![Second::default(); load.time.as_secs_f64().ceil() as usize],
        }
    }

    fn plan(&mut self, at: Duration, event: Event) {
        self.planned.push(Reverse((at, self.order)));
        self.events.insert(self.order, event);
        self.order += 1;
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrival => self.arrival(),
            Event::Asks { client_retries } => self.asks(client_retries),
            Event::Goes(request) => self.attempt(request),
            Event::Ends { request, endpoint, began, end } => self.ends(request, endpoint, began, end),
            Event::Look { endpoint, pause } => self.look(endpoint, pause),
            Event::SecondOver => self.second_over(),
        }
    }

    /// The time for policy.
    fn instant(&self) -> Instant {
        self.origin + self.now
    }

    fn second(&mut self) -> &mut Second {
        let last = self.seconds.len() - 1;
        &mut self.seconds[(self.now.as_secs() as usize).min(last)]
    }

    /// A client comes, and the next one is on its way.
    fn arrival(&mut self) {
        self.second().offered += 1;
        self.asks(self.load.client_retries);
        let overloads = self.load.faults.iter().filter(|fault| fault.lasts_at(self.now));
        let factors =
            overloads.filter_map(|fault| if let Kind::Overload(times) = fault.kind { Some(times) } else { None });
        let rate = self.rate * factors.product::<f64>();
        let gap = self.chance.around(Duration::from_secs_f64(1.0 / rate));
        self.plan(self.now + gap, Event::Arrival);
    }

    /// An exchange begins.
    fn asks(&mut self, client_retries: u32) {
        let now = self.instant();
        self.budget.exchange(now);
        self.attempt(Box::new(Request {
            client_retries,
            deadline: self.now + self.load.client_timeout,
            started: self.now,
            tried: Tried::default(),
            tries_left: self.tries,
            rounds: 0,
        }));
    }

    fn attempt(&mut self, request: Box<Request>) {
        let eject = self.proxy.resilience.eject();
        let watch = eject.map_or(Watch::Off, |_| Watch::On { replayable: true });
        let key = self.chance.next().to_ne_bytes();
        let pick = Pick { now: self.instant(), tried: &request.tried, key: &key, watch };
        let Ok(endpoint) = self.policy.pick(&pick) else { return self.fails(&request) };
        self.second().attempts += 1;
        let service = self.chance.around(self.load.capacity.service);
        let fate = self.endpoints[endpoint.index()].ask(self.now, service, &self.load.capacity);
        let began = self.now;
        let (at, end) = self.end_of(fate, request.deadline);
        self.plan(at, Event::Ends { request, endpoint, began, end });
    }

    /// What comes first of the fate, the gateway's timer, and the client's patience.
    fn end_of(&self, fate: Fate, deadline: Duration) -> (Duration, End) {
        let connect = (self.now + self.proxy.connect_timeout, End::Failed(Cause::ConnectTimeout, Phase::Connect));
        let read = (self.now + self.proxy.read_timeout, End::Failed(Cause::ReplyTimeout, Phase::AwaitHead));
        let (at, end) = match fate {
            Fate::NoRoom => connect,
            Fate::Refused(at) => (at, End::Failed(Cause::ConnectRefused, Phase::Connect)),
            Fate::Reset(at) if at < read.0 => (at, End::Failed(Cause::ResetBeforeReply, Phase::AwaitHead)),
            Fate::Answered(at) if at < read.0 => (at, End::Answered),
            Fate::Reset(_) | Fate::Answered(_) => read,
        };
        if at < deadline { (at, end) } else { (deadline, End::Left) }
    }

    fn ends(&mut self, mut request: Box<Request>, endpoint: EndpointId, began: Duration, end: End) {
        let next = &self.proxy.next_upstream;
        match end {
            End::Answered => {
                let latency = Some(self.now - began);
                self.gives_back(endpoint, retry::outcome(next, Met::Status(200)), false, latency);
                self.second().answered += 1;
            }
            End::Left => {
                self.gives_back(endpoint, Outcome::Neutral, false, None);
                self.fails(&request);
            }
            End::Failed(cause, phase) => {
                let failure = Failure::new(cause).at(phase);
                let decision = self.decide(&request, &failure);
                let outcome = retry::outcome(next, Met::Failure(&failure));
                request.tried.insert(endpoint);
                request.tries_left = request.tries_left.saturating_sub(1);
                self.gives_back(endpoint, outcome, phase == Phase::Connect, None);
                self.goes_on(request, decision);
            }
        }
    }

    /// As the gateway asks policy: a retry of what an endpoint may have got is taken from the budget.
    fn decide(&mut self, request: &Request, failure: &Failure) -> Decision {
        let reached = failure.phase != Phase::Connect;
        let resilience = &self.proxy.resilience;
        let situation = Situation {
            met: Met::Failure(failure),
            idempotent: true,
            sent: reached,
            replayable: true,
            tries_left: request.tries_left,
            another_round: reached && request.rounds < retry::MORE_ROUNDS && resilience.pause().is_some(),
            elapsed: self.now - request.started,
        };
        let decision = retry::decide(&self.proxy.next_upstream, &situation);
        let now = self.instant();
        let costs = reached && decision != Decision::GiveUp;
        let granted = !costs || resilience.budget().is_none_or(|settings| self.budget.take(settings, now));
        if granted { decision } else { Decision::GiveUp }
    }

    fn goes_on(&mut self, mut request: Box<Request>, decision: Decision) {
        match decision {
            Decision::Next | Decision::Again => self.attempt(request),
            Decision::GiveUp => self.fails(&request),
            Decision::Later => {
                let backoff = self.proxy.resilience.pause().unwrap_or_default();
                let delay = backoff.delay(request.rounds, None, self.chance.next());
                request.rounds += 1;
                request.tried = Tried::default();
                request.tries_left = self.tries;
                self.plan(self.now + delay, Event::Goes(request));
            }
        }
    }

    /// The gateway answers with a failure, or the client has left: the client asks again, or gives up.
    fn fails(&mut self, request: &Request) {
        let Some(client_retries) = request.client_retries.checked_sub(1) else {
            self.second().failed += 1;
            return;
        };
        let pause = self.chance.up_to(CLIENT_PAUSE);
        self.plan(self.now + pause, Event::Asks { client_retries });
    }

    fn gives_back(&mut self, id: EndpointId, outcome: Outcome, unreachable: bool, latency: Option<Duration>) {
        let now = self.instant();
        if let Some(latency) = latency.filter(|_| self.policy.learns_latency()) {
            self.policy.answered(id, latency, now);
        }
        let Some(eject) = self.proxy.resilience.eject() else {
            let has_left = self.policy.finish(id, outcome, now);
            self.second().ejections += u64::from(has_left);
            return;
        };
        let sample = Sample { outcome, unreachable, latency };
        let Some(ejected) = self.policy.finish_watched(id, &eject, &sample, now) else { return };
        self.second().ejections += 1;
        if ejected.reason == Reason::Unreachable {
            self.plan(self.now + FIRST_LOOK, Event::Look { endpoint: id, pause: FIRST_LOOK });
        }
    }

    /// As the gateway looks whether an endpoint that took no connections is back.
    fn look(&mut self, endpoint: EndpointId, pause: Duration) {
        if !self.policy.is_unreachable(endpoint) {
            return;
        }
        if self.endpoints[endpoint.index()].accepts(self.now) {
            return self.policy.readmit(endpoint, self.instant());
        }
        let pause = (pause * 3 / 2).min(LAST_LOOK);
        self.plan(self.now + pause, Event::Look { endpoint, pause });
    }

    fn second_over(&mut self) {
        let now = self.instant();
        let watched = self.proxy.resilience.eject().is_some();
        let ids = (0..self.endpoints.len()).map(EndpointId::from_index);
        let is_out = |id: &EndpointId| if watched { !self.policy.is_in(*id) } else { !self.policy.is_live(*id, now) };
        let out = ids.filter(is_out).count() as u64;
        if let Some(second) = self.seconds.get_mut(self.now.as_secs() as usize - 1) {
            second.out = out;
        }
        self.plan(self.now + Duration::from_secs(1), Event::SecondOver);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::faults;
    use crate::simulate::findings::Findings;
    use crate::simulate::options;

    const LINE: &str = "--endpoints 10 --capacity 4x20ms --rate 1400 --client-timeout 5s --time 60s";

    fn subject(directives: &str) -> Subject {
        let text = format!(
            "events {{}} http {{ upstream u {{ server 192.0.2.1 max_fails=0; }} server {{ location / {{ proxy_pass http://u; \
             proxy_read_timeout 500ms; proxy_connect_timeout 500ms; proxy_next_upstream_tries 3; {directives} }} }} }}"
        );
        Subject::find(&config::load_text(&text).config.unwrap(), None).unwrap()
    }

    fn load(faults: &[&str]) -> Load {
        let words: Vec<String> = LINE.split(' ').map(str::to_owned).collect();
        let mut load = options::parse(&words).unwrap().unwrap().load;
        load.faults = faults.iter().flat_map(|fault| faults::parse(fault).unwrap()).collect();
        load
    }

    fn goodput(seconds: &[Second]) -> f64 {
        let sum = |count: fn(&Second) -> u64| seconds.iter().map(count).sum::<u64>() as f64;
        sum(|second| second.answered) / sum(|second| second.offered)
    }

    #[test]
    fn a_pulse_of_load_becomes_a_lasting_collapse_without_a_budget_and_passes_with_one() {
        let load = load(&["overload=3x@5s..10s"]);
        let [without, with] = ["retry_budget off;", ""].map(|directives| run(&subject(directives), &load));
        for before in [&without[1..5], &with[1..5]] {
            assert!(goodput(before) > 0.99, "{before:?}");
        }
        assert!(goodput(&without[40..]) < 0.1, "half a minute after the pulse: {:?}", &without[40..]);
        assert_eq!(Findings::of(&without, &load).recovery, None);
        assert!(goodput(&with[40..]) > 0.99, "{:?}", &with[40..]);
        assert!(Findings::of(&with, &load).recovery.is_some_and(|seconds| seconds < 30));
    }

    #[test]
    fn a_seed_gives_the_same_figures_again() {
        let mut load = load(&["kill=30%@5s..10s", "flap=50%@12s..14s"]);
        load.time = Duration::from_secs(20);
        let subject = subject("resilience on;");
        assert_eq!(run(&subject, &load), run(&subject, &load));
        let other = Load { seed: 2, ..load.clone() };
        assert_ne!(run(&subject, &load), run(&subject, &other));
    }

    #[test]
    fn the_dead_leave_the_rotation_come_back_and_cost_nobody_an_answer() {
        let mut load = load(&["kill=30%@5s..10s"]);
        (load.time, load.rate) = (Duration::from_secs(20), Some(800.0));
        let seconds = run(&subject("resilience on;"), &load);
        assert_eq!(seconds.iter().map(|second| second.failed).sum::<u64>(), 0, "{seconds:?}");
        assert_eq!((seconds[7].out, seconds[19].out), (3, 0), "{seconds:?}");
    }

    #[test]
    fn nobody_is_lost_and_nobody_is_counted_twice() {
        // Nearly nobody comes in the end, so that those before are through.
        let mut load = load(&["hang=100%@2s..4s", "overload=0.01x@5s..40s"]);
        (load.client_retries, load.time) = (2, Duration::from_secs(40));
        let seconds = run(&subject(""), &load);
        let sum = |count: fn(&Second) -> u64| seconds.iter().map(count).sum::<u64>();
        let (offered, done) = (sum(|second| second.offered), sum(|second| second.answered + second.failed));
        assert!(sum(|second| second.failed) > 0, "the hang is felt");
        assert!(done <= offered && offered - done < 20, "{offered} {done}");
    }
}
