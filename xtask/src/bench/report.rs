//! The results in words and tables, for a terminal and as Markdown.

use super::case::{Case, IDLE};
use super::contender::Contender;
use super::cores::Cores;
use super::idle::Idle;
use super::load::Reuse;
use super::results::{CaseResult, Results, Round, microseconds};
use super::sheet::Sheet;
use super::statistics::Spread;

/// What stands above the tables: who takes part, who does not, and on what.
pub(crate) fn opening(results: &Results, cores: &Cores) -> String {
    let mut text = format!("Proxies on core {}; load generator and origin on {:?}.\n", cores.proxy, cores.others);
    if cores.others.is_empty() {
        text += "There is one core only: everything shares it, and the figures are not comparable with others.\n";
    }
    for entrant in &results.entrants {
        text += &format!("  {}: {}\n", entrant.contender.name(), entrant.version);
    }
    for (contender, reason) in &results.left_out {
        text += &format!("  {} is left out: {reason}\n", contender.name());
    }
    text
}

const LEGEND: &str = "
Median (min–max) of the rounds. × is CPU a request in relation to the other's in the same turn.
When the core is not 100 % busy, the load generator bounds requests a second. `others` is what
other processes took of the proxy's core: when it is much, repeat on a quiet machine.
Access logs are on for nginx and tidegate, off for the others, which write none to a file.
";

/// What stands below the tables: what to read them with, what was logged, what failed.
pub(crate) fn closing(results: &Results) -> String {
    let mut text = LEGEND.to_owned();
    for entrant in &results.entrants {
        if let Some(part) = entrant.logged {
            text += &format!("{} logged {:.2} % of its requests.\n", entrant.contender.name(), part * 100.0);
        }
    }
    let failures = results.failures();
    if !failures.is_empty() {
        text += &format!("\nFAILED requests:\n  {}\n", failures.join("\n  "));
    }
    text
}

pub(crate) fn markdown(results: &Results, cores: &Cores) -> String {
    let cases = results.cases.iter().map(|result| case(result).markdown());
    let idle = (!results.idle.is_empty()).then(|| idle(&results.idle).markdown());
    let tables: String = cases.chain(idle).collect();
    format!("## Benchmark\n\n{}{tables}{}", opening(results, cores), closing(results))
}

const CASE_HEADER: [&str; 8] =
    ["", "CPU µs/request", "× nginx", "× forwarder", "requests/s", "p50 µs", "p99 µs", "core busy, others"];

/// The table of one case.
pub(crate) fn case(result: &CaseResult) -> Sheet {
    let contenders = result.rounds.iter().map(|(contender, _)| *contender);
    Sheet {
        title: title(&result.case, result.rounds.first().map_or(0, |(_, rounds)| rounds.len())),
        header: CASE_HEADER.into(),
        rows: contenders.map(|contender| case_row(result, contender)).collect(),
    }
}

fn title(case: &Case, rounds: usize) -> String {
    let connections = match case.reuse {
        Reuse::KeepAlive => format!("{} keep-alive connections", case.connections),
        Reuse::OnePerRequest => format!("{} at a time", case.connections),
    };
    format!("{}: {} ({connections}, {rounds} rounds)", case.name, case.title)
}

fn case_row(result: &CaseResult, contender: Contender) -> Vec<String> {
    let spread = |figure: fn(&Round) -> f64| result.spread(contender, figure);
    vec![
        contender.name().to_owned(),
        spaced(spread(Round::cpu_per_request), 1),
        ratio(result, contender, Contender::Nginx),
        ratio(result, contender, Contender::Forwarder),
        spaced(spread(Round::requests_per_second), 0),
        median(spread(|round| microseconds(round.p50)), 0),
        median(spread(|round| microseconds(round.p99)), 0),
        format!(
            "{} %, {} %",
            median(spread(|round| round.busy() * 100.0), 0),
            median(spread(|round| round.disturbance() * 100.0), 0)
        ),
    ]
}

fn ratio(result: &CaseResult, contender: Contender, reference: Contender) -> String {
    if contender == reference { "1".into() } else { spaced(result.cpu_ratio(contender, reference), 2) }
}

fn spaced(spread: Option<Spread>, digits: usize) -> String {
    match spread {
        Some(Spread { median, min, max }) => {
            format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
        }
        None => "–".into(),
    }
}

fn median(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".into(), |spread| format!("{:.digits$}", spread.median))
}

/// The table of idle connections.
pub(crate) fn idle(results: &[(Contender, Idle)]) -> Sheet {
    let connections = results.iter().map(|(_, idle)| idle.connections).max().unwrap_or(0);
    let kilobytes_of = |wanted: Contender| {
        let found = results.iter().find(|(contender, _)| *contender == wanted);
        found.and_then(|(_, idle)| idle.kilobytes_each())
    };
    let row = |(contender, idle): &(Contender, Idle)| {
        let each = idle.kilobytes_each();
        let ratio = each.zip(kilobytes_of(Contender::Nginx)).map(|(each, nginx)| each / nginx);
        vec![
            contender.name().to_owned(),
            each.map_or("–".into(), |each| format!("{each:.2}")),
            ratio.map_or("–".into(), |ratio| format!("{ratio:.2}")),
            megabytes(idle.before),
            megabytes(idle.after),
        ]
    };
    Sheet {
        title: format!("{IDLE}: memory of {connections} keep-alive connections that made one request each"),
        header: vec!["", "KB/connection", "× nginx", "MB before", "MB after"],
        rows: results.iter().map(row).collect(),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}

#[cfg(test)]
mod tests {
    use super::super::failure::Failures;
    use super::*;

    #[test]
    fn a_spread_shows_median_and_both_ends() {
        let spread = Some(Spread { median: 1.0, min: 0.956, max: 1.25 });
        assert_eq!(spaced(spread, 2), "1.00 (0.96–1.25)");
        assert_eq!(median(spread, 1), "1.0");
        assert_eq!(spaced(None, 2), "–");
    }

    #[test]
    fn idle_memory_is_told_a_connection_and_beside_nginx() {
        let idle_of = |after| Idle { connections: 1024, before: 0, after, failures: Failures::default() };
        let results = [(Contender::Nginx, idle_of(2 << 20)), (Contender::Tidegate, idle_of(1 << 20))];
        let rows = idle(&results).rows;
        assert_eq!(rows[1], ["tidegate", "1.00", "0.50", "0.0", "1.0"]);
    }
}
