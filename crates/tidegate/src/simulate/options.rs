//! The words after `tidegate simulate`. Not here: what a fault means (`faults`), and what is simulated.

use std::path::PathBuf;
use std::time::Duration;

use super::endpoint::Capacity;
use super::faults::{self, Fault, time};

/// How it is used.
pub(crate) const USAGE: &str = "\
Usage: tidegate simulate [FILE] [OPTION…]

Runs the gateway's own policy (choice of endpoint, retries, budget, ejection) in
virtual time against simulated endpoints, and shows what faults would do before
anything is deployed. FILE is an nginx.conf: its upstream, and the settings of
the first location that passes to it. Without one: random two, resilience on.

  --upstream NAME     which upstream, if there are several
  --endpoints NUMBER  so many, copies of the file's servers in turn (10 if no FILE)
  --capacity NxTIME   an endpoint works on N requests at once, each of which takes
                      TIME on average (8x50ms)
  --backlog NUMBER    requests that wait for an endpoint; no connection beyond (511)
  --rate NUMBER       new requests a second; 20k is 20000 (70 % of the capacity)
  --client-timeout TIME    how long clients wait for an answer (10s)
  --client-retries NUMBER  how often they ask again, within 200 ms (0)
  --time TIME         how long it goes on (60s)
  --seed NUMBER       another chance (1); the same seed gives the same figures
  --fault FAULT       what goes wrong, as often as wanted:
                      kill=30%@10s..20s      connections are refused
                      hang=30%@10s..20s      connections are taken, no answer comes
                      flap=30%@10s..20s      dead every other second
                      slow=10x/30%@10s..20s  answers take ten times as long
                      overload=3x@10s..15s   three times as many requests
                      without a share all endpoints are meant
  --json              show everything as JSON
  --svg FILE          write a plot as well

GET requests in one worker; the way takes half a millisecond. An endpoint goes on
with requests that were given up. hold, hedging and idle connections are left out.
";

const FLAGS: [&str; 13] = [
    "--upstream",
    "--endpoints",
    "--capacity",
    "--backlog",
    "--rate",
    "--client-timeout",
    "--client-retries",
    "--time",
    "--seed",
    "--fault",
    "--json",
    "--svg",
    "--help",
];

/// The most endpoints.
const MOST_ENDPOINTS: usize = 100_000;
/// The longest virtual time.
const LONGEST: Duration = Duration::from_secs(86_400);

/// What was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(super) file: Option<PathBuf>,
    pub(super) upstream: Option<String>,
    pub(super) json: bool,
    pub(super) svg: Option<String>,
    pub(super) load: Load,
}

/// What clients and endpoints do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Load {
    /// As many as the file has, where nothing is said.
    pub(super) endpoints: Option<usize>,
    pub(super) capacity: Capacity,
    /// Requests a second; a share of the capacity where nothing is said.
    pub(super) rate: Option<f64>,
    pub(super) client_timeout: Duration,
    pub(super) client_retries: u32,
    pub(super) time: Duration,
    pub(super) seed: u64,
    pub(super) faults: Vec<Fault>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            endpoints: None,
            capacity: Capacity { concurrency: 8, service: Duration::from_millis(50), backlog: 511 },
            rate: None,
            client_timeout: Duration::from_secs(10),
            client_retries: 0,
            time: Duration::from_secs(60),
            seed: 1,
            faults: Vec::new(),
        }
    }
}

/// Reads the words. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(crate) fn parse(words: &[String]) -> Result<Option<Options>, String> {
    let mut options = Options { file: None, upstream: None, json: false, svg: None, load: Load::default() };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').filter(|_| word.starts_with("--")).unzip();
        let flag = flag.unwrap_or(word);
        let mut value = || value.or_else(|| words.next()).ok_or_else(|| format!("option \"{flag}\" requires a value"));
        match flag {
            "--help" | "-h" => return Ok(None),
            "--json" => options.json = true,
            "--svg" => options.svg = Some(value()?.to_owned()),
            "--upstream" => options.upstream = Some(value()?.to_owned()),
            flag if FLAGS.contains(&flag) => options.load.set(flag, value()?)?,
            flag if flag.starts_with('-') => return Err(unknown(flag)),
            file if options.file.is_none() => options.file = Some(file.into()),
            other => return Err(format!("one file is read, and \"{other}\" is another")),
        }
    }
    Ok(Some(options))
}

fn unknown(flag: &str) -> String {
    let hint = config::suggest::nearest(flag, FLAGS).map(|near| format!(": did you mean \"{near}\"?"));
    format!("unknown option \"{flag}\"{}", hint.unwrap_or_default())
}

impl Load {
    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        let done = match flag {
            "--endpoints" => number(value)
                .filter(|number| (1..=MOST_ENDPOINTS).contains(number))
                .map(|number| self.endpoints = Some(number)),
            "--capacity" => capacity(value).map(|(concurrency, service)| {
                self.capacity = Capacity { concurrency, service, ..self.capacity };
            }),
            "--backlog" => number(value).map(|number| self.capacity.backlog = number),
            "--rate" => rate(value).map(|rate| self.rate = Some(rate)),
            "--client-timeout" => positive(value).map(|time| self.client_timeout = time),
            "--client-retries" => number(value).map(|number| self.client_retries = number),
            "--time" => positive(value).filter(|time| *time <= LONGEST).map(|time| self.time = time),
            "--seed" => number(value).map(|number| self.seed = number),
            _ => return faults::parse(value).map(|faults| self.faults.extend(faults)),
        };
        done.ok_or_else(|| format!("\"{value}\" is not for {flag}: --help shows what is"))
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.parse().ok()
}

/// A time that is not zero; a day at the most, since longer ones have no place in a simulation of one.
fn positive(text: &str) -> Option<Duration> {
    time(text).filter(|time| !time.is_zero() && *time <= LONGEST)
}

/// `8x50ms`.
fn capacity(text: &str) -> Option<(usize, Duration)> {
    let (concurrency, service) = text.split_once('x')?;
    number(concurrency).filter(|number| *number > 0 && *number <= 100_000).zip(positive(service))
}

/// `20000`, `20000/s`, `20k`, `1m`: up to ten millions.
fn rate(text: &str) -> Option<f64> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    let (digits, unit) = match text.strip_suffix(['k', 'm']) {
        Some(digits) if text.ends_with('k') => (digits, 1e3),
        Some(digits) => (digits, 1e6),
        None => (text, 1.0),
    };
    digits.parse().ok().map(|rate: f64| rate * unit).filter(|rate| (0.1..=1e7).contains(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<Options>, String> {
        parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read() {
        let line =
            "nginx.conf --endpoints=3 --rate 20k/s --capacity 4x20ms --fault kill=30%@1s..2s --fault slow=2x@3s..4s";
        let options = parsed(line).unwrap().unwrap();
        assert_eq!((options.load.endpoints, options.load.rate), (Some(3), Some(20_000.0)));
        assert_eq!(options.load.capacity.rate(), 200.0);
        assert_eq!(options.load.faults.len(), 2);
        assert_eq!(parsed("--help"), Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for line in
            ["--rate 0", "--capacity 8", "--endpoints 0", "--fault kill", "--faults x", "a b", "--time 0", "--svg"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_usage_fits_its_columns() {
        assert!(USAGE.lines().all(|line| line.chars().count() <= 85));
    }
}
