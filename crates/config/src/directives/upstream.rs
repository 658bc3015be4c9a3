//! The upstream module: `upstream`, its servers, its balancing methods, its pool of idle connections.
//! Not here: the choice of an endpoint.

use std::time::Duration;

use super::resolver;
use super::shorthand::{HTTP, Row, UPSTREAM, at_least, between, custom, definition, exactly, long_count, time};
use crate::build::{Build, Line, RESOLVER_TIMEOUT, UpstreamDraft, address_of, addresses, define_upstream};
use crate::model::{Address, UpstreamServer};
use crate::text::units::{self, Resolution};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = server_rows();
    rows.extend(balance_rows());
    rows.extend(keepalive_rows());
    rows
}

fn server_rows() -> Vec<Row> {
    vec![
        definition("upstream", HTTP, exactly(1), define_upstream)
            .repeats()
            .block()
            .syntax("name")
            .help("Names a set of interchangeable endpoints.")
            .manual(
                "proxy_pass http://name goes to one of its servers, in weighted turns unless \
                 another method is named.",
            ),
        custom("server", UPSTREAM, at_least(1), server)
            .repeats()
            .syntax(
                "address [weight=number] [max_fails=number] [fail_timeout=time] \
                 [max_conns=number] [backup] [down] [resolve]",
            )
            .help("Adds an endpoint.")
            .manual(
                "A host and port (80 unless written), or unix:/path. `max_fails` failures \
                 within `fail_timeout` take it out of rotation for `fail_timeout`; 0 never \
                 does. `max_conns` bounds its connections, 0 not at all. `backup` is used when \
                 no other is left, `down` not at all. A name with several addresses is several \
                 endpoints; with one of each family it is one that is reached by whichever answers. With `resolve` it is asked of `resolver` instead of the system.",
            )
            .differs(
                "A name that does not resolve does not stop the start. Where there is no `resolver`, `resolve` asks the system. With or without it a name is looked up \
                 again when its time to live is over (where DNS does not tell one, every 30 seconds), when a \
                 connection to it cannot be made, and every second until it resolves. Counts are kept for each worker.",
            ),
        custom("resolver", UPSTREAM, at_least(1), |build, draft: &mut UpstreamDraft, line| {
            draft.resolver = Some(resolver::read(build, line));
        })
        .syntax("address … [valid=time] [ipv4=on|off] [ipv6=on|off]")
        .help("Names the DNS servers to ask for this upstream's servers with `resolve`.")
        .manual("Without it, those of `http` are asked. See the directive of that name there."),
        time("resolver_timeout", UPSTREAM, |d: &mut UpstreamDraft| d.resolver_timeout.get_or_insert(RESOLVER_TIMEOUT))
            .default("30s")
            .help("Bounds a look-up by this upstream's own `resolver`.")
            .manual("After that long, what was known before stays in use."),
        custom("zone", UPSTREAM, between(1, 2), zone)
            .syntax("name [size]")
            .help("Is accepted: nginx shares an upstream's state among its workers with it.")
            .manual("The name and size are read and not used: each worker counts for itself.")
            .differs("No memory is shared."),
    ]
}

fn balance_rows() -> Vec<Row> {
    vec![
        custom("least_conn", UPSTREAM, exactly(0), |build, draft: &mut UpstreamDraft, line| {
            set_method(build, draft, line, policy::Balance::LeastConn, true);
        })
        .help("Picks the endpoint with the fewest connections.")
        .manual("Weights count; among equals the turns of the default method decide."),
        custom("ewma", UPSTREAM, exactly(0), |build, draft: &mut UpstreamDraft, line| {
            set_method(build, draft, line, policy::Balance::Ewma, false);
        })
        .help("Picks, of two endpoints by chance, the one that is expected to answer sooner.")
        .manual(
            "What is expected is what answers took lately, times the requests that are under way: a slow answer counts at \
             once and in full, and is forgotten within some ten seconds; an endpoint that says nothing to anybody is as slow \
             as that lasts. A failure counts as a second. Weights count. Servers cannot be `backup`. A method of Tidegate's \
             own.",
        ),
        custom("ip_hash", UPSTREAM, exactly(0), |build, draft: &mut UpstreamDraft, line| {
            set_method(build, draft, line, policy::Balance::IpHash, false);
        })
        .help("Sends a client's address always to the same endpoint.")
        .manual(
            "The first three bytes of an IPv4 address count, or the whole IPv6 address. \
             Servers cannot be `backup`.",
        ),
        custom("hash", UPSTREAM, between(1, 2), hash)
            .syntax("key [consistent]")
            .help("Sends a key always to the same endpoint.")
            .manual(
                "The key is a text with variables. `consistent` moves only a few keys when an \
                 endpoint is added or removed. Servers cannot be `backup`.",
            ),
        custom("random", UPSTREAM, between(0, 2), random)
            .syntax("[two [method]]")
            .help("Picks an endpoint by chance.")
            .manual(
                "`two` draws two and takes the one with fewer connections (least_conn). \
                 Servers cannot be `backup`.",
            )
            .differs("least_time is not supported yet."),
    ]
}

