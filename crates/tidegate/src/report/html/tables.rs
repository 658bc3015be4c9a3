//! Causes, endpoints, routes and clients as tables with bars. Not here: what stands out of them (`cards`).

use super::markup::{Html, escaped};
use crate::report::findings::{Findings, Place};
use crate::report::units::{duration, grouped, percent};

pub(super) fn put(html: &mut Html, findings: &Findings) {
    causes(html, findings);
    places(html, "Endpoints", "failed", &findings.endpoints);
    places(html, "Routes with most 5xx", "5xx", &findings.failing_routes);
    if findings.slow_routes.is_empty() {
        places(html, "Routes with most requests", "5xx", &findings.busy_routes);
    } else {
        places(html, "Routes that take most time", "5xx", &findings.slow_routes);
    }
    places(html, "Clients with most 5xx", "5xx", &findings.failing_clients);
    places(html, "Clients with most requests", "5xx", &findings.busy_clients);
}

fn causes(html: &mut Html, findings: &Findings) {
    if findings.causes.is_empty() {
        return;
    }
    html.open("section", "");
    html.element("h2", "", "Causes");
    head(html, &["", "requests", "lines of the error log", "first", "last"]);
    let most = findings.causes.iter().map(|cause| cause.requests.max(cause.lines)).max().unwrap_or(1);
    for cause in &findings.causes {
        html.open("tr", "");
        html.push(&format!("<td title=\"{}\">", escaped(&cause.example)));
        bar(html, cause.requests.max(cause.lines), most, "bad");
        html.element("span", "code", &cause.cause.code().to_string());
        html.push(" ");
        html.element("span", "", cause.cause.name());
        html.push("</td>");
        number(html, cause.requests);
        number(html, cause.lines);
        html.element("td", "right", &cause.first.map(|at| at.to_string()).unwrap_or_default());
        html.element("td", "right", &cause.last.map(|at| at.to_string()).unwrap_or_default());
        html.close("tr");
    }
    html.push("</tbody></table></div>");
    html.close("section");
}

fn head(html: &mut Html, names: &[&str]) {
    html.push("<div class=\"scroll\"><table><thead><tr>");
    names.iter().for_each(|name| html.element("th", "", name));
    html.push("</tr></thead><tbody>");
}

fn number(html: &mut Html, number: u64) {
    let text = if number > 0 { grouped(number) } else { String::new() };
    html.element("td", "right", &text);
}

/// A bar behind a row's name.
fn bar(html: &mut Html, value: u64, most: u64, class: &str) {
    let width = value as f64 / most.max(1) as f64 * 100.0;
    html.push(&format!("<span class=\"bar {class}\" style=\"width:{width:.1}%\"></span>"));
}

fn places(html: &mut Html, heading: &str, failed: &str, places: &[Place]) {
    if places.is_empty() {
        return;
    }
    let has_requests = places.iter().any(|place| place.requests > 0);
    let has_times = places.iter().any(|place| place.p50.is_some());
    html.open("section", "");
    html.element("h2", "", heading);
    let mut names = vec![""];
    if has_requests {
        names.push("requests");
    }
    names.push(failed);
    if has_requests {
        names.push("share");
    }
    if has_times {
        names.extend(["p50", "p99"]);
    }
    head(html, &names);
    let by_failures = heading.contains("5xx") || heading == "Endpoints";
    let measure = |place: &Place| if by_failures { place.failures } else { place.requests };
    let most = places.iter().map(measure).max().unwrap_or(1);
    for place in places {
        html.open("tr", "");
        html.open("td", "");
        bar(html, measure(place), most, if by_failures { "bad" } else { "fine" });
        html.element("span", "place", &place.name);
        html.push("</td>");
        if has_requests {
            let about = if place.over > 0 { "≤ " } else { "" };
            html.element("td", "right", &format!("{about}{}", grouped(place.requests)));
        }
        number(html, place.failures);
        if has_requests {
            let share = place.failures as f64 / place.requests.max(1) as f64;
            html.element("td", "right", &if place.failures > 0 { percent(share) } else { String::new() });
        }
        if has_times {
            for micros in [place.p50, place.p99] {
                html.element("td", "right", &micros.map(duration).unwrap_or_default());
            }
        }
        html.close("tr");
    }
    html.push("</tbody></table></div>");
    html.close("section");
}
