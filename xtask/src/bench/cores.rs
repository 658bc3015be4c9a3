//! Which core the proxy has, and which the rest has; and the launcher that puts a program on its
//! core.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The last core that this process may use is the proxy's; load generator and origin share the
/// others.
pub(crate) struct Cores {
    pub(crate) proxy: usize,
    /// Empty where there is one core only: everything shares it then.
    pub(crate) others: Vec<usize>,
}

impl Cores {
    pub(crate) fn choose() -> Result<Self, String> {
        let allowed = sched_getaffinity(None).map_err(|error| format!("sched_getaffinity: {error}"))?;
        let mut others: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let proxy = others.pop().ok_or("no core to run on")?;
        Ok(Self { proxy, others })
    }

    /// Keeps the calling thread, and those it starts, off the proxy's core.
    pub(crate) fn stay_off_the_proxys(&self) -> Result<(), String> {
        if self.others.is_empty() { Ok(()) } else { pin(&self.others) }
    }
}

fn pin(cores: &[usize]) -> Result<(), String> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).map_err(|error| format!("sched_setaffinity to {cores:?}: {error}"))
}

/// Raises the limit of open descriptors to `wanted`, or as near as is allowed, and returns it.
pub(crate) fn raise_descriptor_limit(wanted: u64) -> u64 {
    let now = getrlimit(Resource::Nofile);
    let (Some(current), Some(hard)) = (now.current, now.maximum) else {
        return now.current.unwrap_or(u64::MAX);
    };
    if current >= wanted {
        return current;
    }
    // Only a privileged process may raise the hard limit.
    let raised = Rlimit { current: Some(wanted), maximum: Some(hard.max(wanted)) };
    let allowed = Rlimit { current: Some(hard.min(wanted)), maximum: now.maximum };
    let _ = setrlimit(Resource::Nofile, raised).or_else(|_| setrlimit(Resource::Nofile, allowed));
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A command that runs `program` alone on `core` and ends it with this process: `xtask pinned CORE
/// PROGRAM …`, which becomes that program, so that its process id is the child's.
pub(crate) fn pinned(core: usize, program: &std::path::Path) -> Result<Command, String> {
    let launcher = std::env::current_exe().map_err(|error| format!("where is xtask: {error}"))?;
    let mut command = Command::new(launcher);
    command.arg("pinned").arg(core.to_string()).arg(program);
    Ok(command)
}

pub(crate) fn pinned_main(mut arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let mut words = arguments.raw_args().map_err(|error| error.to_string())?;
    let core = words.next().and_then(|core| core.to_str()?.parse().ok()).ok_or("pinned: CORE PROGRAM ARGUMENTS…")?;
    let program = words.next().ok_or("pinned: no program")?;
    pin(&[core])?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| format!("prctl: {error}"))?;
    let error = Command::new(&program).args(words).exec();
    Err(format!("cannot run {program:?}: {error}"))
}
