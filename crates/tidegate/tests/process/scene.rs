//! A folder with a configuration, a process that runs it, and the looks from outside.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// Names the configuration file for the process.
pub(crate) const CONFIGURATION: &str = "SCENE_CONFIGURATION";

/// Only a broken process takes longer.
const LONG: Duration = Duration::from_secs(20);

/// Waits until something holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the fake gateway answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) process: i32,
}

pub(crate) struct Scene {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Scene {
    /// Starts a process in the foreground and waits until it serves.
    pub(crate) fn start(main: &str, name: &str) -> Self {
        let scene = Self::spawn(main, name);
        eventually("it serves", || scene.pid("pid").is_some());
        scene
    }

    /// Starts a process that goes to the background, and waits until it serves.
    pub(crate) fn start_daemon(name: &str) -> Self {
        let mut scene = Self::spawn("", name);
        assert_eq!(scene.exit_code(), 0);
        scene
    }

    pub(crate) fn spawn(main: &str, name: &str) -> Self {
        // The port is free again when this line ends; another test binds its own.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::spawn_on(port, main, name)
    }

    pub(crate) fn spawn_on(port: u16, main: &str, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, port, main, name);
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["the_gateway_process", "--exact", "--nocapture"])
            .env(CONFIGURATION, folder.path().join("nginx.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { folder, port, process }
    }

    /// Replaces the configuration.
    pub(crate) fn write(&self, main: &str, name: &str) {
        write(&self.folder, self.port, main, name);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    /// The number in a pid file.
    pub(crate) fn pid(&self, name: &str) -> Option<i32> {
        fs::read_to_string(self.path(name)).ok()?.trim().parse().ok()
    }

    pub(crate) fn signal(&self, process: i32, signal: Signal) {
        rustix::process::kill_process(Pid::from_raw(process).unwrap(), signal).unwrap();
    }

    pub(crate) fn first_process(&self) -> i32 {
        self.process.id().cast_signed()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits for the end of the process that was started first.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let start = Instant::now();
        while self.runs() {
            assert!(start.elapsed() < LONG, "it does not end; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        self.process.wait().unwrap().code().unwrap()
    }

    pub(crate) fn stderr(&mut self) -> String {
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }

    /// A connection that the gateway has accepted and answered.
    pub(crate) fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(LONG))?;
        match stream.peek(&mut [0])? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(stream),
        }
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        let mut line = String::new();
        BufReader::new(self.connect().ok()?).read_line(&mut line).ok()?;
        let (name, process) = line.trim().split_once(' ')?;
        Some(Answer { name: name.into(), process: process.parse().ok()? })
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for name in ["pid", "pid.oldbin"] {
            if let Some(process) = self.pid(name).and_then(Pid::from_raw) {
                let _ = rustix::process::kill_process(process, Signal::KILL);
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write(folder: &tempfile::TempDir, port: u16, main: &str, name: &str) {
    let path = folder.path().display();
    let text = format!(
        "{main}\npid {path}/pid;\nerror_log {path}/error.log notice;\nevents {{}}\n\
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; server_name {name}; }} }}\n"
    );
    // A process that reads it at this moment must see one of the two, whole.
    fs::write(folder.path().join("next"), text).unwrap();
    fs::rename(folder.path().join("next"), folder.path().join("nginx.conf")).unwrap();
}
