//! What of a configuration is simulated: an upstream, and the settings of a location that passes to it. Not here: the run.

use config::Config;
use config::model::{Location, Proxy, ProxyTarget, Upstream};
use policy::EndpointSettings;

/// Simulated where no file is given.
pub(super) const DEFAULT: &str = "\
events {}
http {
    upstream endpoints { random two; server 192.0.2.1; }
    server { location / { proxy_pass http://endpoints; resilience on; } }
}
";

/// The endpoints of a simulation without a file that says no number.
pub(super) const DEFAULT_ENDPOINTS: usize = 10;

/// An upstream and how it is asked.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) upstream: Upstream,
    pub(super) proxy: Proxy,
}

impl Subject {
    /// The upstream of this name, or the only one.
    ///
    /// # Errors
    /// There is none, or several and no name was given, or nothing passes to it.
    pub(super) fn find(config: &Config, name: Option<&str>) -> Result<Self, String> {
        let index = match (name, config.upstreams.as_slice()) {
            (None, [_]) => Some(0),
            (None, []) => return Err("the file passes to no upstream".into()),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|upstream| &*upstream.name).collect();
                return Err(format!("the file has several upstreams: --upstream names one of {}", names.join(", ")));
            }
            (Some(name), several) => several.iter().position(|upstream| &*upstream.name == name),
        };
        let index = index.ok_or_else(|| format!("the file has no upstream \"{}\"", name.unwrap_or_default()))?;
        let mut levels = config.servers.iter().flat_map(|server| std::iter::once(&server.root).chain(&server.named));
        let upstream = &config.upstreams[index];
        let proxy = levels.find_map(|level| passes_to(level, index));
        let proxy = proxy.ok_or_else(|| format!("no location passes to upstream \"{}\"", upstream.name))?;
        Ok(Self { upstream: upstream.clone(), proxy: proxy.clone() })
    }

    /// So many endpoints, copies of the servers in turn. A name counts as one endpoint.
    pub(super) fn endpoints(&self, number: Option<usize>) -> Vec<EndpointSettings> {
        let number = number.unwrap_or(self.upstream.servers.len());
        let servers = self.upstream.servers.iter().cycle().take(number);
        let settings = servers.enumerate().map(|(at, server)| EndpointSettings {
            weight: server.weight,
            max_conns: server.max_conns,
            max_fails: server.max_fails,
            max_fails_written: server.max_fails_written,
            fail_timeout: server.fail_timeout,
            backup: server.backup,
            down: server.down,
            name: format!("{}#{at}", server.text).into(),
        });
        settings.collect()
    }

    /// What is configured and not simulated.
    pub(super) fn left_out(&self) -> Option<&'static str> {
        let holds = self.proxy.resilience.hold().is_some();
        holds.then_some("requests that find no endpoint fail at once: hold is not simulated")
    }
}

fn passes_to(level: &Location, index: usize) -> Option<&Proxy> {
    let target = level.settings.proxy_pass.as_ref().map(|pass| &pass.target);
    let here = matches!(target, Some(ProxyTarget::Upstream(to)) if *to == index);
    let below = || level.children.iter().find_map(|child| passes_to(child, index));
    if here { Some(&level.settings.proxy) } else { below() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_is_named_where_there_are_several() {
        let text = "events {} http { upstream a { server 192.0.2.1; server 192.0.2.2; } upstream b { server 192.0.2.3; } server { \
                    location / { proxy_pass http://a; location /b { proxy_pass http://b; proxy_next_upstream_tries 7; } } } }";
        let config = config::load_text(text).config.unwrap();
        assert!(Subject::find(&config, None).is_err());
        assert!(Subject::find(&config, Some("c")).is_err());
        assert_eq!(Subject::find(&config, Some("b")).unwrap().proxy.next_upstream.tries, 7);
        let names: Vec<_> =
            Subject::find(&config, Some("a")).unwrap().endpoints(Some(3)).into_iter().map(|one| one.name).collect();
        assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["192.0.2.1#0", "192.0.2.2#1", "192.0.2.1#2"]);
    }
}
