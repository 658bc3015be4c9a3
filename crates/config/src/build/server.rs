//! A `server` of the http context. Not here: what two servers mean to each other (see `conflicts`).

use std::net::{Ipv4Addr, SocketAddr};

use super::http::apply_level;
use super::level::WrittenListen;
use super::{Build, Host, Level, Line, check, finish, location};
use crate::directives::Context;
use crate::model::{Listen, ListenAddress, Location, Pattern, Server, ServerName};

/// A server, and where its sockets and names were written.
pub(crate) fn server(build: &mut Build<'_>, line: &Line<'_>, http: &Level) -> (Server, Host) {
    let lines = check::lines(build, Context::Server, line.block());
    let mut level = http.child(Pattern::Server);
    let mut host = Host::default();
    apply_level(build, &lines, &mut level, Some(&mut host));
    complete(build, line, &mut host);
    let settings = finish::settings(&mut level);
    finish::check_buffers(build, &level);
    let (named, children) = location::locations(build, &lines, &level)
        .into_iter()
        .partition(|location| matches!(location.pattern, Pattern::Named(_)));
    let server = Server {
        listens: host.listens.iter().map(|l| l.listen.clone()).collect(),
        names: host.names.iter().map(|(name, _)| name.clone()).collect(),
        settings: level.server.clone(),
        root: Location {
            pattern: Pattern::Server,
            settings,
            sets: level.own.sets,
            answer: level.own.answer,
            internal: level.internal,
            children,
        },
        named,
    };
    (server, host)
}

/// Adds the socket and the name of a server that wrote none.
fn complete(build: &Build<'_>, line: &Line<'_>, host: &mut Host) {
    let span = line.span();
    let wrote = |name: &str| line.block().iter().any(|inside| inside.name.text == name);
    if !wrote("listen") {
        let port = if build.options.unprivileged { 8000 } else { 80 };
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        host.listens.push(WrittenListen { listen: plain_listen(ListenAddress::Socket(address)), options: false, span });
    }
    if !wrote("server_name") {
        host.names.push((ServerName::Exact("".into()), span));
    }
}

/// A socket without any parameter.
pub(crate) fn plain_listen(address: ListenAddress) -> Listen {
    Listen {
        address,
        default_server: false,
        proxy_protocol: false,
        backlog: None,
        rcvbuf: None,
        sndbuf: None,
        ipv6only: true,
        so_keepalive: None,
    }
}
