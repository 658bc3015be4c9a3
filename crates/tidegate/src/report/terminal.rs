//! A report as text for a terminal. Not here: what it says (`findings`).

mod places;

use super::findings::{Basis, CauseLine, Change, Findings, Point};
use super::moment::Moment;
use super::style::{Style, wrapped};
use super::top::Count;
use super::units::{duration, grouped, percent, plural, size, span};
use super::wording::{later, told, when};

/// Letters in a line.
const WIDTH: usize = 100;
/// Letters in a line of bars over time.
const BARS: usize = 80;
/// Changes that are told at length.
const MOST_CHANGES: usize = 5;

/// The whole report.
pub(super) fn text(findings: &Findings, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.head(findings);
    page.answers(findings);
    page.changes(findings);
    page.causes(findings);
    page.events(findings);
    page.places("Endpoints", "failed", &findings.endpoints);
    page.places("Routes with most 5xx", "5xx", &findings.failing_routes);
    page.places("Routes that take most time", "5xx", &findings.slow_routes);
    if findings.slow_routes.is_empty() {
        page.places("Routes with most requests", "5xx", &findings.busy_routes);
    }
    page.places("Clients with most 5xx", "5xx", &findings.failing_clients);
    page.places("Clients with most requests", "5xx", &findings.busy_clients);
    page.notes(findings);
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        let heading = self.style.bold(heading);
        self.line("");
        self.line(&heading);
    }

    fn wrapped(&mut self, text: &str, indent: &str) {
        for line in wrapped(text, WIDTH - indent.len()) {
            let line = format!("{indent}{}", self.style.code(&line));
            self.line(&line);
        }
    }

    fn head(&mut self, findings: &Findings) {
        for source in &findings.sources {
            let form = if source.form.is_empty() { "not understood: left out" } else { &source.form };
            let bytes = if source.bytes > 0 { format!(", {}", size(source.bytes)) } else { String::new() };
            let line = format!("{}: {form}{bytes}", self.style.code(&source.name));
            self.line(&line);
        }
        if let Some((first, last)) = findings.span {
            let line = format!(
                "{first} to {}, {}; {}",
                later(first, last),
                span(last.0 - first.0),
                plural(findings.lines, "line")
            );
            self.line(&line);
        }
    }

    fn answers(&mut self, findings: &Findings) {
        if findings.requests == 0 {
            return;
        }
        self.line("");
        let share = findings.failed as f64 / findings.requests as f64;
        let failed = format!("{} 5xx ({})", grouped(findings.failed), percent(share));
        let failed = if findings.failed > 0 { self.style.red(&failed) } else { failed };
        let requests = self.style.bold(&plural(findings.requests, "request"));
        let line =
            format!("{requests}, {failed}, {} 4xx; {} sent", grouped(findings.client_errors), size(findings.bytes));
        self.line(&line);
        let line = format!(
            "{} from {}; statuses: {}",
            routes(findings.routes),
            clients(findings.clients),
            statuses(&findings.statuses)
        );
        self.wrapped(&line, "");
        if let Some(latency) = findings.latency {
            let shown = [
                ("p50", latency.p50),
                ("p90", latency.p90),
                ("p99", latency.p99),
                ("p99.9", latency.p999),
                ("max", latency.max),
            ];
            let shown = shown.map(|(name, micros)| format!("{name} {}", duration(micros)));
            self.line(&format!("answered within {}", shown.join(", ")));
        }
        self.over_time(findings);
    }

    fn over_time(&mut self, findings: &Findings) {
        let points = &findings.series.points;
        if points.len() < 2 {
            return;
        }
        self.line("");
        self.row_of_bars("requests", points, |point| point.requests, findings.series.width);
        if findings.failed > 0 {
            self.row_of_bars("5xx", points, Point::failed, findings.series.width);
        }
        let lines = |point: &Point| point.by_cause.iter().sum();
        if !findings.series.causes.is_empty() {
            self.row_of_bars("failures", points, lines, findings.series.width);
        }
    }

    /// One line: a bar for each stretch, and the highest of them.
    fn row_of_bars(&mut self, name: &str, points: &[Point], value: impl Fn(&Point) -> u64, width: i64) {
        let per_bar = points.len().div_ceil(BARS);
        let sums: Vec<u64> = points.chunks(per_bar).map(|chunk| chunk.iter().map(&value).sum()).collect();
        let highest = sums.iter().copied().max().unwrap_or(0);
        let at = sums.iter().position(|sum| *sum == highest).unwrap_or(0) * per_bar;
        let bars: String = sums.iter().map(|sum| bar(*sum, highest)).collect();
        let peak =
            format!("{} in {} at {}", grouped(highest), span(width * per_bar as i64), Moment(points[at].at).clock());
        let line = format!("{name:<9} {}  most: {peak}", self.style.blue(&bars));
        self.line(&line);
    }

    fn changes(&mut self, findings: &Findings) {
        if findings.changes.is_empty() {
            if findings.requests > 0 && findings.failed == 0 {
                self.heading("Nothing to change: no answer was 5xx");
            }
            return;
        }
        self.heading("What to change first");
        for (at, change) in findings.changes.iter().take(MOST_CHANGES).enumerate() {
            self.change(at + 1, change);
        }
        let rest = &findings.changes[findings.changes.len().min(MOST_CHANGES)..];
        if !rest.is_empty() {
            let saves = rest.iter().map(|change| change.saves).sum();
            self.line(&format!("    and {} more with {}", rest.len(), plural(saves, "request")));
        }
    }

    fn change(&mut self, rank: usize, change: &Change) {
        let code = change.cause.map(|cause| format!("{} ", cause.code())).unwrap_or_default();
        let share = change.share.map(|share| format!(", {} of all 5xx", percent(share))).unwrap_or_default();
        let head =
            format!("{rank:>3}. {}{}", self.style.red(&code), self.style.bold(change.what.trim_end_matches('.')));
        self.line(&head);
        let when = when(change.since, change.until, change.goes_on);
        self.wrapped(&format!("{}{share}{when}", plural(change.saves, "request")), "     ");
        if !change.endpoints.is_empty() {
            self.wrapped(&format!("at {}", counted(&change.endpoints)), "     ");
        }
        if !change.routes.is_empty() {
            self.wrapped(&format!("on {}", counted(&change.routes)), "     ");
        }
        change.notes.iter().for_each(|note| self.wrapped(note, "     "));
        self.wrapped(&format!("→ {}", change.advice), "     ");
    }

    fn causes(&mut self, findings: &Findings) {
        let Some(most) = findings.causes.iter().map(measure).max() else { return };
        let basis = match findings.causes[0].basis {
            Basis::Codes => "Causes",
            Basis::ErrorLog => "Causes, in the error log",
            Basis::Guess => "Causes, as statuses and times suggest",
        };
        self.heading(basis);
        for cause in &findings.causes {
            let row = cause.cause.row();
            let bar = wide_bar(measure(cause), most, 16);
            let when = cause.first.zip(cause.last).map(|(first, last)| format!("{first} to {}", later(first, last)));
            let line = format!(
                "  {} {:<28} {} {:>9}  {}",
                cause.cause.code(),
                row.name,
                self.style.blue(&format!("{bar:<16}")),
                grouped(measure(cause)),
                when.unwrap_or_default()
            );
            self.line(&line);
        }
    }

    fn events(&mut self, findings: &Findings) {
        if findings.events.is_empty() {
            return;
        }
        self.heading("What happened");
        for event in &findings.events {
            let text = told(event);
            for (at, line) in wrapped(&text, WIDTH - 23).into_iter().enumerate() {
                let when = if at == 0 { event.from.to_string() } else { String::new() };
                self.line(&format!("  {when:<19}  {}", self.style.code(&line)));
            }
        }
    }

    fn notes(&mut self, findings: &Findings) {
        if !findings.notes.is_empty() {
            self.line("");
            findings.notes.iter().for_each(|note| self.wrapped(note, ""));
        }
    }
}

