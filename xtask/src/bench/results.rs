//! What was measured, and the figures derived from it. It prints nothing: that is `report`.

use std::time::Duration;

use super::case::Case;
use super::contender::Contender;
use super::failure::Failures;
use super::idle::Idle;
use super::statistics::Spread;

/// Everything a run measured.
pub(crate) struct Results {
    pub(crate) entrants: Vec<Entrant>,
    pub(crate) left_out: Vec<(Contender, String)>,
    pub(crate) cases: Vec<CaseResult>,
    pub(crate) idle: Vec<(Contender, Idle)>,
}

/// A contender that takes part.
pub(crate) struct Entrant {
    pub(crate) contender: Contender,
    /// What it says its version is.
    pub(crate) version: String,
    /// The part (0 to 1) of its requests that it logged in the timed cases; `None` when it does not
    /// log.
    pub(crate) logged: Option<f64>,
}

/// One case: each contender's rounds, in the order of the rotation.
pub(crate) struct CaseResult {
    pub(crate) case: Case,
    pub(crate) rounds: Vec<(Contender, Vec<Round>)>,
}

/// One turn of one contender.
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) wall: Duration,
    /// CPU time of the proxy's processes.
    pub(crate) cpu: Duration,
    /// The time in which the proxy's core worked for somebody else.
    pub(crate) disturbed: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) failures: Failures,
}

impl Round {
    /// Microseconds; 0 when no request was answered.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { microseconds(self.cpu) / self.requests as f64 }
    }

    pub(crate) fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }

    /// The part (0 to 1) of its core that the proxy used.
    pub(crate) fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// The part (0 to 1) of the proxy's core that others used.
    pub(crate) fn disturbance(&self) -> f64 {
        self.disturbed.as_secs_f64() / self.wall.as_secs_f64()
    }
}

pub(crate) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

impl CaseResult {
    pub(crate) fn rounds_of(&self, contender: Contender) -> &[Round] {
        let found = self.rounds.iter().find(|(of, _)| *of == contender);
        found.map(|(_, rounds)| rounds.as_slice()).unwrap_or_default()
    }

    /// A figure of every round of a contender in which a request was answered.
    pub(crate) fn spread(&self, contender: Contender, figure: fn(&Round) -> f64) -> Option<Spread> {
        let rounds = self.rounds_of(contender).iter();
        Spread::of(rounds.filter(|round| round.requests > 0).map(figure))
    }

    /// CPU a request, as ratios to `reference` in the same turn of the rotation.
    pub(crate) fn cpu_ratio(&self, contender: Contender, reference: Contender) -> Option<Spread> {
        let figures = |of| self.rounds_of(of).iter().map(Round::cpu_per_request).collect::<Vec<_>>();
        Spread::of_ratios(&figures(contender), &figures(reference))
    }
}

impl Results {
    /// Every kind of failure with its number, by case and contender.
    pub(crate) fn failures(&self) -> Vec<String> {
        let timed = self.cases.iter().flat_map(|result| {
            result.rounds.iter().map(|(contender, rounds)| {
                let mut sum = Failures::default();
                rounds.iter().for_each(|round| sum.merge(&round.failures));
                (result.case.name, *contender, sum)
            })
        });
        let idle = self.idle.iter().map(|(contender, idle)| (super::case::IDLE, *contender, idle.failures.clone()));
        timed.chain(idle).flat_map(|(case, contender, failures)| describe(case, contender, &failures)).collect()
    }
}

fn describe(case: &str, contender: Contender, failures: &Failures) -> Vec<String> {
    let line = |(failure, count)| format!("{}, {case}: {count} × {failure}", contender.name());
    failures.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::case::SMALL_GET;
    use super::*;

    fn round(requests: u64, cpu_ms: u64) -> Round {
        let (wall, cpu) = (Duration::from_secs(1), Duration::from_millis(cpu_ms));
        let p = Duration::from_micros(1);
        Round { requests, wall, cpu, disturbed: Duration::ZERO, p50: p, p99: p, failures: Failures::default() }
    }

    fn results() -> CaseResult {
        let rounds = vec![
            (Contender::Nginx, vec![round(10_000, 200), round(10_000, 400)]),
            (Contender::Tidegate, vec![round(20_000, 200), round(20_000, 600)]),
        ];
        CaseResult { case: SMALL_GET, rounds }
    }

    #[test]
    fn cpu_is_told_in_microseconds_a_request() {
        assert_eq!(round(10_000, 200).cpu_per_request(), 20.0);
        assert_eq!(round(0, 200).cpu_per_request(), 0.0);
    }

    #[test]
    fn ratios_are_those_of_the_same_turn() {
        let ratio = results().cpu_ratio(Contender::Tidegate, Contender::Nginx);
        assert_eq!(ratio, Some(Spread { median: 0.625, min: 0.5, max: 0.75 }));
        assert_eq!(results().cpu_ratio(Contender::Tidegate, Contender::Haproxy), None);
    }

    #[test]
    fn a_round_without_answers_has_no_figure() {
        let rounds = vec![(Contender::Nginx, vec![round(0, 5), round(10_000, 200)])];
        let result = CaseResult { case: SMALL_GET, rounds };
        let spread = result.spread(Contender::Nginx, Round::cpu_per_request);
        assert_eq!(spread, Spread::of([20.0]));
    }

    #[test]
    fn failures_are_summed_over_rounds_and_named() {
        let mut result = results();
        for (_, rounds) in &mut result.rounds[..1] {
            for round in rounds {
                round.failures.count(super::super::failure::Failure::Closed);
            }
        }
        let results = Results { entrants: vec![], left_out: vec![], cases: vec![result], idle: vec![] };
        let failures = results.failures();
        assert_eq!(failures, ["nginx, small-get: 2 × connection closed before the answer was complete"]);
    }
}
