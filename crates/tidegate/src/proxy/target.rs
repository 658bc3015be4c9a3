//! Which upstream a `proxy_pass` means for this request: fixed in the file, or named by variables.
//! Not here: which endpoint of it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use config::Config;
use config::model::{self, Address, Keepalive, Level, ProxyPass, ProxyTarget, Template, UpstreamServer};
use policy::{Balance, Cause, Failure};

use crate::answer::Step;
use crate::request::Request;
use crate::upstream::{Upstream, resolve};
use crate::uri::{Escape, escape_into};
use crate::variables;
use crate::worker::Named;

/// The upstream of one request.
pub(crate) struct Target {
    pub(crate) upstream: Rc<Upstream>,
    origin: Origin,
    /// The target to send, where variables gave one.
    pub(crate) uri: Option<Vec<u8>>,
}

/// Where an upstream comes from.
enum Origin {
    /// The configuration, which has it at this index.
    Configured(usize),
    /// Variables, which gave it this name.
    Named(Box<str>),
}

impl Target {
    fn configured(request: &Request, index: usize, uri: Option<Vec<u8>>) -> Self {
        Self { upstream: request.generation.upstream(index), origin: Origin::Configured(index), uri }
    }

    /// How logs name the upstream where no endpoint could be picked.
    pub(crate) fn name<'a>(&'a self, config: &'a Config) -> &'a str {
        match &self.origin {
            Origin::Configured(index) => &config.upstreams[*index].name,
            Origin::Named(name) => name,
        }
    }

    /// How it is balanced, and by which key.
    pub(crate) fn balance<'a>(&self, config: &'a Config) -> (Balance, Option<&'a Template>) {
        match self.origin {
            Origin::Configured(index) => (config.upstreams[index].balance, config.upstreams[index].hash_key.as_ref()),
            Origin::Named(_) => (Balance::RoundRobin, None),
        }
    }
}

/// Finds the upstream.
pub(crate) async fn find(request: &mut Request, pass: &ProxyPass) -> Result<Target, Step> {
    match &pass.target {
        ProxyTarget::Upstream(index) => Ok(Target::configured(request, *index, None)),
        ProxyTarget::Variable(template) => {
            let url = variables::evaluate(template, request);
            Box::pin(named(request, &url)).await
        }
    }
}

/// Finds the upstream of a URL that was made of variables: a name of the configuration wins over DNS.
async fn named(request: &mut Request, url: &[u8]) -> Result<Target, Step> {
    let place = Place::parse(url).map_err(|fault| {
        request.fail(Level::Error, &fault, Failure::new(Cause::ConfigurationError));
        Step::Status(500)
    })?;
    request.named_upstream = Some((place.shown.into(), place.port.to_string().into()));
    let uri = (!place.uri.is_empty()).then(|| request_target(place.uri));
    let upstreams = &request.generation.tables.config.upstreams;
    if let Some(index) = upstreams.iter().position(|upstream| upstream.name.eq_ignore_ascii_case(place.shown)) {
        return Ok(Target::configured(request, index, uri));
    }
    let key = format!("{}:{}", place.host, place.port);
    let upstream = match request.generation.upstream_named(&key) {
        Some(named) if named.holds(request.settings().resolver.as_ref()) => named.upstream,
        known => make(request, &place, &key, known.map(|named| named.upstream)).await?,
    };
    Ok(Target { upstream, origin: Origin::Named(key.into()), uri })
}

/// Looks the name up and makes its upstream, unless `known` is what would come of it.
async fn make(
    request: &mut Request,
    place: &Place<'_>,
    key: &str,
    known: Option<Rc<Upstream>>,
) -> Result<Rc<Upstream>, Step> {
    let model = model_of(request, place, key);
    let until = look_up(request, &model).await?;
    let names = &request.worker.names;
    let upstream = match known.filter(|known| !names.differs(&model, &known.endpoints)) {
        Some(known) => known,
        None => Rc::new(names.build(&model, request.generation.share)),
    };
    upstream.trust_again();
    request.generation.remember(key, Named { upstream: upstream.clone(), until, resolver: model.resolver });
    Ok(upstream)
}

