//! A contender while it runs: started on its core, awaited, its log counted, and stopped. What it
//! costs is measured elsewhere, from its process id.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::case::SMALL_GET;
use super::contender::{Contender, Place};
use super::load::{Load, Script, Until};
use super::{cores, socket};

/// How long a contender may take to answer its first request; valgrind starts slowly.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long lines of the access log may be on their way: not each contender writes them one by one.
const LOG_LIMIT: Duration = Duration::from_secs(1);
/// Between two looks at a process that starts, logs or ends.
const PAUSE: Duration = Duration::from_millis(5);

/// How a contender is started.
pub(crate) struct Launch<'a> {
    pub(crate) contender: Contender,
    pub(crate) program: &'a Path,
    /// A program, with its options, that runs the contender (valgrind); empty for none.
    pub(crate) under: &'a [OsString],
    pub(crate) core: usize,
    pub(crate) origin: SocketAddrV4,
    pub(crate) directory: PathBuf,
    pub(crate) descriptors: u64,
}

/// A started contender; it is stopped when dropped.
pub(crate) struct Running {
    pub(crate) contender: Contender,
    child: Child,
    place: Place,
    /// Requests sent to it.
    pub(crate) requests: u64,
    /// Lines seen in its access log.
    lines: u64,
}

impl Running {
    /// Starts a contender and waits until it answers.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self, String> {
        let name = launch.contender.name();
        let mut running = spawn(launch).map_err(|error| format!("{name}: {error}"))?;
        running.await_answer().map_err(|error| format!("{name} {error}\n{}", running.output()))?;
        Ok(running)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddrV4 {
        self.place.listen
    }

    fn await_answer(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_LIMIT;
        let script = Script { connections: 1, ..SMALL_GET.script(self.place.listen) };
        loop {
            let mut probe = Load::new(script.clone()).map_err(|error| error.to_string())?;
            let tally = probe.run(Until::Each(1)).map_err(|error| error.to_string())?;
            if tally.completed == 1 {
                self.requests += 1;
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("ended before it answered ({status})"));
            }
            if Instant::now() > deadline {
                let failure = tally.failures.iter().next().map(|(failure, _)| failure.to_string());
                return Err(format!("gives no good answer: {}", failure.unwrap_or_default()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// What it printed and logged, for the message about its failure.
    fn output(&self) -> String {
        let read = |file: &str| fs::read_to_string(self.place.directory.join(file)).unwrap_or_default();
        [read("output"), read("error.log")].concat()
    }

    /// Counts the lines of the access log and empties it, so that a long run does not fill the
    /// disk. It waits for all of them: what is written while it is emptied would be lost.
    pub(crate) fn take_log(&mut self) -> io::Result<()> {
        if !self.contender.logs() {
            return Ok(());
        }
        let path = self.place.access_log();
        let deadline = Instant::now() + LOG_LIMIT;
        loop {
            let lines = self.lines + memchr::memchr_iter(b'\n', &fs::read(&path)?).count() as u64;
            if lines >= self.requests || Instant::now() > deadline {
                self.lines = lines;
                return File::options().write(true).open(&path)?.set_len(0);
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Stops it and says which part of its requests (0 to 1) it logged; `None` for those that do
    /// not log.
    pub(crate) fn finish(mut self) -> io::Result<Option<f64>> {
        self.stop();
        self.take_log()?;
        Ok(self.contender.logs().then(|| self.lines as f64 / self.requests as f64))
    }

    fn stop(&mut self) {
        let deadline = Instant::now() + STOP_LIMIT;
        while let Ok(None) = self.child.try_wait() {
            // More than once: nginx without a master goes on waiting when the signal comes as it begins to wait.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `finish` the child is reaped already, and its id may be another's.
        if let Ok(None) = self.child.try_wait() {
            self.stop();
        }
    }
}

fn spawn(launch: &Launch<'_>) -> Result<Running, String> {
    let text = |error: io::Error| error.to_string();
    let place = Place {
        directory: launch.directory.join(launch.contender.name()),
        listen: socket::free_address().map_err(text)?,
        origin: launch.origin,
        descriptors: launch.descriptors,
    };
    launch.contender.prepare(&place).map_err(text)?;
    let output = File::create(place.directory.join("output")).map_err(text)?;
    let mut words = launch.under.iter().map(OsString::as_os_str).chain([launch.program.as_os_str()]);
    let mut command = cores::pinned(launch.core, Path::new(words.next().unwrap_or_default()))?;
    command.args(words).args(launch.contender.arguments(&place));
    command.stdin(Stdio::null()).stdout(output.try_clone().map_err(text)?).stderr(output);
    let child = command.spawn().map_err(text)?;
    Ok(Running { contender: launch.contender, child, place, requests: 0, lines: 0 })
}

/// A directory for one run, removed at its end.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
