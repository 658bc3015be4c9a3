//! A simulation as text, JSON and a plot. Not here: what follows from it (`findings`).

mod svg;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::findings::{Findings, amplification};
use super::world::Second;

pub(super) use svg::svg;

/// Letters of the longest bar.
const BAR: usize = 40;
/// Lines of the table: beyond them seconds are taken together.
const MOST_LINES: usize = 60;

/// A table with bars: `#` answered, `.` offered and not answered.
pub(super) fn text(seconds: &[Second], findings: &Findings) -> String {
    let mut text = String::from(" second   offered  answered    failed  attempts/request   out\n");
    let width = seconds.len().div_ceil(MOST_LINES).max(1);
    let most = seconds.iter().map(|second| second.offered.max(second.answered)).max().unwrap_or(0).max(1);
    for (at, span) in seconds.chunks(width).enumerate() {
        let mean = mean(span);
        let letters = |count: u64| (count as f64 / most as f64 * BAR as f64).round() as usize;
        let (good, rest) = (letters(mean.answered), letters(mean.offered).saturating_sub(letters(mean.answered)));
        let _ = writeln!(
            text,
            "{:>7} {:>9} {:>9} {:>9} {:>17.2} {:>5}  {}{}",
            at * width,
            mean.offered,
            mean.answered,
            mean.failed,
            amplification(&mean),
            mean.out,
            "#".repeat(good),
            ".".repeat(rest)
        );
    }
    text.push('\n');
    text + &summary(findings)
}

/// The mean of some seconds; of endpoints that are out, the most.
fn mean(span: &[Second]) -> Second {
    let mean = |count: fn(&Second) -> u64| span.iter().map(count).sum::<u64>() / span.len().max(1) as u64;
    Second {
        offered: mean(|second| second.offered),
        answered: mean(|second| second.answered),
        failed: mean(|second| second.failed),
        attempts: mean(|second| second.attempts),
        ejections: mean(|second| second.ejections),
        out: span.iter().map(|second| second.out).max().unwrap_or(0),
    }
}

fn summary(findings: &Findings) -> String {
    let total = &findings.total;
    let mut text = format!(
        "offered {}, answered {}, failed {}; {} attempts, {:.2} for each request in the worst second\n{} ejections, at most {} endpoints out\n",
        total.offered,
        total.answered,
        total.failed,
        total.attempts,
        findings.worst_amplification,
        total.ejections,
        findings.most_out
    );
    match (findings.faults_end, findings.recovery) {
        (None, _) => {}
        (Some(_), Some(seconds)) => {
            let _ = writeln!(text, "recovered {seconds} s after the last fault");
        }
        (Some(_), None) => text.push_str("NOT RECOVERED: no three seconds after the last fault had 95 % answered\n"),
    }
    text
}

/// Everything, for programs.
pub(super) fn json(seconds: &[Second], findings: &Findings) -> String {
    let rows: Vec<Value> = seconds.iter().enumerate().map(|(at, second)| row(at, second)).collect();
    let total = &findings.total;
    let value = json!({
        "seconds": rows,
        "offered": total.offered,
        "answered": total.answered,
        "failed": total.failed,
        "attempts": total.attempts,
        "ejections": total.ejections,
        "most_endpoints_out": findings.most_out,
        "worst_attempts_per_request": findings.worst_amplification,
        "faults_end": findings.faults_end.map(|end| end.as_secs_f64()),
        "recovery_seconds": findings.recovery,
    });
    format!("{value:#}\n")
}

fn row(at: usize, second: &Second) -> Value {
    json!({
        "second": at,
        "offered": second.offered,
        "answered": second.answered,
        "failed": second.failed,
        "attempts": second.attempts,
        "attempts_per_request": amplification(second),
        "ejections": second.ejections,
        "endpoints_out": second.out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::options::Load;

    fn seconds() -> Vec<Second> {
        let second = Second { offered: 10, answered: 5, failed: 5, attempts: 20, out: 1, ejections: 0 };
        vec![second; 120]
    }

    #[test]
    fn many_seconds_are_taken_together() {
        let seconds = seconds();
        let text = text(&seconds, &Findings::of(&seconds, &Load::default()));
        assert_eq!(text.lines().filter(|line| line.ends_with("####....................")).count(), MOST_LINES);
        assert!(text.contains("offered 1200, answered 600, failed 600; 2400 attempts, 2.00 for each"), "{text}");
    }

    #[test]
    fn programs_get_every_second() {
        let seconds = seconds();
        let value: Value = serde_json::from_str(&json(&seconds, &Findings::of(&seconds, &Load::default()))).unwrap();
        assert_eq!(value["seconds"].as_array().unwrap().len(), 120);
        assert_eq!(
            (&value["seconds"][3]["attempts_per_request"], &value["recovery_seconds"]),
            (&json!(2.0), &Value::Null)
        );
    }

    #[test]
    fn the_plot_has_its_lines_and_the_faults() {
        let load = Load { faults: crate::simulate::faults::parse("kill@10s..20s").unwrap(), ..Load::default() };
        let plot = svg(&seconds(), &load);
        assert_eq!(plot.matches("<polyline").count(), 5);
        assert_eq!(plot.matches("class=\"fault\"").count(), 1);
    }
}