fn keepalive_rows() -> Vec<Row> {
    vec![
        custom("keepalive", UPSTREAM, between(1, 2), keepalive)
            .syntax("connections [local]")
            .default("32 local")
            .help("Bounds the idle connections that each worker keeps.")
            .manual(
                "The least recently used is closed when there would be more. 0 keeps none. It \
                 is not a bound on the connections in use.",
            )
            .differs(
                "`local`, which in nginx keeps a connection to the location that opened it, \
                 changes nothing: locations share the pool.",
            ),
        long_count("keepalive_requests", UPSTREAM, |d: &mut UpstreamDraft| &mut d.upstream.keepalive.requests)
            .default("1000")
            .help("Bounds the requests of one connection to an endpoint.")
            .manual("After that many the connection is closed."),
        time("keepalive_time", UPSTREAM, |d: &mut UpstreamDraft| &mut d.upstream.keepalive.time)
            .default("1h")
            .help("Bounds the age of a connection to an endpoint.")
            .manual("Once it is older, it is closed after the request in progress."),
        time("keepalive_timeout", UPSTREAM, |d: &mut UpstreamDraft| &mut d.upstream.keepalive.timeout)
            .default("60s")
            .help("Bounds how long a connection to an endpoint stays idle.")
            .manual(
                "Keep it below the endpoint's own idle timeout: a request sent as the endpoint \
             closes is the most frequent cause of a 502.",
            ),
    ]
}

fn server(build: &mut Build<'_>, draft: &mut UpstreamDraft, line: &Line<'_>) {
    let word = line.word(0);
    if word.text.contains('/') && !word.text.starts_with("unix:") {
        build.error(word.span, format!("invalid host in upstream \"{}\"", word.text));
        return build.help("an address only: no scheme, no path");
    }
    let written = match addresses::endpoint(&word.text) {
        Ok(written) => written,
        Err(fault) => {
            return build.error(word.span, format!("{fault} in upstream \"{}\"", word.text));
        }
    };
    let mut server = UpstreamServer::plain(address_of(&written, 80), &word.text);
    for parameter in line.words().iter().skip(1) {
        read_parameter(build, draft, &mut server, parameter);
    }
    draft.upstream.servers.push(server);
}

/// Parameters of `server` that belong to nginx's commercial version or to what is not built yet.
const NOT_YET: &[&str] = &["service", "slow_start", "route", "drain"];

fn read_parameter(build: &mut Build<'_>, draft: &mut UpstreamDraft, server: &mut UpstreamServer, word: &Word) {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.text.as_str(), None),
    };
    let read = match (name, value) {
        ("weight", Some(value)) => set(&mut server.weight, number(value).filter(|&n| n > 0)),
        ("max_fails", Some(value)) => {
            server.max_fails_written = true;
            set(&mut server.max_fails, number(value))
        }
        ("max_conns", Some(value)) => set(&mut server.max_conns, number(value)),
        ("fail_timeout", Some(value)) => set(&mut server.fail_timeout, whole_seconds(value)),
        ("backup", None) => return backup(build, draft, server, word),
        ("down", None) => set(&mut server.down, Some(true)),
        ("resolve", None) => {
            if matches!(server.address, Address::Name { .. }) {
                draft.resolve.get_or_insert(word.span);
            }
            set(&mut server.resolve, Some(true))
        }
        (name, _) if NOT_YET.contains(&name) => {
            return build.error(word.span, format!("parameter \"{name}\" of \"server\" is not supported yet"));
        }
        _ => false,
    };
    if !read {
        build.invalid_parameter(word);
    }
}

