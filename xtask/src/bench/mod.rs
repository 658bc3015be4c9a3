//! `cargo xtask bench`: tidegate beside nginx, haproxy, a byte forwarder and a minimal proxy, on
//! one core each, in one run.
//!
//! This file is the order of things: who takes part, whose turn it is, what is measured around a
//! turn. Each room beside it does one of the steps.

mod answer;
pub(crate) mod case;
mod client;
pub(crate) mod contender;
pub(crate) mod cores;
mod failure;
pub(crate) mod forwarder;
mod gate;
pub(crate) mod histogram;
mod idle;
mod json;
pub(crate) mod load;
mod measure;
pub(crate) mod minimal;
pub(crate) mod origin;
pub(crate) mod plan;
pub(crate) mod process;
mod report;
mod results;
mod sheet;
mod socket;
mod statistics;
pub(crate) mod tidegate;

use std::fs;
use std::io;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use case::Case;
use contender::Contender;
use cores::Cores;
use load::{Load, Until};
use plan::{IDLE_CONNECTIONS, Plan};
use process::{Launch, Running, Scratch};
use results::{CaseResult, Entrant, Results, Round};

pub(crate) const HELP: &str = "\
cargo xtask bench [OPTION…]
    CPU a request, requests a second, latency and memory of tidegate, nginx, haproxy, a raw byte
    forwarder and a proxy that only reads and rewrites heads, taking turns on one pinned core. A full
    run takes less than five minutes. Exits with 1 when any request failed.

    --quick           shorter rounds: one minute
    --only LIST       of nginx,haproxy,forwarder,minimal,tidegate
    --case LIST       of small-get,post-16k,get-64k,get-1m,new-connection,512-connections,idle
    --gate            small GET only; exits with 1 unless tidegate's CPU is at most 1.0 × nginx's
                      and 1.3 × the forwarder's
    --json FILE       writes every round's figures
    --markdown FILE   writes the tables
    --tidegate FILE   runs this program instead of building one
";

/// Descriptors to ask for: two for every idle connection, in the proxy as in this process.
pub(crate) const DESCRIPTORS: u64 = 2 * IDLE_CONNECTIONS + OTHER_DESCRIPTORS;
/// Descriptors for all the rest.
const OTHER_DESCRIPTORS: u64 = 1000;

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let Some(plan) = Plan::read(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let bench = Bench::new(&plan)?;
    let results = bench.run(&plan)?;
    write(plan.json.as_deref(), || json::document(&results, &bench.cores))?;
    write(plan.markdown.as_deref(), || report::markdown(&results, &bench.cores))?;
    print!("{}", report::closing(&results));
    let passed = !plan.gate || gate::judge(&results);
    let good = passed && results.failures().is_empty();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write(path: Option<&Path>, text: impl FnOnce() -> String) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    fs::write(path, text()).map_err(|error| format!("{}: {error}", path.display()))
}

/// The ground on which a run happens.
struct Bench {
    cores: Cores,
    scratch: Scratch,
    origin: SocketAddrV4,
    descriptors: u64,
    /// Who takes part, with its program.
    entrants: Vec<(Contender, PathBuf)>,
    left_out: Vec<(Contender, String)>,
}

impl Bench {
    fn new(plan: &Plan) -> Result<Self, String> {
        let tidegate = match &plan.tidegate {
            Some(program) => program.clone(),
            None if plan.contenders.contains(&Contender::Tidegate) => tidegate::build()?,
            None => PathBuf::new(),
        };
        let cores = Cores::choose()?;
        cores.stay_off_the_proxys()?;
        let descriptors = cores::raise_descriptor_limit(DESCRIPTORS);
        let origin = origin::start().map_err(|error| format!("the origin does not start: {error}"))?;
        let (mut entrants, mut left_out) = (Vec::new(), Vec::new());
        for &contender in &plan.contenders {
            match contender.program(&tidegate) {
                Ok(program) => entrants.push((contender, program)),
                Err(reason) => left_out.push((contender, reason)),
            }
        }
        Ok(Self { cores, scratch: Scratch::new()?, origin, descriptors, entrants, left_out })
    }

