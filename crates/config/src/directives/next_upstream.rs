//! The proxy module: when a request is tried on another endpoint. Not here: trying it.

use policy::retry::{Condition, Conditions};

use super::shorthand::{LEVELS, Row, at_least, custom, exactly, time};
use crate::build::{Build, Level, Line};

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("proxy_next_upstream", LEVELS, at_least(1), next_upstream)
            .syntax(
                "error | timeout | invalid_header | http_500 | http_502 | http_503 | http_504 \
                 | http_403 | http_404 | http_429 | non_idempotent | off …",
            )
            .default("error timeout")
            .help("Says when a request is tried on another endpoint.")
            .manual(
                "`error`: no connection, or a failure while sending or reading the head. \
                 `timeout`: one of the timeouts. `invalid_header`: an empty or broken answer. \
                 `http_…`: that status. POST, LOCK and PATCH are not tried again once the \
                 request was sent, unless `non_idempotent` is given. `off` tries once. Nothing \
                 is retried after a byte of the answer reached the client.",
            ),
        custom("proxy_next_upstream_tries", LEVELS, exactly(1), |build, level: &mut Level, line| {
            if let Some(tries) = build.count(line, line.word(0)) {
                level.proxy.next_upstream.tries = u32::try_from(tries).unwrap_or(u32::MAX);
            }
        })
        .syntax("number")
        .default("0")
        .help("Bounds the attempts of a request.")
        .manual(
            "0 means once for each endpoint. A failure on a reused connection that the \
             endpoint had just closed does not count.",
        ),
        time("proxy_next_upstream_timeout", LEVELS, |l: &mut Level| &mut l.proxy.next_upstream.timeout)
            .default("0")
            .help("Bounds the time within which another attempt may start.")
            .manual("0 is no bound. It does not cut off an attempt in progress."),
    ]
}

fn next_upstream(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut conditions = Conditions::OFF;
    let mut off = false;
    for word in line.words() {
        let known = Condition::ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(&word.text));
        match known {
            Some(&(condition, _)) if conditions.contains(condition) => {
                build.warn(word.span, format!("duplicate value \"{}\"", word.text));
            }
            Some(&(condition, _)) => conditions.insert(condition),
            None if word.text.eq_ignore_ascii_case("off") => off = true,
            None => {
                build.invalid_value(word);
                let known: Vec<&str> = Condition::ALL.iter().map(|(_, known)| *known).collect();
                build.help(format!("some of: {}, or off", known.join(", ")));
            }
        }
    }
    level.proxy.next_upstream.conditions = if off { Conditions::OFF } else { conditions };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::server_settings;

    #[test]
    fn off_wins_over_every_other_condition() {
        let settings = server_settings("proxy_next_upstream error off;");
        assert_eq!(settings.proxy.next_upstream.conditions, Conditions::OFF);
        let settings = server_settings("proxy_next_upstream http_502;");
        let conditions = settings.proxy.next_upstream.conditions;
        assert!(conditions.contains(Condition::Http502));
        assert!(!conditions.contains(Condition::Error));
    }
}
