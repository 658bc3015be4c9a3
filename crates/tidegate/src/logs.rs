//! Log files: lines go in from any thread without waiting, one background thread writes them out.
//! Not here: what the lines say, except an error log's prefix and tail ([`error_log`]) and the time ([`clock`]).

pub mod clock;
pub mod error_log;
mod file;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use error_log::ErrorLogs;
use file::{Destination, LogFile};
pub use file::{MAX_PENDING, Sink};
use writer::{Wake, Writer};

/// When the lines of a [`Sink`] are written.
///
/// The default is "as soon as the writer runs", a few milliseconds at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Buffering {
    /// `buffer=`: lines are kept until there are this many bytes of them.
    pub size: Option<usize>,
    /// `flush=`: the longest that a kept line waits. Without it only `size`, a reopen or the end writes it.
    pub flush: Option<Duration>,
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A file, made if it is not there (mode 0644) and appended to.
    Path(&'a Path),
    /// The process's standard error, whatever it is at the time of the write.
    Stderr,
}

/// The log files of the process, and the handle of the thread that writes them.
///
/// Clones are the same logs. When the last clone is gone, the thread writes what is pending and ends.
#[derive(Clone)]
pub struct Logs {
    shared: Arc<Shared>,
}

/// The files in use, known to the writer too.
#[derive(Default)]
struct Registry {
    files: Mutex<Vec<Arc<LogFile>>>,
}

struct Shared {
    registry: Arc<Registry>,
    wake: Arc<Wake>,
    writer: Writer,
}

impl Logs {
    /// Starts the writer's thread.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start() -> io::Result<Self> {
        let registry = Arc::<Registry>::default();
        let wake = Arc::<Wake>::default();
        let writer = Writer::start(registry.clone(), wake.clone())?;
        Ok(Self { shared: Arc::new(Shared { registry, wake, writer }) })
    }

    /// Opens a destination, or shares it when the process has it open already.
    ///
    /// # Errors
    /// The file cannot be opened. The message is the system's; callers say the path as nginx does
    /// (`open() "PATH" failed (13: Permission denied)`).
    pub fn open(&self, target: Target<'_>, buffering: Buffering) -> io::Result<Sink> {
        let mut files = self.shared.registry.lock();
        let known = files.iter().find(|file| file.destination.is(target));
        let file = match known {
            Some(file) => file.clone(),
            None => {
                let file = Arc::new(LogFile::open(target)?);
                files.push(file.clone());
                file
            }
        };
        Ok(Sink::new(file, buffering, self.shared.wake.clone()))
    }

    /// Writes what is pending, then opens every file anew: what USR1 asks for after a rotation.
    ///
    /// `owner` is the account that new files are given to, as nginx gives them to its workers' account.
    /// A file that cannot be opened stays as it was and is in the list of errors.
    pub fn reopen(&self, owner: Option<u32>) -> Vec<(PathBuf, io::Error)> {
        self.shared.writer.reopen(owner)
    }

    /// Writes everything appended before this call, also what `buffer=` holds back, and waits for it.
    pub fn flush(&self) {
        self.shared.writer.flush();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.writer.end();
    }
}

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<LogFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files in use; forgets those that no sink writes to any more and that have nothing pending.
    fn in_use(&self) -> Vec<Arc<LogFile>> {
        let mut files = self.lock();
        files.retain(|file| file.is_in_use());
        files.clone()
    }
}

impl Destination {
    fn is(&self, target: Target<'_>) -> bool {
        match (self, target) {
            (Destination::Path { path, .. }, Target::Path(other)) => path == other,
            (Destination::Stderr, Target::Stderr) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
