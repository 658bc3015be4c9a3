//! A folder, a loopback address, a configuration and the real program that runs it. Not here: the clients (`load`).

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::load::Kept;
use crate::origin::Origin;

/// Only a broken program takes longer.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits until something holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) struct Place {
    folder: tempfile::TempDir,
    /// Directives of the main context.
    pub(crate) main: String,
    /// What is run.
    pub(crate) program: PathBuf,
    host: Ipv4Addr,
    origin: Origin,
    child: Option<Child>,
}

impl Place {
    pub(crate) fn new(main: &str) -> Self {
        let host = own_address();
        Self {
            folder: tempfile::tempdir().unwrap(),
            main: main.into(),
            program: env!("CARGO_BIN_EXE_tidegate").into(),
            host,
            origin: Origin::start(host),
            child: None,
        }
    }

    /// Where the gateway listens: a small number is as good as a port, since the host is ours alone.
    pub(crate) fn address(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.host, 8000 + port)
    }

    pub(crate) fn origin(&self) -> SocketAddrV4 {
        self.origin.address
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a configuration in place, whole at every moment.
    pub(crate) fn write(&self, http: &str) {
        let (path, main) = (self.folder.path().display(), &self.main);
        let text = format!(
            "{main}\npid {path}/pid;\nerror_log {path}/error.log notice;\nevents {{ worker_connections 4096; }}\n\
             http {{ client_body_temp_path {path}/bodies; {log}\n{http} }}\n",
            log = if http.contains("access_log") { "" } else { "access_log off;" },
        );
        fs::write(self.path("next"), text).unwrap();
        fs::rename(self.path("next"), self.path("nginx.conf")).unwrap();
    }

    /// Starts the program and returns when it serves: in the background when the configuration says so.
    pub(crate) fn start(&mut self) {
        self.spawn();
        if self.main.contains("daemon off") {
            eventually("it serves", || self.pid("pid").is_some());
        } else {
            assert_eq!(self.exit_code(), 0, "{}", self.log());
        }
    }

    /// Starts the program.
    pub(crate) fn spawn(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.path("nginx.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn pid(&self, file: &str) -> Option<i32> {
        fs::read_to_string(self.path(file)).ok()?.trim().parse().ok()
    }

    pub(crate) fn signal(&self, pid_file: &str, signal: Signal) {
        let pid = self.pid(pid_file).and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// The parent of the process of the pid file.
    pub(crate) fn parent(&self) -> Option<i32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid("pid")?)).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    }

    /// How many threads of the process have a name that starts so.
    pub(crate) fn threads(&self, name: &str) -> usize {
        let Some(pid) = self.pid("pid") else { return 0 };
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        tasks
            .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.starts_with(name)))
            .count()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    /// The answer of a port to a client that just came.
    pub(crate) fn name(&self, port: u16) -> Option<String> {
        Kept::connect(self.address(port)).ok()?.get("/").ok()
    }

    /// Whether many clients get this answer, so that every socket of the port has given it.
    pub(crate) fn is_named(&self, port: u16, name: &str) -> bool {
        (0..20).all(|_| self.name(port).as_deref() == Some(name))
    }

    /// All lines of a log and of those that were moved away from its place.
    pub(crate) fn lines_of(&self, log: &str) -> usize {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let ours = files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(log)));
        ours.map(|path| BufReader::new(fs::File::open(path).unwrap()).lines().count()).sum()
    }

    /// Ends the process of the pid file and waits for it.
    pub(crate) fn quit(&mut self) {
        self.signal("pid", Signal::QUIT);
        eventually("it is gone", || self.pid("pid").is_none());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }

    /// Waits for the end of the process that was started.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let child = self.child.as_mut().unwrap();
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(start.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for file in ["pid", "pid.oldbin"] {
            if let Some(pid) = self.pid(file).and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("its log:\n{}", self.log());
        }
    }
}

/// A loopback address of this test alone: nobody's connections take its ports.
fn own_address() -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 2 + high % 90, low, COUNT.fetch_add(1, Ordering::Relaxed))
}
