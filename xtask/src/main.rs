//! Developers' tasks, run as `cargo xtask TASK`.
//!
//! This file is the table of tasks and nothing else: what a task does is in the module of its name.

#![forbid(unsafe_code)]

mod bench;
mod client_bench;
mod faults;
mod instructions;
mod manual;
mod report_bench;
mod storm;

use std::ffi::OsString;
use std::process::ExitCode;

/// One task: a row of the table below.
struct Task {
    name: &'static str,
    /// What `cargo xtask help` prints; `None` hides a task that only other tasks start.
    help: Option<&'static str>,
    run: fn(lexopt::Parser) -> Result<ExitCode, String>,
}

const TASKS: &[Task] = &[
    Task { name: "bench", help: Some(bench::HELP), run: bench::main },
    Task { name: "client-bench", help: Some(client_bench::HELP), run: client_bench::main },
    Task { name: "faults", help: Some(faults::HELP), run: faults::main },
    Task { name: "instructions", help: Some(instructions::HELP), run: instructions::main },
    Task { name: "manual", help: Some(manual::HELP), run: manual::main },
    Task { name: "report-bench", help: Some(report_bench::HELP), run: report_bench::main },
    Task { name: "storm", help: Some(storm::HELP), run: storm::main },
    Task { name: "forwarder", help: None, run: bench::forwarder::main },
    Task { name: "minimal", help: None, run: bench::minimal::main },
    Task { name: "pinned", help: None, run: bench::cores::pinned_main },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".into());
    run(&name.to_string_lossy(), arguments.collect()).unwrap_or_else(|message| {
        eprintln!("xtask: {message}");
        ExitCode::FAILURE
    })
}

fn run(name: &str, arguments: Vec<OsString>) -> Result<ExitCode, String> {
    if matches!(name, "help" | "-h" | "--help") {
        print!("{}", help());
        return Ok(ExitCode::SUCCESS);
    }
    let task = TASKS.iter().find(|task| task.name == name);
    let task = task.ok_or_else(|| format!("no task `{name}`; `cargo xtask help` lists them"))?;
    (task.run)(lexopt::Parser::from_args(arguments))
}

fn help() -> String {
    let shown = TASKS.iter().filter_map(|task| task.help);
    let mut text = String::from("Developers' tasks of Tidegate.\n");
    for help in shown {
        text.push('\n');
        text.push_str(help);
    }
    text
}
