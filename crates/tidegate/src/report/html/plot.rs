//! Scales, axes and bars of a plot over time. Not here: what is drawn.

use std::fmt::Write as _;

use super::markup::escaped;
use crate::report::moment::{DAY, Moment};

/// Width of all plots, in units of the drawing.
pub(super) const WIDTH: f64 = 1000.0;
/// Room for the axis on the left.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;

/// A plot that grows.
pub(super) struct Plot {
    svg: String,
    height: f64,
    first: i64,
    /// Seconds of a stretch.
    step: i64,
    /// Stretches from the first to the last.
    steps: f64,
}

impl Plot {
    /// A plot with room for stretches of `step` seconds from `first` to `last`.
    pub(super) fn new(label: &str, height: f64, first: i64, last: i64, step: i64) -> Self {
        let steps = ((last - first) / step.max(1) + 1) as f64;
        let mut svg = String::new();
        let label = escaped(label);
        let _ = writeln!(svg, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">");
        Self { svg, height, first, step: step.max(1), steps }
    }

    fn inner(&self) -> f64 {
        self.height - TOP - BOTTOM
    }

    /// Where a stretch begins.
    pub(super) fn x(&self, at: i64) -> f64 {
        LEFT + (at - self.first) as f64 / self.step as f64 / self.steps * (WIDTH - LEFT - RIGHT)
    }

    /// How high a share (0 to 1) of the plot is.
    pub(super) fn y(&self, share: f64) -> f64 {
        TOP + self.inner() * (1.0 - share)
    }

    fn stretch(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.steps
    }

