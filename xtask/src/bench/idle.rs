//! The memory of idle connections: thousands are opened, each makes one request and stays, and the
//! proxy's resident memory is compared with what it was before.
//!
//! The kernel's socket buffers are not in it, and neither is what a proxy sets aside for
//! connections at its start.

use std::io;
use std::time::Duration;

use super::case::SMALL_GET;
use super::failure::Failures;
use super::load::{Load, Script, Until};
use super::measure;
use super::process::Running;

/// Connections that are opened and make their request at the same time.
const AT_ONCE: usize = 50;
/// The proxy's memory is read when it did not change for this long, or after [`SETTLE_LIMIT`] such
/// times.
const SETTLE: Duration = Duration::from_millis(100);
const SETTLE_LIMIT: usize = 20;

/// What the connections of one contender cost.
pub(crate) struct Idle {
    /// Connections that are open and made their request.
    pub(crate) connections: u64,
    /// Resident bytes before the first of them.
    pub(crate) before: u64,
    /// Resident bytes with all of them.
    pub(crate) after: u64,
    pub(crate) failures: Failures,
}

impl Idle {
    /// KB (of 1024 bytes) a connection; `None` without connections.
    pub(crate) fn kilobytes_each(&self) -> Option<f64> {
        let grown = self.after.saturating_sub(self.before) as f64 / 1024.0;
        (self.connections > 0).then(|| grown / self.connections as f64)
    }
}

/// Opens `connections` to a contender that served a request before.
pub(crate) fn measure(running: &mut Running, connections: u64) -> io::Result<Idle> {
    let before = settled(running.id())?;
    let script = Script { connections: AT_ONCE, ..SMALL_GET.script(running.address()) };
    let mut idle = Idle { connections: 0, before, after: 0, failures: Failures::default() };
    // They stay open until all are counted.
    let mut open = Vec::new();
    for _ in 0..connections / AT_ONCE as u64 {
        let mut load = Load::new(script.clone())?;
        let tally = load.run(Until::Each(1))?;
        idle.connections += tally.completed;
        running.requests += tally.requests();
        idle.failures.merge(&tally.failures);
        open.push(load);
        if idle.failures.total() > AT_ONCE as u64 {
            break;
        }
    }
    idle.after = settled(running.id())?;
    drop(open);
    Ok(idle)
}

/// The resident memory once it stays the same: a proxy may free its buffers a moment after the last
/// answer.
fn settled(process: u32) -> io::Result<u64> {
    let mut last = measure::resident(process)?;
    for _ in 0..SETTLE_LIMIT {
        std::thread::sleep(SETTLE);
        let now = measure::resident(process)?;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}
