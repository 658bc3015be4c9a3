//! What attempts say of an endpoint's health: who leaves the rotation, for how long, and how it comes back.
//!
//! ```text
//! In ──unreachable, or too many failures, or far slower than the others──▶ Out
//!  ▲                                                                        │ its time is over, or it accepts connections
//!  └────── the trial works ────── on trial ◀────────────────────────────────┘
//!                                    └──the trial fails──▶ Out, twice the time
//! ```
//! Not here: how many may be out at once ([`crate::upstream`]), and nginx's `max_fails`, which counts beside this.

pub mod active;
mod settings;
mod typical;

use std::time::{Duration, Instant};

pub use settings::EjectSettings;

use self::typical::Typical;
use crate::upstream::Outcome;
use crate::window::Window;

/// What one attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How it ended.
    pub outcome: Outcome,
    /// No connection came about, by the endpoint's fault.
    pub unreachable: bool,
    /// From its start to the head of the answer, if there was one.
    pub latency: Option<Duration>,
}

/// Why an endpoint leaves the rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It takes no connections.
    Unreachable,
    /// So many attempts in a row failed.
    Consecutive(u32),
    /// So many of a hundred attempts of the last ten seconds failed.
    Failing(u32),
    /// Its answers take many times as long as those of the others.
    Slow,
    /// The attempt after its return failed.
    Trial,
}

/// An endpoint has left the rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ejected {
    /// Why.
    pub reason: Reason,
    /// For how long at the most.
    pub time: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// In the rotation.
    #[default]
    In,
    /// Asked by nobody until then, and then by one.
    Out { until: Instant },
    /// One asks it; nobody else does until then.
    Trial { until: Instant },
}

/// The health of one endpoint. Costs nothing until a sample comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    state: State,
    track: Option<Box<Track>>,
}

/// What samples have shown.
#[derive(Debug, Clone)]
struct Track {
    /// Failures since the last success.
    streak: u32,
    window: Window<2>,
    typical: Typical,
    /// Ejections that have not been made good.
    level: u32,
    /// It was ejected last since it took no connections.
    unreachable: bool,
    /// How long it was out last.
    length: Duration,
    /// When it came back last.
    returned: Option<Instant>,
}

const ATTEMPTS: usize = 0;
const FAILURES: usize = 1;

impl Track {
    fn new(now: Instant) -> Self {
        Self {
            streak: 0,
            window: Window::new(now),
            typical: Typical::default(),
            level: 0,
            unreachable: false,
            length: Duration::ZERO,
            returned: None,
        }
    }

    fn count(&mut self, sample: &Sample, now: Instant) {
        self.window.advance(now);
        self.window.add(ATTEMPTS);
        if sample.outcome == Outcome::Failure {
            self.window.add(FAILURES);
            self.streak = self.streak.saturating_add(1);
            return;
        }
        self.streak = 0;
        if let Some(latency) = sample.latency {
            self.typical.add(latency, now);
        }
    }

    /// Why a failure is one too many.
    fn reason(&self, settings: &EjectSettings, sample: &Sample) -> Option<Reason> {
        if sample.unreachable {
            return Some(Reason::Unreachable);
        }
        if settings.failures > 0 && self.streak >= settings.failures {
            return Some(Reason::Consecutive(self.streak));
        }
        let (attempts, failures) = (self.window.sum(ATTEMPTS), self.window.sum(FAILURES));
        let many = settings.percent > 0 && failures * 100 >= attempts * u64::from(settings.percent);
        let share = || u32::try_from(failures * 100 / attempts.max(1)).unwrap_or(100);
        (many && attempts >= EjectSettings::VOLUME).then(|| Reason::Failing(share()))
    }

    /// Takes a level off for each span in the rotation that was as long as the last one out of it.
    fn forgive(&mut self, now: Instant) {
        let Some(returned) = self.returned.take() else { return };
        let good = now.saturating_duration_since(returned).as_millis() / self.length.as_millis().max(1);
        self.level = self.level.saturating_sub(u32::try_from(good).unwrap_or(u32::MAX));
    }

