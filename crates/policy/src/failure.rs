//! Every way in which an attempt can fail, as one value; what is said of it and done about it are functions of it.
//!
//! Variants are named after RFC 9209's error types, refined where policy or advice needs it.
//! Not here: how a failure is noticed, and what is answered to a client.

use std::borrow::Cow;

use http::StatusCode;

mod errno;

pub use errno::errno_text;

/// What an attempt was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Looking a name up.
    Resolve,
    /// Choosing an endpoint.
    Select,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the head of the reply.
    AwaitHead,
    /// Reading the body of the reply.
    Body,
    /// Passing bytes both ways after an upgrade.
    Tunnel,
}

impl Phase {
    /// What nginx's error log calls it.
    pub fn nginx_action(self) -> &'static str {
        match self {
            Phase::Resolve | Phase::Select | Phase::Connect => "connecting to upstream",
            Phase::Tls => "SSL handshaking to upstream",
            Phase::Send => "sending request to upstream",
            Phase::AwaitHead => "reading response header from upstream",
            Phase::Body => "reading upstream",
            Phase::Tunnel => "proxying upgraded connection",
        }
    }
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The client's.
    Client,
    /// The endpoint's, or that of the way to it.
    Endpoint,
    /// Ours, or this machine's.
    Gateway,
}

/// What the endpoint may have done with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Nothing: no byte reached an application.
    NeverSent,
    /// It may have been acted upon.
    MaybeProcessed,
    /// It was: an answer, good or bad, came back.
    Answered,
}

/// Severity of a log line, in nginx's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// `crit`.
    Crit,
    /// `error`.
    Error,
    /// `info`.
    Info,
}

/// A failure of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No endpoint may be tried: all are down, ejected, full or tried already.
    DestinationUnavailable,
    /// The name has no address.
    DnsError,
    /// The endpoint refused the connection; the errno.
    ConnectionRefused(i32),
    /// No way to the address; the errno.
    DestinationIpUnroutable(i32),
    /// This machine forbids the connection; the errno.
    DestinationIpProhibited(i32),
    /// This machine has no port, descriptor or memory left; the errno.
    ConnectionLimitReached(i32),
    /// Connecting failed otherwise; the errno.
    ConnectFailed(i32),
    /// A timer fired: connecting, sending or reading took too long.
    Timeout(Phase),
    /// The endpoint ended or reset the connection.
    ConnectionTerminated {
        /// What was going on.
        phase: Phase,
        /// The errno of the read or write that said so; none for an orderly end.
        errno: Option<i32>,
        /// The connection had carried a request before.
        reused: bool,
    },
    /// The reply is not HTTP/1.x.
    HttpProtocolError,
    /// A field of the reply is malformed; as much of it as is worth showing.
    HttpResponseHeader(Box<str>),
    /// The reply's fields do not say where the body ends; nginx's words for it.
    HttpResponseFraming(Cow<'static, str>),
    /// The reply's head is larger than `proxy_buffer_size`.
    HttpResponseHeaderSectionSize,
    /// The reply's chunks are malformed.
    HttpResponseTransferCoding,
    /// `101` to a request that did not ask for it.
    HttpUpgradeFailed,
    /// The gateway itself failed.
    ProxyInternalError,
}

impl Failure {
    /// What an error of `connect()` means.
    pub fn from_connect_errno(errno: i32) -> Self {
        match errno {
            errno::ECONNREFUSED | errno::ENOENT | errno::EAGAIN | errno::ECONNRESET => {
                Failure::ConnectionRefused(errno)
            }
            errno::EHOSTUNREACH | errno::ENETUNREACH | errno::EHOSTDOWN | errno::ENETDOWN => {
                Failure::DestinationIpUnroutable(errno)
            }
            errno::EACCES | errno::EPERM => Failure::DestinationIpProhibited(errno),
            errno::EADDRNOTAVAIL | errno::EMFILE | errno::ENFILE | errno::ENOBUFS | errno::ENOMEM => {
                Failure::ConnectionLimitReached(errno)
            }
            errno::ETIMEDOUT => Failure::Timeout(Phase::Connect),
            other => Failure::ConnectFailed(other),
        }
    }

    /// What the end of a connection means: an error of a read or write, or (without errno) an orderly end.
    pub fn from_io(phase: Phase, errno: Option<i32>, reused: bool) -> Self {
        match errno {
            Some(errno::ETIMEDOUT) => Failure::Timeout(phase),
            errno => Failure::ConnectionTerminated { phase, errno, reused },
        }
    }

