//! What is examined: an endpoint, from what people write or from a configuration. Not here: looking at it.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use config::Config;
use config::model::{Address, Location, ProxyTarget};

/// An endpoint and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What a report calls it.
    pub(super) name: String,
    pub(super) place: Place,
    /// Asked by https.
    pub(super) tls: bool,
    /// The `Host` field, and the name for TLS.
    pub(super) host: String,
    /// The path and query.
    pub(super) path: String,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A name or an address, and a port.
    Host(String, u16),
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Host(host, port) => write!(f, "{host}:{port}"),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Target {
    /// `http://HOST[:PORT][/PATH]`, `https://…`, `HOST:PORT`, `unix:PATH`, `http://unix:PATH:/PATH`.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => {
                return Err(format!("\"{scheme}\" is no scheme that is known: write http:// or https://"));
            }
            None => (false, text),
        };
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("\"{}\" is no address: it has white space in it", text.escape_debug()));
        }
        if let Some(rest) = rest.strip_prefix("unix:") {
            let (path, uri) = rest.split_once(':').unwrap_or((rest, "/"));
            return Ok(Self::new(text, Place::Unix(path.into()), tls, "localhost".into(), uri));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let with_scheme = text.contains("://");
        let default = with_scheme.then_some(if tls { 443 } else { 80 });
        let (host, port) = split_port(authority, default)?;
        Ok(Self::new(text, Place::Host(host, port), tls, authority.to_owned(), path))
    }

    fn new(name: &str, place: Place, tls: bool, host: String, path: &str) -> Self {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Self { name: name.to_owned(), place, tls, host, path }
    }

    /// The name for TLS: the host without its port.
    pub(super) fn server_name(&self) -> String {
        split_port(&self.host, Some(0)).map_or_else(|_| self.host.clone(), |(host, _)| host)
    }

    /// Every endpoint of a configuration once, and notes about what cannot be examined.
    pub(super) fn of(config: &Config) -> (Vec<Self>, Vec<String>) {
        let (mut targets, mut seen) = (Vec::new(), HashSet::new());
        for upstream in &config.upstreams {
            for server in upstream.servers.iter().filter(|server| !server.down) {
                let place = place(&server.address);
                if seen.insert(place.to_string()) {
                    let name = if upstream.implicit {
                        format!("proxy_pass http://{}", upstream.name)
                    } else {
                        format!("upstream {}: server {}", upstream.name, server.text)
                    };
                    targets.push(Self::new(&name, place, false, upstream.name.to_string(), "/"));
                }
            }
        }
        (targets, with_variables(config))
    }
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
fn split_port(authority: &str, default: Option<u16>) -> Result<(String, u16), String> {
    let wrong = || format!("\"{authority}\" is no address: write a URL, HOST:PORT or unix:PATH");
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return Ok((address.ip().to_string(), address.port()));
    }
    // A user, a fragment or a backslash would be looked up as part of a name.
    if authority.contains(['@', '\\', '#']) {
        return Err(wrong());
    }
    let bare = authority.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = bare {
        return default.map(|port| (address.to_owned(), port)).ok_or_else(wrong);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !host.contains(['[', ']', ':']) => {
            Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
        }
        None if !authority.is_empty() => default.map(|port| (authority.to_owned(), port)).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn place(address: &Address) -> Place {
    match address {
        Address::Socket(address) => Place::Host(address.ip().to_string(), address.port()),
        Address::Name { host, port } => Place::Host(host.to_string(), *port),
        Address::Unix(path) => Place::Unix(path.clone()),
    }
}

/// A `proxy_pass` with variables names its endpoint only for a request.
fn with_variables(config: &Config) -> Vec<String> {
    let mut count = 0;
    let mut locations: Vec<&Location> = Vec::new();
    for server in &config.servers {
        locations.push(&server.root);
        locations.extend(&server.named);
    }
    while let Some(location) = locations.pop() {
        let pass = location.settings.proxy_pass.as_ref();
        count += usize::from(pass.is_some_and(|pass| matches!(pass.target, ProxyTarget::Variable(_))));
        locations.extend(&location.children);
    }
    match count {
        0 => Vec::new(),
        1 => vec!["1 proxy_pass with variables is not examined: where it leads depends on the request".into()],
        count => {
            vec![format!("{count} proxy_pass with variables are not examined: where they lead depends on the request")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(text: &str) -> String {
        let target = Target::parse(text).unwrap();
        format!("{} {}{}", if target.tls { "tls" } else { "plain" }, target.place, target.path)
    }

    #[test]
    fn people_write_addresses_in_many_ways() {
        assert_eq!(place_of("http://app"), "plain app:80/");
        assert_eq!(place_of("https://app/x?y"), "tls app:443/x?y");
        assert_eq!(place_of("http://app?y"), "plain app:80/?y");
        assert_eq!(place_of("app:3000"), "plain app:3000/");
        assert_eq!(place_of("[::1]:3000"), "plain [::1]:3000/");
        assert_eq!(place_of("http://[::1]/x"), "plain [::1]:80/x");
        assert_eq!(place_of("unix:/run/a.sock"), "plain unix:/run/a.sock/");
        assert_eq!(place_of("http://unix:/run/a.sock:/x"), "plain unix:/run/a.sock/x");
        assert_eq!(Target::parse("https://app:8443/").unwrap().server_name(), "app");
    }

    #[test]
    fn what_is_no_address_is_said() {
        let said = |text| Target::parse(text).unwrap_err();
        assert_eq!(said("app"), "\"app\" is no address: write a URL, HOST:PORT or unix:PATH");
        assert_eq!(said("app:x"), "\"app:x\" is no address: write a URL, HOST:PORT or unix:PATH");
        for text in ["http://[::1", "http://[::1]:x", "http://::1:80", "http://me:secret@app", "app#x:80"] {
            assert!(said(text).contains("is no address"), "{text}");
        }
        assert_eq!(said("ftp://app"), "\"ftp\" is no scheme that is known: write http:// or https://");
    }

    #[test]
    fn a_configuration_has_each_endpoint_once() {
        let text = "events {} http { upstream a { server 127.0.0.1:1; server 127.0.0.1:2 down; server unix:/s backup; }
            server { location / { proxy_pass http://a; } location /b { proxy_pass http://127.0.0.1:1; }
            location /c { proxy_pass http://127.0.0.1:3; } location /d { proxy_pass http://$host:1; } } }";
        let config = config::load_text(text).config.unwrap();
        let (targets, notes) = Target::of(&config);
        let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(
            names,
            ["upstream a: server 127.0.0.1:1", "upstream a: server unix:/s", "proxy_pass http://127.0.0.1:3"]
        );
        assert_eq!(targets[0].host, "a");
        assert_eq!(notes.len(), 1);
    }
}
