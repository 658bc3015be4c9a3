//! One case with one program: started in a folder of its own, asked, stopped, its log read. It runs twice, so that its log
//! speaks of one request only the first time. Not here: what it is asked (`misbehave::trial`).

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};
use tidegate::misbehave::trial::{Answered, Case, Seen, Stand};

use super::program::Program;

/// How long a program may take to start or end.
const LONG: Duration = Duration::from_secs(30);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(5);

/// What came of a case.
pub(super) struct Outcome {
    pub(super) program: Program,
    pub(super) alone: Answered,
    pub(super) both: Seen,
    /// What the log said of the GET to the faulty endpoint alone.
    pub(super) said: String,
}

/// Plays a case.
pub(super) fn play(case: &Case, program: Program, path: &Path) -> Result<Outcome, String> {
    let (alone, said) = with(case, program, path, |stand, address| stand.ask_alone(case, address))?;
    let times = if program.takes_turns() { 2 } else { 1 };
    let (both, _) = with(case, program, path, |stand, address| stand.ask_both(case, address, times))?;
    Ok(Outcome { program, alone, both, said })
}

fn with<T>(
    case: &Case,
    program: Program,
    path: &Path,
    ask: impl FnOnce(&Stand, SocketAddr) -> std::io::Result<T>,
) -> Result<(T, String), String> {
    let text = |error: std::io::Error| error.to_string();
    let stand = Stand::start(case.act()?).map_err(text)?;
    let folder = tempfile::tempdir().map_err(text)?;
    // Workers of a program that was started by root may be somebody else.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(folder.path(), open).map_err(text)?;
    let mut running = Running::start(program, path, &stand, folder.path())?;
    let got = ask(&stand, running.address).map_err(|error| format!("a client: {error}"))?;
    running.stop()?;
    let read =
        |name: &str| String::from_utf8_lossy(&fs::read(folder.path().join(name)).unwrap_or_default()).into_owned();
    let said = program.says(read);
    Ok((got, said.replace(&folder.path().display().to_string(), "")))
}

struct Running {
    program: Program,
    child: Child,
    address: SocketAddr,
}

impl Running {
    fn start(program: Program, path: &Path, stand: &Stand, folder: &Path) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let address = free.map_err(text)?;
        for (name, content) in program.files(stand, address, folder) {
            fs::write(folder.join(name), content).map_err(text)?;
        }
        let output = File::create(folder.join("output")).map_err(text)?;
        let mut command = Command::new(path);
        command.args(program.arguments(address, folder)).current_dir(folder);
        command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        command.stdin(Stdio::null()).stdout(output.try_clone().map_err(text)?).stderr(output);
        let mut running = Self { program, child: command.spawn().map_err(text)?, address };
        let started = eventually(|| running.has_ended() || program.is_ready(address));
        if !started || running.has_ended() {
            let said = fs::read_to_string(folder.join("output")).unwrap_or_default();
            return Err(format!("it does not start: {said}"));
        }
        Ok(running)
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    fn stop(&mut self) -> Result<(), String> {
        kill_process(Pid::from_child(&self.child), self.program.stop_signal()).map_err(|error| error.to_string())?;
        if eventually(|| self.has_ended()) { Ok(()) } else { Err("it does not end".into()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > LONG {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}
