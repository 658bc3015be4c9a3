//! What follows from the seconds of a simulation. Not here: how it is shown.

use std::time::Duration;

use super::options::Load;
use super::world::Second;

/// So much of what is offered is answered where all is well.
const WELL: f64 = 0.95;
/// All is well again when it has been for so many seconds.
const STEADY: usize = 3;

/// Sums over the whole time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Findings {
    pub(super) total: Second,
    pub(super) most_out: u64,
    /// Attempts for each request in the worst second.
    pub(super) worst_amplification: f64,
    /// The end of the last fault.
    pub(super) faults_end: Option<Duration>,
    /// Seconds from then until three in a row were well; nothing if they never were, or nothing went wrong.
    pub(super) recovery: Option<u64>,
}

impl Findings {
    pub(super) fn of(seconds: &[Second], load: &Load) -> Self {
        let mut total = Second::default();
        for second in seconds {
            total.offered += second.offered;
            total.answered += second.answered;
            total.failed += second.failed;
            total.attempts += second.attempts;
            total.ejections += second.ejections;
        }
        let faults_end = load.faults.iter().map(|fault| fault.to).max();
        Self {
            total,
            most_out: seconds.iter().map(|second| second.out).max().unwrap_or(0),
            worst_amplification: seconds.iter().map(amplification).fold(0.0, f64::max),
            faults_end,
            recovery: faults_end.and_then(|end| recovery(seconds, end)),
        }
    }
}

/// Attempts for each new request.
pub(super) fn amplification(second: &Second) -> f64 {
    if second.offered == 0 { 0.0 } else { second.attempts as f64 / second.offered as f64 }
}

fn recovery(seconds: &[Second], end: Duration) -> Option<u64> {
    let after = seconds.get(end.as_secs_f64().ceil() as usize..)?;
    let is_well = |second: &Second| second.answered as f64 >= second.offered as f64 * WELL;
    let steady = after.windows(STEADY).position(|span| span.iter().all(is_well))?;
    Some(steady as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_when_it_is_well_for_some_time() {
        let second = |answered| Second { offered: 100, answered, ..Second::default() };
        let seconds: Vec<_> = [100, 10, 10, 96, 10, 95, 100, 100].map(second).to_vec();
        assert_eq!(recovery(&seconds, Duration::from_millis(1500)), Some(3));
        assert_eq!(recovery(&seconds[..6], Duration::from_secs(2)), None);
        assert_eq!(recovery(&seconds, Duration::from_secs(99)), None);
    }
}
