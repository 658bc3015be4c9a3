//! The module of active health checks, in NGINX Plus's words. Not here: probing (the gateway's), and how many probes decide
//! (`policy::health::active`).

use std::sync::Arc;
use std::time::Duration;

use policy::health::active::ProbeSettings;

use super::shorthand::{HTTP, LOCATION, Row, at_least, custom, definition, exactly};
use crate::build::{Build, HealthCheckDraft, Level, Line};
use crate::model::{HeaderTest, Match, Probe, Test};
use crate::text::units::{self, Resolution};
use crate::tree::{Directive, Word};

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("health_check", LOCATION, at_least(0), health_check)
            .syntax(
                "[interval=time] [jitter=time] [fails=number] [passes=number] [uri=uri] [port=number] \
                 [mandatory [persistent]] [match=name] [type=http|tcp]",
            )
            .help("Probes the endpoints of the upstream that the location passes requests to.")
            .manual(
                "Each endpoint that is not `down` is asked for `uri` (default /) as soon as the gateway runs, and again \
                 `interval` (5s) after each probe, later by a random time up to `jitter`. After `fails` (1) failures in a row \
                 no request goes to it, whoever else is left, until `passes` (1) probes in a row pass: if every endpoint \
                 fails, clients get 502, or wait with `hold`. With `mandatory` none goes to it before the first probe has \
                 passed. An answer passes that is 2xx or 3xx, or that passes the tests of the `match` block. `type=tcp` only \
                 connects. A probe is `GET` on a connection of its own, bounded by proxy_connect_timeout and, from there to \
                 the end of the answer, by proxy_read_timeout; both are the location's, so a location of its own, \
                 `internal`, can give probes short times. `Host` and other fields are those of proxy_set_header that have no \
                 variables, else `Host` is what proxy_pass names. What is this machine's fault (no ports or \
                 descriptors left) says nothing of an endpoint. The error log says once that an endpoint fails, with the cause, \
                 and once that it is back. Where several locations check one upstream, each of them has to pass.",
            )
            .differs(
                "`zone` is not needed: each worker probes for itself, so that an endpoint gets as many probes as there are \
                 workers. What was found outlives a reload, also without `persistent`. `type=tcp` is ours; \
                 `type=grpc` is not supported yet, nor is keepalive_time=.",
            ),
        definition("match", HTTP, exactly(1), define_match)
            .repeats()
            .block()
            .syntax("name")
            .help("Names tests that the answer to a health check has to pass.")
            .manual(
                "All lines have to hold. `status 200 204 300-399;` or with `!` before them: none of these. \
                 `header NAME;` is there, `header ! NAME;` is not; `header NAME = VALUE;`, `!=`, `~ REGEX` and `!~` want \
                 the field to be there and its value to be such. `body ~ REGEX;` and `body !~` look at the first 256 KiB of \
                 the body.",
            )
            .differs("`require` is not supported yet."),
    ]
}

fn health_check(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut draft = HealthCheckDraft {
        settings: ProbeSettings::default(),
        probe: Probe::Http { uri: "/".into(), tests: None },
        port: None,
        span: line.span(),
    };
    let mut words = Words::default();
    for word in line.words() {
        read_parameter(build, &mut draft, &mut words, word);
    }
    if words.persistent && !draft.settings.mandatory {
        build.error(line.span(), "\"persistent\" of \"health_check\" needs \"mandatory\"");
    }
    match draft.probe {
        Probe::Tcp if words.http_only => {
            build.error(line.span(), "\"uri\" and \"match\" of \"health_check\" have no meaning with \"type=tcp\"");
        }
        _ => level.own.health_check = Some(draft),
    }
}

/// What was written beside values.
#[derive(Default)]
struct Words {
    persistent: bool,
    /// `uri=` or `match=`.
    http_only: bool,
}

