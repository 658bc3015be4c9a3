//! Tidegate's own directives against failures: words that nginx does not have. Not here: what they do (see `policy`).

use std::time::Duration;

use policy::budget::BudgetSettings;
use policy::health::EjectSettings;
use policy::hold::HoldSettings;

use super::shorthand::{LEVELS, Row, at_least, between, choice, custom, exactly, flag};
use crate::build::{Build, Level, Line};
use crate::model::{AddressRange, LocalResponse, ProxyStatus, Trusted};
use crate::text::units::{self, Resolution};

pub(super) fn rows() -> Vec<Row> {
    vec![
        flag("resilience", LEVELS, |l: &mut Level| &mut l.proxy.resilience.on)
            .default("off")
            .help("Switches the recommended set against failures on.")
            .manual(
                "It stands for `hold 5s max=1000`, `eject on` and `proxy_next_upstream_delay 25ms`, and tells endpoints which \
                 attempts are retries, in the field Retry-Attempt. What is written of these at the same level or above wins \
                 over it. \
                 What never costs a client anything is on without it: connections are not used beyond the idle limit \
                 that an endpoint announces or shows, and retries are bounded by `retry_budget`.",
            ),
        custom("local_response", LEVELS, exactly(1), local_response)
            .syntax("auto | nginx")
            .default("auto")
            .help("Says in which form a client is told of an upstream's failure.")
            .manual(
                "With `auto` a browser that shows the answer to somebody gets a page that says what happens and loads \
                 itself again when the upstream is back (never after a POST), a program gets problem details (RFC \
                 9457), a tool one line of text. A client that sends no Accept field gets nginx's page, and so does \
                 everybody with `nginx`. An `error_page` goes before. The page's style and script, and the look \
                 whether an upstream is back, are below the path /.tidegate/, which is not passed on unless the \
                 server has `local_response nginx`.",
            ),
        choice(
            "proxy_status",
            LEVELS,
            &[
                ("on", |l: &mut Level| l.settings.proxy_status = ProxyStatus::On),
                ("off", |l| l.settings.proxy_status = ProxyStatus::Off),
                ("trailers", |l| l.settings.proxy_status = ProxyStatus::Trailers),
            ],
        )
        .syntax("on | off | trailers")
        .default("off")
        .help("Tells clients the type of a failure in the field Proxy-Status.")
        .manual(
            "An answer to a request that failed gets a member such as `tidegate; error=connection_refused` (RFC 9209), behind \
             those that an endpoint sent. Clients of `failure_details` also get the endpoint's address and what was seen. An \
             answer that breaks off after its head has begun gets none with `on`: its connection is cut, which every client \
             notices. With `trailers`, a client that says `TE: trailers` gets such an answer, if it comes in chunks, with a last \
             chunk and the member in a trailer, which its head announces (`Trailer: Proxy-Status`, and `Proxy-Status: tidegate`, as \
             RFC 9209 wants). The chunks then look whole: such a client must look at the trailer, or it takes half an answer for \
             all of it. Set it only where those who send `TE: trailers` do look. Answers with a Content-Length are always cut.",
        ),
        custom("failure_details", LEVELS, at_least(1), failure_details)
            .syntax("off | address | network | unix: …")
            .default("off")
            .help("Names the clients that are told of failures what operators are told.")
            .manual(
                "Networks are written as `192.0.2.0/24` or `2001:db8::/32`; `unix:` stands for clients over unix sockets. \
                 To them the answers of `local_response` say what happened and what to change, and `proxy_status` has all its \
                 parameters. Nobody is trusted unless it is said: behind another proxy, every client has that proxy's \
                 address.",
            ),
        custom("hold", LEVELS, between(1, 2), hold)
            .syntax("off | time [max=number]")
            .default("off")
            .help("Lets requests wait for an endpoint to come back.")
            .manual(
                "When no endpoint of the upstream can be reached, requests wait in the order of their arrival, each \
                 up to the time, at most `max` (default 1000) in each worker. The gateway tries to connect meanwhile; \
                 as soon as that works they go on, the first alone and then more and more at once. A restart of a \
                 single backend then costs a pause instead of a 502. Only what never reached an endpoint waits: \
                 refused connections, no live upstreams.",
            ),
        custom("retry_budget", LEVELS, between(1, 2), retry_budget)
            .syntax("off | percent [floor=number]")
            .default("20% floor=10")
            .help("Bounds retries as a share of the traffic.")
            .manual(
                "Of the exchanges of the last ten seconds, so many in a hundred may be tried again after an endpoint \
                 got them; `floor` a second are allowed whatever the traffic. Beyond it the client gets what the \
                 attempt met with: when everything fails, trying everything again keeps it failing. Attempts that \
                 never reached an endpoint cost nothing. Counted for each upstream in each worker.",
            ),
        custom("eject", LEVELS, at_least(1), eject)
            .syntax("off | on [failures=number] [errors=percent] [slow=number] [time=time] [longest=time] [floor=percent]")
            .default("off")
            .help("Takes endpoints out of the rotation that are worse than the others.")
            .manual(
                "An endpoint leaves that takes no connections, at once; one of which `failures` attempts in a row (default \
                 5) or `errors` of the last ten seconds' attempts (50%, of at least 20) failed; and one whose answers usually \
                 take `slow` times (5) as long as those of most others, and more than 100 ms. 0 switches each of these off. \
                 It is out for `time` (5s), and twice as long each time that it leaves again, up to `longest` (2m); each \
                 span in the rotation as long as its last time out takes one doubling back. One that took no connections is \
                 looked after meanwhile, and returns when it takes them. The first request after its return is one that \
                 may be sent again elsewhere, and alone. A request that may not goes, for 5 seconds after an endpoint's \
                 failure, to others if it can, unless a key chooses (`hash`, `ip_hash`). `floor` (50%) of the endpoints always stay, but one may go; where \
                 all are out, the least bad serve. What is no endpoint's fault (no ports or descriptors left, DNS) never \
                 counts, and a single endpoint never leaves. `max_fails` counts beside it only where it is written on the \
                 `server` line. Counted for each upstream in each worker; an endpoint that is there after a reload keeps what is known of it.",
            ),
        custom("proxy_next_upstream_delay", LEVELS, exactly(1), next_upstream_delay)
            .syntax("time | off")
            .default("off")
            .help("Asks endpoints again that were asked already, after a pause.")
            .manual(
                "When every endpoint of the upstream was asked once, or there is but one, a request that broke off before it was \
                 answered is sent again after a pause: at random up to this time before the second round, up to twice that \
                 before the third, which is the last. Only what may be repeated is (see proxy_next_upstream), within \
                 proxy_next_upstream_timeout and `retry_budget`, and never after a timeout or an answer. An endpoint that was \
                 not asked yet is asked without a pause. With `resilience on` the time is 25 ms unless it is written.",
            ),
        flag("proxy_hold_back", LEVELS, |l: &mut Level| &mut l.proxy.resilience.holds_back)
            .default("on")
            .help("Holds small answers back until they are whole.")
            .manual(
                "An answer that declares up to 64 KiB of body is passed on once all of it is here, but 20 ms after its \
                 head at the latest. If it breaks off before, the request goes to the next endpoint, as for `error` of \
                 proxy_next_upstream, and the client sees nothing of it. Only where another endpoint may be asked: an \
                 idempotent method, tries left. Answers without Content-Length, and all with `proxy_buffering off` or \
                 `X-Accel-Buffering: no`, never wait.",
            ),
        flag("proxy_resume", LEVELS, |l: &mut Level| &mut l.proxy.resilience.resumes)
            .default("on")
            .help("Goes on with a large answer that breaks off.")
            .manual(
                "An answer to a GET that has a strong ETag, a Content-Length and `Accept-Ranges: bytes`, or that is one \
                 range itself, can be continued: when its endpoint fails on the way, the missing bytes are asked of \
                 another endpoint, on the condition that the ETag is still the same, and the client sees one answer. \
                 Up to 5 times for an answer, each taken from `retry_budget`. Where that cannot be done the client's \
                 connection is cut, so that it sees that something is missing. Turn it off where endpoints give \
                 different bytes the same ETag.",
            ),
        flag("proxy_replay_unread", LEVELS, |l: &mut Level| &mut l.proxy.resilience.replays_unread)
            .default("on")
            .help("Repeats requests of any method that an endpoint had no chance to read.")
            .manual(
                "When an endpoint closes an idle connection just as a request is sent on it, and TCP shows that it \
                 did so before any byte of the request arrived, the request was never made and goes out again on \
                 another connection, a POST too. A reset proves nothing and is not covered: it may come after the \
                 request was read.",
            ),
    ]
}

