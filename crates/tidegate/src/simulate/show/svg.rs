//! The plot: requests a second above, endpoints out below, faults as shades behind both. Not here: figures.

use std::fmt::Write as _;

use crate::simulate::options::Load;
use crate::simulate::world::Second;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
/// Top and height of the two plots.
const REQUESTS: (f64, f64) = (40.0, 260.0);
const OUT: (f64, f64) = (340.0, 80.0);

/// What is drawn, the colour of it, and its plot.
type Line = (&'static str, &'static str, fn(&Second) -> u64);

const LINES: [Line; 4] = [
    ("offered", "#888", |second| second.offered),
    ("attempts", "#d80", |second| second.attempts),
    ("failed", "#c22", |second| second.failed),
    ("answered", "#282", |second| second.answered),
];

/// A whole SVG file.
pub(in crate::simulate) fn svg(seconds: &[Second], load: &Load) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 450\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let x = |at: f64| LEFT + at / seconds.len().max(1) as f64 * (WIDTH - LEFT - 20.0);
    for fault in &load.faults {
        let (from, to) = (x(fault.from.as_secs_f64()), x(fault.to.as_secs_f64()).min(WIDTH - 20.0));
        let _ = writeln!(
            svg,
            "<rect class=\"fault\" x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"#fdd\"/>",
            REQUESTS.0,
            (to - from).max(0.0),
            OUT.0 + OUT.1 - REQUESTS.0
        );
    }
    let most = LINES.iter().flat_map(|(_, _, count)| seconds.iter().map(count)).max().unwrap_or(0).max(1);
    axis(&mut svg, REQUESTS, most, "requests/s");
    for (at, (name, colour, count)) in LINES.iter().enumerate() {
        line(&mut svg, seconds.iter().map(count), (REQUESTS, most), colour, x);
        let place = LEFT + 110.0 + at as f64 * 90.0;
        let _ = writeln!(svg, "<text x=\"{place}\" y=\"24\" fill=\"{colour}\">{name}</text>");
    }
    let most = seconds.iter().map(|second| second.out).max().unwrap_or(0).max(1);
    axis(&mut svg, OUT, most, "endpoints out");
    line(&mut svg, seconds.iter().map(|second| second.out), (OUT, most), "#22c", x);
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"440\">0 s</text>");
    let end = WIDTH - 20.0;
    let _ = writeln!(svg, "<text x=\"{end}\" y=\"440\" text-anchor=\"end\">{} s</text>\n</svg>", seconds.len());
    svg
}

fn axis(svg: &mut String, (top, height): (f64, f64), most: u64, name: &str) {
    let (bottom, beside) = (top + height, LEFT - 6.0);
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {top}V{bottom}H{}\" stroke=\"#444\" fill=\"none\"/>\n\
         <text x=\"{LEFT}\" y=\"{}\">{name}</text>\n\
         <text x=\"{beside}\" y=\"{}\" text-anchor=\"end\">{most}</text>\n\
         <text x=\"{beside}\" y=\"{bottom}\" text-anchor=\"end\">0</text>",
        WIDTH - 20.0,
        top - 16.0,
        top + 10.0
    );
}

/// One value a second, in the middle of it.
fn line(
    svg: &mut String,
    values: impl Iterator<Item = u64>,
    ((top, height), most): ((f64, f64), u64),
    colour: &str,
    x: impl Fn(f64) -> f64,
) {
    let _ = write!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"");
    for (at, value) in values.enumerate() {
        let y = top + height - value as f64 / most as f64 * height;
        let _ = write!(svg, "{:.1},{y:.1} ", x(at as f64 + 0.5));
    }
    svg.push_str("\"/>\n");
}
