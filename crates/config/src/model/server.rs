//! Virtual hosts and the sockets they listen on. Not here: the choice among them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Location, Regex};

/// A `server { … }` of the http context.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its sockets; nginx's default `*:80` (`*:8000` for an unprivileged user) when none was written.
    pub listens: Vec<Listen>,
    /// Its names; `server_name ""` when none was written. The first is `$server_name`.
    pub names: Vec<ServerName>,
    /// What holds before a location is known.
    pub settings: ServerSettings,
    /// The server's own level: `return`, settings where no location matches, and the top locations as children.
    pub root: Location,
    /// `location @name` blocks.
    pub named: Vec<Location>,
}

/// One `listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub address: ListenAddress,
    /// `default_server`.
    pub default_server: bool,
    /// `proxy_protocol`: a PROXY header v1 or v2 must open every connection.
    pub proxy_protocol: bool,
    /// `backlog=`; `None` is 511, as nginx's on Linux.
    pub backlog: Option<u32>,
    /// `rcvbuf=` in bytes.
    pub rcvbuf: Option<usize>,
    /// `sndbuf=` in bytes.
    pub sndbuf: Option<usize>,
    /// `ipv6only=`, default on.
    pub ipv6only: bool,
    /// `so_keepalive=`.
    pub so_keepalive: Option<bool>,
}

/// A listening address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// TCP.
    Socket(SocketAddr),
    /// `unix:PATH`.
    Unix(PathBuf),
}

/// One name of `server_name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerName {
    /// `www.example.org`, lower case; empty for `""`.
    Exact(Box<str>),
    /// `*.example.org`: the suffix with its dot, `.example.org`.
    Suffix(Box<str>),
    /// `.example.org`: the name itself and everything under it; stored without the dot.
    Domain(Box<str>),
    /// `www.example.*`: the prefix with its dot, `www.example.`.
    Prefix(Box<str>),
    /// `~expression`.
    Regex(Regex),
}

impl ServerName {
    /// What `$server_name` and log lines show: nginx leaves the dot of `.example.org` out.
    pub fn shown(&self) -> String {
        match self {
            ServerName::Domain(name) => name.to_string(),
            other => other.text(),
        }
    }

    /// The name as it was written.
    pub fn text(&self) -> String {
        match self {
            ServerName::Exact(name) => name.to_string(),
            ServerName::Suffix(suffix) => format!("*{suffix}"),
            ServerName::Domain(name) => format!(".{name}"),
            ServerName::Prefix(prefix) => format!("{prefix}*"),
            ServerName::Regex(regex) => format!("~{}", regex.text()),
        }
    }
}

/// What holds for a server before a location is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// `client_header_timeout`, default 60 s: the whole head must arrive within it.
    pub client_header_timeout: Duration,
    /// `client_header_buffer_size`, default 1k.
    pub client_header_buffer_size: usize,
    /// `large_client_header_buffers NUMBER SIZE`, default 4 × 8k: a line fits one, the head fits all.
    pub large_client_header_buffers: (usize, usize),
    /// `max_headers`, default 1000.
    pub max_headers: usize,
    /// `ignore_invalid_headers`, default on.
    pub ignore_invalid_headers: bool,
    /// `underscores_in_headers`, default off.
    pub underscores_in_headers: bool,
    /// `merge_slashes`, default on.
    pub merge_slashes: bool,
}
