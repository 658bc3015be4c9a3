//! What the main process does next: a state, an event, an action. Not here: signals, children, sockets and clocks,
//! which `main_loop` turns into events and which carry out the actions.
//!
//! ```text
//!              HUP, USR1, USR2, WINCH              the last connection ends, or worker_shutdown_timeout
//!            ┌───────┐                                          │
//!   start ─▶ Serving ─┴──────── QUIT ────────▶ Quitting ────────┴─▶ Ended
//!              └──────────────────── TERM, INT ───────────────────────▲
//! ```

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// One of nginx's signals.
    Signal(Signal),
    /// The binary that USR2 started is gone.
    NewBinaryEnded,
    /// A worker ended that nobody told to.
    WorkerDied,
    /// The last connection of a drain has ended.
    Drained,
    /// `worker_shutdown_timeout` is over.
    ShutdownTimeout,
}

/// A signal, by its job (<https://nginx.org/en/docs/control.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// TERM.
    Stop,
    /// INT, which does what TERM does.
    Interrupt,
    /// QUIT.
    Quit,
    /// HUP.
    Reload,
    /// USR1.
    Reopen,
    /// USR2.
    Upgrade,
    /// WINCH.
    StopAccepting,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the event means nothing in this state.
    Ignore,
    /// Read the configuration again and serve by it.
    Reload,
    /// Open the log files anew.
    Reopen,
    /// Start the new binary with the listening sockets.
    StartNewBinary,
    /// Refuse to start a second new binary.
    RefuseNewBinary,
    /// Give up the pid file's `.oldbin` name, and accept again if that was stopped.
    TakeOver {
        /// Accepting was stopped and must start.
        resume: bool,
    },
    /// Accept nothing more and let clients go, but stay to accept again.
    StopAccepting,
    /// Accept again, by the configuration that is loaded.
    Resume,
    /// Start workers in the place of those that died.
    ReplaceWorkers,
    /// Accept nothing more, finish what is asked, then end.
    Drain,
    /// End now.
    End,
}

/// Where the main process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    quitting: bool,
    accepting: bool,
    /// The process that USR2 started is running.
    new_binary: bool,
    /// The process that started this one by USR2 is still there.
    old_binary: bool,
    /// It runs in the background. In the foreground WINCH means a resized terminal.
    daemon: bool,
}

impl Lifecycle {
    /// A process that serves. `daemon`: it runs in the background.
    pub fn new(daemon: bool) -> Self {
        Self { quitting: false, accepting: true, new_binary: false, old_binary: false, daemon }
    }

    /// Whether it runs in the background.
    pub fn is_daemon(&self) -> bool {
        self.daemon
    }

    /// Whether the process that started this one by USR2 is still there; then no further upgrade may start.
    pub fn old_binary_runs(&mut self, runs: bool) {
        self.old_binary = runs;
    }

    /// A new binary was started: its end will be an event.
    pub fn new_binary_started(&mut self) {
        self.new_binary = true;
    }

    /// Takes an event.
    pub fn on(&mut self, event: Event) -> Action {
        match event {
            Event::Signal(Signal::Stop | Signal::Interrupt) => Action::End,
            Event::Signal(Signal::Reopen) => Action::Reopen,
            Event::Drained | Event::ShutdownTimeout if self.quitting => Action::End,
            Event::Drained | Event::ShutdownTimeout => Action::Ignore,
            // Who accepts nothing needs nobody for it; accepting again replaces the dead.
            Event::WorkerDied if self.quitting || !self.accepting => Action::Ignore,
            Event::WorkerDied => Action::ReplaceWorkers,
            Event::NewBinaryEnded => self.take_over(),
            Event::Signal(_) if self.quitting => Action::Ignore,
            Event::Signal(Signal::Quit) => self.quit(),
            Event::Signal(Signal::Reload) => self.reload(),
            Event::Signal(Signal::Upgrade) => self.upgrade(),
            Event::Signal(Signal::StopAccepting) => self.stop_accepting(),
        }
    }

    fn quit(&mut self) -> Action {
        self.quitting = true;
        Action::Drain
    }

    /// While a new binary has the configuration, the old one goes back to serving by the one it has.
    fn reload(&mut self) -> Action {
        let resume = self.new_binary || !self.accepting;
        self.accepting = true;
        if resume { Action::Resume } else { Action::Reload }
    }

