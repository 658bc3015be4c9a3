//! `proxy_pass` and the `proxy_redirect` that follows from it. Not here: choosing an endpoint.

use super::shorthand::{LOCATION, Row, custom, exactly};
use crate::build::{Build, HostPart, Level, Line, addresses, find_upstream, implicit_upstream};
use crate::model::{Pattern, ProxyPass, ProxyTarget, Redirect, Template};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("proxy_pass", LOCATION, exactly(1), proxy_pass)
            .syntax("URL")
            .help("Passes requests to an upstream.")
            .manual(
                "http://, then a host and port, an upstream's name, or unix:/path. With a URI, \
                 even a slash alone, the part of the path that the location matched is \
                 replaced by it and the path is passed decoded and encoded again; without one, \
                 the request's own path is passed on as it came. In a regular expression's or \
                 a named location there can be no URI. With variables the URL is worked out \
                 for each request, and its URI, if it has one, is passed as it is. It is not \
                 inherited.",
            )
            .differs(
                "A host that does not resolve does not stop the start. https:// is not \
                 supported yet. Names are looked up again every 30 seconds.",
            ),
    ]
}

fn proxy_pass(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let word = line.word(0);
    let text = build.word_template(word);
    level.settings.proxy_pass = if text.as_literal().is_none() {
        variable_pass(build, word, text)
    } else {
        literal_pass(build, level, word, text)
    };
}

fn variable_pass(build: &mut Build<'_>, word: &Word, text: Template) -> Option<ProxyPass> {
    if starts_with(&word.text, "https://") {
        https(build, word);
        return None;
    }
    if !word.text.starts_with('$') && !starts_with(&word.text, "http://") {
        build.warn(word.span, "invalid URL prefix: every request will fail");
        build.help("a URL with variables must come to one that starts with http://");
    }
    Some(ProxyPass { target: ProxyTarget::Variable(text.clone()), text, uri: None, host: "".into(), port: "".into() })
}

fn literal_pass(build: &mut Build<'_>, level: &Level, word: &Word, text: Template) -> Option<ProxyPass> {
    if starts_with(&word.text, "https://") {
        https(build, word);
        return None;
    }
    if !starts_with(&word.text, "http://") {
        invalid_prefix(build, word);
        return None;
    }
    let rest = word.text.get("http://".len()..).unwrap_or_default();
    let written = match addresses::endpoint(rest) {
        Ok(written) => written,
        Err(fault) => {
            build.error(word.span, format!("{fault} in upstream \"{rest}\""));
            return None;
        }
    };
    check_uri(build, level, word, written.uri);
    let target = target(build, word, &written)?;
    let (host, port) = host_and_port(&written);
    Some(ProxyPass { text, target, uri: (!written.uri.is_empty()).then(|| Template::literal(written.uri)), host, port })
}

fn starts_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn https(build: &mut Build<'_>, word: &Word) {
    build.error(word.span, "https:// to an upstream is not supported yet");
    build.help("the gateway speaks plain HTTP to upstreams: http://…");
}

fn invalid_prefix(build: &mut Build<'_>, word: &Word) {
    build.error(word.span, "invalid URL prefix");
    build.help(format!("write the scheme: http://{}", word.text));
}

fn check_uri(build: &mut Build<'_>, level: &Level, word: &Word, uri: &str) {
    if !uri.is_empty() && matches!(level.own.pattern, Pattern::Regex(_) | Pattern::Named(_)) {
        build.error(
            word.span,
            "\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named location, \
             or inside \"if\" statement, or inside \"limit_except\" block",
        );
        build.help(format!("leave out \"{uri}\": the request's own path is passed on"));
    }
}

fn target(build: &mut Build<'_>, word: &Word, written: &addresses::Written<'_>) -> Option<ProxyTarget> {
    if let HostPart::Name(name) = written.host
        && let Some(place) = find_upstream(build, name)
    {
        if let Some(port) = written.port {
            let name = name_of(build, place);
            build.error(word.span, format!("upstream \"{name}\" may not have port {port}"));
            build.help("an upstream's servers have their own ports: leave it out here");
            return None;
        }
        return Some(ProxyTarget::Upstream(place));
    }
    Some(ProxyTarget::Upstream(implicit_upstream(build, written)))
}

