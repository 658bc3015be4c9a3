//! How long requests took, as a distribution; and which statuses were answered. Not here: time (`over_time`).

use std::fmt::Write as _;

use super::markup::{Html, escaped};
use super::over_time::key;
use super::plot::WIDTH;
use crate::report::findings::{Findings, Latency};
use crate::report::units::{duration, grouped, percent};

const HEIGHT: f64 = 174.0;
const BOTTOM: f64 = 150.0;
const TOP: f64 = 34.0;
/// Bars for each power of ten.
const PER_POWER: f64 = 12.0;

pub(super) fn put(html: &mut Html, findings: &Findings) {
    if findings.requests > 0 {
        statuses(html, findings);
    }
    if let Some(latency) = findings.latency {
        durations(html, findings, latency);
    }
}

/// One bar of all answers, in parts.
fn statuses(html: &mut Html, findings: &Findings) {
    html.open("section", "");
    html.element("h2", "", "Statuses");
    html.open("div", "shares");
    for (status, count) in &findings.statuses {
        let share = *count as f64 / findings.requests as f64;
        let text = escaped(&format!("{}: {} ({})", name(*status), grouped(*count), percent(share)));
        html.push(&format!(
            "<span class=\"{}\" style=\"flex-grow:{share:.6}\" title=\"{text}\"></span>",
            class(*status)
        ));
    }
    html.close("div");
    html.open("p", "caption");
    for (status, count) in &findings.statuses {
        key(html, class(*status), &format!("{} {}", name(*status), grouped(*count)));
    }
    html.close("p");
    html.close("section");
}

fn name(status: u16) -> String {
    if status == 0 { "no answer".to_owned() } else { status.to_string() }
}

fn class(status: u16) -> &'static str {
    match status {
        200..=299 => "fine",
        300..=399 => "redirect",
        400..=499 => "client",
        502 => "s502",
        503 => "s503",
        504 => "s504",
        500..=599 => "s500",
        _ => "other",
    }
}

fn durations(html: &mut Html, findings: &Findings, latency: Latency) {
    html.open("section", "");
    html.element("h2", "", "How long requests took");
    html.push(&shape(&findings.latency_shape, latency));
    html.close("section");
}

/// Bars over an axis of powers of ten, with the percentiles marked.
fn shape(filled: &[((u64, u64), u64)], latency: Latency) -> String {
    let power = |micros: u64| (micros.max(100) as f64).log10();
    let low = filled.first().map_or(2.0, |((low, _), _)| power(*low)).floor();
    let high = power(latency.max).max(low + 1.0).ceil();
    let x = |micros: u64| 10.0 + (power(micros) - low) / (high - low) * (WIDTH - 20.0);
    let bars = bars(filled, low, high);
    let most = bars.iter().copied().max().unwrap_or(1).max(1);
    let mut svg = String::new();
    let _ =
        writeln!(svg, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Distribution of durations\">");
    let width = (WIDTH - 20.0) / bars.len() as f64;
    for (at, count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (*count as f64 / most as f64 * (BOTTOM - TOP)).max(1.0);
        let from = 10f64.powf(low + at as f64 / PER_POWER) as u64;
        let to = 10f64.powf(low + (at + 1) as f64 / PER_POWER) as u64;
        let _ = writeln!(
            svg,
            "<rect class=\"fine\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"><title>{} to {}: {} requests</title></rect>",
            10.0 + at as f64 * width,
            BOTTOM - height,
            width - 1.0,
            duration(from),
            duration(to),
            grouped(*count)
        );
    }
    for power in low as i32..=high as i32 {
        let micros = 10u64.pow(power.max(0) as u32);
        let _ = writeln!(
            svg,
            "<path class=\"tick\" d=\"M{0:.2} {BOTTOM}v4\"/><text class=\"time\" x=\"{0:.2}\" y=\"{1}\">{2}</text>",
            x(micros),
            BOTTOM + 17.0,
            duration(micros)
        );
    }
    put_percentiles(&mut svg, latency, x);
    svg.push_str("</svg>\n");
    svg
}

fn put_percentiles(svg: &mut String, latency: Latency, x: impl Fn(u64) -> f64) {
    let marks = [("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999)];
    let mut before = f64::NEG_INFINITY;
    for (at, (name, micros)) in marks.iter().enumerate() {
        let place = x(*micros);
        // Names that would touch stand on two lines.
        let y = if place - before < 90.0 && at % 2 == 1 { 24.0 } else { 11.0 };
        before = place;
        let anchor = if place > WIDTH - 60.0 { "end" } else { "middle" };
        let _ = writeln!(
            svg,
            "<path class=\"mark\" d=\"M{place:.2} {}V{BOTTOM}\"/><text class=\"percentile\" text-anchor=\"{anchor}\" x=\"{place:.2}\" y=\"{y}\">{name} {}</text>",
            y + 3.0,
            duration(*micros)
        );
    }
}

/// The counts of bars that are equally wide on the axis; a bucket's count goes to where its middle is.
fn bars(filled: &[((u64, u64), u64)], low: f64, high: f64) -> Vec<u64> {
    let mut bars = vec![0; ((high - low) * PER_POWER).ceil().clamp(1.0, 1_000.0) as usize];
    for ((from, to), count) in filled {
        let middle = ((from + to) / 2).max(100) as f64;
        let place = ((middle.log10() - low) * PER_POWER).max(0.0) as usize;
        let last = bars.len() - 1;
        bars[place.min(last)] += count;
    }
    bars
}