fn set<T>(field: &mut T, value: Option<T>) -> bool {
    let read = value.is_some();
    if let Some(value) = value {
        *field = value;
    }
    read
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn whole_seconds(text: &str) -> Option<Duration> {
    units::time(text, Resolution::Seconds)
}

fn backup(build: &mut Build<'_>, draft: &UpstreamDraft, server: &mut UpstreamServer, word: &Word) {
    server.backup = true;
    if !draft.takes_backup {
        build.error(word.span, "balancing method does not support parameter \"backup\"");
    }
}

fn zone(build: &mut Build<'_>, draft: &mut UpstreamDraft, line: &Line<'_>) {
    let name = line.word(0);
    if let Some(size) = line.words().get(1) {
        build.size(line, size);
    }
    draft.upstream.zone = Some(name.text.as_str().into());
    build.note(line.span(), "\"zone\" has no effect here: each worker keeps its own state");
}

/// Takes over a method; the last of several counts, as in nginx.
fn set_method(
    build: &mut Build<'_>,
    draft: &mut UpstreamDraft,
    line: &Line<'_>,
    method: policy::Balance,
    takes_backup: bool,
) {
    if std::mem::replace(&mut draft.method, true) {
        build.warn(line.span(), "load balancing method redefined");
    }
    draft.upstream.balance = method;
    draft.upstream.hash_key = None;
    draft.takes_backup = takes_backup;
}

fn hash(build: &mut Build<'_>, draft: &mut UpstreamDraft, line: &Line<'_>) {
    let consistent = match line.words().get(1) {
        None => false,
        Some(word) if word.text == "consistent" => true,
        Some(word) => return build.invalid_parameter(word),
    };
    let key = build.word_template(line.word(0));
    set_method(build, draft, line, policy::Balance::Hash { consistent }, false);
    draft.upstream.hash_key = Some(key);
}

fn random(build: &mut Build<'_>, draft: &mut UpstreamDraft, line: &Line<'_>) {
    let two = match line.words() {
        [] => false,
        [two] if two.text == "two" => true,
        [two, method] if two.text == "two" && method.text == "least_conn" => true,
        [two, method] if two.text == "two" && method.text.starts_with("least_time") => {
            return build.error(method.span, "\"random two least_time\" is not supported yet");
        }
        [two] | [two, _] if two.text != "two" => return build.invalid_parameter(two),
        _ => return build.invalid_parameter(line.last()),
    };
    set_method(build, draft, line, policy::Balance::Random { two }, false);
}

fn keepalive(build: &mut Build<'_>, draft: &mut UpstreamDraft, line: &Line<'_>) {
    let word = line.word(0);
    match number(&word.text) {
        Some(idle) => draft.upstream.keepalive.idle = idle as usize,
        None => build.error(word.span, format!("invalid value \"{}\" in \"keepalive\" directive", word.text)),
    }
    match line.words().get(1) {
        None => {}
        Some(extra) if extra.text == "local" => {
            build.note(extra.span, "\"local\" has no effect here: locations share the pool")
        }
        Some(extra) => build.invalid_parameter(extra),
    }
}

#[cfg(test)]
mod tests {
    use crate::Severity;
    use crate::build::testing::{config, errors, in_http, said};
    use crate::model::Upstream;

    fn upstream(lines: &str) -> Upstream {
        config(in_http(&format!("upstream a {{ {lines} }}"))).upstreams.remove(0)
    }

    #[test]
    fn idle_connections_are_kept_unless_turned_off() {
        assert_eq!(upstream("server b;").keepalive.idle, 32);
        assert_eq!(upstream("server b; keepalive 0;").keepalive.idle, 0);
    }

    #[test]
    fn a_server_has_the_defaults_of_nginx() {
        let server = upstream("server b;").servers.remove(0);
        assert_eq!((server.weight, server.max_fails, server.max_conns), (1, 1, 0));
        assert_eq!(server.fail_timeout.as_secs(), 10);
    }

    #[test]
    fn a_resolve_without_a_resolver_anywhere_is_told_whom_it_asks() {
        let notes = |text: &str| said(&in_http(text), Severity::Note).len();
        assert_eq!(notes("upstream a { server b resolve; server c resolve; }"), 1);
        assert_eq!(notes("upstream a { server b resolve; } upstream c { server d resolve; }"), 2);
        assert_eq!(notes("upstream a { server b; server 127.0.0.1 resolve; }"), 0);
        assert_eq!(notes("upstream a { server b resolve; resolver 127.0.0.1; }"), 0);
        assert_eq!(notes("upstream a { server b resolve; } resolver 127.0.0.1;"), 0);
    }

    #[test]
    fn a_second_method_wins_with_a_warning() {
        let loaded = in_http("upstream a { hash $uri; least_conn; server b; }");
        assert_eq!(said(&loaded, Severity::Warning), ["load balancing method redefined"]);
        let upstream = config(loaded).upstreams.remove(0);
        assert_eq!(upstream.balance, policy::Balance::LeastConn);
        assert_eq!(upstream.hash_key, None);
    }

    #[test]
    fn a_hash_takes_no_backup() {
        let loaded = in_http("upstream a { hash $uri; server b; server c backup; }");
        assert_eq!(errors(&loaded), ["balancing method does not support parameter \"backup\""]);
    }

    #[test]
    fn a_scheme_has_no_place_before_an_endpoint() {
        let loaded = in_http("upstream a { server http://b; }");
        assert_eq!(errors(&loaded), ["invalid host in upstream \"http://b\""]);
    }
}
