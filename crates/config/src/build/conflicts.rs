//! What servers mean to each other: sockets they share, names they both claim. Not here: a server alone.

use std::collections::{HashMap, HashSet};

use super::{Build, Host};
use crate::model::{ListenAddress, Server, ServerName};

/// What was seen of an address so far.
#[derive(Default)]
struct Shared {
    default: bool,
    options: bool,
    proxy_protocol: bool,
    names: HashSet<String>,
}

/// Says what conflicts; settles for all servers of an address what any of them said.
pub(crate) fn check(build: &mut Build<'_>, servers: &mut [Server], hosts: &[Host]) {
    let mut addresses: HashMap<ListenAddress, Shared> = HashMap::new();
    for host in hosts {
        check_host(build, &mut addresses, host);
    }
    for listen in servers.iter_mut().flat_map(|server| &mut server.listens) {
        let shared = addresses.get(&listen.address);
        listen.proxy_protocol |= shared.is_some_and(|shared| shared.proxy_protocol);
    }
}

fn check_host(build: &mut Build<'_>, addresses: &mut HashMap<ListenAddress, Shared>, host: &Host) {
    let mut own: HashSet<&ListenAddress> = HashSet::new();
    for written in &host.listens {
        let listen = &written.listen;
        let address = show(&listen.address);
        if !own.insert(&listen.address) {
            build.error(written.span, format!("a duplicate listen {address}"));
            continue;
        }
        let shared = addresses.entry(listen.address.clone()).or_default();
        if written.options && std::mem::replace(&mut shared.options, true) {
            build.error(written.span, format!("duplicate listen options for {address}"));
            build.help("give backlog, rcvbuf, sndbuf, … in one listen of the address only");
        }
        if listen.default_server && std::mem::replace(&mut shared.default, true) {
            build.error(written.span, format!("a duplicate default server for {address}"));
        }
        shared.proxy_protocol |= listen.proxy_protocol;
        check_names(build, shared, host, &address);
    }
}

fn check_names(build: &mut Build<'_>, shared: &mut Shared, host: &Host, address: &str) {
    for (name, span) in &host.names {
        if matches!(name, ServerName::Regex(_)) {
            continue;
        }
        let text = name.text();
        if !shared.names.insert(text.clone()) {
            build.warn(*span, format!("conflicting server name \"{text}\" on {address}, ignored"));
        }
    }
}

/// An address as nginx's messages show it.
fn show(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Socket(socket) => socket.to_string(),
        ListenAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use crate::Severity;
    use crate::build::testing::{config, errors, in_http, said};

    #[test]
    fn proxy_protocol_of_one_server_holds_for_its_address() {
        let config =
            config(in_http("server { listen 1; server_name a; } server { listen 1 proxy_protocol; server_name b; }"));
        let mut listens = config.servers.iter().flat_map(|server| &server.listens);
        assert!(listens.all(|listen| listen.proxy_protocol));
    }

    #[test]
    fn a_name_is_claimed_once_for_each_address() {
        let loaded = in_http("server { listen 1; server_name a; } server { listen 1; listen 2; server_name a; }");
        assert_eq!(said(&loaded, Severity::Warning), ["conflicting server name \"a\" on 0.0.0.0:1, ignored"]);
    }

    #[test]
    fn an_address_has_one_default_server() {
        let loaded = in_http("server { listen 1 default_server; server_name a; } server { listen 1 default_server; }");
        assert_eq!(errors(&loaded), ["a duplicate default server for 0.0.0.0:1"]);
    }
}