    /// How long it is out this time.
    fn next_length(&mut self, settings: &EjectSettings, now: Instant) -> Duration {
        self.forgive(now);
        let factor = 1_u32.checked_shl(self.level).unwrap_or(u32::MAX);
        self.level = (self.level + 1).min(EjectSettings::MOST_LEVELS);
        self.length = settings.time.saturating_mul(factor).min(settings.longest.max(settings.time));
        self.length
    }
}

impl Health {
    /// Whether it is neither out nor on trial.
    pub(crate) fn is_in(&self) -> bool {
        self.state == State::In
    }

    /// Whether an attempt may begin. A trial is made with what can be sent again elsewhere.
    pub(crate) fn admits(&self, replayable: bool, now: Instant) -> bool {
        match self.state {
            State::In => true,
            State::Out { until } | State::Trial { until } => replayable && now >= until,
        }
    }

    /// Until when nobody asks it; nothing for one that is asked.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.state {
            State::In => None,
            State::Out { until } | State::Trial { until } => Some(until),
        }
    }

    /// An attempt begins: where it is the first after an ejection, the others wait for how it goes.
    pub(crate) fn begin(&mut self, now: Instant) {
        if let State::Out { until } | State::Trial { until } = self.state
            && now >= until
        {
            self.state = State::Trial { until: now + self.patience() };
        }
    }

    /// How long a trial is waited for before another is made.
    fn patience(&self) -> Duration {
        self.track.as_ref().map_or(Duration::ZERO, |track| track.length)
    }

    /// Whether it is out since it took no connections.
    pub(crate) fn is_unreachable(&self) -> bool {
        !self.is_in() && self.track.as_ref().is_some_and(|track| track.unreachable)
    }

    /// It was seen to take connections: a trial may begin.
    pub(crate) fn accepts(&mut self, now: Instant) {
        if let State::Out { .. } = self.state {
            self.state = State::Trial { until: now };
        }
    }

    /// The usual time to an answer, if there were enough lately to say.
    pub(crate) fn typical(&self, now: Instant) -> Option<Duration> {
        self.track.as_ref().and_then(|track| track.typical.known(now))
    }

    /// Whether it is time to compare its answers with those of others.
    pub(crate) fn compares(&self) -> bool {
        self.is_in() && self.track.as_ref().is_some_and(|track| track.typical.compares())
    }

    /// Takes a sample up; why it should leave the rotation, if it should. What says nothing of the endpoint frees the
    /// place of the trial and changes nothing else.
    pub(crate) fn sample(&mut self, settings: &EjectSettings, sample: &Sample, now: Instant) -> Option<Reason> {
        match (self.state, sample.outcome) {
            (State::Trial { until }, Outcome::Neutral) => {
                self.state = State::Trial { until: until.min(now) };
                None
            }
            (_, Outcome::Neutral) | (State::Out { .. }, _) => None,
            (State::Trial { .. }, Outcome::Success) => {
                self.return_now(now);
                None
            }
            (State::Trial { .. }, Outcome::Failure) => Some(match sample.unreachable {
                true => Reason::Unreachable,
                false => Reason::Trial,
            }),
            (State::In, outcome) => {
                let track = self.track.get_or_insert_with(|| Box::new(Track::new(now)));
                track.count(sample, now);
                (outcome == Outcome::Failure).then(|| track.reason(settings, sample)).flatten()
            }
        }
    }

    fn return_now(&mut self, now: Instant) {
        self.state = State::In;
        if let Some(track) = &mut self.track {
            let (level, length) = (track.level, track.length);
            **track = Track { level, length, returned: Some(now), ..Track::new(now) };
        }
    }

    /// Takes it out of the rotation.
    pub(crate) fn eject(&mut self, settings: &EjectSettings, reason: Reason, now: Instant) -> Ejected {
        let track = self.track.get_or_insert_with(|| Box::new(Track::new(now)));
        let time = track.next_length(settings, now);
        track.unreachable = reason == Reason::Unreachable;
        self.state = State::Out { until: now + time };
        Ejected { reason, time }
    }
}
