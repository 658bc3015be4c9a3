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
            .manual("Port 53 unless written. `valid=` overrides the time to live of the answers.")
            .no_effect_yet("names are looked up with the system's resolver, every 30 seconds"),
        time("resolver_timeout", LEVELS, |l: &mut Level| l.written.resolver_timeout.get_or_insert(RESOLVER_TIMEOUT))
            .default("30s")
            .help("Bounds a name's look-up.")
            .manual("A request that waits for a name longer than this gets 502.")
            .no_effect_yet("a look-up takes 20 seconds at most"),
    ]
}

fn resolver(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
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
    level.written.resolver = Some(resolver);
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
    use crate::build::testing::server_settings;

    #[test]
    fn resolver_timeout_counts_on_whichever_line_it_stands() {
        let settings = server_settings("resolver_timeout 5s; resolver 127.0.0.1;");
        assert_eq!(settings.resolver.unwrap().timeout.as_secs(), 5);
    }
}
