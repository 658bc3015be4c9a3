//! The gateways: their files (in `xtask/storm`), how each is started, reloaded, upgraded and stopped. Not here: what is
//! asked of them (`load`), and where their programs are (`faults::program`).

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::faults::program::Program;

/// How long a gateway may take to start or to end.
const LONG: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(20);
/// Answers in a row that show that a gateway serves and has found all endpoints well.
const ROUNDS: usize = 6;

/// The files of a gateway, the first being the one that it is started with.
fn files(program: Program) -> &'static [(&'static str, &'static str)] {
    match program {
        Program::Tidegate => &[("nginx.conf", include_str!("../../storm/tidegate.conf"))],
        Program::Nginx => &[("nginx.conf", include_str!("../../storm/nginx.conf"))],
        Program::Haproxy => &[("haproxy.cfg", include_str!("../../storm/haproxy.cfg"))],
        Program::Envoy => &[
            ("envoy.yaml", include_str!("../../storm/envoy.yaml")),
            ("envoy-clusters.yaml", include_str!("../../storm/envoy-clusters.yaml")),
            ("envoy-listeners.yaml", include_str!("../../storm/envoy-listeners.yaml")),
        ],
        Program::Caddy => &[("Caddyfile", include_str!("../../storm/Caddyfile"))],
        Program::Traefik => &[("traefik-routes.yml", include_str!("../../storm/traefik-routes.yml"))],
    }
}

/// Whether its binary can be replaced while it serves, without help from outside.
pub(super) fn upgrades(program: Program) -> bool {
    matches!(program, Program::Tidegate | Program::Nginx | Program::Haproxy)
}

/// A gateway that runs; it is stopped when dropped.
pub(super) struct Gateway {
    program: Program,
    path: PathBuf,
    folder: tempfile::TempDir,
    child: Child,
    pub(super) address: SocketAddr,
    admin: SocketAddr,
    endpoints: [SocketAddr; 3],
    generation: u32,
}

