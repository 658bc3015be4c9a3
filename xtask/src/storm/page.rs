//! The page of a run, and its lines in the terminal. Not here: the plot.

use std::process::Command;
use std::time::Duration;

use super::measure::Result as Measured;
use super::{Contender, Outcome};

pub(super) const TERMINAL_HEADING: &str =
    "  gateway    requests   failed       %  avoidable  lost  twice       p50       p99  useful/s  how";

/// What came of a row with one gateway, as it is known.
pub(super) fn terminal_line(name: &str, result: Option<&Measured>) -> String {
    let Some(result) = result else { return format!("  {name:<9} has no such thing") };
    format!(
        "  {name:<9} {:>9} {:>8} {:>7.2} {:>10} {:>5} {:>6} {:>9} {:>9} {:>9.0}  {}",
        result.requests,
        result.failed(),
        result.failed_share(),
        result.avoidable(),
        result.lost,
        result.duplicates,
        span(result.p50),
        span(result.p99),
        result.goodput,
        kinds(result),
    )
}

/// The whole page.
pub(super) fn page(contenders: &[Contender], outcomes: &[Outcome]) -> String {
    let names = contenders.iter().map(|contender| format!("{} {}", contender.program.name(), contender.version));
    let mut text = format!(
        "<!-- Written by `cargo xtask storm`: change its sources and run it again. -->\n\n\
         # The same faults through several gateways\n\n\
         One run of `cargo xtask storm` on {}, {}.\n\n{INTRODUCTION}\n![failed requests and the slowest hundredth, by fault and \
         gateway](storm.svg)\n\n{}{}",
        machine(),
        names.collect::<Vec<_>>().join(", "),
        summary(contenders, outcomes),
        EXPLANATION,
    );
    for outcome in outcomes {
        text.push_str(&table(contenders, outcome));
    }
    text
}

const INTRODUCTION: &str = "\
Three endpoints that keep connections and answer 2 KiB in 5 ms; 300 requests a second unless a row says otherwise, a quarter of
them POSTs, each with an id of its own, begun at their time whatever became of those before (an open loop), over kept connections.
A client waits 5 s and repeats nothing. In a row of 6 s the fault begins after one and lasts about 3.5.

Every gateway has two workers or threads, kept connections to the endpoints, 0.5 s to connect, 1 s to wait for an answer, three
or four tries within 4 s, no second try for a POST that may have been read, and 16 requests at once for an endpoint where it has
words for that. nginx has passive health (`max_fails`), every case of `proxy_next_upstream`; tidegate has the same file and
`resilience on`; HAProxy, Envoy, Caddy and Traefik have active checks every 0.5 s and their passive ones too; HAProxy
a queue, Envoy a retry budget and outlier detection. All choose the endpoint with the fewest requests under way but Traefik,
whose default is turns. The files are in `xtask/storm`.
";

const EXPLANATION: &str = "\
*Failed* is what got no right answer: another status than 200, another body, none. *Lost* of them are POSTs that an endpoint had
read before it failed: nobody may send such a request twice, so only a gateway that stops asking a bad endpoint has few of them.
*Avoidable* are all others. *Twice* are executions of a POST beyond its first. p50 and p99 are of right answers, from the time at
which the request should have begun. *Useful* are right answers within 1 s, in each second of the row.

Each cell is one sample, on a machine that did other work too: a failure more or less is chance (a fault meets a POST first, or a
GET), and so is much of a p99. What was seen to differ from run to run: nginx in *rolling*, 0 or 8.67; tidegate's p99 in *slow*, 60
or 600 ms. tidegate's file was made by those who make tidegate, with this table before their eyes; the others had one try.

";

/// Failures in a hundred, in one table.
fn summary(contenders: &[Contender], outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "Failed requests in a hundred, in parentheses those that could have been avoided; where more is asked than can be answered, \
         useful answers a second:\n\n",
    );
    text.push_str(&heading("fault", contenders.iter().map(|contender| contender.program.name().to_owned())));
    for Outcome { row, results } in outcomes {
        let cell = |result: &Option<Measured>| match result {
            None => "–".to_owned(),
            Some(result) => {
                let twice = if result.duplicates > 0 { format!(" ×2: {}", result.duplicates) } else { String::new() };
                let value = match row.overload {
                    true => format!("{:.0}/s", result.goodput),
                    false if result.failed() == 0 => "0".to_owned(),
                    false => format!("{:.2} ({:.2})", result.failed_share(), result.avoidable_share()),
                };
                value + &twice
            }
        };
        text.push_str(&line(&format!("[{0}](#{0})", row.name), results.iter().map(cell)));
    }
    text + "\n`×2` counts POSTs that were executed twice.\n\n"
}

fn table(contenders: &[Contender], outcome: &Outcome) -> String {
    let columns = ["failed", "%", "avoidable", "lost", "twice", "p50", "p99", "useful/s", "how"];
    let mut text = format!("## {}\n\n{}\n\n", outcome.row.name, outcome.row.help);
    text.push_str(&heading("", columns.into_iter().map(str::to_owned)));
    for (contender, result) in contenders.iter().zip(&outcome.results) {
        let Some(result) = result else { continue };
        let cells = [
            format!("{} of {}", result.failed(), result.requests),
            format!("{:.2}", result.failed_share()),
            result.avoidable().to_string(),
            result.lost.to_string(),
            result.duplicates.to_string(),
            span(result.p50),
            span(result.p99),
            format!("{:.0}", result.goodput),
            kinds(result),
        ];
        text.push_str(&line(contender.program.name(), cells.into_iter()));
    }
    text + "\n"
}

fn heading(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    let rule = "|---".repeat(cells.len() + 1);
    format!("{}{rule}|\n", line(first, cells.into_iter()))
}

fn line(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
    format!("| {first} |{cells}\n")
}

/// How requests failed: `502 ×3, cut ×1`.
fn kinds(result: &Measured) -> String {
    let kinds = result.failures.iter().map(|(end, count)| format!("{} ×{count}", end.name()));
    kinds.collect::<Vec<_>>().join(", ")
}

fn span(span: Option<Duration>) -> String {
    span.map_or_else(|| "–".to_owned(), |span| format!("{:.1} ms", span.as_secs_f64() * 1000.0))
}

/// What it ran on, and when.
fn machine() -> String {
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{}, a machine of {cores} cores ({}), {}",
        said("date", &["-u", "+%Y-%m-%d"]),
        model.trim_start_matches([' ', '\t', ':']),
        said("uname", &["-sr"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_milliseconds_and_none_is_a_dash() {
        assert_eq!(span(Some(Duration::from_micros(5250))), "5.2 ms");
        assert_eq!(span(None), "–");
    }
}