    /// A timer of the gateway fired.
    pub fn timed_out(phase: Phase) -> Self {
        Failure::Timeout(phase)
    }

    /// What the attempt was doing.
    pub fn phase(&self) -> Phase {
        match self {
            Failure::DestinationUnavailable => Phase::Select,
            Failure::DnsError => Phase::Resolve,
            Failure::ConnectionRefused(_)
            | Failure::DestinationIpUnroutable(_)
            | Failure::DestinationIpProhibited(_)
            | Failure::ConnectionLimitReached(_)
            | Failure::ConnectFailed(_) => Phase::Connect,
            Failure::Timeout(phase) | Failure::ConnectionTerminated { phase, .. } => *phase,
            Failure::HttpProtocolError
            | Failure::HttpResponseHeader(_)
            | Failure::HttpResponseFraming(_)
            | Failure::HttpResponseHeaderSectionSize
            | Failure::HttpUpgradeFailed => Phase::AwaitHead,
            Failure::HttpResponseTransferCoding | Failure::ProxyInternalError => Phase::Body,
        }
    }

    /// The status for the client, in nginx's dialect: no live endpoint is 502, as there.
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Failure::ProxyInternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::ConnectionLimitReached(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        }
    }

    /// The error type of RFC 9209 §2.3.
    pub fn proxy_status_type(&self) -> &'static str {
        match self {
            Failure::DestinationUnavailable => "destination_unavailable",
            Failure::DnsError => "dns_error",
            Failure::ConnectionRefused(_) | Failure::ConnectFailed(_) => "connection_refused",
            Failure::DestinationIpUnroutable(_) => "destination_ip_unroutable",
            Failure::DestinationIpProhibited(_) => "destination_ip_prohibited",
            Failure::ConnectionLimitReached(_) | Failure::ProxyInternalError => "proxy_internal_error",
            Failure::Timeout(Phase::Resolve) => "dns_timeout",
            Failure::Timeout(Phase::Select | Phase::Connect | Phase::Tls) => "connection_timeout",
            Failure::Timeout(Phase::Send) => "connection_write_timeout",
            Failure::Timeout(Phase::AwaitHead | Phase::Body | Phase::Tunnel) => "connection_read_timeout",
            Failure::ConnectionTerminated { phase: Phase::Body, .. } => "http_response_incomplete",
            Failure::ConnectionTerminated { .. } => "connection_terminated",
            Failure::HttpProtocolError | Failure::HttpResponseHeader(_) => "http_protocol_error",
            Failure::HttpResponseHeaderSectionSize => "http_response_header_section_size",
            Failure::HttpResponseFraming(_) | Failure::HttpResponseTransferCoding => "http_response_transfer_coding",
            Failure::HttpUpgradeFailed => "http_upgrade_failed",
        }
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Failure::ConnectionLimitReached(_) | Failure::ProxyInternalError | Failure::DestinationIpProhibited(_) => {
                Blame::Gateway
            }
            _ => Blame::Endpoint,
        }
    }

    /// What the endpoint may have done with the request.
    pub fn delivery(&self) -> Delivery {
        match self.phase() {
            Phase::Resolve | Phase::Select | Phase::Connect | Phase::Tls => Delivery::NeverSent,
            Phase::Send => Delivery::MaybeProcessed,
            Phase::AwaitHead => match self {
                Failure::Timeout(_) | Failure::ConnectionTerminated { .. } => Delivery::MaybeProcessed,
                _ => Delivery::Answered,
            },
            Phase::Body | Phase::Tunnel => Delivery::Answered,
        }
    }

    /// How grave nginx holds it.
    pub fn level(&self) -> Level {
        match self {
            Failure::DestinationIpProhibited(_) | Failure::ConnectionLimitReached(_) | Failure::ConnectFailed(_) => {
                Level::Crit
            }
            Failure::ConnectionRefused(errno::ENOENT) => Level::Crit,
            Failure::Timeout(Phase::Tunnel) => Level::Info,
            _ => Level::Error,
        }
    }

    /// [`Failure::nginx_phrase`] of an attempt at `endpoint`. What `connect()` says at once, nginx tells with the address.
    pub fn nginx_phrase_at(&self, endpoint: &str) -> Cow<'static, str> {
        match self.connect_errno() {
            Some(errno @ (errno::EMFILE | errno::ENFILE)) => format!("socket() failed ({})", errno_text(errno)).into(),
            Some(errno) if endpoint.starts_with("unix:") || !errno::comes_later(errno) => {
                format!("connect() to {endpoint} failed ({})", errno_text(errno)).into()
            }
            _ => self.nginx_phrase(),
        }
    }

    /// Whether this process or this machine has no descriptor left.
    pub fn is_out_of_descriptors(&self) -> bool {
        matches!(self, Failure::ConnectionLimitReached(errno::EMFILE | errno::ENFILE))
    }

    fn connect_errno(&self) -> Option<i32> {
        match self {
            Failure::ConnectionRefused(errno)
            | Failure::DestinationIpUnroutable(errno)
            | Failure::DestinationIpProhibited(errno)
            | Failure::ConnectionLimitReached(errno)
            | Failure::ConnectFailed(errno) => Some(*errno),
            _ => None,
        }
    }

    /// nginx's words for it in the error log, before ` while …`.
    pub fn nginx_phrase(&self) -> Cow<'static, str> {
        match self {
            Failure::DestinationUnavailable => "no live upstreams".into(),
            Failure::DnsError => "upstream could not be resolved (3: Host not found)".into(),
            Failure::ConnectionRefused(errno)
            | Failure::DestinationIpUnroutable(errno)
            | Failure::DestinationIpProhibited(errno)
            | Failure::ConnectionLimitReached(errno)
            | Failure::ConnectFailed(errno) => format!("connect() failed ({})", errno_text(*errno)).into(),
            Failure::Timeout(_) => "upstream timed out (110: Connection timed out)".into(),
            Failure::ConnectionTerminated { errno: None, .. } => "upstream prematurely closed connection".into(),
            Failure::ConnectionTerminated { phase: Phase::Send, errno: Some(errno), .. } => {
                format!("writev() failed ({})", errno_text(*errno)).into()
            }
            Failure::ConnectionTerminated { errno: Some(errno), .. } => {
                format!("recv() failed ({})", errno_text(*errno)).into()
            }
            Failure::HttpProtocolError => "upstream sent no valid HTTP/1.0 header".into(),
            Failure::HttpResponseHeader(line) => format!("upstream sent invalid header: \"{line}\"").into(),
            Failure::HttpResponseFraming(what) => format!("upstream sent {what}").into(),
            Failure::HttpResponseHeaderSectionSize => "upstream sent too big header".into(),
            Failure::HttpResponseTransferCoding => "upstream sent invalid chunked response".into(),
            Failure::HttpUpgradeFailed => "upstream switched protocols without being asked".into(),
            Failure::ProxyInternalError => "the gateway failed".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_errors_are_told_apart_by_what_helps() {
        let status = |errno| Failure::from_connect_errno(errno).proxy_status_type();
        assert_eq!(status(111), "connection_refused");
        assert_eq!(status(113), "destination_ip_unroutable");
        assert_eq!(status(13), "destination_ip_prohibited");
        assert_eq!(status(99), "proxy_internal_error");
        assert_eq!(status(110), "connection_timeout");
    }

    #[test]
    fn phrases_are_those_that_log_tools_know() {
        let phrase = |failure: Failure| failure.nginx_phrase().into_owned();
        assert_eq!(phrase(Failure::from_connect_errno(111)), "connect() failed (111: Connection refused)");
        assert_eq!(phrase(Failure::from_io(Phase::AwaitHead, None, false)), "upstream prematurely closed connection");
        assert_eq!(
            phrase(Failure::from_io(Phase::AwaitHead, Some(104), true)),
            "recv() failed (104: Connection reset by peer)"
        );
        assert_eq!(phrase(Failure::from_io(Phase::Send, Some(32), true)), "writev() failed (32: Broken pipe)");
    }

    #[test]
    fn what_connect_says_at_once_is_told_with_the_address() {
        let phrase = |errno, endpoint| Failure::from_connect_errno(errno).nginx_phrase_at(endpoint).into_owned();
        assert_eq!(phrase(111, "127.0.0.1:1"), "connect() failed (111: Connection refused)");
        assert_eq!(phrase(111, "unix:/s"), "connect() to unix:/s failed (111: Connection refused)");
        assert_eq!(phrase(101, "192.0.2.1:1"), "connect() to 192.0.2.1:1 failed (101: Network is unreachable)");
        assert_eq!(phrase(24, "192.0.2.1:1"), "socket() failed (24: Too many open files)");
    }

    #[test]
    fn only_what_happened_before_sending_counts_as_never_sent() {
        assert_eq!(Failure::from_connect_errno(111).delivery(), Delivery::NeverSent);
        assert_eq!(Failure::timed_out(Phase::AwaitHead).delivery(), Delivery::MaybeProcessed);
        assert_eq!(Failure::HttpProtocolError.delivery(), Delivery::Answered);
    }
}
