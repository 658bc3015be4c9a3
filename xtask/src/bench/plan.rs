//! What is run and for how long: the options of `cargo xtask bench`, read and bounded.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Arg::{Long, Short};

use super::case::{CASES, Case, IDLE, SMALL_GET};
use super::contender::Contender;

/// Idle connections opened to each contender.
pub(crate) const IDLE_CONNECTIONS: u64 = 8_000;

/// What the user asked for.
pub(crate) struct Plan {
    pub(crate) contenders: Vec<Contender>,
    pub(crate) cases: Vec<Case>,
    pub(crate) idle: bool,
    pub(crate) rounds: Rounds,
    pub(crate) gate: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) markdown: Option<PathBuf>,
    /// A tidegate to run instead of the one built here.
    pub(crate) tidegate: Option<PathBuf>,
}

/// How often each contender has its turn in a case, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    pub(crate) length: Duration,
    /// The first turn, which is not counted.
    pub(crate) warm_up: Duration,
}

const FULL: Rounds = rounds(7, 1000, 500);
const QUICK: Rounds = rounds(5, 250, 150);
const GATE: Rounds = rounds(15, 1000, 500);

const fn rounds(count: usize, length: u64, warm_up: u64) -> Rounds {
    Rounds { count, length: Duration::from_millis(length), warm_up: Duration::from_millis(warm_up) }
}

/// The options as they are read, before they are made into a plan.
#[derive(Default)]
struct Options {
    only: Option<Vec<Contender>>,
    cases: Option<Vec<String>>,
    quick: bool,
    gate: bool,
    json: Option<PathBuf>,
    markdown: Option<PathBuf>,
    tidegate: Option<PathBuf>,
}

impl Plan {
    /// Reads the options; `None` when help was asked for.
    pub(crate) fn read(mut arguments: lexopt::Parser) -> Result<Option<Self>, String> {
        let mut options = Options::default();
        while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
            match argument {
                Long("only") => options.only = Some(contenders(&value(&mut arguments)?)?),
                Long("case") => options.cases = Some(case_names(&value(&mut arguments)?)?),
                Long("quick") => options.quick = true,
                Long("gate") => options.gate = true,
                Long("json") => options.json = Some(value(&mut arguments)?.into()),
                Long("markdown") => options.markdown = Some(value(&mut arguments)?.into()),
                Long("tidegate") => options.tidegate = Some(value(&mut arguments)?.into()),
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().to_string()),
            }
        }
        options.plan().map(Some)
    }
}

impl Options {
    fn plan(self) -> Result<Plan, String> {
        if self.gate && (self.only.is_some() || self.cases.is_some() || self.quick) {
            return Err("--gate chooses contenders, case and rounds: leave --only, --case, --quick out".into());
        }
        let chosen = |name: &str| match &self.cases {
            Some(names) => names.iter().any(|chosen| chosen == name),
            None => !self.gate,
        };
        let judged = [Contender::Nginx, Contender::Forwarder, Contender::Tidegate].to_vec();
        let default = if self.gate { judged } else { Contender::ALL.to_vec() };
        Ok(Plan {
            cases: if self.gate {
                vec![SMALL_GET]
            } else {
                CASES.into_iter().filter(|case| chosen(case.name)).collect()
            },
            idle: chosen(IDLE),
            contenders: self.only.unwrap_or(default),
            rounds: match (self.gate, self.quick) {
                (true, _) => GATE,
                (false, true) => QUICK,
                (false, false) => FULL,
            },
            gate: self.gate,
            json: self.json,
            markdown: self.markdown,
            tidegate: self.tidegate,
        })
    }
}

/// The value of the option just read.
pub(crate) fn value(arguments: &mut lexopt::Parser) -> Result<OsString, String> {
    arguments.value().map_err(|error| error.to_string())
}

/// Reads `nginx,tidegate`; the order of turns stays the table's.
pub(crate) fn contenders(list: &OsString) -> Result<Vec<Contender>, String> {
    let list = list.to_string_lossy();
    for name in list.split(',') {
        let known = Contender::ALL.map(Contender::name).join(", ");
        Contender::named(name).ok_or_else(|| format!("no contender `{name}`: there are {known}"))?;
    }
    let chosen = |contender: &Contender| list.split(',').any(|name| name == contender.name());
    Ok(Contender::ALL.into_iter().filter(chosen).collect())
}

fn case_names(list: &OsString) -> Result<Vec<String>, String> {
    let known: Vec<&str> = CASES.iter().map(|case| case.name).chain([IDLE]).collect();
    let names: Vec<String> = list.to_string_lossy().split(',').map(str::to_owned).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(format!("no case `{unknown}`: there are {}", known.join(", "))),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        let plan = Plan::read(lexopt::Parser::from_args(arguments))?;
        plan.ok_or_else(|| "help".to_owned())
    }

    fn measuring_time(plan: &Plan) -> Duration {
        let turn = plan.rounds.length * plan.rounds.count as u32 + plan.rounds.warm_up;
        turn * (plan.contenders.len() * plan.cases.len()) as u32
    }

    #[test]
    fn a_full_run_measures_everything_and_leaves_a_minute_of_its_five() {
        let plan = plan(&[]).unwrap();
        assert_eq!((plan.contenders.len(), plan.cases.len(), plan.idle), (5, 6, true));
        assert!(measuring_time(&plan) <= Duration::from_secs(240));
    }

    #[test]
    fn a_quick_run_leaves_a_quarter_of_its_minute() {
        assert!(measuring_time(&plan(&["--quick"]).unwrap()) <= Duration::from_secs(45));
    }

    #[test]
    fn the_gate_runs_what_it_judges() {
        let plan = plan(&["--gate"]).unwrap();
        let names: Vec<_> = plan.contenders.iter().map(|contender| contender.name()).collect();
        assert_eq!(names, ["nginx", "forwarder", "tidegate"]);
        assert_eq!((plan.cases.len(), plan.idle), (1, false));
    }

    #[test]
    fn only_and_case_choose() {
        let plan = plan(&["--only", "forwarder,nginx", "--case=idle,get-1m"]).unwrap();
        assert_eq!(plan.contenders, [Contender::Nginx, Contender::Forwarder]);
        assert_eq!((plan.cases.len(), plan.idle), (1, true));
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        assert!(plan(&["--only", "apache"]).is_err_and(|message| message.contains("haproxy")));
        assert!(plan(&["--case", "huge"]).is_err_and(|message| message.contains("get-1m")));
        assert!(plan(&["--fast"]).is_err());
        assert!(plan(&["--gate", "--quick"]).is_err());
    }
}
