//! `cargo xtask report-bench`: `tidegate report` and goaccess on the same generated log, in turns, in one run.
//!
//! goaccess is asked for the panels that answer what the report answers (requests, files, hosts, times, statuses) and no
//! others, and to leave queries out as the report does, so that it does no work that is not compared. Here is the order of
//! things; the log is made in `traffic`.

mod measure;
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::bench::tidegate;
use measure::Cost;
use traffic::Traffic;

pub(crate) const HELP: &str = "\
cargo xtask report-bench [OPTION…]
    Time, CPU and memory of `tidegate report` and goaccess on the same generated access log, taking turns.
    Exits with 1 unless tidegate is faster.

    --size SIZE       how large the log is, in megabytes (1500)
    --rounds NUMBER   how often each is measured (3)
    --write FOLDER    only write an access log with times and its error log there, to look at
";

/// Where goaccess stands in Debian.
const GOACCESS: &str = "/usr/bin/goaccess";

/// Panels that have no counterpart in the report.
const IGNORED: [&str; 10] = [
    "REFERRERS",
    "REFERRING_SITES",
    "KEYPHRASES",
    "OS",
    "BROWSERS",
    "NOT_FOUND",
    "VIRTUAL_HOSTS",
    "REMOTE_USER",
    "MIME_TYPE",
    "TLS_TYPE",
];

struct Plan {
    megabytes: u64,
    rounds: usize,
    write: Option<PathBuf>,
}

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let plan = Plan::read(arguments).map_err(|error| error.to_string())?;
    if let Some(folder) = &plan.write {
        Traffic::timed().write(folder, plan.megabytes * 1_000_000).map_err(|error| error.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    if !Path::new(GOACCESS).exists() {
        return Err(format!("there is no {GOACCESS}: install goaccess"));
    }
    let program = tidegate::build()?;
    let folder = tempfolder()?;
    let result = compare(&plan, &program, &folder);
    let _ = fs::remove_dir_all(&folder);
    result
}

impl Plan {
    fn read(mut arguments: lexopt::Parser) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut plan = Self { megabytes: 1_500, rounds: 3, write: None };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("size") => plan.megabytes = arguments.value()?.parse()?,
                Long("rounds") => plan.rounds = arguments.value()?.parse()?,
                Long("write") => plan.write = Some(arguments.value()?.into()),
                other => return Err(other.unexpected()),
            }
        }
        Ok(plan)
    }
}

fn tempfolder() -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("tidegate-report-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// One of those who are compared.
struct Entrant {
    name: &'static str,
    command: Command,
    costs: Vec<Cost>,
}

fn compare(plan: &Plan, program: &Path, folder: &Path) -> Result<ExitCode, String> {
    println!("writing a log of {} MB", plan.megabytes);
    let lines = Traffic::combined().write(folder, plan.megabytes * 1_000_000).map_err(|error| error.to_string())?;
    let log = folder.join("access.log");
    // The first to read the file must not pay for the disk.
    std::io::copy(&mut fs::File::open(&log).map_err(|error| error.to_string())?, &mut std::io::sink())
        .map_err(|error| error.to_string())?;
    let mut entrants = entrants(program, folder, &log);
    for round in 1..=plan.rounds {
        for entrant in &mut entrants {
            let cost = Cost::of(&mut entrant.command).map_err(|error| format!("{}: {error}", entrant.name))?;
            println!("round {round}: {:<28} {cost}", entrant.name);
            entrant.costs.push(cost);
        }
    }
    let size = fs::metadata(&log).map_err(|error| error.to_string())?.len();
    Ok(summary(&entrants, lines, size))
}

fn entrants(program: &Path, folder: &Path, log: &Path) -> Vec<Entrant> {
    let tidegate = |threads: &str| {
        let mut command = Command::new(program);
        command.arg("report").arg("--threads").arg(threads).arg("--html").arg(folder.join("report.html")).arg(log);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut goaccess = Command::new(GOACCESS);
    goaccess.arg(log).args(["--log-format=COMBINED", "--no-query-string", "--no-progress", "--no-global-config", "-o"]);
    goaccess.arg(folder.join("goaccess.html")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    goaccess.args(IGNORED.iter().map(|panel| format!("--ignore-panel={panel}")));
    vec![
        Entrant { name: "tidegate report, 2 threads", command: tidegate("2"), costs: Vec::new() },
        Entrant { name: "tidegate report, 1 thread", command: tidegate("1"), costs: Vec::new() },
        Entrant { name: "goaccess", command: goaccess, costs: Vec::new() },
    ]
}

/// The table, and whether tidegate is ahead with one thread too.
fn summary(entrants: &[Entrant], lines: u64, size: u64) -> ExitCode {
    println!("\n{lines} lines, {} MB; the best of each\n", size / 1_000_000);
    println!("| | time | lines a second | CPU | memory at most |\n|---|---|---|---|---|");
    let best = |entrant: &Entrant| entrant.costs.iter().copied().min_by(|a, b| a.seconds.total_cmp(&b.seconds));
    for entrant in entrants {
        let Some(cost) = best(entrant) else { continue };
        let rate = lines as f64 / cost.seconds / 1e6;
        println!(
            "| {} | {:.2} s | {rate:.2} million | {:.2} s | {} MB |",
            entrant.name,
            cost.seconds,
            cost.cpu,
            cost.memory / 1_000_000
        );
    }
    let seconds: Vec<f64> = entrants.iter().filter_map(|entrant| best(entrant).map(|cost| cost.seconds)).collect();
    match seconds[..] {
        [two, one, goaccess] => {
            println!("\nahead of goaccess: {:.1} × with two threads, {:.1} × with one", goaccess / two, goaccess / one);
            if goaccess > one.max(two) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        _ => ExitCode::FAILURE,
    }
}