fn local_response(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let word = line.word(0);
    match &*word.text {
        "auto" => level.settings.local_response = LocalResponse::Auto,
        "nginx" => level.settings.local_response = LocalResponse::Nginx,
        _ => build.invalid_value(word),
    }
}

fn failure_details(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut ranges = Vec::new();
    let mut unix = false;
    for word in line.words() {
        match AddressRange::parse(&word.text) {
            Some(range) => ranges.push(range),
            None if word.text == "unix:" => unix = true,
            None if word.text == "off" && line.words().len() == 1 => {}
            None => build.invalid_value(word),
        }
    }
    level.settings.failure_details = Trusted { ranges: ranges.into(), unix };
}

fn next_upstream_delay(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let word = line.word(0);
    let time =
        if word.text == "off" { Some(Duration::ZERO) } else { units::time(&word.text, Resolution::Milliseconds) };
    match time {
        Some(time) => level.proxy.resilience.pause = Some(time),
        None => build.invalid_value(word),
    }
}

fn hold(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let (time, rest) = (line.word(0), line.words().get(1));
    let mut hold = HoldSettings::default();
    match units::time(&time.text, Resolution::Milliseconds) {
        _ if time.text == "off" => hold.time = Duration::ZERO,
        Some(span) => hold.time = span,
        None => build.invalid_value(time),
    }
    if let Some(word) = rest {
        match word.text.strip_prefix("max=").and_then(|number| number.parse().ok()) {
            Some(max) if time.text != "off" => hold.max = max,
            _ => build.invalid_parameter(word),
        }
    }
    level.proxy.resilience.hold = Some(hold);
}

