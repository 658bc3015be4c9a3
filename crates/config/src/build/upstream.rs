//! `upstream` blocks and the implicit upstreams of literal `proxy_pass` hosts. Not here: balancing, resolving.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::address::{HostPart, Written};
use super::apply::apply;
use super::level::empty_upstream;
use super::{Build, Line, UpstreamDraft, check, finish};
use crate::directives::{Context, Meaning};
use crate::model::{Address, Resolver, Upstream, UpstreamServer};
use crate::tree::Span;

/// Reads an `upstream NAME { … }` block.
pub(crate) fn define_upstream(build: &mut Build<'_>, line: &Line<'_>) {
    let name = line.word(0);
    let lines = check::lines(build, Context::Upstream, line.block());
    let mut draft = UpstreamDraft::new(&name.text);
    for inside in &lines {
        if let Meaning::Upstream(setter) = &inside.row.meaning {
            apply(build, setter, &mut draft, inside);
        }
    }
    if find_upstream(build, &name.text).is_some() {
        build.error(name.span, format!("duplicate upstream \"{}\"", name.text));
        return;
    }
    if !lines.iter().any(|inside| inside.name() == "server") {
        build.error(name.span, "no servers are inside upstream");
    } else if draft.upstream.servers.iter().all(|server| server.backup) {
        check_only_backups(build, name.span, &draft.upstream);
    }
    if draft.resolver.is_none() {
        build.resolves.extend(draft.resolve);
    }
    draft.upstream.resolver = finish::resolver(draft.resolver, draft.resolver_timeout).map(Arc::new);
    build.upstreams.push(draft.upstream);
}

/// Upstreams without a `resolver` of their own ask that of `http`.
pub(crate) fn inherit_resolver(upstreams: &mut [Upstream], http: Option<&Arc<Resolver>>) {
    for upstream in upstreams.iter_mut().filter(|upstream| upstream.resolver.is_none()) {
        upstream.resolver = http.cloned();
    }
}

/// Says where `resolve` finds no `resolver`, which nginx refuses.
pub(crate) fn check_resolver(build: &mut Build<'_>, http: Option<&Arc<Resolver>>) {
    let resolves = std::mem::take(&mut build.resolves);
    for span in resolves.into_iter().filter(|_| http.is_none()) {
        build.note(span, "the system is asked for this name: there is no \"resolver\" here or in \"http\"");
        build.help("nginx refuses \"resolve\" without one");
    }
}

fn check_only_backups(build: &mut Build<'_>, span: Span, upstream: &Upstream) {
    if upstream.servers.is_empty() {
        return;
    }
    build.error(span, format!("no servers in upstream \"{}\"", upstream.name));
    build.help("every server is a backup; one must not be");
}

/// The place of a named upstream; names compare without regard to case.
pub(crate) fn find_upstream(build: &Build<'_>, name: &str) -> Option<usize> {
    build.upstreams.iter().position(|upstream| !upstream.implicit && upstream.name.eq_ignore_ascii_case(name))
}

/// The place of the implicit upstream for a literal host, made on first use. nginx keeps no idle connections for
/// these: only an `upstream` block has a pool.
pub(crate) fn implicit_upstream(build: &mut Build<'_>, written: &Written<'_>) -> usize {
    let name = implicit_name(written);
    let known = build.upstreams.iter().position(|upstream| upstream.implicit && *upstream.name == *name);
    if let Some(place) = known {
        return place;
    }
    let mut upstream = empty_upstream(&name);
    upstream.implicit = true;
    upstream.keepalive.idle = 0;
    upstream.servers.push(UpstreamServer::plain(address_of(written, 80), &name));
    build.upstreams.push(upstream);
    build.upstreams.len() - 1
}

/// `host:port`, the port always there, so that `http://a` and `http://a:80` are one.
fn implicit_name(written: &Written<'_>) -> String {
    match written.port {
        None if !matches!(written.host, HostPart::Unix(_)) => format!("{}:80", written.authority),
        _ => written.authority.to_owned(),
    }
}

/// Where an endpoint is.
pub(crate) fn address_of(written: &Written<'_>, default_port: u16) -> Address {
    let port = written.port.unwrap_or(default_port);
    match written.host {
        HostPart::Ip(ip) => Address::Socket(SocketAddr::new(ip, port)),
        HostPart::Name(name) => Address::Name { host: name.into(), port },
        HostPart::Unix(path) => Address::Unix(PathBuf::from(path)),
        HostPart::Any => Address::Name { host: "*".into(), port },
    }
}
