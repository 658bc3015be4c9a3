//! The main thread's life: events in, actions carried out. Not here: which action an event asks for (`lifecycle`).

use std::future::{Future, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use config::model::Level;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::lifecycle::{Action, Event, Lifecycle, Signal};
use super::reporter::{Reporter, cannot_open};
use super::{Account, Engine, Invocation, PidFile, account, daemon, folders, upgrade};
use crate::logs::Logs;

/// Everything that the main thread has in hand while the gateway serves.
pub(super) struct MainLoop<'a, E: Engine> {
    pub(super) engine: E,
    pub(super) died: Arc<Notify>,
    /// What the workers run under, from the start to the end.
    pub(super) account: Option<Account>,
    pub(super) invocation: &'a Invocation,
    pub(super) config: Config,
    pub(super) logs: Logs,
    pub(super) reporter: &'a mut Reporter,
    pub(super) pid_file: Option<PidFile>,
    pub(super) lifecycle: Lifecycle,
    pub(super) signals: Signals,
    pub(super) binary: PathBuf,
    /// The process that started this one by USR2, while it is our parent.
    pub(super) old_binary: Option<rustix::process::Pid>,
    pub(super) new_binary: Option<Child>,
    /// The end of a drain, once one has begun.
    pub(super) drained: Option<Pin<Box<dyn Future<Output = ()>>>>,
    pub(super) deadline: Option<Instant>,
}

impl<E: Engine> MainLoop<'_, E> {
    /// Runs until the process is to end.
    pub(super) async fn run(mut self) {
        loop {
            let event = self.next_event().await;
            self.lifecycle.old_binary_runs(self.old_binary_runs());
            let action = self.lifecycle.on(event);
            if let Event::Signal(signal) = event {
                self.reporter.say(Level::Notice, &describe(signal, action));
            }
            if action == Action::End {
                break;
            }
            self.carry_out(action);
        }
        self.engine.stop();
        self.close_listeners();
        self.reporter.say(Level::Notice, "exit");
        self.logs.flush();
    }

    /// The process that started this one by USR2 is still there.
    fn old_binary_runs(&self) -> bool {
        self.old_binary.is_some() && rustix::process::getppid() == self.old_binary
    }

    fn close_listeners(&mut self) {
        let shared = self.new_binary.is_some() || self.old_binary_runs();
        self.engine.close_listeners(shared);
    }

    async fn next_event(&mut self) -> Event {
        loop {
            tokio::select! {
                signal = self.signals.next() => match signal {
                    Caught::Signal(signal) => return Event::Signal(signal),
                    Caught::Child if self.new_binary_ended() => return Event::NewBinaryEnded,
                    Caught::Child => {}
                },
                () = finished(&mut self.drained) => {
                    self.drained = None;
                    return Event::Drained;
                }
                () = self.died.notified() => return Event::WorkerDied,
                () = reached(self.deadline) => {
                    self.deadline = None;
                    return Event::ShutdownTimeout;
                }
            }
        }
    }

    fn new_binary_ended(&mut self) -> bool {
        let Some(Ok(Some(status))) = self.new_binary.as_mut().map(Child::try_wait) else {
            return false;
        };
        self.reporter.say(Level::Notice, &format!("the new binary's process ended: {status}"));
        self.new_binary = None;
        true
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Ignore | Action::End => {}
            Action::Reload => self.reload(),
            Action::Reopen => self.reopen(),
            Action::StartNewBinary => self.start_new_binary(),
            Action::RefuseNewBinary => self.reporter.say(
                Level::Notice,
                "the changing binary signal is ignored: you should shutdown or terminate before either old or new binary's process",
            ),
            Action::TakeOver { resume } => self.take_over(resume),
            Action::StopAccepting => {
                self.engine.stop_accepting();
                self.reporter.say(Level::Notice, "stopped accepting connections");
            }
            Action::Resume => self.resume(),
            Action::ReplaceWorkers => self.replace_workers(),
            Action::Drain => self.drain(),
        }
    }

    /// What the thread itself said stands before it on standard error.
    fn replace_workers(&mut self) {
        self.reporter
            .say(Level::Alert, "a worker died of a fault of this program, and is replaced; its connections are lost");
        if let Err(error) = self.engine.replace_dead_workers() {
            self.reporter.say(Level::Emerg, &error.to_string());
        }
    }

    fn drain(&mut self) {
        // Before the workers take who waits in them for the last time.
        self.close_listeners();
        self.drained = Some(self.engine.drain());
        self.deadline = self.config.main.worker_shutdown_timeout.and_then(in_time);
    }

    /// A configuration that cannot be used changes nothing: the old one goes on.
    fn reload(&mut self) {
        match (self.invocation.load)() {
            Ok(config) => self.serve_by(config),
            Err(faults) => faults.iter().for_each(|(level, fault)| self.reporter.say(*level, fault)),
        }
    }

    fn serve_by(&mut self, config: Config) {
        if let Err(error) = self.try_to_serve_by(&config) {
            self.reporter.say(Level::Emerg, &error);
            // The old logs were open a moment ago; if they are not now, the new ones stay.
            let _ = self.reporter.open(&self.logs, &self.config.main.error_logs);
            return;
        }
        self.move_pid_file(config.main.pid.as_ref());
        self.config = config;
    }

    fn try_to_serve_by(&mut self, config: &Config) -> Result<(), String> {
        // The logs first: what goes wrong after them is said in the new place.
        self.reporter.open(&self.logs, &config.main.error_logs)?;
        if account::to_become(config)? != self.account {
            self.reporter.say(
                Level::Warn,
                "the \"user\" directive cannot change the account of running workers: restart, or upgrade the binary",
            );
        }
        folders::prepare(config, self.account.as_ref())?;
        self.engine.reload(config.clone()).map_err(|error| error.to_string())
    }

    fn move_pid_file(&mut self, path: Option<&PathBuf>) {
        let current = self.pid_file.as_ref().map(PidFile::configured);
        if current == path.map(PathBuf::as_path) {
            return;
        }
        match path.map(|path| PidFile::write(path)).transpose() {
            Ok(file) => self.pid_file = file,
            Err(error) => self.reporter.say(Level::Emerg, &error),
        }
    }

    fn resume(&mut self) {
        if let Err(error) = self.engine.reload(self.config.clone()) {
            self.reporter.say(Level::Emerg, &error.to_string());
        }
    }

    fn reopen(&mut self) {
        for (path, error) in self.logs.reopen(self.log_owner()) {
            self.reporter.say(Level::Emerg, &cannot_open(&path, &error));
        }
        if self.lifecycle.is_daemon()
            && let Some(path) = self.reporter.instead_of_stderr()
            && let Err(error) = daemon::redirect_stderr(path)
        {
            self.reporter.say(Level::Alert, &cannot_open(path, &error));
        }
    }

    /// nginx gives reopened files to the account that its workers run under.
    fn log_owner(&self) -> Option<u32> {
        self.account.as_ref().map(|account| account.uid)
    }

    fn start_new_binary(&mut self) {
        if let Some(Err(error)) = self.pid_file.as_mut().map(PidFile::become_old) {
            self.reporter.say(Level::Alert, &error);
            return;
        }
        match upgrade::start(&self.binary, self.invocation, self.engine.listeners()) {
            Ok(child) => {
                self.new_binary = Some(child);
                self.lifecycle.new_binary_started();
            }
            Err(error) => {
                let error = crate::logs::error_log::errno(&error);
                let failed = format!(
                    "execve() failed while executing new binary process \"{}\" ({error})",
                    self.binary.display()
                );
                self.reporter.say(Level::Alert, &failed);
                self.take_over(false);
            }
        }
    }

    fn take_over(&mut self, resume: bool) {
        if let Some(Err(error)) = self.pid_file.as_mut().map(PidFile::become_current) {
            self.reporter.say(Level::Alert, &error);
        }
        if resume {
            self.resume();
        }
    }
}

