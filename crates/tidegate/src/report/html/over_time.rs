//! The plots over time, one above the other with the same axis: requests, failures, durations; and the events that are
//! marked in them. Not here: how a plot is drawn.

use super::markup::Html;
use super::plot::{Plot, levels};
use crate::report::findings::{Findings, Point};
use crate::report::moment::Moment;
use crate::report::units::{duration, grouped, span};
use crate::report::wording::told;

/// Of `Point::failures`.
const STATUSES: [&str; 4] = ["500 and others", "502", "503", "504"];

pub(super) fn put(html: &mut Html, findings: &Findings) {
    let points = &findings.series.points;
    if points.len() < 2 {
        return events(html, findings);
    }
    html.open("section", "");
    html.element("h2", "", "Over time");
    html.element("p", "muted small", &format!("Each bar is {}.", span(findings.series.width)));
    if findings.requests > 0 {
        requests(html, findings);
    }
    if findings.failed > 0 {
        failures(html, findings);
    }
    if !findings.series.causes.is_empty() {
        causes(html, findings);
    }
    if points.iter().any(|point| point.p50.is_some()) {
        durations(html, findings);
    }
    html.close("section");
    events(html, findings);
}

fn plot(findings: &Findings, label: &str, height: f64) -> Plot {
    let points = &findings.series.points;
    let (first, last) = (points[0].at, points[points.len() - 1].at);
    Plot::new(label, height, first, last, findings.series.width)
}

fn finish(html: &mut Html, mut plot: Plot, findings: &Findings, tip: impl Fn(&Point) -> String) {
    plot.times();
    for point in &findings.series.points {
        let from = Moment(point.at);
        plot.tip(point.at, &format!("{from}\n{}", tip(point)));
    }
    plot.marks(findings.events.iter().map(|event| (event.from.0, format!("{}: {}", event.from, told(event)))));
    html.push(&plot.into_svg());
}

fn draw_levels(plot: &mut Plot, most: u64, shown: impl Fn(u64) -> String) -> f64 {
    let (top, lines) = levels(most);
    lines.iter().for_each(|line| plot.level(*line as f64 / top as f64, &shown(*line)));
    top as f64
}

fn caption(html: &mut Html, text: &str, legend: &[(&str, String)]) {
    html.open("p", "caption");
    html.element("b", "", text);
    for (class, name) in legend {
        key(html, class, name);
    }
    html.close("p");
}

/// A colour and what it stands for.
pub(super) fn key(html: &mut Html, class: &str, name: &str) {
    html.open("span", "legend");
    html.push(&format!("<span class=\"key {class}\"></span>"));
    html.element("span", "", name);
    html.push("</span>");
}

fn requests(html: &mut Html, findings: &Findings) {
    caption(
        html,
        "Requests",
        &[("fine", "answered".to_owned()), ("client", "4xx".to_owned()), ("bad", "5xx".to_owned())],
    );
    let points = &findings.series.points;
    let mut plot = plot(findings, "Requests over time", 170.0);
    let top = draw_levels(&mut plot, points.iter().map(|point| point.requests).max().unwrap_or(0), short);
    for point in points {
        let fine = point.requests.saturating_sub(point.client_errors + point.failed());
        stack(&mut plot, point.at, top, &[(fine, "fine"), (point.client_errors, "client"), (point.failed(), "bad")]);
    }
    finish(html, plot, findings, |point| {
        let (requests, errors, failed) =
            (grouped(point.requests), grouped(point.client_errors), grouped(point.failed()));
        format!("{requests} requests, {errors} 4xx, {failed} 5xx")
    });
}

fn failures(html: &mut Html, findings: &Findings) {
    const CLASSES: [&str; 4] = ["s500", "s502", "s503", "s504"];
    let points = &findings.series.points;
    let legend: Vec<(&str, String)> = CLASSES
        .iter()
        .zip(STATUSES)
        .enumerate()
        .filter(|(place, _)| points.iter().any(|point| point.failures[*place] > 0))
        .map(|(_, (class, name))| (*class, name.to_owned()))
        .collect();
    caption(html, "Answers 5xx", &legend);
    let mut plot = plot(findings, "Answers 5xx over time", 170.0);
    let top = draw_levels(&mut plot, points.iter().map(Point::failed).max().unwrap_or(0), short);
    for point in points {
        let parts: Vec<_> = point.failures.iter().copied().zip(CLASSES).collect();
        stack(&mut plot, point.at, top, &parts);
    }
    finish(html, plot, findings, |point| {
        let named = point.failures.iter().zip(STATUSES).filter(|(count, _)| **count > 0);
        named.map(|(count, name)| format!("{name}: {}", grouped(*count))).collect::<Vec<_>>().join("\n")
    });
}