    /// A bar over a stretch, from one share of the height to another.
    pub(super) fn bar(&mut self, at: i64, from: f64, to: f64, class: &str) {
        let (x, width) = (self.x(at), self.stretch());
        let gap = if width > 3.0 { 0.8 } else { 0.0 };
        let (y, height) = (self.y(to), (self.y(from) - self.y(to)).max(0.6));
        let _ = writeln!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
            (width - gap).max(0.4)
        );
    }

    /// What is told of a stretch when it is pointed at.
    pub(super) fn tip(&mut self, at: i64, text: &str) {
        let (x, width, height, text) = (self.x(at), self.stretch(), self.inner(), escaped(text));
        let _ = writeln!(
            self.svg,
            "<rect class=\"tip\" x=\"{x:.2}\" y=\"{TOP}\" width=\"{width:.2}\" height=\"{height:.2}\"><title>{text}</title></rect>"
        );
    }

    /// A line through the middles of stretches; it is broken where there is no value.
    pub(super) fn line(&mut self, shares: impl Iterator<Item = (i64, Option<f64>)>, class: &str) {
        let mut path = String::new();
        let mut pen_down = false;
        for (at, share) in shares {
            let Some(share) = share else {
                pen_down = false;
                continue;
            };
            let command = if std::mem::replace(&mut pen_down, true) { 'L' } else { 'M' };
            let _ = write!(path, "{command}{:.2} {:.2}", self.x(at) + self.stretch() / 2.0, self.y(share));
        }
        let _ = writeln!(self.svg, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// Marks from top to bottom, numbered from 1; those that would touch share a label.
    pub(super) fn marks(&mut self, events: impl Iterator<Item = (i64, String)>) {
        let mut before = f64::NEG_INFINITY;
        let mut label = String::new();
        let mut labels: Vec<(f64, String)> = Vec::new();
        for (number, (at, text)) in events.enumerate() {
            let (x, bottom, text) = (self.x(at), TOP + self.inner(), escaped(&text));
            let _ = writeln!(
                self.svg,
                "<g class=\"event\"><title>{text}</title><path d=\"M{x:.2} {TOP}V{bottom:.2}\"/></g>"
            );
            if x - before < 18.0 {
                let first = label.split('–').next().unwrap_or_default();
                label = format!("{first}–{}", number + 1);
                labels.pop();
            } else {
                label = (number + 1).to_string();
                before = x;
            }
            labels.push((before, label.clone()));
        }
        for (x, label) in labels {
            let half = 5.0 + 3.2 * label.chars().count() as f64;
            let _ = writeln!(
                self.svg,
                "<g class=\"event\"><rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"15\" rx=\"7.5\"/><text x=\"{x:.2}\" y=\"{:.2}\">{label}</text></g>",
                x - half,
                TOP - 8.0,
                half * 2.0,
                TOP + 3.5
            );
        }
    }

    /// A line across the plot with its value on the left.
    pub(super) fn level(&mut self, share: f64, value: &str) {
        let (y, right) = (self.y(share), WIDTH - RIGHT);
        let _ = writeln!(
            self.svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.2}H{right}\"/><text class=\"value\" x=\"{:.2}\" y=\"{:.2}\">{}</text>",
            LEFT - 6.0,
            y + 3.5,
            escaped(value)
        );
    }

    /// Times below the plot.
    pub(super) fn times(&mut self) {
        let last = self.first + (self.steps * self.step as f64) as i64;
        let step = time_step(last - self.first);
        let mut at = (self.first + step - 1).div_euclid(step) * step;
        while at <= last {
            let (x, bottom) = (self.x(at), TOP + self.inner());
            let _ = writeln!(
                self.svg,
                "<path class=\"tick\" d=\"M{x:.2} {bottom:.2}v4\"/><text class=\"time\" x=\"{x:.2}\" y=\"{:.2}\">{}</text>",
                bottom + 17.0,
                time_label(at, step)
            );
            at += step;
        }
    }

    pub(super) fn into_svg(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// Between two times below a plot: no more than a dozen.
fn time_step(seconds: i64) -> i64 {
    const STEPS: [i64; 16] =
        [1, 5, 15, 60, 300, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY, 2 * DAY, 7 * DAY, 28 * DAY];
    let fits = |step: &&i64| seconds / **step <= 12;
    STEPS.iter().find(fits).copied().unwrap_or((seconds / 12).max(1))
}

fn time_label(at: i64, step: i64) -> String {
    let moment = Moment(at);
    let (_, month, day) = moment.date();
    let clock = moment.clock();
    match step {
        step if step >= DAY => format!("{month:02}-{day:02}"),
        _ if at.rem_euclid(DAY) == 0 => format!("{month:02}-{day:02}"),
        step if step >= 60 => clock[..5].to_owned(),
        _ => clock,
    }
}

/// The top of an axis that holds `most`, and its lines: 1, 2 or 5 of some power of ten apart.
pub(super) fn levels(most: u64) -> (u64, Vec<u64>) {
    let most = most.max(1);
    let step = (0..19)
        .flat_map(|power| [1, 2, 5].map(|digit| digit * 10u64.pow(power)))
        .find(|step| most.div_ceil(*step) <= 4)
        .unwrap_or(most);
    let top = most.div_ceil(step).saturating_mul(step);
    (top, (0..=top / step).map(|number| number * step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(levels(0), (1, vec![0, 1]));
        assert_eq!(levels(7), (8, vec![0, 2, 4, 6, 8]));
        assert_eq!(levels(1_234), (1_500, vec![0, 500, 1_000, 1_500]));
        assert!(levels(u64::MAX).0 >= u64::MAX - 1);
    }

    #[test]
    fn there_are_never_many_times() {
        for seconds in [1, 59, 3_600, DAY, 30 * DAY, 4_000 * DAY, i64::MAX / 4] {
            let step = time_step(seconds);
            assert!(step > 0 && seconds / step <= 13, "{seconds}: {step}");
        }
    }

    #[test]
    fn labels_are_days_or_times() {
        assert_eq!(time_label(1_795_624_768, 60), "16:39");
        assert_eq!(time_label(1_795_624_768, 1), "16:39:28");
        assert_eq!(time_label(1_795_624_768, DAY), "11-25");
        assert_eq!(time_label(1_795_564_800, 3600), "11-25");
    }
}
