//! The plot of a run: for each fault two groups of bars, the share of requests that failed and the slowest hundredth, each on
//! a scale of powers of ten. Plain SVG. Not here: the numbers (`measure`).

use std::fmt::Write as _;

use super::measure::Result as Measured;
use super::{Contender, Outcome};

const WIDTH: f64 = 960.0;
const TOP: f64 = 64.0;
const BAR: f64 = 7.0;
const GAP: f64 = 12.0;
const COLOURS: [&str; 6] = ["#0b6e8f", "#4c9a2a", "#d98e04", "#b13a8c", "#5b6abf", "#8a6d4b"];

/// One of the two groups: where it stands, and what its ends mean.
struct Axis {
    title: &'static str,
    left: f64,
    right: f64,
    /// Powers of ten.
    lowest: i32,
    highest: i32,
    unit: &'static str,
    value: fn(&Measured) -> Option<f64>,
}

const AXES: [Axis; 2] = [
    Axis {
        title: "requests that failed (a dot: none did)",
        left: 120.0,
        right: 510.0,
        lowest: -2,
        highest: 2,
        unit: "%",
        value: |result| Some(result.failed_share()).filter(|share| *share > 0.0),
    },
    Axis {
        title: "p99 of right answers",
        left: 560.0,
        right: 915.0,
        lowest: 0,
        highest: 4,
        unit: "ms",
        value: |result| Some(result.p99?.as_secs_f64() * 1000.0),
    },
];

impl Axis {
    fn x(&self, value: f64) -> f64 {
        let (lowest, highest) = (f64::from(self.lowest), f64::from(self.highest));
        let share = (value.log10().clamp(lowest, highest) - lowest) / (highest - lowest);
        self.left + share * (self.right - self.left)
    }
}

/// The whole picture.
pub(super) fn plot(contenders: &[Contender], outcomes: &[Outcome]) -> String {
    let group = BAR * contenders.len() as f64 + GAP;
    let bottom = TOP + group * outcomes.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n",
        height = bottom + 12.0
    );
    legend(&mut svg, contenders);
    AXES.iter().for_each(|axis| scale(&mut svg, axis, bottom));
    for (index, outcome) in outcomes.iter().enumerate() {
        let top = TOP + group * index as f64;
        let middle = top + (group - GAP) / 2.0 + 4.0;
        let _ = writeln!(svg, "<text x=\"110\" y=\"{middle}\" text-anchor=\"end\">{}</text>", outcome.row.name);
        AXES.iter().for_each(|axis| bars(&mut svg, axis, top, outcome));
    }
    svg + "</svg>\n"
}

fn legend(svg: &mut String, contenders: &[Contender]) {
    for (index, (contender, colour)) in contenders.iter().zip(COLOURS).enumerate() {
        let x = 120.0 + 100.0 * index as f64;
        let _ = writeln!(svg, "<rect x=\"{x}\" y=\"10\" width=\"10\" height=\"10\" fill=\"{colour}\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"19\">{}</text>", x + 15.0, contender.program.name());
    }
}

fn scale(svg: &mut String, axis: &Axis, bottom: f64) {
    let _ = writeln!(svg, "<text x=\"{}\" y=\"38\" font-weight=\"bold\">{}</text>", axis.left, axis.title);
    for power in axis.lowest..=axis.highest {
        let x = axis.x(10_f64.powi(power));
        let _ = writeln!(svg, "<line x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#ddd\"/>");
        let label = format!("{} {}", 10_f64.powi(power), axis.unit);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"56\" text-anchor=\"middle\" font-size=\"10\" fill=\"#555\">{label}</text>"
        );
    }
}

/// A bar for each gateway; a dot at the beginning where there is nothing to show.
fn bars(svg: &mut String, axis: &Axis, top: f64, outcome: &Outcome) {
    for (index, (result, colour)) in outcome.results.iter().zip(COLOURS).enumerate() {
        let (y, Some(result)) = (top + BAR * index as f64, result) else { continue };
        let width = (axis.value)(result).map_or(0.0, |value| (axis.x(value) - axis.left).max(1.0));
        if width == 0.0 {
            let _ = writeln!(svg, "<circle cx=\"{}\" cy=\"{}\" r=\"2\" fill=\"{colour}\"/>", axis.left, y + BAR / 2.0);
            continue;
        }
        let (left, height) = (axis.left, BAR - 1.0);
        let _ =
            writeln!(svg, "<rect x=\"{left}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_equally_far_apart_and_what_is_beyond_stays_inside() {
        let axis = &AXES[0];
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(axis.x(1.0) - axis.x(0.1), axis.x(100.0) - axis.x(10.0)));
        assert!(near(axis.x(0.0001), axis.left) && near(axis.x(1e9), axis.right));
    }
}
