//! What a command costs from its start to its end. Not here: which commands.

use std::fmt;
use std::fs;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

/// Between two looks at a running process.
const PAUSE: Duration = Duration::from_millis(10);

/// Time, CPU and memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// On the wall.
    pub(super) seconds: f64,
    /// Of all its threads together.
    pub(super) cpu: f64,
    /// The most bytes that it had in memory at once.
    pub(super) memory: u64,
}

impl Cost {
    /// Runs a command.
    ///
    /// # Errors
    /// It cannot be run, or fails.
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        let before = children_cpu()?;
        let started = Instant::now();
        let mut child = command.spawn()?;
        let mut memory = 0;
        let status = loop {
            memory = memory.max(peak_memory(child.id()));
            if let Some(status) = child.try_wait()? {
                break status;
            }
            std::thread::sleep(PAUSE);
        };
        let seconds = started.elapsed().as_secs_f64();
        if !status.success() {
            return Err(io::Error::other(format!("it ended with {status}")));
        }
        Ok(Self { seconds, cpu: children_cpu()? - before, memory })
    }
}

/// `VmHWM` of a process: 0 once it has ended.
fn peak_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Seconds of CPU of all children that have ended: fields 16 and 17 of proc_pid_stat(5).
fn children_cpu() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(13) + ticks(14)) / rustix::param::clock_ticks_per_second() as f64)
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6.2} s, {:6.2} s CPU, {:5} MB", self.seconds, self.cpu, self.memory / 1_000_000)
    }
}
