//! The thread that writes log files: asleep while nothing is due, one write per file and pass under load.
//! Not here: what is due, which each file knows.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use config::model::Level;

use super::Registry;
use super::error_log::{Context, line};
use super::file::{Batch, Destination, Due, LogFile, spare};

/// How long the writer lets lines gather after a write before it looks again. It stays awake meanwhile, so that a busy log
/// costs one write in that time, and wakes nobody.
const COLLECT: Duration = Duration::from_millis(5);

/// Wakes the writer, at next to no cost while it is awake.
#[derive(Default)]
pub(super) struct Wake {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Wake {
    /// Called after a file's lock was released. Relaxed is enough to read the flag: the writer sets it before it takes
    /// each file's lock to look for work, so whoever takes that lock later sees the flag, and whoever took it earlier is seen.
    pub(super) fn wake(&self) {
        if self.asleep.load(Ordering::Relaxed)
            && self.asleep.swap(false, Ordering::AcqRel)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}

/// What others ask of the writer; each answers through its sender.
enum Request {
    Flush(Sender<()>),
    Reopen(Option<u32>, Sender<Vec<(PathBuf, io::Error)>>),
    End,
}

/// The writer's thread, seen from outside.
pub(super) struct Writer {
    requests: Sender<Request>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(registry: Arc<Registry>, wake: Arc<Wake>) -> io::Result<Self> {
        let (requests, inbox) = channel();
        let work = Work { registry, wake: wake.clone(), inbox, spare: Vec::new() };
        let thread = thread::Builder::new().name("logs".into()).spawn(move || work.run())?;
        // Only this thread sets it, once: it cannot be taken already.
        let _ = wake.thread.set(thread.thread().clone());
        Ok(Self { requests, thread: Some(thread) })
    }

    pub(super) fn flush(&self) {
        let (done, wait) = channel();
        self.ask(Request::Flush(done));
        let _ = wait.recv();
    }

    pub(super) fn reopen(&self, owner: Option<u32>) -> Vec<(PathBuf, io::Error)> {
        let (done, wait) = channel();
        self.ask(Request::Reopen(owner, done));
        wait.recv().unwrap_or_default()
    }

    pub(super) fn end(&mut self) {
        self.ask(Request::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn ask(&self, request: Request) {
        let _ = self.requests.send(request);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

/// The writer's thread, seen from inside.
struct Work {
    registry: Arc<Registry>,
    wake: Arc<Wake>,
    inbox: Receiver<Request>,
    /// The emptied buffer of the last write, given to the next file that is drained.
    spare: Vec<u8>,
}

impl Work {
    fn run(mut self) {
        loop {
            if self.answer_requests().is_break() {
                return;
            }
            if self.write_due() {
                thread::park_timeout(COLLECT);
                continue;
            }
            self.wake.asleep.store(true, Ordering::SeqCst);
            // Looked at again after the flag is up: a line pushed in between did not wake anybody.
            match self.next_due() {
                Due::Now => {}
                Due::At(time) => thread::park_timeout(time.saturating_duration_since(Instant::now())),
                Due::Never => thread::park(),
            }
            self.wake.asleep.store(false, Ordering::SeqCst);
        }
    }

    fn answer_requests(&mut self) -> std::ops::ControlFlow<()> {
        while let Ok(request) = self.inbox.try_recv() {
            self.write_all();
            match request {
                Request::Flush(done) => drop(done.send(())),
                Request::Reopen(owner, done) => drop(done.send(self.reopen(owner))),
                Request::End => return std::ops::ControlFlow::Break(()),
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn reopen(&self, owner: Option<u32>) -> Vec<(PathBuf, io::Error)> {
        let files = self.registry.in_use();
        files.iter().filter_map(|file| file.reopen(owner).err()).collect()
    }

    fn next_due(&self) -> Due {
        let files = self.registry.lock();
        files.iter().fold(Due::Never, |due, file| due.or(file.due()))
    }

    /// Writes what is due; whether anything was.
    fn write_due(&mut self) -> bool {
        let now = Instant::now();
        let mut files = self.registry.in_use();
        files.retain(|file| file.due().reached(now));
        for file in &files {
            self.write(file);
        }
        !files.is_empty()
    }

    fn write_all(&mut self) {
        for file in self.registry.in_use() {
            self.write(&file);
        }
    }

    fn write(&mut self, file: &LogFile) {
        let mut batch = file.take(std::mem::take(&mut self.spare));
        if batch.lost > 0 {
            batch.confess();
        }
        if !batch.bytes.is_empty()
            && let Some(error) = file.write(&batch.bytes)
        {
            complain(&file.destination, &error);
        }
        self.spare = spare(batch.bytes);
    }
}

impl Batch {
    /// Says in the log itself how much of it is missing.
    fn confess(&mut self) {
        let message = format!("{} log lines were lost here: the file did not keep up", self.lost);
        line(&mut self.bytes, Level::Alert, None, &message, &Context::default());
    }
}

/// A log that cannot be written has no better place to say so.
fn complain(destination: &Destination, error: &io::Error) {
    let Destination::Path { path, .. } = destination else {
        return;
    };
    let message = format!("write() to \"{}\" failed ({})", path.display(), super::error_log::errno(error));
    let mut text = Vec::new();
    line(&mut text, Level::Alert, None, &message, &Context::default());
    let _ = io::stderr().write_all(&text);
}
