//! The real gateway in front of every mode of failure that `tidegate misbehave` has: a GET with the faulty endpoint alone, a
//! GET and a POST with another that is well. What clients get, what the log names, what the other endpoint saves, and that no
//! POST is executed twice. Not here: the modes byte by byte (`misbehave`), and what others do (`cargo xtask faults`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod gateway;
mod table;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use policy::Cause;
use tidegate::misbehave::trial::{Case, HEALTHY, Seen, Stand, cases};

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
        let (seen, log) = play(&case)?;
        let problems = problems(row, &case, &seen, &log);
        if problems.is_empty() { Ok(()) } else { Err(Failed::from(report(&problems, &log))) }
    })
}

fn every_mode_has_a_row() -> Result<(), String> {
    let missing: Vec<_> =
        cases().map(|case| case.mode.name).filter(|name| ROWS.iter().all(|row| row.mode != *name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no row for {missing:?}")) }
}

fn play(case: &Case) -> Result<(Seen, Vec<String>), String> {
    let stand = Stand::start(case.act()?).map_err(|error| error.to_string())?;
    let gateway = Gateway::start(&stand)?;
    let seen = stand.play(case, gateway.address).map_err(|error| format!("a client: {error}"))?;
    Ok((seen, gateway.end()?))
}

/// What is not as the row says.
fn problems(row: &Row, case: &Case, seen: &Seen, log: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            problems.push(what)
        }
    };
    check(seen.alone.got == row.alone, format!("alone: {}, not {}", seen.alone.got, row.alone));
    check(seen.pair.got == row.pair, format!("with another endpoint: {}, not {}", seen.pair.got, row.pair));
    check(row.post.contains(&seen.post.got), format!("POST: {}, none of {:?}", seen.post.got, row.post));
    check(seen.executed <= 1, format!("the POST was executed {} times", seen.executed));
    let saved = !row.alone.is_well() && row.pair.is_well();
    let by_the_other = seen.pair.body == HEALTHY.as_bytes();
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
        causes => lines.any(|line| causes.iter().any(|cause| names(line, *cause))),
    }
}

/// A connection that ended is told by what the call said, if it said more than that.
fn names(line: &str, cause: Cause) -> bool {
    const ENDED: &str = "upstream prematurely closed connection";
    let phrase = cause.row().elsewhere.nginx.split('{').next().unwrap_or_default();
    let by_call = phrase == ENDED && ["recv() failed (", "writev() failed ("].iter().any(|call| line.contains(call));
    line.contains(phrase) || by_call
}

fn report(problems: &[String], log: &[String]) -> String {
    format!("{}\nThe log:\n{}", problems.join("\n"), log.join("\n"))
}