fn eject(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let word = line.word(0);
    let mut settings = EjectSettings::default();
    let on = word.text == "on";
    if !on && word.text != "off" {
        build.invalid_value(word);
    }
    for parameter in line.words().iter().skip(1) {
        if !(on && eject_parameter(&mut settings, &parameter.text).is_some()) {
            build.invalid_parameter(parameter);
        }
    }
    if settings.longest < settings.time {
        build.error(line.span(), "\"longest\" of \"eject\" is shorter than \"time\"");
    }
    level.proxy.resilience.eject = Some(on.then_some(settings));
}

/// Nothing if it is none, or has a value that cannot be meant.
fn eject_parameter(settings: &mut EjectSettings, text: &str) -> Option<()> {
    let (name, value) = text.split_once('=')?;
    let number = || value.parse::<u32>().ok();
    let percent = || value.strip_suffix('%')?.parse::<u32>().ok().filter(|percent| *percent <= 100);
    let time = || units::time(value, Resolution::Milliseconds).filter(|time| !time.is_zero());
    match name {
        "failures" => settings.failures = number()?,
        "errors" => settings.percent = percent()?,
        "slow" => settings.slow = number().filter(|times| *times != 1)?,
        "time" => settings.time = time()?,
        "longest" => settings.longest = time()?,
        "floor" => settings.floor = percent()?,
        _ => return None,
    }
    Some(())
}