fn causes(html: &mut Html, findings: &Findings) {
    const CLASSES: [&str; 7] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6"];
    let series = &findings.series;
    let name = |place: usize| match series.causes.get(place) {
        Some(cause) => format!("{} {}", cause.code(), cause.name()),
        None => "others".to_owned(),
    };
    let shown = |place: &usize| series.points.iter().any(|point| point.by_cause[*place] > 0);
    let legend: Vec<_> = (0..=series.causes.len()).filter(shown).map(|place| (CLASSES[place], name(place))).collect();
    caption(html, "Failed attempts in the error log", &legend);
    let mut plot = plot(findings, "Failed attempts by cause over time", 170.0);
    let lines = |point: &Point| point.by_cause.iter().sum::<u64>();
    let top = draw_levels(&mut plot, series.points.iter().map(lines).max().unwrap_or(0), short);
    for point in &series.points {
        let parts: Vec<_> = point.by_cause.iter().copied().zip(CLASSES).collect();
        stack(&mut plot, point.at, top, &parts);
    }
    finish(html, plot, findings, |point| {
        let counted = point.by_cause.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(place, count)| format!("{}: {}", name(place), grouped(*count))).collect::<Vec<_>>().join("\n")
    });
}

/// Durations differ by powers of ten, and so does the axis.
fn durations(html: &mut Html, findings: &Findings) {
    caption(
        html,
        "How long requests took",
        &[("p50", "half of them, at most".to_owned()), ("p99", "99 % of them, at most".to_owned())],
    );
    let points = &findings.series.points;
    let known = || points.iter().flat_map(|point| [point.p50, point.p99]).flatten().filter(|micros| *micros > 0);
    let low = known().min().unwrap_or(1_000).max(100).ilog10();
    let high = known().max().unwrap_or(1_000_000).max(1_000).ilog10() + 1;
    let share = |micros: u64| ((micros.max(1) as f64).log10() - f64::from(low)) / f64::from(high - low);
    let mut plot = plot(findings, "Durations over time", 170.0);
    for power in low..=high {
        let micros = 10u64.pow(power);
        plot.level(share(micros), &duration(micros));
    }
    let value = |micros: Option<u64>| micros.map(|micros| share(micros).clamp(0.0, 1.0));
    plot.line(points.iter().map(|point| (point.at, value(point.p99))), "line p99");
    plot.line(points.iter().map(|point| (point.at, value(point.p50))), "line p50");
    finish(html, plot, findings, |point| {
        let shown = |micros: Option<u64>| micros.map_or_else(|| "–".to_owned(), duration);
        format!("p50 {}, p99 {}", shown(point.p50), shown(point.p99))
    });
}

/// Bars on top of each other; those of nothing are left out.
fn stack(plot: &mut Plot, at: i64, top: f64, parts: &[(u64, &str)]) {
    let mut below = 0;
    for (count, class) in parts.iter().filter(|(count, _)| *count > 0) {
        plot.bar(at, below as f64 / top, (below + count) as f64 / top, class);
        below += count;
    }
}

/// `12k`: for an axis.
fn short(number: u64) -> String {
    match number {
        0..10_000 => grouped(number),
        10_000..10_000_000 => format!("{}k", grouped(number / 1_000)),
        _ => format!("{}M", grouped(number / 1_000_000)),
    }
}

fn events(html: &mut Html, findings: &Findings) {
    if findings.events.is_empty() {
        return;
    }
    html.open("section", "");
    html.element("h2", "", "What happened");
    html.open("ol", "events");
    for event in &findings.events {
        html.open("li", "");
        html.element("time", "", &event.from.to_string());
        html.push(" ");
        html.push(&super::markup::escaped(&told(event)));
        html.close("li");
    }
    html.close("ol");
    html.close("section");
}