    fn upgrade(&self) -> Action {
        if self.new_binary || self.old_binary { Action::RefuseNewBinary } else { Action::StartNewBinary }
    }

    fn stop_accepting(&mut self) -> Action {
        if !self.daemon || !self.accepting {
            return Action::Ignore;
        }
        self.accepting = false;
        Action::StopAccepting
    }

    fn take_over(&mut self) -> Action {
        self.new_binary = false;
        let resume = !self.accepting && !self.quitting;
        self.accepting |= resume;
        Action::TakeOver { resume }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Signal::*;

    fn run(daemon: bool, signals: &[Signal]) -> Vec<Action> {
        let mut life = Lifecycle::new(daemon);
        signals.iter().map(|signal| life.on(Event::Signal(*signal))).collect()
    }

    #[test]
    fn stop_ends_in_every_state() {
        assert_eq!(run(true, &[Stop]), [Action::End]);
        assert_eq!(run(true, &[Quit, Interrupt]), [Action::Drain, Action::End]);
        assert_eq!(run(true, &[StopAccepting, Stop]), [Action::StopAccepting, Action::End]);
    }

    #[test]
    fn a_drain_ends_when_it_is_done_or_out_of_time() {
        for end in [Event::Drained, Event::ShutdownTimeout] {
            let mut life = Lifecycle::new(true);
            assert_eq!(life.on(end), Action::Ignore);
            assert_eq!(life.on(Event::Signal(Quit)), Action::Drain);
            assert_eq!(life.on(end), Action::End);
        }
    }

    #[test]
    fn a_draining_process_only_stops_or_reopens_its_logs() {
        let actions = run(true, &[Quit, Quit, Reload, Upgrade, StopAccepting, Reopen]);
        assert_eq!(actions[1..5], [Action::Ignore; 4]);
        assert_eq!(actions[5], Action::Reopen);
    }

    #[test]
    fn a_dead_worker_is_replaced_while_somebody_accepts() {
        let mut life = Lifecycle::new(true);
        assert_eq!(life.on(Event::WorkerDied), Action::ReplaceWorkers);
        life.on(Event::Signal(StopAccepting));
        assert_eq!(life.on(Event::WorkerDied), Action::Ignore);
        life.on(Event::Signal(Quit));
        assert_eq!(life.on(Event::WorkerDied), Action::Ignore);
    }

    #[test]
    fn a_resized_terminal_does_not_stop_a_foreground_process() {
        assert_eq!(run(false, &[StopAccepting]), [Action::Ignore]);
    }

    #[test]
    fn reload_after_winch_accepts_again_by_the_loaded_configuration() {
        let actions = run(true, &[StopAccepting, Reload, Reload]);
        assert_eq!(actions, [Action::StopAccepting, Action::Resume, Action::Reload]);
    }

    #[test]
    fn only_one_upgrade_runs_at_a_time() {
        let mut life = Lifecycle::new(true);
        assert_eq!(life.on(Event::Signal(Upgrade)), Action::StartNewBinary);
        life.new_binary_started();
        assert_eq!(life.on(Event::Signal(Upgrade)), Action::RefuseNewBinary);
        assert_eq!(life.on(Event::NewBinaryEnded), Action::TakeOver { resume: false });
        assert_eq!(life.on(Event::Signal(Upgrade)), Action::StartNewBinary);
    }

    #[test]
    fn a_new_binary_does_not_upgrade_while_the_old_one_runs() {
        let mut life = Lifecycle::new(true);
        life.old_binary_runs(true);
        assert_eq!(life.on(Event::Signal(Upgrade)), Action::RefuseNewBinary);
        life.old_binary_runs(false);
        assert_eq!(life.on(Event::Signal(Upgrade)), Action::StartNewBinary);
    }

    #[test]
    fn the_old_binary_serves_again_when_the_new_one_dies() {
        let mut life = Lifecycle::new(true);
        life.on(Event::Signal(Upgrade));
        life.new_binary_started();
        life.on(Event::Signal(StopAccepting));
        assert_eq!(life.on(Event::NewBinaryEnded), Action::TakeOver { resume: true });
    }

    #[test]
    fn the_old_binary_can_be_called_back_while_the_new_one_runs() {
        let mut life = Lifecycle::new(true);
        life.new_binary_started();
        life.on(Event::Signal(StopAccepting));
        assert_eq!(life.on(Event::Signal(Reload)), Action::Resume);
    }
}
