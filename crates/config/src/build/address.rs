//! Addresses as people write them: `host:port`, `[::1]:80`, `8080`, `*:80`, `unix:/path`. Not here: resolving names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands before and after the colon, and the URI after both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub host: HostPart<'a>,
    /// The port, if one was written.
    pub port: Option<u16>,
    /// The last port of a range (`listen 8000-8010`).
    pub last_port: Option<u16>,
    /// From the first `/` or `?` on; empty without one. Of a unix socket: what follows the second colon.
    pub uri: &'a str,
    /// Host and port as written, without the URI.
    pub authority: &'a str,
}

/// The host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPart<'a> {
    /// `*`, or nothing but a port.
    Any,
    Ip(IpAddr),
    Name(&'a str),
    Unix(&'a str),
}

/// The longest path of a unix socket on Linux.
const MAX_UNIX_PATH: usize = 107;

/// Splits the target of a `proxy_pass` (without its scheme) or of an upstream's `server`. Errors are nginx's words.
pub(crate) fn endpoint(text: &str) -> Result<Written<'_>, &'static str> {
    if starts_with_unix(text) {
        return unix(text, true);
    }
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (authority, uri) = text.split_at(end);
    let (host, port) = split_port(authority)?;
    if host.is_empty() {
        return Err("no host");
    }
    Ok(Written { host: host_part(host)?, port: port.map(number).transpose()?, last_port: None, uri, authority })
}

/// Splits the address of a `listen`. Errors are nginx's words.
pub(crate) fn listen(text: &str) -> Result<Written<'_>, &'static str> {
    if starts_with_unix(text) {
        return unix(text, false);
    }
    let (host, port) = match split_port(text)? {
        (host, None) if is_ports(host) => ("*", Some(host)),
        split => split,
    };
    if host.is_empty() {
        return Err("no host");
    }
    let (port, last_port) = port.map(range).transpose()?.unwrap_or((None, None));
    Ok(Written {
        host: if host == "*" { HostPart::Any } else { host_part(host)? },
        port,
        last_port,
        uri: "",
        authority: text,
    })
}

fn starts_with_unix(text: &str) -> bool {
    text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("unix:"))
}

fn unix(text: &str, uri_allowed: bool) -> Result<Written<'_>, &'static str> {
    let after = text.get(5..).unwrap_or_default();
    let (path, uri) = match after.split_once(':') {
        Some(split) if uri_allowed => split,
        _ => (after, ""),
    };
    match path.len() {
        0 => return Err("no path in the unix domain socket"),
        long if long > MAX_UNIX_PATH => return Err("too long path in the unix domain socket"),
        _ => {}
    }
    Ok(Written {
        host: HostPart::Unix(path),
        port: None,
        last_port: None,
        uri,
        authority: text.get(..5 + path.len()).unwrap_or(text),
    })
}

/// Host and port text; the host of `[::1]:80` keeps its brackets.
fn split_port(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    if !text.starts_with('[') {
        return Ok(match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        });
    }
    let close = text.find(']').ok_or("invalid host")?;
    let (host, rest) = text.split_at(close + 1);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err("invalid port"),
    }
}

fn host_part(host: &str) -> Result<HostPart<'_>, &'static str> {
    if let Some(inside) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address: Ipv6Addr = inside.parse().map_err(|_| "invalid IPv6 address")?;
        return Ok(HostPart::Ip(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(HostPart::Ip(address.into()));
    }
    Ok(HostPart::Name(host))
}

/// Whether the text is a port or a range of ports alone.
fn is_ports(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn number(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err("invalid port"),
    }
}

fn range(text: &str) -> Result<(Option<u16>, Option<u16>), &'static str> {
    let Some((first, last)) = text.split_once('-') else {
        return Ok((Some(number(text)?), None));
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err("invalid port range");
    }
    Ok((Some(first), Some(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_an_endpoint_into_host_port_and_uri() {
        let written = endpoint("127.0.0.1:8080/api?x").unwrap();
        assert_eq!(written.host, HostPart::Ip(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(written.port, Some(8080));
        assert_eq!(written.uri, "/api?x");
        assert_eq!(written.authority, "127.0.0.1:8080");
    }

    #[test]
    fn a_unix_endpoint_ends_at_its_second_colon() {
        let written = endpoint("unix:/run/app.sock:/v1/").unwrap();
        assert_eq!(written.host, HostPart::Unix("/run/app.sock"));
        assert_eq!(written.uri, "/v1/");
    }

    #[test]
    fn a_listen_may_be_a_port_alone_a_star_or_a_range() {
        assert_eq!(listen("8080").unwrap().host, HostPart::Any);
        assert_eq!(listen("*:81").unwrap().port, Some(81));
        let range = listen("[::1]:8000-8002").unwrap();
        assert_eq!((range.port, range.last_port), (Some(8000), Some(8002)));
    }

    #[test]
    fn says_what_is_wrong_in_the_words_of_nginx() {
        assert_eq!(endpoint("a:70000"), Err("invalid port"));
        assert_eq!(endpoint(":80"), Err("no host"));
        assert_eq!(endpoint("[::1"), Err("invalid host"));
        assert_eq!(listen("8002-8001"), Err("invalid port range"));
        assert_eq!(listen("unix:"), Err("no path in the unix domain socket"));
    }
}
