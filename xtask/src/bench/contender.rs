//! The five that are compared: where each program is and how it is configured for one core and one
//! worker.
//!
//! nginx and tidegate run the same text. The access log is on for both; haproxy writes logs to a
//! syslog server only and runs without, and the two of our own have none. It starts nothing: that is
//! `process`.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of the compared proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    Nginx,
    Haproxy,
    Forwarder,
    Minimal,
    Tidegate,
}

/// What a contender is given: a directory of its own, its two addresses, and how many descriptors
/// it may open.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) listen: SocketAddrV4,
    pub(crate) origin: SocketAddrV4,
    pub(crate) descriptors: u64,
}

impl Place {
    pub(crate) fn access_log(&self) -> PathBuf {
        self.directory.join("access.log")
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("configuration")
    }
}

impl Contender {
    /// In the order of their turns.
    pub(crate) const ALL: [Self; 5] = [Self::Nginx, Self::Haproxy, Self::Forwarder, Self::Minimal, Self::Tidegate];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Forwarder => "forwarder",
            Self::Minimal => "minimal",
            Self::Tidegate => "tidegate",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Whether it writes an access log in these benchmarks.
    pub(crate) fn logs(self) -> bool {
        matches!(self, Self::Nginx | Self::Tidegate)
    }

    /// The program to run, or why there is none. `tidegate` is where that one was built.
    pub(crate) fn program(self, tidegate: &Path) -> Result<PathBuf, String> {
        match self {
            Self::Nginx | Self::Haproxy => installed(self.name()),
            Self::Forwarder | Self::Minimal => std::env::current_exe().map_err(|error| error.to_string()),
            Self::Tidegate if tidegate.is_file() => Ok(tidegate.into()),
            Self::Tidegate => Err(format!("{} does not exist", tidegate.display())),
        }
    }

    /// The first line that `-v` prints.
    pub(crate) fn version(self, program: &Path) -> String {
        match self {
            Self::Forwarder => {
                return "a raw epoll byte forwarder, an upstream connection for each client connection".into();
            }
            Self::Minimal => return "two heads read and written anew, a pool of connections, nothing else".into(),
            Self::Nginx | Self::Haproxy | Self::Tidegate => {}
        }
        let output = Command::new(program).arg("-v").output();
        let printed = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&printed).lines().next().unwrap_or("tells no version").to_owned()
    }

    /// Writes what it needs into its directory.
    pub(crate) fn prepare(self, place: &Place) -> std::io::Result<()> {
        std::fs::create_dir_all(&place.directory)?;
        let text = match self {
            Self::Nginx | Self::Tidegate => nginx_configuration(place),
            Self::Haproxy => haproxy_configuration(place),
            Self::Forwarder | Self::Minimal => return Ok(()),
        };
        std::fs::write(place.configuration(), text)
    }

    pub(crate) fn arguments(self, place: &Place) -> Vec<OsString> {
        let configuration = place.configuration().into_os_string();
        match self {
            Self::Nginx | Self::Tidegate => {
                let startup_log = place.directory.join("error.log").into_os_string();
                vec!["-c".into(), configuration, "-e".into(), startup_log]
            }
            Self::Haproxy => vec!["-db".into(), "-f".into(), configuration],
            Self::Forwarder | Self::Minimal => {
                vec![self.name().into(), place.listen.to_string().into(), place.origin.to_string().into()]
            }
        }
    }
}

fn installed(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut candidates = std::env::split_paths(&path).chain(system).map(|directory| directory.join(name));
    let found = candidates.find(|candidate| candidate.is_file());
    found.ok_or_else(|| format!("not installed (on Debian: apt-get install {name})"))
}

/// Text that nginx since 1.15.3 and tidegate both accept.
fn nginx_configuration(place: &Place) -> String {
    let Place { directory, listen, origin, descriptors } = place;
    let (directory, connections) = (directory.display(), descriptors.min(&20_000));
    let access_log = place.access_log();
    format!(
        r#"daemon off;
master_process off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;

events {{
    worker_connections {connections};
}}

http {{
    access_log {log} combined;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    # This compares proxies, not disks: by default a body of more than 8 KiB would be written to a file,
    # and so would an answer that waits for its client.
    client_body_buffer_size 32k;
    proxy_max_temp_file_size 0;

    upstream origin {{
        server {origin};
        keepalive 512;
        keepalive_requests 1000000000;
    }}

    server {{
        listen {listen} backlog=4096;

        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"#,
        log = access_log.display()
    )
}

fn haproxy_configuration(place: &Place) -> String {
    let Place { listen, origin, descriptors, .. } = place;
    // Two descriptors a connection, and some for itself.
    let connections = descriptors.saturating_sub(500).min(20_000) / 2;
    format!(
        "global
    nbthread 1
    maxconn {connections}

defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always

frontend clients
    bind {listen} backlog 4096
    default_backend origin

backend origin
    server origin {origin}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_contender() {
        for contender in Contender::ALL {
            assert_eq!(Contender::named(contender.name()), Some(contender));
        }
        assert_eq!(Contender::named("apache"), None);
    }

    #[test]
    fn a_program_that_is_not_installed_says_how_to_install_it() {
        let message = installed("no-such-proxy").unwrap_err();
        assert!(message.contains("apt-get install no-such-proxy"));
    }
}