fn retry_budget(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let (share, rest) = (line.word(0), line.words().get(1));
    let mut budget = Some(BudgetSettings::default());
    match share.text.strip_suffix('%').and_then(|percent| percent.parse().ok()) {
        Some(percent @ 0..=1000) => budget = Some(BudgetSettings { percent, ..BudgetSettings::default() }),
        _ if share.text == "off" => budget = None,
        _ => {
            build.invalid_value(share);
            build.help("a share such as 20%, or off");
        }
    }
    if let Some(word) = rest {
        match (word.text.strip_prefix("floor=").and_then(|number| number.parse().ok()), &mut budget) {
            (Some(floor), Some(budget)) => budget.floor = floor,
            _ => build.invalid_parameter(word),
        }
    }
    level.proxy.resilience.budget = Some(budget);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{errors, in_server, server_settings};

    fn resilience(text: &str) -> policy::resilience::Resilience {
        server_settings(text).proxy.resilience.clone()
    }

    #[test]
    fn details_are_for_nobody_or_for_whom_is_named() {
        let includes = |text: &str, client: &str| server_settings(text).failure_details.includes(client.parse().ok());
        assert!(!includes("", "127.0.0.1"));
        assert!(includes("failure_details 127.0.0.0/8 ::1;", "::1"));
        assert!(!includes("failure_details 127.0.0.0/8 ::1;", "192.0.2.1"));
        assert!(!includes("failure_details off;", "127.0.0.1"));
        assert!(server_settings("failure_details unix:;").failure_details.includes(None));
        assert_eq!(errors(&in_server("failure_details 127.0.0.1 off;")).len(), 1);
        assert_eq!(errors(&in_server("failure_details example.org;")).len(), 1);
    }

    #[test]
    fn hold_takes_a_time_and_a_number() {
        let hold = HoldSettings { time: Duration::from_millis(1500), max: 7 };
        assert_eq!(resilience("hold 1500ms max=7;").hold(), Some(hold));
        assert_eq!(resilience("resilience on; hold off;").hold(), None);
        assert_eq!(resilience("resilience on;").hold(), Some(HoldSettings::default()));
    }

    #[test]
    fn a_budget_is_a_share_and_a_floor() {
        assert_eq!(resilience("retry_budget 5% floor=0;").budget(), Some(BudgetSettings { percent: 5, floor: 0 }));
        assert_eq!(resilience("retry_budget off;").budget(), None);
        assert_eq!(resilience("").budget(), Some(BudgetSettings::default()));
    }

    #[test]
    fn ejection_is_off_unless_it_is_written_or_recommended() {
        assert_eq!(resilience("").eject(), None);
        assert_eq!(resilience("resilience on;").eject(), Some(EjectSettings::default()));
        assert_eq!(resilience("resilience on; eject off;").eject(), None);
        let settings =
            resilience("eject on failures=3 errors=10% slow=0 time=1s longest=1m floor=80%;").eject().unwrap();
        assert_eq!((settings.failures, settings.percent, settings.slow, settings.floor), (3, 10, 0, 80));
        assert_eq!((settings.time.as_secs(), settings.longest.as_secs()), (1, 60));
    }

    #[test]
    fn an_ejection_that_cannot_be_meant_is_refused() {
        for wrong in ["eject x;", "eject off slow=2;", "eject on slow=1;", "eject on errors=5;", "eject on time=5m;"] {
            assert_eq!(errors(&in_server(wrong)).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in ["hold x;", "hold 1s min=2;", "hold off max=2;", "retry_budget 20;", "retry_budget off floor=1;"] {
            assert_eq!(errors(&in_server(wrong)).len(), 1, "{wrong}");
        }
    }
}