fn read_parameter(build: &mut Build<'_>, draft: &mut HealthCheckDraft, words: &mut Words, word: &Word) {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.text.as_str(), None),
    };
    let settings = &mut draft.settings;
    let read = match (name, value) {
        ("interval", Some(value)) => put(&mut settings.interval, time(value).filter(|time| !time.is_zero())),
        ("jitter", Some(value)) => put(&mut settings.jitter, time(value)),
        ("fails", Some(value)) => put(&mut settings.fails, number(value)),
        ("passes", Some(value)) => put(&mut settings.passes, number(value)),
        ("mandatory", None) => put(&mut settings.mandatory, Some(true)),
        ("persistent", None) => put(&mut words.persistent, Some(true)),
        ("port", Some(value)) => {
            let port = value.parse().ok().filter(|port| *port > 0);
            put(&mut draft.port, port.map(Some))
        }
        ("type", Some("http")) => true,
        ("type", Some("tcp")) => put(&mut draft.probe, Some(Probe::Tcp)),
        ("type", Some("grpc")) | ("grpc_service" | "grpc_status", Some(_)) => {
            build.error(word.span, "\"type=grpc\" of \"health_check\" is not supported yet");
            return build
                .help("the gateway does not speak HTTP/2 to upstreams: type=tcp looks whether they take connections");
        }
        ("keepalive_time", Some(_)) => {
            return build.error(word.span, "parameter \"keepalive_time\" of \"health_check\" is not supported yet");
        }
        ("uri", Some(value)) => {
            words.http_only = true;
            read_uri(&mut draft.probe, value)
        }
        ("match", Some(value)) => {
            words.http_only = true;
            return read_match(build, &mut draft.probe, value, word);
        }
        _ => false,
    };
    if !read {
        build.invalid_parameter(word);
    }
}

fn put<T>(field: &mut T, value: Option<T>) -> bool {
    let read = value.is_some();
    if let Some(value) = value {
        *field = value;
    }
    read
}

