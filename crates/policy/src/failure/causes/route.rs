//! Before there is an endpoint: who answers, where its name leads, and which endpoint may serve.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

const ROUTE: Treatment = Treatment {
    phase: Phase::Route,
    status: 500,
    blame: Blame::Gateway,
    delivery: Delivery::NeverSent,
    condition: None,
    replay: Replay::Never,
    level: Level::Error,
    user: user::MISSET,
};

const RESOLVE: Treatment = Treatment {
    phase: Phase::Resolve,
    status: 502,
    blame: Blame::Endpoint,
    condition: Some(Condition::Error),
    replay: Replay::Any,
    user: user::DOWN,
    ..ROUTE
};

/// nginx answers 502 where RFC 9209 has 503: its users' `error_page 502` stays right.
const SELECT: Treatment = Treatment {
    phase: Phase::Select,
    status: 502,
    blame: Blame::Endpoint,
    condition: None,
    replay: Replay::Never,
    user: user::DOWN,
    ..ROUTE
};

const BUSY: Treatment = Treatment { user: user::BUSY, ..SELECT };

const NO_LIVE: &str = "no live upstreams";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::NoRoute,
        code: Code(1001),
        name: "no_route",
        error_type: "destination_not_found",
        treatment: ROUTE,
        happened: "No upstream is configured for this request.",
        advice: "Give the location a `proxy_pass`, or define the upstream that it names; `tidegate check` shows what is missing.",
        elsewhere: elsewhere("no upstream is defined", "LR", "NR"),
    },
    Row {
        cause: Cause::Loop,
        code: Code(1002),
        name: "loop",
        error_type: "proxy_loop_detected",
        treatment: Treatment { status: 502, ..ROUTE },
        happened: "The request came back to this gateway: it forwards to itself.",
        advice: "Let `proxy_pass` name the application's own address, not one that this gateway, or a proxy in front of it, \
                 listens on; look where the name leads with `getent ahosts NAME`.",
        elsewhere: elsewhere("the request came back to this gateway", "", ""),
    },
    Row {
        cause: Cause::RedirectCycle,
        code: Code(1003),
        name: "redirect_cycle",
        error_type: "proxy_configuration_error",
        treatment: ROUTE,
        happened: "The configuration sends the request from location to location without end.",
        advice: "Break the circle of `rewrite … last`, `try_files`, `index` and `error_page`: mostly the last file of `try_files` \
                 is missing, or a `rewrite` matches what it has written.",
        elsewhere: elsewhere("rewrite or internal redirection cycle", "", ""),
    },
    Row {
        cause: Cause::DnsTimeout,
        code: Code(1101),
        name: "dns_timeout",
        error_type: "dns_timeout",
        treatment: Treatment { status: 504, condition: Some(Condition::Timeout), ..RESOLVE },
        happened: "No DNS server answered in time, and no earlier answer is known.",
        advice: "Look whether the DNS server can be reached from here (`dig @SERVER NAME`) and is the right one in `resolver` or \
                 /etc/resolv.conf; in containers it is often 127.0.0.11.",
        elsewhere: elsewhere("upstream could not be resolved (110: Operation timed out)", "SC", "DF"),
    },
    Row {
        cause: Cause::NameNotFound,
        code: Code(1102),
        name: "name_not_found",
        error_type: "dns_error",
        treatment: RESOLVE,
        happened: "The endpoint's name does not exist.",
        advice: "Look for a mistyped name, and ask the same DNS server for it (`dig @SERVER NAME`): a short name is only known \
                 inside its own container network, or with a search domain.",
        elsewhere: elsewhere("upstream could not be resolved (3: Host not found)", "SC", "DF"),
    },
    Row {
        cause: Cause::DnsServerFailed,
        code: Code(1103),
        name: "dns_server_failed",
        error_type: "dns_error",
        treatment: RESOLVE,
        happened: "The DNS server could not, or would not, answer.",
        advice: "Ask it yourself (`dig @SERVER NAME`): SERVFAIL means that it cannot reach the zone's own servers or that DNSSEC \
                 fails, REFUSED that it does not serve this machine. Name another one in `resolver`.",
        elsewhere: elsewhere("upstream could not be resolved (2: Server failure)", "SC", "DF"),
    },
    Row {
        cause: Cause::NoAddress,
        code: Code(1104),
        name: "no_address",
        error_type: "dns_error",
        treatment: RESOLVE,
        happened: "The endpoint's name exists and has no address.",
        advice: "Give the name an A or AAAA record; with `ipv6=off` in `resolver` only the A record counts.",
        elsewhere: elsewhere("upstream could not be resolved (4: No address)", "SC", "DF"),
    },
    Row {
        cause: Cause::NoResolver,
        code: Code(1105),
        name: "no_resolver",
        error_type: "proxy_configuration_error",
        treatment: Treatment { blame: Blame::Gateway, user: user::MISSET, ..RESOLVE },
        happened: "A name has to be looked up while serving, and no DNS server is known.",
        advice: "Add `resolver ADDRESS;` to the http block, or name the DNS servers in /etc/resolv.conf.",
        elsewhere: elsewhere("no resolver defined to resolve upstream", "", ""),
    },
    Row {
        cause: Cause::NoLiveEndpoints,
        code: Code(1201),
        name: "no_live_endpoints",
        error_type: "destination_unavailable",
        treatment: SELECT,
        happened: "Every endpoint of the upstream is down, out of rotation, or was tried already.",
        advice: "Look at the failures before this one: they took the endpoints out. One bad answer is enough with the default \
                 `max_fails=1`; raise it, or shorten `fail_timeout`. Remove servers marked `down` that are there for show.",
        elsewhere: elsewhere(NO_LIVE, "SC", "UH"),
    },
    Row {
        cause: Cause::EndpointsFull,
        code: Code(1202),
        name: "endpoints_full",
        error_type: "connection_limit_reached",
        treatment: BUSY,
        happened: "Every endpoint that is up serves as many requests as it may.",
        advice: "Raise `max_conns` if the endpoints can do more, add endpoints, or let requests wait with `queue`.",
        elsewhere: elsewhere(NO_LIVE, "sQ", "UO"),
    },
    Row {
        cause: Cause::QueueFull,
        code: Code(1203),
        name: "queue_full",
        error_type: "connection_limit_reached",
        treatment: BUSY,
        happened: "Every endpoint is busy, and as many requests wait as may.",
        advice: "Add endpoints, or find out why they are slow; a longer `queue` only helps against short peaks.",
        elsewhere: elsewhere(NO_LIVE, "sQ", "UO"),
    },
    Row {
        cause: Cause::QueueTimeout,
        code: Code(1204),
        name: "queue_timeout",
        error_type: "connection_limit_reached",
        treatment: BUSY,
        happened: "No endpoint had time for the request while it waited in the queue.",
        advice: "Add endpoints, or find out why they are slow; `queue … timeout=` says how long a request may wait.",
        elsewhere: elsewhere(NO_LIVE, "sQ", "UO"),
    },
    Row {
        cause: Cause::HoldFull,
        code: Code(1205),
        name: "hold_full",
        error_type: "destination_unavailable",
        treatment: Treatment { status: 503, ..SELECT },
        happened: "No endpoint is up, and as many requests are held as may.",
        advice: "Find out why no endpoint is up: the failures before this one say it.",
        elsewhere: elsewhere(NO_LIVE, "SC", "UH"),
    },
    Row {
        cause: Cause::HoldTimeout,
        code: Code(1206),
        name: "hold_timeout",
        error_type: "destination_unavailable",
        treatment: Treatment { status: 503, ..SELECT },
        happened: "The request was held, and no endpoint came back in time.",
        advice: "Find out why no endpoint came back: the failures before this one say it. If a restart takes longer than \
                 requests are held, hold them longer.",
        elsewhere: elsewhere(NO_LIVE, "SC", "UH"),
    },
    Row {
        cause: Cause::RetryBudgetSpent,
        code: Code(1207),
        name: "retry_budget_spent",
        error_type: "destination_unavailable",
        treatment: Treatment { status: 503, ..BUSY },
        happened: "So much fails that the request was not tried again: retries would keep it failing.",
        advice: "Find out what fails: this is the consequence. The failures before this one name the endpoints and the causes.",
        elsewhere: elsewhere("too many retries", "", "URX"),
    },
    Row {
        cause: Cause::BreakerOpen,
        code: Code(1208),
        name: "breaker_open",
        error_type: "destination_unavailable",
        treatment: Treatment { status: 503, ..SELECT },
        happened: "So much failed lately that the upstream is given a rest.",
        advice: "Find out what failed: this is the consequence. Single requests are let through until they succeed again.",
        elsewhere: elsewhere("the breaker is open", "", "UO"),
    },
];