fn measure(cause: &CauseLine) -> u64 {
    cause.requests.max(cause.lines)
}

fn routes(count: Count) -> String {
    match count {
        Count::Exactly(count) => plural(count, "route"),
        Count::About(count) => format!("about {}", plural(count, "route")),
    }
}

fn clients(count: Count) -> String {
    match count {
        Count::Exactly(count) => plural(count, "client"),
        Count::About(count) => format!("about {}", plural(count, "client")),
    }
}

fn statuses(statuses: &[(u16, u64)]) -> String {
    let named = statuses.iter().map(|(status, count)| match status {
        0 => format!("none {}", grouped(*count)),
        status => format!("{status} {}", grouped(*count)),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn counted(places: &[(String, u64)]) -> String {
    let shown = places.iter().map(|(name, count)| format!("{} ({})", shortened(name, 60), grouped(*count)));
    shown.collect::<Vec<_>>().join(", ")
}

fn bar(value: u64, highest: u64) -> char {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if value == 0 || highest == 0 {
        return BARS[0];
    }
    BARS[(value * 8).div_ceil(highest).clamp(1, 8) as usize]
}

/// A bar of up to `width` letters, in eighths.
fn wide_bar(value: u64, highest: u64, width: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (u128::from(value) * u128::from(width) * 8 / u128::from(highest.max(1))) as u64;
    let eighths = if value > 0 { eighths.max(1) } else { 0 };
    "█".repeat((eighths / 8) as usize) + EIGHTHS[(eighths % 8) as usize]
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share() {
        let bars: String = [0, 1, 50, 100].iter().map(|value| bar(*value, 100)).collect();
        assert_eq!(bars, " ▁▄█");
        assert_eq!(
            [wide_bar(0, 10, 4), wide_bar(1, 1000, 4), wide_bar(5, 10, 4), wide_bar(10, 10, 4)],
            ["", "▏", "██", "████"]
        );
        assert_eq!(bar(u64::MAX / 8, u64::MAX / 8), '█');
    }

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened("/a/very/long/name", 8), "/a/very…");
    }
}
