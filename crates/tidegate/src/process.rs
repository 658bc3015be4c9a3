//! The main process around the gateway: background, pid file, account, signals, upgrade of the binary.
//! Not here: the gateway itself, which it knows as an [`Engine`] only, and the command line (`cli`).
//!
//! Who does what: the main thread keeps the rights it was started with and does what this module says; the engine's
//! worker threads give them up ([`Account::become_it`]) and serve.

mod account;
mod boot;
mod daemon;
mod folders;
mod inherit;
mod lifecycle;
mod limits;
mod main_loop;
mod mask;
pub mod pid_file;
mod reporter;
mod upgrade;

use std::ffi::OsString;
use std::fmt::Display;
use std::future::Future;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use config::Config;
use config::model::Level;
use tokio::sync::Notify;

pub use account::Account;
pub use inherit::InheritedListener;
pub use lifecycle::{Action, Event, Lifecycle, Signal};
pub use pid_file::PidFile;

use crate::logs::Logs;
use boot::Origin;
use reporter::Reporter;

/// What the main process needs of the gateway.
pub trait Engine {
    /// Why it cannot serve, in nginx's words where it has some (`bind() to 0.0.0.0:80 failed (…)`).
    type Error: Display;

    /// Serves by another configuration: no connection is dropped and no request fails. Accepts again if that was
    /// stopped. On an error everything stays as it was.
    ///
    /// # Errors
    /// The configuration cannot be served.
    fn reload(&mut self, config: Config) -> Result<(), Self::Error>;

    /// Accepts nothing more and lets clients go: what is asked is finished, what idles is closed. The sockets stay, so that
    /// [`Engine::reload`] can accept again.
    fn stop_accepting(&mut self);

    /// Accepts nothing more but what waits, lets what is asked finish, closes what goes on idling. The future ends when nothing
    /// is left.
    fn drain(&mut self) -> Pin<Box<dyn Future<Output = ()>>>;

    /// Ends now: returns when the workers are gone.
    fn stop(&mut self);

    /// Starts workers in the place of those that died.
    ///
    /// # Errors
    /// The system gives no thread.
    fn replace_dead_workers(&mut self) -> Result<(), Self::Error>;

    /// Gives up the listening sockets; workers close them when they drain. Unless another process shares them, nobody new gets
    /// into them and the files of unix-domain ones are removed.
    fn close_listeners(&mut self, shared: bool);

    /// The listening sockets, for a new binary.
    fn listeners(&self) -> Vec<BorrowedFd<'_>>;
}

/// What an engine starts with.
pub struct Start {
    /// What to serve.
    pub config: Config,
    /// Where to log.
    pub logs: Logs,
    /// Sockets of an old binary; those that the configuration does not name are to be closed.
    pub inherited: Vec<InheritedListener>,
    /// The account for worker threads, if they are to change.
    pub account: Option<Account>,
    /// To be notified when a worker dies without having been told to end.
    pub died: Arc<Notify>,
}

/// Reads the configuration anew; on failure each fault with its level, as the error log shows it.
pub type Load = Box<dyn Fn() -> Result<Config, Vec<(Level, String)>>>;

/// How the program was called, and how it reads its configuration.
pub struct Invocation {
    /// The first word of the command line.
    pub program: OsString,
    /// The words after it.
    pub arguments: Vec<OsString>,
    /// The way to the configuration.
    pub load: Load,
}

impl Invocation {
    /// The word that messages begin with.
    pub fn name(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }
}

/// Whether this process was started by another to be in the background, which has said what there was to say.
pub fn is_background() -> bool {
    daemon::is_background()
}

/// Whether the account that a configuration names for its workers exists, for `-t`.
///
/// # Errors
/// nginx's words: `getpwnam("x") failed`.
pub fn check_account(config: &Config) -> Result<(), String> {
    account::for_workers(config.main.user.as_ref()).map(drop)
}

/// Runs the gateway by this configuration until a signal ends it. Returns the exit code, as nginx's.
pub fn run<E: Engine>(invocation: &Invocation, config: Config, start: impl FnOnce(Start) -> Result<E, E::Error>) -> u8 {
    // First of all: later a number in the environment could be a descriptor of our own.
    let origin = Origin::of_this_process();
    mask::let_signals_through();
    let mut reporter = Reporter::new(&invocation.name());
    if config.main.daemon && origin.is_foreground() {
        return daemon::detach(invocation).unwrap_or_else(|error| {
            reporter.say(Level::Emerg, &format!("cannot start in the background: {error}"));
            1
        });
    }
    let Ok(logs) = Logs::start() else {
        reporter.say(Level::Emerg, "cannot start the thread that writes logs");
        return 1;
    };
    let served = boot::serve(origin, invocation, config, &logs, &mut reporter, start);
    if let Err(error) = &served {
        reporter.say(Level::Emerg, error);
    }
    logs.flush();
    u8::from(served.is_err())
}