fn name_of(build: &Build<'_>, place: usize) -> Box<str> {
    let upstream = build.upstreams.get(place);
    upstream.map_or_else(Box::default, |upstream| upstream.name.clone())
}

/// `$proxy_host` and `$proxy_port`.
fn host_and_port(written: &addresses::Written<'_>) -> (Box<str>, Box<str>) {
    match (&written.host, written.port) {
        (HostPart::Unix(_), _) => ("localhost".into(), "".into()),
        (_, None) => (written.authority.into(), "80".into()),
        (_, Some(80)) => {
            let host = written.authority.rsplit_once(':');
            let host = host.map_or(written.authority, |(host, _)| host);
            (host.into(), "80".into())
        }
        (_, Some(port)) => (written.authority.into(), port.to_string().into()),
    }
}

/// The redirect of `proxy_redirect default`, where the location has a literal `proxy_pass`.
pub(super) fn redirect_of(level: &Level) -> Option<Redirect> {
    let pass = level.settings.proxy_pass.as_ref()?;
    let ProxyTarget::Upstream(_) = pass.target else {
        return None;
    };
    let url = &pass.text.source;
    Some(match (&pass.uri, &level.own.pattern) {
        (Some(_), Pattern::Exact(path) | Pattern::Prefix(path) | Pattern::PrefixNoRegex(path)) => {
            Redirect::Prefix { from: Template::literal(url), to: Template::literal(path) }
        }
        _ => Redirect::Prefix { from: Template::literal(&format!("{url}/")), to: Template::literal("/") },
    })
}

/// Adds the default redirect to a level where none was written, here or above. As in nginx, locations nested in this
/// one inherit it.
pub(crate) fn default_redirect(level: &mut Level) {
    if level.written.redirects.is_none() && !level.written.redirect_off {
        level.written.redirects = redirect_of(level).map(|redirect| vec![redirect]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{config, errors, first_location, in_http, in_server};

    fn pass(url: &str) -> ProxyPass {
        let location = first_location(&format!("location / {{ proxy_pass {url}; }}"));
        location.settings.proxy_pass.unwrap()
    }

    #[test]
    fn a_slash_alone_is_a_uri_and_nothing_is_none() {
        assert_eq!(pass("http://127.0.0.1:1").uri, None);
        assert_eq!(pass("http://127.0.0.1:1/").uri, Some(Template::literal("/")));
    }

    #[test]
    fn the_default_port_is_not_part_of_the_host() {
        assert_eq!(&*pass("http://app.example:80").host, "app.example");
        assert_eq!(&*pass("http://[::1]:80").host, "[::1]");
        let pass = pass("http://app.example:81");
        assert_eq!((&*pass.host, &*pass.port), ("app.example:81", "81"));
    }

    #[test]
    fn a_unix_socket_is_called_localhost() {
        let pass = pass("http://unix:/run/a.sock:/b");
        assert_eq!((&*pass.host, &*pass.port), ("localhost", ""));
        assert_eq!(pass.uri, Some(Template::literal("/b")));
    }

    #[test]
    fn one_literal_host_is_one_upstream() {
        let config =
            config(in_http("server { location /a { proxy_pass http://x; } location /b { proxy_pass http://x:80/; } }"));
        assert_eq!(config.upstreams.len(), 1);
        assert!(config.upstreams.first().unwrap().implicit);
    }

    #[test]
    fn a_url_with_variables_keeps_its_uri_to_itself() {
        let pass = pass("http://$host/a");
        assert!(matches!(pass.target, ProxyTarget::Variable(_)));
        assert_eq!(pass.uri, None);
    }

    #[test]
    fn a_scheme_must_be_written() {
        let loaded = in_server("location / { proxy_pass 127.0.0.1:1; }");
        assert_eq!(errors(&loaded), ["invalid URL prefix"]);
    }
}