fn time(text: &str) -> Option<Duration> {
    units::time(text, Resolution::Milliseconds)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

fn read_uri(probe: &mut Probe, text: &str) -> bool {
    let fits = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
    if let Probe::Http { uri, .. } = probe {
        *uri = text.into();
    }
    fits
}

fn read_match(build: &mut Build<'_>, probe: &mut Probe, name: &str, word: &Word) {
    let Some(known) = build.matches.iter().find(|known| *known.name == *name).cloned() else {
        return build.error(word.span, format!("match \"{name}\" not found"));
    };
    if let Probe::Http { tests, .. } = probe {
        *tests = Some(known);
    }
}

fn define_match(build: &mut Build<'_>, line: &Line<'_>) {
    let name = line.word(0);
    if build.matches.iter().any(|known| *known.name == *name.text) {
        return build.error(name.span, format!("duplicate match \"{}\"", name.text));
    }
    let tests = line.block().iter().filter_map(|test| read_test(build, test)).collect();
    build.matches.push(Arc::new(Match { name: name.text.as_str().into(), tests }));
}

fn read_test(build: &mut Build<'_>, test: &Directive) -> Option<Test> {
    let name = &test.name;
    let read = match name.text.as_str() {
        "status" => status_test(&test.args),
        "header" => return header_test(build, test),
        "body" => return body_test(build, test),
        "require" => {
            build.error(name.span, "\"require\" of \"match\" is not supported yet");
            return None;
        }
        _ => {
            build.error(name.span, format!("unknown test \"{}\" in \"match\"", name.text));
            build.help("one of: status, header, body");
            return None;
        }
    };
    if read.is_none() {
        malformed(build, test);
    }
    read
}

fn malformed(build: &mut Build<'_>, test: &Directive) {
    build.error(test.name.span, format!("invalid test \"{}\" in \"match\"", test.name.text));
    build.help(match test.name.text.as_str() {
        "status" => "status codes and ranges: status 200 204 300-399; or status ! 500-599;",
        "header" => "header NAME; header ! NAME; header NAME = VALUE; with !=, ~ or !~ as well",
        _ => "body ~ REGEX; or body !~ REGEX;",
    });
}

fn status_test(words: &[Word]) -> Option<Test> {
    let (among, words) = match words {
        [not, rest @ ..] if not.text == "!" => (false, rest),
        all => (true, all),
    };
    let ranges = words.iter().map(|word| status_range(&word.text)).collect::<Option<Vec<_>>>()?;
    (!ranges.is_empty()).then_some(Test::Status { among, ranges })
}

fn status_range(text: &str) -> Option<(u16, u16)> {
    let code = |text: &str| text.parse().ok().filter(|code| (100..=999).contains(code));
    match text.split_once('-') {
        Some((from, to)) => Some((code(from)?, code(to)?)).filter(|(from, to)| from <= to),
        None => code(text).map(|code| (code, code)),
    }
}

fn header_test(build: &mut Build<'_>, test: &Directive) -> Option<Test> {
    let texts: Vec<&str> = test.args.iter().map(|word| word.text.as_str()).collect();
    let (name, wants) = match texts.as_slice() {
        ["!", name] => (name, HeaderTest::Absent),
        [name] => (name, HeaderTest::Present),
        [name, sign @ ("=" | "!="), value] => (name, HeaderTest::Equals(*sign == "=", (*value).into())),
        [name, sign @ ("~" | "!~"), value] => {
            let regex = build.regex(value, false, test.args.last()?.span)?;
            (name, HeaderTest::Matches(*sign == "~", regex))
        }
        _ => {
            malformed(build, test);
            return None;
        }
    };
    Some(Test::Header { name: (*name).into(), wants })
}

fn body_test(build: &mut Build<'_>, test: &Directive) -> Option<Test> {
    match test.args.as_slice() {
        [sign, value] if matches!(sign.text.as_str(), "~" | "!~") => {
            let regex = build.regex(&value.text, false, value.span)?;
            Some(Test::Body { matches: sign.text == "~", regex })
        }
        _ => {
            malformed(build, test);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{config, errors, in_http};
    use crate::model::HealthCheck;

    const MATCH: &str = "match up { status 200-299 304; header ! X-Off; body !~ \"down\"; }";

    fn of(line: &str) -> String {
        format!(
            "server {{ location / {{ proxy_pass http://app; {line} }} }} {MATCH} upstream app {{ server 127.0.0.1:1; }}"
        )
    }

    fn check(line: &str) -> HealthCheck {
        config(in_http(&of(line))).upstreams.remove(0).health_checks.remove(0)
    }

    #[test]
    fn a_check_has_the_defaults_of_nginx_plus() {
        let check = check("health_check;");
        assert_eq!(check.settings, ProbeSettings::default());
        assert_eq!(check.probe, Probe::Http { uri: "/".into(), tests: None });
        assert_eq!(&*check.host, "app");
    }

    #[test]
    fn a_check_says_when_and_what_it_asks() {
        let check = check(
            "health_check interval=1s jitter=500ms fails=3 passes=2 uri=/up?x port=81 match=up mandatory persistent;",
        );
        let (interval, jitter) = (Duration::from_secs(1), Duration::from_millis(500));
        assert_eq!(check.settings, ProbeSettings { interval, jitter, fails: 3, passes: 2, mandatory: true });
        assert_eq!(check.port, Some(81));
        let Probe::Http { uri, tests: Some(tests) } = check.probe else { panic!("it has tests") };
        assert_eq!((&*uri, tests.tests.len()), ("/up?x", 3));
        assert_eq!(tests.tests.first(), Some(&Test::Status { among: true, ranges: vec![(200, 299), (304, 304)] }));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in
            ["interval=0", "fails=0", "uri=x", "port=0", "match=none", "persistent", "type=tcp uri=/", "type=grpc"]
        {
            assert_eq!(errors(&in_http(&of(&format!("health_check {wrong};")))).len(), 1, "{wrong}");
        }
        for wrong in
            ["status;", "status x;", "status 299-200;", "header;", "header A = ;", "body x;", "require $x;", "z;"]
        {
            assert_eq!(errors(&in_http(&format!("match a {{ {wrong} }}"))).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_check_needs_an_upstream_that_the_file_names() {
        for pass in ["", "set $a app; proxy_pass http://$a;"] {
            let loaded = in_http(&format!("server {{ location / {{ {pass} health_check; }} }}"));
            assert_eq!(errors(&loaded).len(), 1, "{pass}");
        }
    }
}
