//! The figures at the top, and what to change first. Not here: plots and tables.

use super::markup::Html;
use crate::report::findings::{Change, Findings};
use crate::report::top::Count;
use crate::report::units::{duration, grouped, percent, plural, size};
use crate::report::wording::when;

pub(super) fn put(html: &mut Html, findings: &Findings) {
    html.open("div", "cards");
    if findings.requests > 0 {
        let share = findings.failed as f64 / findings.requests as f64;
        let class = if findings.failed > 0 { "card alarm" } else { "card" };
        card(html, class, "answers 5xx", &grouped(findings.failed), &format!("{} of all", percent(share)));
        card(html, "card", "requests", &grouped(findings.requests), &format!("{} sent", size(findings.bytes)));
        if let Some(latency) = findings.latency {
            let others = format!("half within {}", duration(latency.p50));
            card(html, "card", "99 % answered within", &duration(latency.p99), &others);
        }
        card(html, "card", "clients", &count(findings.clients), &format!("on {} routes", count(findings.routes)));
    } else {
        let lines: u64 = findings.causes.iter().map(|cause| cause.lines).sum();
        card(html, "card alarm", "failed attempts", &grouped(lines), "in the error log");
    }
    html.close("div");
}

fn count(count: Count) -> String {
    match count {
        Count::Exactly(count) => grouped(count),
        Count::About(count) => format!("≈ {}", grouped(count)),
    }
}

fn card(html: &mut Html, class: &str, name: &str, value: &str, more: &str) {
    html.open("div", class);
    html.element("span", "name", name);
    html.element("span", "figure", value);
    html.element("span", "muted", more);
    html.close("div");
}

/// What to change first.
pub(super) fn changes(html: &mut Html, findings: &Findings) {
    let Some(most) = findings.changes.iter().map(|change| change.saves).max() else { return };
    html.open("section", "");
    html.element("h2", "", "What to change first");
    html.open("ol", "changes");
    findings.changes.iter().for_each(|change| put_change(html, change, most));
    html.close("ol");
    html.close("section");
}

fn put_change(html: &mut Html, change: &Change, most: u64) {
    html.open("li", "");
    let width = change.saves as f64 / most.max(1) as f64 * 100.0;
    html.push(&format!("<div class=\"meter\"><span style=\"width:{width:.1}%\"></span></div>"));
    html.open("p", "what");
    if let Some(cause) = change.cause {
        html.element("span", "code", &cause.code().to_string());
        html.push(" ");
    }
    html.open("b", "");
    html.code(change.what.trim_end_matches('.'));
    html.push("</b>");
    html.close("p");
    let share = change.share.map(|share| format!(", {} of all 5xx", percent(share))).unwrap_or_default();
    let when = when(change.since, change.until, change.goes_on);
    html.element("p", "muted", &format!("{}{share}{when}", plural(change.saves, "request")));
    places(html, "at", &change.endpoints);
    places(html, "on", &change.routes);
    for note in &change.notes {
        html.open("p", "muted small");
        html.code(note);
        html.close("p");
    }
    html.open("p", "advice");
    html.code(&change.advice);
    html.close("p");
    html.close("li");
}

fn places(html: &mut Html, word: &str, places: &[(String, u64)]) {
    if places.is_empty() {
        return;
    }
    html.open("p", "places");
    html.push(word);
    for (name, count) in places {
        html.push(" ");
        html.open("span", "chip");
        html.element("span", "place", name);
        html.element("span", "muted", &format!(" {}", grouped(*count)));
        html.push("</span>");
    }
    html.close("p");
}
