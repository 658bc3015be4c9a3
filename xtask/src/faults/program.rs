//! The programs that are tried: how each is started, and what of its log speaks of a failure. Not here: their
//! configurations (`programs`), and starting them (`run`).

use std::ffi::OsString;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tidegate::misbehave::trial::Stand;

use super::programs::{caddy, envoy, haproxy, nginx, traefik};

/// A gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Tidegate,
    Nginx,
    Haproxy,
    Envoy,
    Traefik,
    Caddy,
}

impl Program {
    pub(crate) const ALL: [Self; 6] =
        [Self::Tidegate, Self::Nginx, Self::Haproxy, Self::Envoy, Self::Traefik, Self::Caddy];

    /// Its name, which is its file's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tidegate => "tidegate",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }

    /// What it calls itself.
    pub(crate) fn version(self, path: &Path) -> Result<String, String> {
        let word = match self {
            Self::Tidegate | Self::Nginx | Self::Haproxy => "-v",
            Self::Envoy => "--version",
            Self::Traefik | Self::Caddy => "version",
        };
        let output = Command::new(path).arg(word).output().map_err(|error| error.to_string())?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let numbered = |word: &&str| word.trim_start_matches(|c: char| !c.is_ascii_digit()).contains('.');
        let version = match self {
            Self::Envoy => said.split('/').find(numbered),
            _ => said.split_whitespace().find(numbered),
        };
        let version = version.ok_or("it tells no version")?;
        Ok(version.rsplit('/').next().unwrap_or(version).trim_start_matches('v').to_owned())
    }

    /// Whether endpoints take turns, since it knows no backup that is asked by the same request: then it is asked more than
    /// once, and the worst answer counts.
    pub(super) fn takes_turns(self) -> bool {
        matches!(self, Self::Haproxy | Self::Envoy | Self::Traefik)
    }

    /// Its files, by name.
    pub(super) fn files(self, stand: &Stand, listen: SocketAddr, folder: &Path) -> Vec<(&'static str, String)> {
        match self {
            Self::Tidegate | Self::Nginx => vec![("nginx.conf", stand.configuration(listen, folder))],
            Self::Haproxy => vec![("haproxy.cfg", haproxy::configuration(stand, listen))],
            Self::Envoy => vec![("envoy.json", envoy::configuration(stand, listen, folder))],
            Self::Traefik => vec![("routes.yml", traefik::configuration(stand))],
            Self::Caddy => vec![("Caddyfile", caddy::configuration(stand, listen, folder))],
        }
    }

    /// Whether it serves.
    pub(super) fn is_ready(self, listen: SocketAddr) -> bool {
        match self {
            Self::Traefik => traefik::is_ready(listen),
            _ => TcpStream::connect(listen).is_ok(),
        }
    }

    /// The words after its name.
    pub(super) fn arguments(self, listen: SocketAddr, folder: &Path) -> Vec<OsString> {
        let at = |name: &str| folder.join(name).display().to_string();
        let words = match self {
            Self::Tidegate | Self::Nginx => vec!["-c".into(), at("nginx.conf"), "-e".into(), at("error.log")],
            Self::Haproxy => vec!["-db".into(), "-f".into(), at("haproxy.cfg")],
            Self::Envoy => envoy::arguments(&at("envoy.json")),
            Self::Traefik => traefik::arguments(listen, folder),
            Self::Caddy => ["run", "--adapter", "caddyfile", "--config"]
                .map(str::to_owned)
                .into_iter()
                .chain([at("Caddyfile")])
                .collect(),
        };
        words.into_iter().map(OsString::from).collect()
    }

    /// By which it ends when it has written its logs.
    pub(super) fn stop_signal(self) -> Signal {
        match self {
            Self::Haproxy => Signal::USR1,
            _ => Signal::TERM,
        }
    }

    /// What it logged of the only failure, shortened to what tells causes apart; `log` gives its files by name, `output`
    /// being what it printed.
    pub(super) fn says(self, log: impl Fn(&str) -> String) -> String {
        match self {
            Self::Tidegate | Self::Nginx => nginx::says(&log("error.log")),
            Self::Haproxy => haproxy::says(&log("output")),
            Self::Envoy => envoy::says(&log("access.log")),
            Self::Traefik => traefik::says(&log("traefik.log")),
            Self::Caddy => caddy::says(&log("caddy.log")),
        }
    }
}
