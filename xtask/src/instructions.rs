//! `cargo xtask instructions`: how many user-space instructions a small GET costs.
//!
//! The proxy runs twice under valgrind's callgrind, for N and for 2N requests over one keep-alive
//! connection; the difference divided by N leaves start and end out. The count hardly depends on
//! the machine's load, but it says nothing of the kernel's work.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Arg::{Long, Short};

use crate::bench::case::SMALL_GET;
use crate::bench::contender::Contender;
use crate::bench::cores::{self, Cores};
use crate::bench::load::{Load, Script, Until};
use crate::bench::plan::{contenders, value};
use crate::bench::process::{Launch, Running, Scratch};
use crate::bench::{DESCRIPTORS, origin, tidegate};

pub(crate) const HELP: &str = "\
cargo xtask instructions [OPTION…]
    User-space instructions for a small GET over a keep-alive connection, counted by valgrind's callgrind.

    --only LIST       of nginx,haproxy,forwarder,minimal,tidegate; default nginx,tidegate
    --requests N      requests of the shorter run; default 2000
    --tidegate FILE   runs this program instead of building one
    --keep DIRECTORY  keeps the profiles there, for callgrind_annotate
";

struct Options {
    contenders: Vec<Contender>,
    requests: u64,
    tidegate: Option<OsString>,
    keep: Option<PathBuf>,
}

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let Some(options) = read(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let tidegate = match &options.tidegate {
        Some(program) => program.into(),
        None if options.contenders.contains(&Contender::Tidegate) => tidegate::build()?,
        None => Default::default(),
    };
    let counter = Counter::new(options.requests, options.keep)?;
    println!("User-space instructions for a small GET, of {} requests:", options.requests);
    for contender in options.contenders {
        let program = contender.program(&tidegate);
        match program {
            Ok(program) => println!("  {:<10} {:>8.0}", contender.name(), counter.per_request(contender, &program)?),
            Err(reason) => println!("  {:<10} is left out: {reason}", contender.name()),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(mut arguments: lexopt::Parser) -> Result<Option<Options>, String> {
    let default = vec![Contender::Nginx, Contender::Tidegate];
    let mut options = Options { contenders: default, requests: 2000, tidegate: None, keep: None };
    while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
        match argument {
            Long("only") => options.contenders = contenders(&value(&mut arguments)?)?,
            Long("requests") => options.requests = number(&value(&mut arguments)?)?,
            Long("tidegate") => options.tidegate = Some(value(&mut arguments)?),
            Long("keep") => options.keep = Some(value(&mut arguments)?.into()),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(options))
}

fn number(word: &OsString) -> Result<u64, String> {
    let number = word.to_str().and_then(|word| word.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| format!("--requests takes a positive number, not {word:?}"))
}

struct Counter {
    cores: Cores,
    scratch: Scratch,
    origin: std::net::SocketAddrV4,
    descriptors: u64,
    requests: u64,
    /// Where the profiles go.
    profiles: PathBuf,
}

impl Counter {
    fn new(requests: u64, keep: Option<PathBuf>) -> Result<Self, String> {
        let cores = Cores::choose()?;
        cores.stay_off_the_proxys()?;
        let descriptors = cores::raise_descriptor_limit(DESCRIPTORS);
        let origin = origin::start().map_err(|error| format!("the origin does not start: {error}"))?;
        let scratch = Scratch::new()?;
        let profiles = keep.unwrap_or_else(|| scratch.path.clone());
        fs::create_dir_all(&profiles).map_err(|error| format!("{}: {error}", profiles.display()))?;
        Ok(Self { cores, scratch, origin, descriptors, requests, profiles })
    }

    fn per_request(&self, contender: Contender, program: &Path) -> Result<f64, String> {
        let shorter = self.count(contender, program, self.requests)?;
        let longer = self.count(contender, program, 2 * self.requests)?;
        Ok((longer as f64 - shorter as f64) / self.requests as f64)
    }

    /// All instructions of a run with that many requests.
    fn count(&self, contender: Contender, program: &Path, requests: u64) -> Result<u64, String> {
        let file = self.profiles.join(format!("{}-{requests}", contender.name()));
        let mut output = OsString::from("--callgrind-out-file=");
        output.push(&file);
        let mut running = Running::start(&Launch {
            contender,
            program,
            under: &["valgrind".into(), "--tool=callgrind".into(), output],
            core: self.cores.proxy,
            origin: self.origin,
            directory: self.scratch.path.clone(),
            descriptors: self.descriptors,
        })?;
        let script = Script { connections: 1, ..SMALL_GET.script(running.address()) };
        let tally = Load::new(script).and_then(|mut load| load.run(Until::Each(requests)));
        let tally = tally.map_err(|error| error.to_string())?;
        if let Some((failure, _)) = tally.failures.iter().next() {
            return Err(format!("{}: a request failed: {failure}", contender.name()));
        }
        running.requests += tally.requests();
        running.finish().map_err(|error| error.to_string())?;
        let profile = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        total(&profile).ok_or_else(|| format!("{} has no `totals:` line", file.display()))
    }
}

/// The instructions of a callgrind profile (its manual, "Callgrind Format Specification").
pub(crate) fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_the_totals_line() {
        assert_eq!(total("# callgrind format\nsummary: 5\nfn=x\n0 5\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(total("# callgrind format\n"), None);
    }

    #[test]
    fn options_choose_contenders_and_requests() {
        let options = read(lexopt::Parser::from_args(["--only=haproxy", "--requests", "500"])).unwrap().unwrap();
        assert_eq!((options.contenders, options.requests), (vec![Contender::Haproxy], 500));
        assert!(read(lexopt::Parser::from_args(["--requests", "0"])).is_err());
    }
}
