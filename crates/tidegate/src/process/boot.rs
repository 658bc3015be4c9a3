//! From a configuration to a process that serves, step by step. Not here: what happens once it does (`main_loop`).

use std::path::PathBuf;
use std::sync::Arc;

use config::Config;
use config::model::Level;
use rustix::process::{Pid, getppid};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::account::{self, Account, Workers};
use super::inherit::{self, InheritedListener};
use super::lifecycle::Lifecycle;
use super::main_loop::{MainLoop, Signals};
use super::reporter::{self, Reporter};
use super::{Engine, Invocation, PidFile, Start, daemon, folders, limits, upgrade};
use crate::local::pages::PRODUCT_VERSION;
use crate::logs::Logs;
use crate::logs::error_log::errno;

/// How this process came to be.
pub(super) enum Origin {
    /// Somebody called it.
    Called,
    /// A process that was called started it to be in the background.
    Background,
    /// An old binary started it and left it these sockets.
    Upgrade { inherited: Vec<InheritedListener>, old_binary: Option<Pid> },
}

impl Origin {
    pub(super) fn of_this_process() -> Self {
        let inherited = inherit::from_environment();
        if !inherited.is_empty() {
            return Origin::Upgrade { inherited, old_binary: getppid() };
        }
        if daemon::is_background() { Origin::Background } else { Origin::Called }
    }

    pub(super) fn is_foreground(&self) -> bool {
        matches!(self, Origin::Called)
    }

    fn old_binary(&self) -> Option<Pid> {
        match self {
            Origin::Upgrade { old_binary, .. } => *old_binary,
            _ => None,
        }
    }

    fn into_inherited(self) -> Vec<InheritedListener> {
        match self {
            Origin::Upgrade { inherited, .. } => inherited,
            _ => Vec::new(),
        }
    }
}

/// Starts the engine and stays with it until the end.
///
/// # Errors
/// Why it cannot serve, to be said at level `emerg`.
pub(super) fn serve<E: Engine>(
    origin: Origin,
    invocation: &Invocation,
    config: Config,
    logs: &Logs,
    reporter: &mut Reporter,
    start: impl FnOnce(Start) -> Result<E, E::Error>,
) -> Result<(), String> {
    if matches!(origin, Origin::Background) {
        daemon::leave_session(invocation).map_err(|error| format!("setsid() failed ({})", errno(&error)))?;
    }
    reporter.open(logs, &config.main.error_logs)?;
    let binary = prepare(invocation, &config, reporter)?;
    let account = account_for(&config, reporter)?;
    let runtime = runtime()?;
    let inside = runtime.enter();
    let signals = Signals::register().map_err(|error| format!("sigaction() failed ({})", errno(&error)))?;
    let (foreground, old_binary) = (origin.is_foreground(), origin.old_binary());
    let background = matches!(origin, Origin::Background);
    let inherited = origin.into_inherited();
    introduce(reporter);
    let died = Arc::new(Notify::new());
    let engine = start(Start {
        config: config.clone(),
        logs: logs.clone(),
        inherited,
        account: account.clone(),
        died: died.clone(),
    });
    let engine = engine.map_err(|error| error.to_string())?;
    let pid_file = config.main.pid.as_deref().map(PidFile::write).transpose()?;
    if background {
        daemon::announce_ready().map_err(|error| format!("cannot leave the terminal: {error}"))?;
    }
    if !foreground {
        leave_stderr(reporter)?;
    }
    let main = MainLoop {
        engine,
        died,
        account,
        invocation,
        config,
        logs: logs.clone(),
        reporter,
        pid_file,
        lifecycle: Lifecycle::new(!foreground),
        signals,
        binary,
        old_binary,
        new_binary: None,
        drained: None,
        deadline: None,
    };
    drop(inside);
    runtime.block_on(main.run());
    Ok(())
}

/// The lines that nginx begins with.
fn introduce(reporter: &Reporter) {
    let system = rustix::system::uname();
    let (name, release) = (system.sysname().to_string_lossy(), system.release().to_string_lossy());
    let lines = [
        "using the \"epoll\" event method".to_owned(),
        PRODUCT_VERSION.to_owned(),
        format!("OS: {name} {release}"),
        format!("getrlimit(RLIMIT_NOFILE): {}", limits::open_files()),
        "start worker processes".to_owned(),
    ];
    lines.iter().for_each(|line| reporter.say(Level::Notice, line));
}

/// What must be set before a socket or a thread is made. Returns where a new binary will be found.
fn prepare(invocation: &Invocation, config: &Config, reporter: &Reporter) -> Result<PathBuf, String> {
    let binary = upgrade::binary(invocation);
    let binary = binary.map_err(|error| format!("cannot find this program's file: {error}"))?;
    if let Err(error) = limits::raise_open_files(config.main.worker_rlimit_nofile) {
        reporter.say(Level::Alert, &error);
    }
    if let Some(folder) = &config.main.working_directory {
        let failed = |error| format!("chdir(\"{}\") failed ({})", folder.display(), errno(&error));
        std::env::set_current_dir(folder).map_err(failed)?;
    }
    Ok(binary)
}

/// The account for the workers, and the folders that it is to write to.
fn account_for(config: &Config, reporter: &Reporter) -> Result<Option<Account>, String> {
    if account::for_workers(config.main.user.as_ref())? == Workers::StayIgnoringUser {
        reporter.say(
            Level::Warn,
            "the \"user\" directive makes sense only if the master process runs with super-user privileges, ignored",
        );
    }
    let account = account::to_become(config)?;
    folders::prepare(config, account.as_ref())?;
    Ok(account)
}

fn runtime() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| format!("epoll_create() failed ({})", errno(&error)))
}

/// Nobody reads the terminal's error output of a process in the background.
fn leave_stderr(reporter: &mut Reporter) -> Result<(), String> {
    if let Some(path) = reporter.instead_of_stderr() {
        daemon::redirect_stderr(path).map_err(|error| reporter::cannot_open(path, &error))?;
    }
    reporter.unwatched();
    Ok(())
}
