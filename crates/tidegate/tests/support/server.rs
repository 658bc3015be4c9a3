//! The process under test: nginx or tidegate, started by nginx's command line in the foreground, in a case's directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};

use crate::support::case::{Config, Signal};
use crate::support::place::Place;
use crate::support::wire::PATIENCE;

/// A binary that understands nginx's command line.
#[derive(Clone)]
pub(crate) struct Binary {
    /// What a report calls it.
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    /// What opens the http block of its configurations.
    pub(crate) http_defaults: &'static str,
}

pub(crate) struct Server {
    child: Child,
    http_defaults: &'static str,
}

pub(crate) enum StartFailure {
    /// Somebody else took a port between its choice and the start.
    PortTaken,
    Other(String),
}

/// How often what has no event is looked at again.
const GLANCE: Duration = Duration::from_millis(2);

impl Server {
    /// Starts and waits until the pid file is written, which is after all listeners are bound.
    pub(crate) fn start(binary: &Binary, place: &Place, config: &Config) -> Result<Server, StartFailure> {
        let conf = place.write_config(config, binary.http_defaults).map_err(StartFailure::Other)?;
        let dir = &place.dir;
        let said = std::fs::File::create(dir.join("stderr")).map_err(|error| StartFailure::Other(error.to_string()))?;
        let child = Command::new(&binary.path)
            .arg("-p")
            .arg(format!("{}/", dir.display()))
            .arg("-c")
            .arg(conf)
            .arg("-e")
            .arg(dir.join("error.log"))
            .arg("-g")
            .arg(global_directives(dir))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .map_err(|error| StartFailure::Other(format!("{}: {error}", binary.path.display())))?;
        let mut server = Server { child, http_defaults: binary.http_defaults };
        server.await_ready(dir)?;
        Ok(server)
    }

    fn await_ready(&mut self, dir: &Path) -> Result<(), StartFailure> {
        let pid_file = dir.join("server.pid");
        let ready =
            poll(|| self.has_exited().is_some() || std::fs::metadata(&pid_file).is_ok_and(|file| file.len() > 0));
        if ready && self.has_exited().is_none() {
            return Ok(());
        }
        let said =
            ["stderr", "error.log"].map(|file| std::fs::read_to_string(dir.join(file)).unwrap_or_default()).concat();
        if said.contains("Address already in use") {
            return Err(StartFailure::PortTaken);
        }
        Err(StartFailure::Other(format!("it did not start; it said:\n{said}")))
    }

    pub(crate) fn has_exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn kill(&self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        kill_process(pid, signal.number()).map_err(|error| error.to_string())
    }

    /// Puts another configuration in the place of the one it runs; it takes effect by a HUP.
    pub(crate) fn write_config(&self, place: &Place, config: &Config) -> Result<(), String> {
        place.write_config(config, self.http_defaults).map(|_| ())
    }

    /// Waits for the process's end.
    pub(crate) fn await_exit(&mut self) -> Result<ExitStatus, String> {
        poll(|| self.has_exited().is_some());
        self.has_exited().ok_or_else(|| format!("it did not exit within {PATIENCE:?}"))
    }

    /// Lets it finish what it has in hand, and waits for its end.
    pub(crate) fn drain(&mut self) -> Result<(), String> {
        if self.has_exited().is_some() {
            return Ok(());
        }
        self.kill(Signal::Quit)?;
        self.await_exit().map(|_| ()).map_err(|why| format!("after QUIT, with every client gone, {why}"))
    }

    /// The largest resident size so far of the process and its workers, in KiB.
    pub(crate) fn peak_memory(&self) -> Result<u64, String> {
        let pid = self.child.id();
        let workers = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let own = peak_of(&pid.to_string()).ok_or("no VmHWM in /proc")?;
        Ok(workers.split_whitespace().filter_map(peak_of).fold(own, u64::max))
    }
}

fn peak_of(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.has_exited().is_none() {
            // TERM lets a master take its workers along.
            self.kill(Signal::Term).unwrap_or_default();
            if self.await_exit().is_err() {
                self.child.kill().unwrap_or_default();
                self.child.wait().map(|_| ()).unwrap_or_default();
            }
        }
    }
}

impl Signal {
    fn number(self) -> rustix::process::Signal {
        match self {
            Signal::Hup => rustix::process::Signal::HUP,
            Signal::Quit => rustix::process::Signal::QUIT,
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Int => rustix::process::Signal::INT,
            Signal::Usr1 => rustix::process::Signal::USR1,
            Signal::Usr2 => rustix::process::Signal::USR2,
            Signal::Winch => rustix::process::Signal::WINCH,
        }
    }
}

/// As root, workers stay root: the case's directory belongs to whoever runs the test.
fn global_directives(dir: &Path) -> String {
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    format!("daemon off; pid {}/server.pid; {user}", dir.display())
}

/// Looks again and again until `done`, for as long as a test is patient; false if it never was.
pub(crate) fn poll(mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}
