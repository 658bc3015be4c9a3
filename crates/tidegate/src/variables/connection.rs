//! The client's connection, the process and the time.

use std::net::{IpAddr, SocketAddr};

use config::model::Variable;

use super::request::Seconds;
use super::{bytes, number, show};
use crate::request::Request;

/// What `$nginx_version` says: files compare it, so it names the nginx whose language this is.
const LANGUAGE_VERSION: &str = "1.31.4";

/// `None` when the variable is of another room.
pub(super) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> Option<bool> {
    let connection = &request.connection;
    let clock = &request.worker.clock;
    let found = match variable {
        Variable::RemoteAddr => bytes(out, Some(connection.client.as_bytes())),
        Variable::RemotePort => optional(connection.peer.map(|peer| peer.port()), out),
        Variable::BinaryRemoteAddr => binary(connection.peer, out),
        Variable::ServerAddr => show(out, connection.server().0),
        Variable::ServerPort => optional(connection.server().1, out),
        Variable::ServerName => show(out, request.server_name()),
        Variable::Connection => number(out, connection.number),
        Variable::ConnectionRequests => number(out, connection.requests.get()),
        Variable::ConnectionTime => show(out, Seconds(connection.started.elapsed())),
        Variable::Scheme => bytes(out, Some(b"http")),
        Variable::Https => false,
        Variable::Pipe => bytes(out, Some(if pipelined(request) { b"p" } else { b"." })),
        Variable::ProxyProtocolAddr => optional(connection.proxied.map(|ends| ends.source.ip()), out),
        Variable::ProxyProtocolPort => optional(connection.proxied.map(|ends| ends.source.port()), out),
        Variable::ProxyProtocolServerAddr => optional(connection.proxied.map(|ends| ends.destination.ip()), out),
        Variable::ProxyProtocolServerPort => optional(connection.proxied.map(|ends| ends.destination.port()), out),
        Variable::Hostname => show(out, crate::gateway::hostname()),
        Variable::Pid => number(out, std::process::id().into()),
        Variable::NginxVersion => show(out, LANGUAGE_VERSION),
        Variable::Msec => show(out, clock.msec()),
        Variable::TimeLocal => bytes(out, Some(clock.time_local().as_bytes())),
        Variable::TimeIso8601 => bytes(out, Some(clock.time_iso8601().as_bytes())),
        _ => return None,
    };
    Some(found)
}

fn optional(value: Option<impl std::fmt::Display>, out: &mut Vec<u8>) -> bool {
    value.is_some_and(|value| show(out, value))
}

fn binary(peer: Option<SocketAddr>, out: &mut Vec<u8>) -> bool {
    match peer.map(|peer| peer.ip()) {
        Some(IpAddr::V4(address)) => bytes(out, Some(&address.octets())),
        Some(IpAddr::V6(address)) => bytes(out, Some(&address.octets())),
        None => false,
    }
}

fn pipelined(request: &Request) -> bool {
    request.pipelined
}
