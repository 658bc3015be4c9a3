//! What is switched on against failures, as a configuration says it: what is written wins, `resilience on` sets the rest.
//! Not here: what any of it does.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::budget::BudgetSettings;
use crate::health::EjectSettings;
use crate::hold::HoldSettings;

/// The settings of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resilience {
    /// `resilience on`: the recommended set.
    pub on: bool,
    /// `hold`; a time of zero for `off`.
    pub hold: Option<HoldSettings>,
    /// `retry_budget`; the inner nothing for `off`.
    pub budget: Option<Option<BudgetSettings>>,
    /// `eject`; the inner nothing for `off`.
    pub eject: Option<Option<EjectSettings>>,
    /// `proxy_next_upstream_delay`; zero for none.
    pub pause: Option<Duration>,
    /// `proxy_hold_back`: small answers wait until they are whole, where a retry could mend one that breaks off.
    pub holds_back: bool,
    /// `proxy_replay_unread`: requests of any method are repeated that an endpoint had no chance to read.
    pub replays_unread: bool,
    /// `proxy_resume`: large answers that break off are continued.
    pub resumes: bool,
}

/// What is held back until it is whole, so that an answer that breaks off can be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldBack {
    /// The longest body, in bytes. One whose length is not declared may be a stream, and never waits.
    pub size: u64,
    /// How long the client waits for it at the most.
    pub time: Duration,
}

impl Default for HoldBack {
    /// 64 KiB, 20 ms.
    fn default() -> Self {
        Self { size: 64 << 10, time: Duration::from_millis(20) }
    }
}

/// The longest pause, in shortest ones.
const PAUSES: u32 = 10;

impl Default for Resilience {
    fn default() -> Self {
        Self {
            on: false,
            hold: None,
            budget: None,
            eject: None,
            pause: None,
            holds_back: true,
            replays_unread: true,
            resumes: true,
        }
    }
}

impl Resilience {
    /// How requests wait for an endpoint to come back, if they do.
    pub fn hold(&self) -> Option<HoldSettings> {
        let recommended = self.on.then(HoldSettings::default);
        self.hold.or(recommended).filter(|hold| !hold.time.is_zero())
    }

    /// When endpoints leave the rotation beyond nginx's counts, if they do.
    pub fn eject(&self) -> Option<EjectSettings> {
        let recommended = self.on.then(EjectSettings::default);
        self.eject.unwrap_or(recommended)
    }

    /// The pause before those that were asked already are asked again, if they are.
    pub fn pause(&self) -> Option<Backoff> {
        let written = |base: Duration| Backoff { base, cap: base * PAUSES };
        let recommended = self.on.then(Backoff::default);
        self.pause.map_or(recommended, |base| Some(written(base)).filter(|_| !base.is_zero()))
    }

    /// How small answers wait until they are whole, if they do.
    pub fn hold_back(&self) -> Option<HoldBack> {
        self.holds_back.then(HoldBack::default)
    }

    /// The bound on retries. It is there unless it is switched off: without one, retries can keep an outage going.
    pub fn budget(&self) -> Option<BudgetSettings> {
        self.budget.unwrap_or(Some(BudgetSettings::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_wins_over_the_recommended_set() {
        let off = HoldSettings { time: Duration::ZERO, max: 0 };
        assert_eq!(Resilience::default().hold(), None);
        assert_eq!(Resilience { on: true, ..Resilience::default() }.hold(), Some(HoldSettings::default()));
        assert_eq!(Resilience { on: true, hold: Some(off), ..Resilience::default() }.hold(), None);
    }

    #[test]
    fn endpoints_are_ejected_where_that_is_written_or_recommended() {
        let on = Resilience { on: true, ..Resilience::default() };
        assert_eq!(Resilience::default().eject(), None);
        assert_eq!(on.eject(), Some(EjectSettings::default()));
        assert_eq!(Resilience { eject: Some(None), ..on }.eject(), None);
    }

    #[test]
    fn pauses_are_as_written_or_as_recommended() {
        let on = Resilience { on: true, ..Resilience::default() };
        assert_eq!(Resilience::default().pause(), None);
        assert_eq!(on.pause(), Some(Backoff::default()));
        assert_eq!(Resilience { pause: Some(Duration::ZERO), ..on.clone() }.pause(), None);
        let written = Resilience { pause: Some(Duration::from_millis(5)), ..Resilience::default() };
        assert_eq!(written.pause().map(|pause| pause.cap), Some(Duration::from_millis(50)));
    }

    #[test]
    fn retries_are_bounded_unless_that_is_switched_off() {
        assert_eq!(Resilience::default().budget(), Some(BudgetSettings::default()));
        assert_eq!(Resilience { budget: Some(None), ..Resilience::default() }.budget(), None);
    }
}
