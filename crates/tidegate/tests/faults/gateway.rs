//! The real program in front of misbehaving origins, and its logs. Not here: what it should do (`table`).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidegate::misbehave::trial::Stand;

/// Only a broken program takes longer.
const LONG: Duration = Duration::from_secs(60);

/// Starts that are tried, where another program took the port that was chosen.
const STARTS: usize = 5;

pub(crate) struct Gateway {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Gateway {
    /// Starts it and returns when it serves.
    pub(crate) fn start(stand: &Stand) -> Result<Self, String> {
        let mut said = String::new();
        for _ in 0..STARTS {
            match Self::try_start(stand)? {
                Ok(gateway) => return Ok(gateway),
                Err(log) => said = log,
            }
        }
        Err(format!("it does not start:\n{said}"))
    }

    /// The inner error is what the program said when it ended.
    fn try_start(stand: &Stand) -> Result<Result<Self, String>, String> {
        let text = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(text)?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let address = free.map_err(text)?;
        let file = folder.path().join("nginx.conf");
        fs::write(&file, stand.configuration(address, folder.path())).map_err(text)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(text)?;
        let mut gateway = Self { folder, address, child };
        eventually(|| gateway.has_ended() || !gateway.read("pid").is_empty())?;
        Ok(if gateway.has_ended() { Err(gateway.read("error.log")) } else { Ok(gateway) })
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    /// Lets it finish, and returns its error log from `warn` up.
    pub(crate) fn end(mut self) -> Result<Vec<String>, String> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::QUIT).map_err(|error| error.to_string())?;
        eventually(|| self.has_ended())?;
        let log = self.read("error.log");
        let serious = ["[warn]", "[error]", "[crit]", "[alert]", "[emerg]"];
        Ok(log.lines().filter(|line| serious.iter().any(|level| line.contains(level))).map(str::to_owned).collect())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn eventually(mut holds: impl FnMut() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > LONG {
            return Err("it neither starts nor ends".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
