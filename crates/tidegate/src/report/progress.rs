//! A bar on a terminal's standard error while a report is made. Not here: what is done meanwhile.

use std::io::Write;
use std::time::{Duration, Instant};

use super::units::size;

/// The bar.
pub(super) struct Progress {
    started: Instant,
    total: u64,
    terminal: bool,
    shown: bool,
}

impl Progress {
    /// Between two looks.
    pub(super) const PAUSE: Duration = Duration::from_millis(200);
    const WIDTH: u64 = 24;

    pub(super) fn new(total: u64, terminal: bool) -> Self {
        Self { started: Instant::now(), total, terminal, shown: false }
    }

    /// Draws it anew.
    pub(super) fn show(&mut self, done: u64) {
        if self.terminal {
            self.shown = true;
            let mut out = std::io::stderr().lock();
            // Whoever cannot see the bar misses nothing.
            let _ = write!(out, "\r\x1b[K{}", text(done, self.total, self.started.elapsed()));
            let _ = out.flush();
        }
    }

    /// Takes it away.
    pub(super) fn end(self) {
        if self.shown {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn text(done: u64, total: u64, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let rate_text = size(rate as u64);
    if total == 0 {
        return format!("read {}, {rate_text}/s", size(done));
    }
    let done = done.min(total);
    let filled = (done * Progress::WIDTH / total) as usize;
    let bar = "█".repeat(filled) + &"░".repeat(Progress::WIDTH as usize - filled);
    let left = (total - done) as f64 / rate.max(1.0);
    format!("{bar} {} % of {}, {rate_text}/s, {left:.0} s left", done * 100 / total, size(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_how_much_is_left() {
        let said = text(500_000_000, 2_000_000_000, Duration::from_secs(1));
        assert_eq!(said, "██████░░░░░░░░░░░░░░░░░░ 25 % of 2.0 GB, 500 MB/s, 3 s left");
        assert_eq!(text(1_500, 0, Duration::from_secs(1)), "read 1.5 kB, 1.5 kB/s");
    }
}