fn model_of(request: &Request, place: &Place<'_>, key: &str) -> model::Upstream {
    let address = match place.host.trim_matches(['[', ']']).parse() {
        _ if place.host.starts_with("unix:") => Address::Unix(place.host.trim_start_matches("unix:").into()),
        Ok(ip) => Address::Socket(std::net::SocketAddr::new(ip, place.port)),
        Err(_) => Address::Name { host: place.host.into(), port: place.port },
    };
    let server = UpstreamServer { resolve: true, ..UpstreamServer::plain(address, key) };
    model::Upstream {
        name: key.into(),
        implicit: true,
        servers: vec![server],
        balance: Balance::RoundRobin,
        hash_key: None,
        keepalive: Keepalive::default(),
        resolver: request.settings().resolver.clone(),
        zone: None,
        health_checks: Vec::new(),
    }
}

/// Addresses that were written as such hold for ever.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);

/// Looks up the names of an upstream; says until when their addresses hold.
async fn look_up(request: &mut Request, model: &model::Upstream) -> Result<Instant, Step> {
    let Some(name) = resolve::names_of(std::slice::from_ref(model)).pop() else {
        return Ok(Instant::now() + FOR_EVER);
    };
    let names = request.worker.names.clone();
    names.look_up(&name).await.map_err(|why| {
        let message = format!("{} could not be resolved ({why})", name.host);
        request.fail(Level::Error, &message, Failure::new(why.cause()).detail(name.host.to_string()));
        Step::Status(502)
    })
}

/// The target to send: one word, whatever the variables held.
fn request_target(uri: &[u8]) -> Vec<u8> {
    let mut target = Vec::with_capacity(uri.len() + 1);
    if !uri.starts_with(b"/") {
        target.push(b'/');
    }
    escape_into(&mut target, Escape::Word, uri);
    target
}

/// `http://HOST[:PORT][URI]`, or `http://unix:PATH[:URI]`.
struct Place<'a> {
    host: &'a str,
    port: u16,
    /// Host and port as written.
    shown: &'a str,
    uri: &'a [u8],
}

impl<'a> Place<'a> {
    /// Errors are nginx's log lines.
    fn parse(url: &'a [u8]) -> Result<Self, String> {
        let rest = match url.split_at_checked(7) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"http://") => rest,
            _ => return Err(format!("invalid URL prefix in \"{}\"", String::from_utf8_lossy(url))),
        };
        Self::parse_address(rest).map_err(|fault| format!("{fault} in upstream \"{}\"", String::from_utf8_lossy(rest)))
    }

    fn parse_address(rest: &'a [u8]) -> Result<Self, &'static str> {
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "invalid host");
        if let Some(path) = rest.strip_prefix(b"unix:") {
            let length = path.iter().position(|byte| *byte == b':').unwrap_or(path.len());
            let (host, uri) = (text(&rest[..5 + length])?, path.get(length + 1..).unwrap_or_default());
            return Ok(Self { host, port: 0, shown: "localhost", uri });
        }
        let cut = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (shown, uri) = (text(&rest[..cut])?, &rest[cut..]);
        let end_of_host = shown.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match shown[end_of_host..].split_once(':') {
            Some((before, port)) => (&shown[..end_of_host + before.len()], port.parse().map_err(|_| "invalid port")?),
            None => (shown, 80),
        };
        if host.is_empty() { Err("no host") } else { Ok(Self { host, port, shown, uri }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(&str, u16, &str, &str)> {
        let text = |uri| std::str::from_utf8(uri).unwrap();
        Place::parse(url.as_bytes()).ok().map(|place| (place.host, place.port, place.shown, text(place.uri)))
    }

    #[test]
    fn urls_of_variables_are_taken_apart() {
        assert_eq!(parts("http://app"), Some(("app", 80, "app", "")));
        assert_eq!(parts("http://app:81/x?y"), Some(("app", 81, "app:81", "/x?y")));
        assert_eq!(parts("HTTP://[::1]:81"), Some(("[::1]", 81, "[::1]:81", "")));
        assert_eq!(parts("http://unix:/run/a.sock:/x"), Some(("unix:/run/a.sock", 0, "localhost", "/x")));
    }

    #[test]
    fn a_target_is_one_word() {
        assert_eq!(request_target(b"/a b\r\nX: y"), b"/a%20b%0D%0AX:%20y");
        assert_eq!(request_target(b"?x"), b"/?x");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for wrong in ["", "app", "https://app", "http://", "http://app:x", "http://:80"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
