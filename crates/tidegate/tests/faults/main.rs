//! The real gateway in front of every mode of failure that `tidegate misbehave` has: a GET with the faulty endpoint alone, a
//! GET and a POST with another that is well. What clients get, what the log names, what the other endpoint saves, and that no
//! POST is executed twice. Not here: the modes byte by byte (`misbehave`), and what others do (`cargo xtask faults`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod gateway;
mod table;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use tidegate::misbehave::trial::Got::Whole;
use tidegate::misbehave::trial::{Answered, Case, HEALTHY, Seen, Stand, cases};

use gateway::Gateway;
use table::{ROWS, Row};

/// Most of a case is waiting: more run at once than there are cores.
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = ROWS.iter().map(trial).collect();
    trials.push(Trial::test("every_mode_has_a_row", || Ok(every_mode_has_a_row()?)));
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(row: &'static Row) -> Trial {
    Trial::test(row.mode, move || {
        let case = cases().find(|case| case.mode.name == row.mode).ok_or("there is no such mode")?;
        let played = play(&case)?;
        let problems = problems(row, &case, &played);
        if problems.is_empty() { Ok(()) } else { Err(Failed::from(report(&problems, &played.log))) }
    })
}

fn every_mode_has_a_row() -> Result<(), String> {
    let missing: Vec<_> =
        cases().map(|case| case.mode.name).filter(|name| ROWS.iter().all(|row| row.mode != *name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no row for {missing:?}")) }
}

/// What clients got, alone and with two endpoints, and the log.
struct Played {
    alone: Answered,
    both: Seen,
    log: Vec<String>,
}

fn play(case: &Case) -> Result<Played, String> {
    let stand = Stand::start(case.act()?).map_err(|error| error.to_string())?;
    let gateway = Gateway::start(&stand)?;
    let client = |error: std::io::Error| format!("a client: {error}");
    let alone = stand.ask_alone(case, gateway.address).map_err(client)?;
    let both = stand.ask_both(case, gateway.address, 1).map_err(client)?;
    Ok(Played { alone, both, log: gateway.end()? })
}

/// What is not as the row says.
fn problems(row: &Row, case: &Case, Played { alone, both, log }: &Played) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            problems.push(what)
        }
    };
    check(alone.got == row.alone, format!("alone: {}, not {}", alone.got, row.alone));
    check(both.pair.got == row.pair, format!("with another endpoint: {}, not {}", both.pair.got, row.pair));
    check(row.post.contains(&both.post.got), format!("POST: {}, none of {:?}", both.post.got, row.post));
    check(both.repeated == 0, "the POST was executed twice".to_owned());
    for answered in [alone, &both.pair, &both.post].into_iter().filter(|answered| answered.got == Whole(200)) {
        check(
            answered.is_right(),
            format!("200 with a body of no origin: {:?}", answered.body.escape_ascii().to_string()),
        );
    }
    let saved = row.alone != Whole(200) && row.pair == Whole(200);
    let by_the_other = both.pair.body == HEALTHY.as_bytes();
    // A connection that was used before may be replaced by a fresh one to the same endpoint.
    check(case.before > 0 || by_the_other == saved, format!("answered by the other endpoint: {by_the_other}"));
    check(is_named(row, log), format!("the log does not name {:?}", row.causes));
    problems
}

/// Whether the log says of the GET alone why it failed, and nothing if it did not.
fn is_named(row: &Row, log: &[String]) -> bool {
    let mut lines = log.iter().filter(|line| line.contains("\"GET /alone HTTP/1.1\"") && line.contains("[error]"));
    match row.causes {
        [] => lines.next().is_none(),
        causes => lines.any(|line| causes.iter().any(|cause| line.contains(&cause.row().code.to_string()))),
    }
}

fn report(problems: &[String], log: &[String]) -> String {
    format!("{}\nThe log:\n{}", problems.join("\n"), log.join("\n"))
}
