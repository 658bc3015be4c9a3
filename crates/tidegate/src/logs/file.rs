//! One log file: the lines that wait for it, and the way to write them. Not here: when that happens (`writer`).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::writer::Wake;
use super::{Buffering, Target};

/// The most bytes that may wait for one file. Lines beyond it are lost, and counted: a disk that does not
/// keep up must cost log lines, not memory and not the request's time.
pub const MAX_PENDING: usize = 8 << 20;

/// What a drained buffer may keep allocated for the next lines.
const KEPT_CAPACITY: usize = 256 << 10;

/// A way into a log file. Clones are the same way.
pub struct Sink {
    pub(super) file: Arc<LogFile>,
    buffering: Buffering,
    wake: Arc<Wake>,
}

impl Sink {
    pub(super) fn new(file: Arc<LogFile>, buffering: Buffering, wake: Arc<Wake>) -> Self {
        file.sinks.fetch_add(1, Ordering::Relaxed);
        Self { file, buffering, wake }
    }

    /// Appends one line, its newline included. Never waits for the disk; lost when [`MAX_PENDING`] bytes wait already.
    pub fn append(&self, line: &[u8]) {
        if self.file.push(line, self.buffering) {
            self.wake.wake();
        }
    }
}

impl Clone for Sink {
    fn clone(&self) -> Self {
        Self::new(self.file.clone(), self.buffering, self.wake.clone())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.file.sinks.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Nobody is left to fill the buffer: what waits in it is due, and then the file may close.
            self.file.pending().due = Due::Now;
            self.wake.wake();
        }
    }
}

/// One destination and the lines that wait for it.
pub(super) struct LogFile {
    pub(super) destination: Destination,
    /// How many ways in there are.
    sinks: AtomicUsize,
    pending: Mutex<Pending>,
}

/// Where the bytes go.
pub(super) enum Destination {
    /// A file; only the writer touches it after the start.
    Path { path: PathBuf, file: Mutex<File> },
    /// Standard error.
    Stderr,
}

/// Lines that wait.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Lines that did not fit since the last write.
    lost: u64,
    due: Due,
    /// The last write failed; said once, until one succeeds.
    failing: bool,
}

/// When pending lines are to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing asks for it.
    #[default]
    Never,
    /// At this time, for `flush=`.
    At(Instant),
    /// As soon as the writer runs.
    Now,
}

impl Due {
    /// The earlier of the two.
    pub(super) fn or(self, other: Due) -> Due {
        match (self, other) {
            (Due::Now, _) | (_, Due::Now) => Due::Now,
            (Due::At(a), Due::At(b)) => Due::At(a.min(b)),
            (Due::At(time), Due::Never) | (Due::Never, Due::At(time)) => Due::At(time),
            (Due::Never, Due::Never) => Due::Never,
        }
    }

    /// Whether it has come.
    pub(super) fn reached(self, now: Instant) -> bool {
        match self {
            Due::Never => false,
            Due::At(time) => time <= now,
            Due::Now => true,
        }
    }
}

/// What was taken to be written.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) lost: u64,
}

impl LogFile {
    pub(super) fn open(target: Target<'_>) -> io::Result<Self> {
        let destination = match target {
            Target::Stderr => Destination::Stderr,
            Target::Path(path) => Destination::Path { path: path.to_owned(), file: Mutex::new(open_to_append(path)?) },
        };
        Ok(Self { destination, sinks: AtomicUsize::new(0), pending: Mutex::default() })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody may still write to it, or it has something to write.
    pub(super) fn is_in_use(&self) -> bool {
        let pending = self.pending();
        self.sinks.load(Ordering::Acquire) > 0 || !pending.bytes.is_empty() || pending.lost > 0
    }

    /// Adds a line; true when the writer must hear of it.
    fn push(&self, line: &[u8], buffering: Buffering) -> bool {
        let mut pending = self.pending();
        if pending.bytes.len() + line.len() > MAX_PENDING {
            pending.lost += 1;
            return pending.ask(Due::Now);
        }
        pending.bytes.extend_from_slice(line);
        match buffering {
            Buffering { size: Some(size), .. } if pending.bytes.len() >= size => pending.ask(Due::Now),
            Buffering { size: None, flush: None } => pending.ask(Due::Now),
            Buffering { flush: Some(_), .. } if pending.due != Due::Never => false,
            Buffering { flush: Some(flush), .. } => pending.ask(Due::At(after(flush))),
            Buffering { flush: None, .. } => false,
        }
    }

    /// When its lines are to be written.
    pub(super) fn due(&self) -> Due {
        self.pending().due
    }

    /// Takes what waits, leaving `spare` to be filled.
    pub(super) fn take(&self, spare: Vec<u8>) -> Batch {
        let mut pending = self.pending();
        pending.due = Due::Never;
        Batch { bytes: std::mem::replace(&mut pending.bytes, spare), lost: std::mem::take(&mut pending.lost) }
    }

    /// Writes a batch. Returns the error if it is the first in a row; later ones of the same kind are not worth saying.
    pub(super) fn write(&self, batch: &[u8]) -> Option<io::Error> {
        let result = match &self.destination {
            Destination::Stderr => io::stderr().write_all(batch),
            Destination::Path { file, .. } => lock(file).write_all(batch),
        };
        let mut pending = self.pending();
        let was_failing = std::mem::replace(&mut pending.failing, result.is_err());
        result.err().filter(|_| !was_failing)
    }

    /// Opens the path anew; new and old files go to `owner`, as nginx's do when it reopens.
    pub(super) fn reopen(&self, owner: Option<u32>) -> Result<(), (PathBuf, io::Error)> {
        let Destination::Path { path, file } = &self.destination else {
            return Ok(());
        };
        let opened = open_to_append(path).and_then(|new| give(&new, owner).map(|()| new));
        *lock(file) = opened.map_err(|error| (path.clone(), error))?;
        Ok(())
    }
}

impl Pending {
    /// Makes it due then at the latest; true when that is news.
    fn ask(&mut self, due: Due) -> bool {
        let sooner = self.due.or(due);
        std::mem::replace(&mut self.due, sooner) != sooner
    }
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

fn lock(file: &Mutex<File>) -> MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o644).open(path)
}

fn give(file: &File, owner: Option<u32>) -> io::Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    if file.metadata()?.uid() == owner {
        return Ok(());
    }
    let owner = rustix::fs::Uid::from_raw(owner);
    Ok(rustix::fs::fchown(file.as_fd(), Some(owner), None)?)
}

/// An emptied buffer for the next lines, unless a flood made it large.
pub(super) fn spare(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.capacity() > KEPT_CAPACITY {
        return Vec::new();
    }
    bytes.clear();
    bytes
}

#[cfg(test)]
impl LogFile {
    pub(super) fn pending_len(&self) -> usize {
        self.pending().bytes.len()
    }
}
