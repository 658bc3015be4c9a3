//! What changes in a head that is passed on: whom it is for, who sent it, and what concerned one connection only.
//! Not here: bodies, upgrades.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{CONNECTION, EXPECT, FORWARDED, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, request};

use crate::InvalidBase;

const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which `Host` an endpoint gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Host {
    /// That of the client, as with `proxy_set_header Host $host`: links in answers are then right.
    #[default]
    Client,
    /// That of the endpoint's URL, for endpoints that tell sites apart by it.
    Endpoint,
}

/// A base URL.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) origin: Arc<str>,
    pub(crate) backup: bool,
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

impl Base {
    pub(crate) fn parse(url: &str, backup: bool) -> Result<Self, InvalidBase> {
        let invalid = || InvalidBase(url.to_owned());
        let parts = url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(invalid()) };
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|path| path.query().is_some()) {
            return Err(invalid());
        }
        let prefix = path.map_or(String::new(), |path| path.path().trim_end_matches('/').to_owned());
        Ok(Self { origin: format!("{scheme}://{authority}").into(), backup, scheme, authority, prefix })
    }

    /// The URL of a path below this one.
    pub(crate) fn join(&self, uri: &Uri) -> Uri {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with(['/', '*']) { "" } else { "/" };
        let built = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{slash}{path}", self.prefix));
        built.build().unwrap_or_else(|_| uri.clone())
    }
}

/// Makes a received head one for an endpoint.
pub(crate) fn request(head: &mut request::Parts, client: Option<IpAddr>, host: Host) {
    let asked = head.headers.get(HOST).cloned().or_else(|| {
        let authority = head.uri.authority()?;
        HeaderValue::try_from(authority.as_str()).ok()
    });
    remove_hop_by_hop(&mut head.headers);
    head.headers.remove(EXPECT);
    head.version = Version::HTTP_11;
    if let Some(path) = head.uri.path_and_query().cloned() {
        head.uri = Uri::from(path);
    }
    add_client(&mut head.headers, client, asked.as_ref());
    match (host, asked) {
        (Host::Client, Some(asked)) => drop(head.headers.insert(HOST, asked)),
        _ => drop(head.headers.remove(HOST)),
    }
}

fn add_client(headers: &mut HeaderMap, client: Option<IpAddr>, host: Option<&HeaderValue>) {
    if let Some(host) = host {
        headers.insert(X_FORWARDED_HOST, host.clone());
    }
    let Some(client) = client.map(|client| client.to_canonical()) else { return };
    if let Ok(address) = HeaderValue::try_from(client.to_string()) {
        headers.insert(X_REAL_IP, address);
    }
    append(headers, X_FORWARDED_FOR, client.to_string());
    append(headers, FORWARDED, forwarded(client, host.and_then(|host| host.to_str().ok())));
}

/// One element of RFC 7239's list. A host with characters that would end the quotes is left out.
fn forwarded(client: IpAddr, host: Option<&str>) -> String {
    let mut element = match client {
        IpAddr::V4(client) => format!("for={client}"),
        IpAddr::V6(client) => format!("for=\"[{client}]\""),
    };
    if let Some(host) = host.filter(|host| !host.contains(['"', '\\'])) {
        let _ = write!(element, ";host=\"{host}\"");
    }
    element
}

/// Adds to the list of a field, however many lines it came in.
fn append(headers: &mut HeaderMap, name: HeaderName, element: String) {
    let before = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let list: Vec<&str> = before.chain([element.as_str()]).collect();
    if let Ok(value) = HeaderValue::try_from(list.join(", ")) {
        headers.insert(name, value);
    }
}

/// Removes what concerns one connection (RFC 9110 §7.6.1): what `Connection` names, and what always does.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    const ALWAYS: [&str; 4] = ["keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate"];
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let trailers = headers.get(TE).is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
    // Nobody may have the fields removed by which messages are framed and routed.
    for name in named.iter().filter(|name| !matches!(name.as_str(), "host" | "content-length")) {
        headers.remove(name);
    }
    for name in ALWAYS {
        headers.remove(name);
    }
    for name in [CONNECTION, TE, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> request::Parts {
        let mut builder = http::Request::get("/a?b");
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn paths_go_below_the_base() {
        let join =
            |base, path: &'static str| Base::parse(base, false).unwrap().join(&Uri::from_static(path)).to_string();
        assert_eq!(join("http://a:1", "/b?c"), "http://a:1/b?c");
        assert_eq!(join("http://a:1/v1/", "/b"), "http://a:1/v1/b");
        for invalid in ["a", "/a", "http://", "http://a/?b"] {
            assert!(Base::parse(invalid, false).is_err(), "{invalid}");
        }
    }

    #[test]
    fn fields_of_the_connection_stay_behind() {
        let mut head = head(&[
            ("connection", "x-secret, close, host"),
            ("x-secret", "1"),
            ("keep-alive", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("host", "h"),
            ("accept", "*/*"),
        ]);
        request(&mut head, None, Host::Client);
        let mut left: Vec<&str> = head.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "host", "te", "x-forwarded-host"]);
    }

    #[test]
    fn the_client_is_added_to_the_lists_and_its_own_claim_replaced() {
        let mut head = head(&[("host", "h:1"), ("x-real-ip", "9.9.9.9"), ("x-forwarded-for", "1.1.1.1")]);
        request(&mut head, Some([192, 0, 2, 7].into()), Host::Endpoint);
        assert_eq!(head.headers["x-real-ip"], "192.0.2.7");
        assert_eq!(head.headers["x-forwarded-for"], "1.1.1.1, 192.0.2.7");
        assert_eq!(head.headers["forwarded"], "for=192.0.2.7;host=\"h:1\"");
        assert_eq!(head.headers["x-forwarded-host"], "h:1");
        assert!(!head.headers.contains_key(HOST), "the endpoint's is added where it is sent");
    }

    #[test]
    fn addresses_of_version_6_are_quoted() {
        assert_eq!(forwarded("2001:db8::1".parse().unwrap(), None), "for=\"[2001:db8::1]\"");
    }
}
