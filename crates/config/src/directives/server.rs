//! Virtual hosts: `server`, `listen`, `server_name`, `location`. Not here: what holds inside a location.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::shorthand::{HTTP, Row, SERVER, SERVER_LOCATION, at_least, between, custom, exactly, section};
use crate::build::addresses;
use crate::build::{Build, Host, HostPart, Line, WrittenListen, plain_listen};
use crate::model::{Listen, ListenAddress, ServerName};
use crate::text::units::size;
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        section("server", HTTP, exactly(0)).repeats().help("Describes a virtual host.").manual(
            "Requests are given to a server by the address they came in on (`listen`) and \
                 by their Host field (`server_name`). Where no name fits, the default server \
                 of the address takes the request: the one marked `default_server`, else the \
                 first.",
        ),
        section("location", SERVER_LOCATION, between(1, 2))
            .repeats()
            .syntax("[ = | ~ | ~* | ^~ ] uri")
            .help("Says what happens to the URIs that it matches.")
            .manual(
                "`=` matches exactly; a plain path matches as a prefix, the longest winning; \
                 `~` and `~*` are regular expressions, with and without regard to case, tried \
                 in the order written after the prefixes and winning over them unless the \
                 longest prefix is marked `^~`. `@name` is a target of error_page and \
                 try_files only. Matched is the decoded path, with `//` merged.",
            ),
        custom("listen", SERVER, at_least(1), listen)
            .repeats()
            .syntax(
                "address[:port] | port | unix:path [default_server] [proxy_protocol] \
                 [backlog=number] [rcvbuf=size] [sndbuf=size] [ipv6only=on|off] [reuseport] \
                 [so_keepalive=on|off]",
            )
            .default("*:80 | *:8000")
            .help("Names a socket that the server takes requests from.")
            .manual(
                "The port is 80 unless written; `*` is every IPv4 address, `[::]` every IPv6 \
                 address. A range of ports (8000-8010) opens each. `proxy_protocol` expects a \
                 PROXY header, version 1 or 2, at the start of every connection.",
            )
            .differs(
                "Names other than localhost are not looked up: write the address. ssl, http2 \
                 and quic are not supported yet. reuseport, deferred, fastopen and bind are \
                 accepted: every worker has listeners of its own anyway.",
            ),
        custom("server_name", SERVER, at_least(1), server_name)
            .repeats()
            .syntax("name …")
            .default("\"\"")
            .help("Names the virtual host.")
            .manual(
                "An exact name wins over `*.example.org`, that over `www.example.*`, and that \
                 over a regular expression (`~^www\\d+`); among wildcards the longest wins, \
                 among expressions the first. `.example.org` is example.org and everything \
                 below it. Named captures of an expression are variables.",
            ),
    ]
}

fn listen(build: &mut Build<'_>, host: &mut Host, line: &Line<'_>) {
    let word = line.word(0);
    let written = match addresses::listen(&word.text) {
        Ok(written) => written,
        Err(fault) => return listen_error(build, word, fault),
    };
    let mut found = false;
    let first_port = written.port.unwrap_or(80);
    for port in first_port..=written.last_port.unwrap_or(first_port) {
        let Some(address) = listen_address(&written.host, port) else {
            break;
        };
        found = true;
        let mut listen = plain_listen(address);
        let options = parameters(build, line, &mut listen, port == first_port);
        host.listens.push(WrittenListen { listen, options, span: word.span });
    }
    if !found {
        listen_error(build, word, "host not found");
        build.help("names are not looked up here: write the address, such as 127.0.0.1:80");
    }
}

fn listen_error(build: &mut Build<'_>, word: &Word, fault: &str) {
    build.error(word.span, format!("{fault} in \"{}\" of the \"listen\" directive", word.text));
}

fn listen_address(host: &HostPart<'_>, port: u16) -> Option<ListenAddress> {
    let ip: IpAddr = match host {
        HostPart::Any => Ipv4Addr::UNSPECIFIED.into(),
        HostPart::Ip(ip) => *ip,
        HostPart::Name(name) if name.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
        HostPart::Name(_) => return None,
        HostPart::Unix(path) => return Some(ListenAddress::Unix(PathBuf::from(path))),
    };
    Some(ListenAddress::Socket(SocketAddr::new(ip, port)))
}

/// Reads the parameters; true if one of them may be given only once for an address. Faults are said once for a
/// range of ports.
fn parameters(build: &mut Build<'_>, line: &Line<'_>, listen: &mut Listen, say: bool) -> bool {
    let mut options = false;
    for word in line.words().iter().skip(1) {
        match parameter(build, word, listen) {
            Some(Effect::Option) => options = true,
            Some(Effect::Plain) => {}
            Some(Effect::Nothing(reason)) if say => {
                build.note(word.span, format!("\"{}\" of \"listen\" has no effect here: {reason}", word.text))
            }
            Some(Effect::NotYet(what)) if say => build
                .error(word.span, format!("parameter \"{}\" of \"listen\" is not supported yet: {what}", word.text)),
            None if say => build.invalid_parameter(word),
            _ => {}
        }
    }
    options
}

