//! What happens, as events of `tracing`. Not here: spans, which the program's own code opens; metrics (a closure counts).

use policy::retry::Met;

use crate::{Event, Events};

/// Tells `tracing`: attempts at DEBUG, retries and hedges at INFO, failures, a spent budget and breakers at WARN; all with the
/// target `tidegate_tower`.
///
/// ```
/// use tidegate_tower::{Client, Event, Tracing};
///
/// # fn main() -> Result<(), tidegate_tower::InvalidBase> {
/// # struct Counter; impl Counter { fn increment(&self) {} }
/// # let retries = Counter;
/// // With metrics beside it.
/// let count = move |event: &Event<'_>| {
///     if let Event::Retry { .. } = event {
///         retries.increment();
///     }
/// };
/// let client = Client::builder().base("http://127.0.0.1:3001").on_event((Tracing, count)).build()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracing;

impl Events for Tracing {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Attempt { number, origin } => {
                tracing::debug!(target: TARGET, attempt = number, origin, "attempt");
            }
            Event::Ended { number, origin, took, met } => ended(*number, origin, took.as_secs_f64(), met.as_ref()),
            Event::Failed { origin, failure } => {
                let row = failure.row();
                let (code, seen) = (row.code, failure.evidence());
                tracing::warn!(target: TARGET, origin, %code, cause = row.name, %seen, "{}", row.happened);
            }
            Event::Answered { origin, status } => {
                tracing::warn!(target: TARGET, origin, status, "answered with a failure")
            }
            Event::Retry { number, after } => {
                tracing::info!(target: TARGET, attempt = number, after = after.as_secs_f64(), "retry");
            }
            Event::Hedge { number, after } => {
                tracing::info!(target: TARGET, attempt = number, after = after.as_secs_f64(), "hedge");
            }
            Event::BudgetSpent => tracing::warn!(target: TARGET, "no retry: the budget is spent"),
            Event::BreakerOpened { origin, length } => {
                tracing::warn!(target: TARGET, origin, length = length.as_secs_f64(), "breaker opened");
            }
            Event::BreakerClosed { origin } => tracing::info!(target: TARGET, origin, "breaker closed"),
        }
    }
}

const TARGET: &str = "tidegate_tower";

fn ended(attempt: u32, origin: &str, took: f64, met: Option<&Met<'_>>) {
    match met {
        Some(Met::Status(status)) => tracing::debug!(target: TARGET, attempt, origin, took, status, "answered"),
        Some(Met::Failure(failure)) => {
            tracing::debug!(target: TARGET, attempt, origin, took, cause = failure.row().name, "failed");
        }
        None => tracing::debug!(target: TARGET, attempt, origin, took, "given up"),
    }
}
