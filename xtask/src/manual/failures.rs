//! The pages of failures: a table of all causes, and a page for each. Not here: what they say, which is each cause's row in
//! `crates/policy/src/failure/causes`.

use std::collections::BTreeMap;

use policy::failure::{Cause, Delivery, Elsewhere, Replay, Row, Treatment};
use policy::{Condition, Level};

use super::links;

/// A page a cause, by its path below the manual's folder.
pub(super) fn pages() -> BTreeMap<String, String> {
    Cause::ALL.iter().map(|cause| (path(cause.row()), page(cause.row()))).collect()
}

fn path(row: &Row) -> String {
    format!("failures/{}.md", row.code)
}

/// The table.
pub(super) fn index() -> String {
    let mut text = String::from(INTRODUCTION);
    for (title, first, last) in GROUPS {
        text.push_str(&format!("\n## {title}\n\n| code | cause | what happened | client gets |\n|---|---|---|---|\n"));
        let rows = Cause::ALL.iter().map(|cause| cause.row());
        let lines = rows.filter(|row| (*first..=*last).contains(&row.code.0)).map(line);
        text.push_str(&lines.collect::<String>());
    }
    text
}

fn line(row: &Row) -> String {
    let happened = links::linked(row.happened, "directives/", "");
    format!("| [{}]({}) | `{}` | {happened} | {} |\n", row.code, path(row), row.name, row.treatment.status)
}

/// The codes of a group, from the first to the last.
const GROUPS: &[(&str, u16, u16)] = &[
    ("Who answers", 1000, 1099),
    ("Names", 1100, 1199),
    ("Choosing an endpoint", 1200, 1999),
    ("Connecting", 2000, 2999),
    ("TLS", 3000, 3999),
    ("Sending the request", 4000, 4999),
    ("Waiting for the answer", 5000, 5999),
    ("The answer is not HTTP", 6000, 6099),
    ("The head of the answer", 6100, 6999),
    ("The body of the answer", 7000, 7999),
    ("Upgraded connections", 8000, 8099),
    ("HTTP/2", 8100, 8999),
    ("The client", 9000, 9499),
    ("The gateway", 9500, 9999),
];

const INTRODUCTION: &str = "\
# Failures

Everything that can go wrong with a request has one cause, and each cause a code that never changes. The cause stands

- in the error log, behind nginx's line: `, failure: \"TG-2001 connect_refused; …\"` with what was seen, and once a minute for each
  cause and endpoint `, advice: \"…\"`; what came between is counted;
- in access logs, with `$failure`, `$failure_code`, `$failure_phase`, `$failure_blame`, `$attempts`, `$proxy_status` and
  `$upstream_failure` ([variables](variables.md)), or all at once with `access_log PATH json`;
- in the answer: the code in what [local_response](directives/local_response.md) says, the type in the field Proxy-Status where
  [proxy_status](directives/proxy_status.md) is on, everything for clients of
  [failure_details](directives/failure_details.md).

`tidegate explain CODE` shows a page of these in the terminal; it also reads log lines of other gateways.

Some causes are those of other gateways, or of what this one does not do yet (TLS and HTTP/2 to endpoints, queues, a
breaker): they have their codes already, and `tidegate explain` names them.
";

fn page(row: &Row) -> String {
    let Row { code, name, happened, advice, treatment, .. } = row;
    let linked = |text: &str| links::linked(text, "../directives/", "");
    format!(
        "# {code} {name}\n\n{}\n\n## What to change\n\n{}\n\n{}\n## What users are told\n\n{}\n\n[All failures](../failures.md)\n",
        linked(happened),
        linked(advice),
        facts(row),
        treatment.user,
    )
}

fn facts(row: &Row) -> String {
    let Treatment { phase, status, blame, delivery, level, .. } = &row.treatment;
    let facts = [
        ("The client gets", status.to_string()),
        ("Whose fault", blame.name().to_owned()),
        ("While", phase.nginx_action().to_owned()),
        ("Phase", format!("`{}`", phase.name())),
        ("The application", delivered(*delivery).to_owned()),
        ("Another attempt", another_attempt(&row.treatment)),
        ("Log level", level_word(*level).to_owned()),
        ("RFC 9209", format!("`{}`", row.error_type)),
    ];
    let elsewhere = elsewhere(&row.elsewhere);
    let rows = facts.into_iter().chain(elsewhere).map(|(name, fact)| format!("| {name} | {fact} |\n"));
    format!("| | |\n|---|---|\n{}", rows.collect::<String>())
}

fn delivered(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NeverSent => "never saw the request",
        Delivery::MaybeProcessed => "may have acted upon the request",
        Delivery::Answered => "acted upon the request",
    }
}

fn another_attempt(treatment: &Treatment) -> String {
    let Some(condition) = treatment.condition else {
        return "none: it would not help, or is not ours to make".to_owned();
    };
    let word = Condition::ALL.iter().find(|(known, _)| *known == condition).map_or("", |(_, word)| word);
    let which = match treatment.replay {
        Replay::Any => "of any method",
        Replay::Idempotent => "if it may be sent twice (GET, PUT, …), or with `non_idempotent`",
        Replay::Never => "never",
    };
    format!("{which}, where [proxy_next_upstream](../directives/proxy_next_upstream.md) has `{word}`")
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Crit => "crit",
        Level::Error => "error",
        Level::Info => "info",
    }
}

fn elsewhere(elsewhere: &Elsewhere) -> Vec<(&'static str, String)> {
    let phrase = elsewhere.nginx.replace("{errno}", "…").replace("{detail}", "…");
    let mut names = vec![("In the error log", format!("`{phrase}`"))];
    names.extend((!elsewhere.haproxy.is_empty()).then(|| ("HAProxy", format!("`{}`", elsewhere.haproxy))));
    names.extend((!elsewhere.envoy.is_empty()).then(|| ("Envoy", format!("`{}`", elsewhere.envoy))));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_cause_once() {
        let index = index();
        for cause in Cause::ALL {
            let link = format!("[{}]({})", cause.code(), path(cause.row()));
            assert_eq!(index.matches(&link).count(), 1, "{link}");
        }
    }

    #[test]
    fn a_page_says_what_to_change_and_whether_it_is_tried_again() {
        let page = page(Cause::HeadTooLarge.row());
        assert!(page.starts_with("# TG-6108 head_too_large\n\n"));
        assert!(page.contains("Raise [`proxy_buffer_size`](../directives/proxy_buffer_size.md)"));
        assert!(
            page.contains("| Another attempt | if it may be sent twice (GET, PUT, …), or with `non_idempotent`, where")
        );
    }
}
