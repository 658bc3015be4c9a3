//! What probes say of an endpoint: so many failures in a row bar it, so many passes in a row let it back.
//!
//! ```text
//! Checking ──the first probe passes──▶ Serves ──`fails` in a row──▶ Barred
//!     └──────the first probe fails────────────────────────────────────▶ ▲ │
//!                                        Serves ◀──`passes` in a row──────┘
//! ```
//! Semantics are those of NGINX Plus (`ngx_http_upstream_hc_module`). Not here: making a probe and judging its answer, and
//! what attempts for clients say ([`super`]).

use std::time::Duration;

/// When an endpoint is probed, and how many probes decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSettings {
    /// From the end of a probe to the next one.
    pub interval: Duration,
    /// Each probe is later by a random time up to this.
    pub jitter: Duration,
    /// So many failures in a row bar an endpoint; at least 1.
    pub fails: u32,
    /// So many passes in a row let it back; at least 1.
    pub passes: u32,
    /// It is not asked before the first pass.
    pub mandatory: bool,
}

impl Default for ProbeSettings {
    /// Every 5 seconds, and each probe decides.
    fn default() -> Self {
        Self { interval: Duration::from_secs(5), jitter: Duration::ZERO, fails: 1, passes: 1, mandatory: false }
    }
}

impl ProbeSettings {
    /// How long to wait before a probe: the first one has only the random part. `chance` is at least 0 and below 1.
    pub fn pause(&self, first: bool, chance: f64) -> Duration {
        let interval = if first { Duration::ZERO } else { self.interval };
        interval.saturating_add(self.jitter.mul_f64(chance.clamp(0.0, 1.0)))
    }
}

/// What a probe changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// No request goes to the endpoint any more, or the first one does not.
    Barred,
    /// Requests go to it, for the first time or again.
    Serves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not probed yet, and not asked before it is.
    Checking,
    /// Asked, with so many failures since the last pass.
    Serves { failed: u32 },
    /// Not asked, with so many passes since the last failure.
    Barred { passed: u32 },
}

/// What one check knows of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    state: State,
}

impl Probed {
    /// Before the first probe.
    pub fn new(settings: &ProbeSettings) -> Self {
        Self { state: if settings.mandatory { State::Checking } else { State::Serves { failed: 0 } } }
    }

    /// Whether requests may go to the endpoint, as far as this check is concerned.
    pub fn serves(&self) -> bool {
        matches!(self.state, State::Serves { .. })
    }

    /// Takes the result of a probe up; what it changed, if it changed anything.
    pub fn probed(&mut self, settings: &ProbeSettings, passed: bool) -> Option<Change> {
        let (state, change) = match (self.state, passed) {
            (State::Checking, true) => (State::Serves { failed: 0 }, Some(Change::Serves)),
            (State::Checking, false) => (State::Barred { passed: 0 }, Some(Change::Barred)),
            (State::Serves { .. }, true) => (State::Serves { failed: 0 }, None),
            (State::Serves { failed }, false) if failed + 1 < settings.fails => {
                (State::Serves { failed: failed + 1 }, None)
            }
            (State::Serves { .. }, false) => (State::Barred { passed: 0 }, Some(Change::Barred)),
            (State::Barred { .. }, false) => (State::Barred { passed: 0 }, None),
            (State::Barred { passed }, true) if passed + 1 < settings.passes => {
                (State::Barred { passed: passed + 1 }, None)
            }
            (State::Barred { .. }, true) => (State::Serves { failed: 0 }, Some(Change::Serves)),
        };
        self.state = state;
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(settings: ProbeSettings, results: &[bool]) -> (Vec<Option<Change>>, bool) {
        let mut probed = Probed::new(&settings);
        let changes = results.iter().map(|passed| probed.probed(&settings, *passed)).collect();
        (changes, probed.serves())
    }

    #[test]
    fn by_default_each_probe_decides() {
        let (said, serves) = changes(ProbeSettings::default(), &[true, false, false, true]);
        assert_eq!(said, [None, Some(Change::Barred), None, Some(Change::Serves)]);
        assert!(serves);
    }

    #[test]
    fn only_failures_in_a_row_bar_and_only_passes_in_a_row_let_back() {
        let settings = ProbeSettings { fails: 2, passes: 2, ..ProbeSettings::default() };
        let (said, serves) = changes(settings, &[false, true, false, false, true, false, true, true]);
        let mut expected = [None; 8];
        expected[3] = Some(Change::Barred);
        expected[7] = Some(Change::Serves);
        assert_eq!(said, expected);
        assert!(serves);
    }

    #[test]
    fn what_must_be_checked_is_not_asked_before_the_first_probe_which_decides_alone() {
        let settings = ProbeSettings { fails: 3, passes: 3, mandatory: true, ..ProbeSettings::default() };
        assert!(!Probed::new(&settings).serves());
        assert_eq!(changes(settings, &[true]), (vec![Some(Change::Serves)], true));
        assert_eq!(changes(settings, &[false, true, true]), (vec![Some(Change::Barred), None, None], false));
    }

    #[test]
    fn the_first_probe_waits_for_its_random_part_alone() {
        let settings = ProbeSettings { jitter: Duration::from_secs(2), ..ProbeSettings::default() };
        assert_eq!(settings.pause(true, 0.5), Duration::from_secs(1));
        assert_eq!(settings.pause(false, 0.0), Duration::from_secs(5));
        assert_eq!(settings.pause(false, 0.75), Duration::from_millis(6500));
    }
}