/// What a parameter of `listen` comes to.
enum Effect {
    /// May be given by several servers.
    Plain,
    /// May be given once for an address.
    Option,
    /// Changes nothing here.
    Nothing(&'static str),
    /// Not supported yet.
    NotYet(&'static str),
}

fn parameter(build: &mut Build<'_>, word: &Word, listen: &mut Listen) -> Option<Effect> {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.text.as_str(), None),
    };
    match (name, value) {
        ("default_server" | "default", None) => listen.default_server = true,
        ("proxy_protocol", None) => listen.proxy_protocol = true,
        ("ssl", None) => return Some(Effect::NotYet("the gateway does not speak TLS yet")),
        ("http2" | "spdy", None) => {
            return Some(Effect::NotYet("the gateway speaks HTTP/1.1 only"));
        }
        ("quic" | "http3", None) => {
            return Some(Effect::NotYet("the gateway speaks HTTP/1.1 only"));
        }
        ("bind" | "reuseport" | "multipath" | "deferred", None) => {
            return Some(Effect::Nothing("each worker binds each address itself and accepts at once"));
        }
        ("fastopen" | "setfib" | "accept_filter", Some(_)) => {
            return Some(Effect::Nothing("the socket option is not set"));
        }
        (name, Some(value)) => return socket_option(build, word, listen, name, value),
        _ => return None,
    }
    Some(Effect::Plain)
}

/// `backlog=`, `rcvbuf=`, `sndbuf=`, `ipv6only=`, `so_keepalive=`.
fn socket_option(build: &mut Build<'_>, word: &Word, listen: &mut Listen, name: &str, value: &str) -> Option<Effect> {
    match name {
        "backlog" => {
            let backlog = value.parse::<u32>().ok().filter(|&backlog| backlog > 0);
            if backlog.is_none() {
                build.error(word.span, format!("invalid backlog \"{}\"", word.text));
            }
            listen.backlog = backlog;
        }
        "rcvbuf" => listen.rcvbuf = buffer(build, word, value, name),
        "sndbuf" => listen.sndbuf = buffer(build, word, value, name),
        "ipv6only" => match value {
            "on" => listen.ipv6only = true,
            "off" => listen.ipv6only = false,
            _ => return None,
        },
        "so_keepalive" => return so_keepalive(listen, value),
        _ => return None,
    }
    Some(Effect::Option)
}

fn buffer(build: &mut Build<'_>, word: &Word, value: &str, name: &str) -> Option<usize> {
    let size = size(value).and_then(|size| usize::try_from(size).ok());
    if size.is_none() {
        build.error(word.span, format!("invalid {name} \"{}\"", word.text));
    }
    size
}

/// `on`, `off`, or `[idle]:[interval]:[count]`, whose three values the system's defaults stand in for.
fn so_keepalive(listen: &mut Listen, value: &str) -> Option<Effect> {
    match value {
        "on" => listen.so_keepalive = Some(true),
        "off" => listen.so_keepalive = Some(false),
        times if times.split(':').count() == 3 => {
            listen.so_keepalive = Some(true);
            return Some(Effect::Nothing("keep-alive is on, with the system's own times"));
        }
        _ => return None,
    }
    Some(Effect::Option)
}

fn server_name(build: &mut Build<'_>, host: &mut Host, line: &Line<'_>) {
    for word in line.words() {
        if let Some(name) = name(build, word) {
            host.names.push((name, word.span));
        }
    }
}

fn name(build: &mut Build<'_>, word: &Word) -> Option<ServerName> {
    if let Some(expression) = word.text.strip_prefix('~') {
        if expression.is_empty() {
            build.error(word.span, format!("empty regex in server name \"{}\"", word.text));
            return None;
        }
        return build.regex(expression, true, word.span).map(ServerName::Regex);
    }
    let text = word.text.to_ascii_lowercase();
    if text.contains('/') {
        build.warn(word.span, format!("server name \"{}\" has suspicious symbols", word.text));
    }
    let name = plain_name(&text);
    if name.is_none() {
        build.error(word.span, format!("server name \"{}\" is invalid", word.text));
        build.help("a star may stand at the start (*.example.org) or at the end (www.example.*), beside a dot");
    }
    name
}

fn plain_name(text: &str) -> Option<ServerName> {
    if text.matches('*').count() > 1 || text == "*" || text == "." {
        return None;
    }
    if let Some(suffix) = text.strip_prefix('*') {
        return suffix.starts_with('.').then(|| ServerName::Suffix(suffix.into()));
    }
    if let Some(prefix) = text.strip_suffix('*') {
        return prefix.ends_with('.').then(|| ServerName::Prefix(prefix.into()));
    }
    if text.contains('*') {
        return None;
    }
    Some(match text.strip_prefix('.') {
        Some(domain) => ServerName::Domain(domain.into()),
        None => ServerName::Exact(text.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_four_plain_forms_of_a_server_name() {
        assert_eq!(plain_name("a.b"), Some(ServerName::Exact("a.b".into())));
        assert_eq!(plain_name("*.b"), Some(ServerName::Suffix(".b".into())));
        assert_eq!(plain_name("a.*"), Some(ServerName::Prefix("a.".into())));
        assert_eq!(plain_name(".b"), Some(ServerName::Domain("b".into())));
    }

    #[test]
    fn a_star_stands_alone_beside_a_dot() {
        for wrong in ["*", "*b", "a*", "a.*.b", "*.a.*", "."] {
            assert_eq!(plain_name(wrong), None, "{wrong}");
        }
    }
}