async fn finished(drained: &mut Option<Pin<Box<dyn Future<Output = ()>>>>) {
    match drained {
        Some(drained) => drained.await,
        None => pending().await,
    }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// A time too far away to count is no deadline.
fn in_time(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

/// nginx's line for a signal.
fn describe(signal: Signal, action: Action) -> String {
    let (number, name, doing) = match signal {
        Signal::Stop => (15, "SIGTERM", ", exiting"),
        Signal::Interrupt => (2, "SIGINT", ", exiting"),
        Signal::Quit => (3, "SIGQUIT", ", shutting down"),
        Signal::Reload => (1, "SIGHUP", ", reconfiguring"),
        Signal::Reopen => (10, "SIGUSR1", ", reopening logs"),
        Signal::Upgrade => (12, "SIGUSR2", ", changing binary"),
        Signal::StopAccepting => (28, "SIGWINCH", ""),
    };
    let doing = if action == Action::Ignore { "" } else { doing };
    format!("signal {number} ({name}) received{doing}")
}

/// What a signal stream brought.
enum Caught {
    Signal(Signal),
    Child,
}

/// The signals that the process listens to; registered before the pid file tells anybody where to send them.
pub(super) struct Signals {
    term: Stream,
    int: Stream,
    quit: Stream,
    hup: Stream,
    usr1: Stream,
    usr2: Stream,
    winch: Stream,
    child: Stream,
}

impl Signals {
    /// # Errors
    /// The system refuses a handler.
    pub(super) fn register() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
            usr2: signal(SignalKind::user_defined2())?,
            winch: signal(SignalKind::window_change())?,
            child: signal(SignalKind::child())?,
        })
    }

    async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.term.recv() => Caught::Signal(Signal::Stop),
            _ = self.int.recv() => Caught::Signal(Signal::Interrupt),
            _ = self.quit.recv() => Caught::Signal(Signal::Quit),
            _ = self.hup.recv() => Caught::Signal(Signal::Reload),
            _ = self.usr1.recv() => Caught::Signal(Signal::Reopen),
            _ = self.usr2.recv() => Caught::Signal(Signal::Upgrade),
            _ = self.winch.recv() => Caught::Signal(Signal::StopAccepting),
            _ = self.child.recv() => Caught::Child,
        }
    }
}
