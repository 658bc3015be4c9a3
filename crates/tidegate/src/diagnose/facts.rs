//! What was found out of an endpoint, as values. Not here: finding it out, and what it means (`verdict`).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http1::Framing;
use policy::Failure;

/// Everything that was found out, in the order of the steps. What comes after a step that failed is not known.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The name's addresses; nothing for a unix socket.
    pub(super) resolved: Option<Result<Vec<SocketAddr>, Failure>>,
    /// One for each address.
    pub(super) connects: Vec<Connect>,
    /// Who listens, where that can be seen: on this machine.
    pub(super) listening: Option<Listening>,
    pub(super) tls: Option<Result<Tls, Failure>>,
    pub(super) reply: Option<Result<Reply, Failure>>,
    /// What a second request on the same connection came to.
    pub(super) reuse: Option<Reuse>,
    pub(super) idle: Option<Idle>,
    /// HTTP/2 without TLS and without asking, RFC 9113 §3.3.
    pub(super) h2c: Option<bool>,
}

/// An attempt to connect.
#[derive(Debug)]
pub(super) struct Connect {
    /// As a configuration has it.
    pub(super) address: String,
    pub(super) result: Result<Duration, Failure>,
}

/// What this machine knows of a port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listening {
    /// Who listens at the address.
    pub(super) here: Option<Listener>,
    /// Who listens on the same port at other addresses of this machine.
    pub(super) elsewhere: Vec<(IpAddr, Listener)>,
    /// Mode and owner of a unix socket's file: `srw-rw---- www-data:www-data`.
    pub(super) file: Option<String>,
}

/// A listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listener {
    /// The program, if it may be seen.
    pub(super) process: Option<Process>,
    /// Connections that wait to be accepted.
    pub(super) waiting: u32,
}

/// A program that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) name: String,
    /// Its systemd unit or its container.
    pub(super) home: Option<String>,
}

/// A TLS handshake that succeeded.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    /// `TLS 1.3`.
    pub(super) version: &'static str,
    /// What was agreed on by ALPN, of h2 and http/1.1.
    pub(super) alpn: Option<String>,
    pub(super) chain: Vec<Certificate>,
    /// Why a client that verifies would refuse it.
    pub(super) refused: Option<Failure>,
    /// Without the name in the handshake there is another certificate, or none.
    pub(super) needs_name: bool,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) names: Vec<String>,
    /// `2027-01-31`.
    pub(super) expires: String,
}

/// An answer whose head is good.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) version: &'static str,
    /// 1xx that came before it.
    pub(super) interim: usize,
    /// Bytes of the head.
    pub(super) head: usize,
    pub(super) fields: usize,
    /// The largest field's name, and its line's bytes.
    pub(super) largest: Option<(String, usize)>,
    /// What a gateway with default buffers makes of the head.
    pub(super) too_large: Option<Failure>,
    pub(super) framing: Framing,
    pub(super) body: Body,
    /// Bytes behind the end of the answer.
    pub(super) surplus: usize,
    /// It says that the connection stays open.
    pub(super) persistent: bool,
    /// `Keep-Alive: timeout=`.
    pub(super) announces: Option<Duration>,
    pub(super) first_byte: Duration,
}

/// How a body ended.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes.
    Whole(u64),
    /// It went on longer than was waited for, without a pause: a stream.
    Streams(u64),
    Broken(Failure),
}

/// What a second request on the same connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// An answer with this status.
    Answered(u16),
    /// The connection was over.
    Ended,
}

/// What an idle connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// The endpoint closed it so long after its last answer, so many requests having been answered.
    Closed { after: Duration, requests: u64 },
    /// It was still open when nobody waited any longer.
    Open { after: Duration },
    /// It was sent more bytes.
    Spoke { bytes: usize },
}
