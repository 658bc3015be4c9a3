//! Runs the scenarios of `tests/scenarios/`: one behaviour of the gateway a file, with the bytes of both sides.
//! The format of a file is described in `support/case_format.rs` and `support/step_format.rs`.

mod support;

use std::process::ExitCode;

use support::case_format::read_case;
use support::run;
use support::suite::{self, Suite};

fn main() -> ExitCode {
    let suite = Suite { dir: "scenarios", extension: "scenario", judge, checks: Vec::new(), skipped: false };
    suite.run()
}

fn judge(text: &str) -> Result<(), String> {
    let case = read_case(text)?;
    if let Some(listed) = case.differ.first() {
        return Err(format!(
            "a scenario is compared with nothing, so nothing differs at `{}` ({})",
            listed.place, listed.reason
        ));
    }
    if let Some(why) = suite::missing(&case) {
        eprintln!("skipped: {}: {why}", case.title);
        return Ok(());
    }
    let seen = run::run(text, &suite::subject())?;
    let mut problems = suite::problems(&case, &seen);
    problems.extend(suite::failure_problems(&case, &seen));
    if problems.is_empty() { Ok(()) } else { Err(format!("{}\n{}", case.title, problems.join("\n"))) }
}