impl Gateway {
    /// Starts it and waits until it serves.
    pub(super) fn start(program: Program, path: &Path, endpoints: [SocketAddr; 3]) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(text)?;
        // Workers of a program that was started by root may be somebody else.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(folder.path(), open).map_err(text)?;
        let (address, admin) = (free_address().map_err(text)?, free_address().map_err(text)?);
        let place = Place { folder: folder.path(), address, admin, endpoints, generation: 0 };
        place.write(program).map_err(text)?;
        let output = File::create(folder.path().join("output")).map_err(text)?;
        let mut command = Command::new(path);
        command.args(arguments(program, &place)).current_dir(folder.path());
        command.env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        command.stdin(Stdio::null()).stdout(output.try_clone().map_err(text)?).stderr(output);
        let child = command.spawn().map_err(text)?;
        let path = path.to_owned();
        let mut gateway = Self { program, path, folder, child, address, admin, endpoints, generation: 0 };
        if eventually(|| gateway.has_ended() || (0..ROUNDS).all(|_| serves(address))) && !gateway.has_ended() {
            return Ok(gateway);
        }
        let read = |name: &str| fs::read_to_string(gateway.folder.path().join(name)).unwrap_or_default();
        Err(format!("{} does not start: {}{}", program.name(), read("output"), read("error.log")))
    }

    /// nginx is a daemon, since its binary cannot be replaced otherwise: what we started ends well and leaves a pid file.
    fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().ok().flatten();
        let left = ended.is_some_and(|status| status.success()) && self.program == Program::Nginx;
        ended.is_some() && !(left && self.pid("pid").is_ok())
    }

    /// Gives it a new file, its own way.
    pub(super) fn reload(&mut self) -> Result<(), String> {
        self.generation += 1;
        let Self { folder, address, admin, endpoints, generation, .. } = self;
        let place = Place {
            folder: folder.path(),
            address: *address,
            admin: *admin,
            endpoints: *endpoints,
            generation: *generation,
        };
        place.write(self.program).map_err(|error| error.to_string())?;
        match self.program {
            Program::Tidegate | Program::Nginx => self.signal(self.pid("pid")?, Signal::HUP),
            Program::Haproxy => self.signal(Pid::from_child(&self.child), Signal::USR2),
            // Both watch their files.
            Program::Envoy | Program::Traefik => Ok(()),
            Program::Caddy => {
                let mut command = Command::new(&self.path);
                command.args(["reload", "--force", "--adapter", "caddyfile", "--config"]);
                command.arg(self.folder.path().join("Caddyfile")).arg("--address").arg(self.admin.to_string());
                let output = command.output().map_err(|error| error.to_string())?;
                output
                    .status
                    .success()
                    .then_some(())
                    .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
            }
        }
    }

    /// Replaces its binary, by the same one.
    pub(super) fn upgrade(&mut self) -> Result<(), String> {
        if self.program == Program::Haproxy {
            // Its master executes the file of its program anew.
            return self.reload();
        }
        let old = self.pid("pid")?;
        self.signal(old, Signal::USR2)?;
        let is_there = || self.pid("pid").is_ok_and(|new| new != old) && self.pid("pid.oldbin").is_ok();
        if !eventually(is_there) {
            return Err("the new binary does not start".into());
        }
        self.signal(old, Signal::WINCH)?;
        sleep(Duration::from_secs(1));
        self.signal(old, Signal::QUIT)
    }

    fn pid(&self, file: &str) -> Result<Pid, String> {
        let text = fs::read_to_string(self.folder.path().join(file)).map_err(|error| format!("{file}: {error}"))?;
        let number = text.trim().parse().ok();
        number.and_then(Pid::from_raw).ok_or_else(|| format!("{file} has no process id"))
    }

    fn signal(&self, pid: Pid, signal: Signal) -> Result<(), String> {
        kill_process(pid, signal).map_err(|error| format!("{}: {error}", self.program.name()))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // After an upgrade the process that serves is no child of ours, but its pid file is.
        if let (Program::Tidegate | Program::Nginx, Ok(pid)) = (self.program, self.pid("pid")) {
            let _ = kill_process(pid, Signal::TERM);
        }
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        if !eventually_within(Duration::from_secs(3), || self.has_ended()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a gateway's files name.
struct Place<'a> {
    folder: &'a Path,
    address: SocketAddr,
    admin: SocketAddr,
    endpoints: [SocketAddr; 3],
    generation: u32,
}

impl Place<'_> {
    /// Each file is moved into its place, which those that watch wait for.
    fn write(&self, program: Program) -> std::io::Result<()> {
        for (name, text) in files(program) {
            let new = self.folder.join(format!("{name}.new"));
            fs::write(&new, self.fill(text))?;
            fs::rename(new, self.folder.join(name))?;
        }
        Ok(())
    }

    fn fill(&self, text: &str) -> String {
        let mut words = vec![
            ("@folder@".to_owned(), self.folder.display().to_string()),
            ("@listen@".to_owned(), self.address.to_string()),
            ("@host@".to_owned(), self.address.ip().to_string()),
            ("@port@".to_owned(), self.address.port().to_string()),
            ("@admin@".to_owned(), self.admin.to_string()),
            ("@generation@".to_owned(), (self.generation % 10).to_string()),
        ];
        for (number, endpoint) in (1..).zip(self.endpoints) {
            words.push((format!("@endpoint{number}@"), endpoint.to_string()));
            words.push((format!("@host{number}@"), endpoint.ip().to_string()));
            words.push((format!("@port{number}@"), endpoint.port().to_string()));
        }
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }
}

/// The words after its name.
fn arguments(program: Program, place: &Place<'_>) -> Vec<String> {
    let file = files(program).first().map_or(String::new(), |(name, _)| place.folder.join(name).display().to_string());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match program {
        Program::Tidegate | Program::Nginx => {
            let log = place.folder.join("error.log").display().to_string();
            words(&["-c", &file, "-e", &log])
        }
        Program::Haproxy => words(&["-W", "-f", &file]),
        Program::Envoy => words(&[
            "--disable-hot-restart",
            "--concurrency",
            "2",
            "--drain-time-s",
            "3",
            "--log-level",
            "error",
            "-c",
            &file,
        ]),
        Program::Caddy => words(&["run", "--adapter", "caddyfile", "--config", &file]),
        Program::Traefik => words(&[
            &format!("--entrypoints.clients.address={}", place.address),
            &format!("--providers.file.filename={file}"),
            "--providers.file.watch=true",
            "--providers.providersthrottleduration=100ms",
            "--log.level=ERROR",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        ]),
    }
}

/// Whether a request gets a good answer.
fn serves(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /ready HTTP/1.1\r\nHost: storm\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    ask().is_ok_and(|answer: String| answer.starts_with("HTTP/1.1 200 "))
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr())
}

fn eventually(holds: impl FnMut() -> bool) -> bool {
    eventually_within(LONG, holds)
}

fn eventually_within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > time {
            return false;
        }
        sleep(PAUSE);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_file_is_left_to_fill_in() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
        let place = Place { folder: Path::new("/x"), address, admin: address, endpoints: [address; 3], generation: 0 };
        for program in Program::ALL {
            for (name, text) in files(program) {
                let filled = place.fill(text);
                let left = ["@endpoint", "@host", "@port", "@listen", "@admin", "@folder", "@generation"];
                assert!(left.iter().all(|word| !filled.contains(word)), "{name}");
            }
        }
    }
}