    fn run(&self, plan: &Plan) -> Result<Results, String> {
        let entrants = self.entrants.iter().map(|(contender, program)| Entrant {
            contender: *contender,
            version: contender.version(program),
            logged: None,
        });
        let mut results = Results {
            entrants: entrants.collect(),
            left_out: self.left_out.clone(),
            cases: Vec::new(),
            idle: Vec::new(),
        };
        print!("{}", report::opening(&results, &self.cores));
        self.run_cases(plan, &mut results)?;
        if plan.idle {
            self.run_idle(&mut results)?;
        }
        Ok(results)
    }

    fn run_cases(&self, plan: &Plan, results: &mut Results) -> Result<(), String> {
        if plan.cases.is_empty() {
            return Ok(());
        }
        let starting = self.entrants.iter().map(|(contender, program)| self.start(*contender, program));
        let mut running = starting.collect::<Result<Vec<_>, _>>()?;
        for case in &plan.cases {
            let result = self.run_case(case, plan, &mut running).map_err(|error| format!("{}: {error}", case.name))?;
            print!("{}", report::case(&result).text());
            results.cases.push(result);
        }
        for (entrant, running) in results.entrants.iter_mut().zip(running) {
            entrant.logged = running.finish().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Everyone's first turn warms up; the following ones count.
    fn run_case(&self, case: &Case, plan: &Plan, running: &mut [Running]) -> io::Result<CaseResult> {
        let mut rounds: Vec<_> = running.iter().map(|one| (one.contender, Vec::new())).collect();
        for one in running.iter_mut() {
            self.turn(case, one, plan.rounds.warm_up)?;
        }
        for _ in 0..plan.rounds.count {
            for (one, (_, rounds)) in running.iter_mut().zip(&mut rounds) {
                rounds.push(self.turn(case, one, plan.rounds.length)?);
            }
        }
        Ok(CaseResult { case: case.clone(), rounds })
    }

    /// One turn of one contender. What is measured begins and ends with all connections open and
    /// none in use, so that the kernel's accounts are exact at both ends.
    fn turn(&self, case: &Case, running: &mut Running, length: Duration) -> io::Result<Round> {
        let mut load = Load::new(case.script(running.address()))?;
        let first = load.run(Until::Each(1))?;
        let cpu = measure::cpu_time(running.id())?;
        let core = measure::core_busy(self.cores.proxy)?;
        let mut tally = load.run(Until::Elapsed(length))?;
        let cpu = measure::cpu_time(running.id())?.saturating_sub(cpu);
        let core = measure::core_busy(self.cores.proxy)?.saturating_sub(core);
        running.requests += first.requests() + tally.requests();
        tally.failures.merge(&first.failures);
        running.take_log()?;
        Ok(Round {
            requests: tally.completed,
            wall: tally.wall,
            cpu,
            disturbed: core.saturating_sub(cpu),
            p50: tally.latencies.quantile(0.50).unwrap_or_default(),
            p99: tally.latencies.quantile(0.99).unwrap_or_default(),
            failures: tally.failures,
        })
    }

    /// Each contender started anew, so that what the timed cases left in its memory does not count.
    fn run_idle(&self, results: &mut Results) -> Result<(), String> {
        let connections = IDLE_CONNECTIONS.min(self.descriptors.saturating_sub(OTHER_DESCRIPTORS) / 2);
        if connections < IDLE_CONNECTIONS {
            println!("\nOnly {} descriptors are allowed (ulimit -n): fewer idle connections.", self.descriptors);
        }
        for (contender, program) in &self.entrants {
            let mut running = self.start(*contender, program)?;
            let idle = idle::measure(&mut running, connections);
            results.idle.push((*contender, idle.map_err(|error| format!("idle: {error}"))?));
        }
        print!("{}", report::idle(&results.idle).text());
        Ok(())
    }

    fn start(&self, contender: Contender, program: &Path) -> Result<Running, String> {
        Running::start(&Launch {
            contender,
            program,
            under: &[],
            core: self.cores.proxy,
            origin: self.origin,
            directory: self.scratch.path.clone(),
            descriptors: self.descriptors,
        })
    }
}
