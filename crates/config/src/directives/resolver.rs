//! The http core module: `resolver`. Not here: asking it.

use std::net::SocketAddr;

use super::shorthand::{LEVELS, Row, at_least, custom, time};
use crate::build::{Build, HostPart, Level, Line, RESOLVER_TIMEOUT, addresses};
use crate::model::Resolver;
use crate::text::units::{self, Resolution};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("resolver", LEVELS, at_least(1), resolver)
            .syntax("address … [valid=time] [ipv4=on|off] [ipv6=on|off]")
            .help("Names the DNS servers to ask.")
            .manual(
                "They are asked for the names of servers with `resolve`, and for those that variables in proxy_pass \
                 bring up; in turns, by UDP, and by TCP where an answer is cut. Port 53 unless written. An answer holds \
                 for its time to live, or for `valid=`. Where one family of addresses is found, the \
                 other is waited for 500 ms. Addresses stay in use until there are others: a name server that fails \
                 takes nothing away.",
            )
            .differs(
                "Without a `resolver` the system's is asked, also for names in variables. A name server is an address, \
                 not a name.",
            ),
        time("resolver_timeout", LEVELS, |l: &mut Level| l.written.resolver_timeout.get_or_insert(RESOLVER_TIMEOUT))
            .default("30s")
            .help("Bounds a name's look-up.")
            .manual("A request that waits for a name longer than this gets 502."),
    ]
}

fn resolver(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    level.written.resolver = Some(read(build, line));
}

/// Reads a `resolver` line.
pub(super) fn read(build: &mut Build<'_>, line: &Line<'_>) -> Resolver {
    let mut resolver = Resolver { servers: Vec::new(), valid: None, timeout: RESOLVER_TIMEOUT, families: (true, true) };
    for word in line.words() {
        match word.text.split_once('=') {
            Some(("valid", time)) => {
                resolver.valid = units::time(time, Resolution::Seconds);
                if resolver.valid.is_none() {
                    build.error(word.span, format!("invalid parameter: {}", word.text));
                }
            }
            Some(("ipv4", on)) => resolver.families.0 = family(build, word, on),
            Some(("ipv6", on)) => resolver.families.1 = family(build, word, on),
            Some(_) => build.invalid_parameter(word),
            None => resolver.servers.extend(name_server(build, word)),
        }
    }
    if resolver.families == (false, false) {
        build.error(line.span(), "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    }
    if resolver.servers.is_empty() {
        build.error(line.span(), "no name servers defined");
    }
    resolver
}

fn family(build: &mut Build<'_>, word: &Word, value: &str) -> bool {
    if !matches!(value, "on" | "off") {
        build.invalid_parameter(word);
    }
    value != "off"
}

/// The port of DNS.
const DNS_PORT: u16 = 53;

fn name_server(build: &mut Build<'_>, word: &Word) -> Option<SocketAddr> {
    let written = match addresses::endpoint(&word.text) {
        Ok(written) => written,
        Err(fault) => {
            build.error(word.span, format!("{fault} in resolver \"{}\"", word.text));
            return None;
        }
    };
    let HostPart::Ip(ip) = written.host else {
        build.error(word.span, format!("host not found in resolver \"{}\"", word.text));
        build.help("write the name server's address, such as 127.0.0.53");
        return None;
    };
    Some(SocketAddr::new(ip, written.port.unwrap_or(DNS_PORT)))
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, in_http, server_settings};

    #[test]
    fn resolver_timeout_counts_on_whichever_line_it_stands() {
        let settings = server_settings("resolver_timeout 5s; resolver 127.0.0.1;");
        assert_eq!(settings.resolver.unwrap().timeout.as_secs(), 5);
    }

    #[test]
    fn an_upstream_asks_its_own_name_servers_or_else_those_of_http() {
        let text = "resolver 127.0.0.1; upstream a { server a.test resolve; } \
                    upstream b { resolver_timeout 2s; resolver 127.0.0.2:5353 valid=9s; server b.test; }";
        let upstreams = config(in_http(text)).upstreams;
        let asked =
            |at: usize| upstreams.get(at).unwrap().resolver.as_ref().unwrap().servers.first().unwrap().to_string();
        assert_eq!((asked(0), asked(1)), ("127.0.0.1:53".into(), "127.0.0.2:5353".into()));
        assert_eq!(upstreams.get(1).unwrap().resolver.as_ref().unwrap().timeout.as_secs(), 2);
        let resolves = |at: usize| upstreams.get(at).unwrap().servers.first().unwrap().resolve;
        assert!(resolves(0) && !resolves(1));
    }
}
