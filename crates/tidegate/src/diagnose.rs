//! `tidegate diagnose`: goes through what a gateway does with an endpoint, step by step, and says what to change.
//!
//! The rooms in the order of the way: a `target`, the `steps` (each in a room of its own) that gather `facts`, the `verdict`
//! about them, and how both look (`show`, `json`). Not here: what a cause is (`policy`), and the gateway.

mod ask;
mod certificate;
mod facts;
mod json;
mod keep;
mod link;
mod local;
mod resolve;
mod show;
mod steps;
mod target;
mod tls;
mod verdict;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use serde_json::json;

use crate::report::Style;
use json::Times;
use show::{Show, put};
use steps::Settings;
use target::Target;

/// How it is used.
pub(crate) const USAGE: &str = "\
Usage: tidegate diagnose [OPTION]… URL | HOST:PORT | unix:PATH…
       tidegate diagnose [OPTION]… -c FILE

Goes through what a gateway does with an endpoint, step by step, and says what
is wrong and what to change. With -c every endpoint of a configuration.

  --idle TIME     how long to wait for an idle connection to be closed
                  (6s if not given; 0 for not at all)
  --timeout TIME  bounds each other step (5s if not given)
  --host NAME     the Host field, and the name for TLS, in place of the URL's
  --ca FILE       certificates to trust beside the system's, in PEM
  --json          one JSON object at the end

The exit code is 0 if all is well, 1 if there is a fault, and 2 if the command
was not understood.
";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    targets: Vec<Target>,
    /// `-c`.
    pub(crate) file: Option<PathBuf>,
    idle: Duration,
    timeout: Duration,
    /// In place of what the targets have.
    host: Option<String>,
    ca: Option<PathBuf>,
    json: bool,
}

/// Reads the words after `diagnose`. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(crate) fn parse(words: &[String]) -> Result<Option<Question>, String> {
    const FLAGS: [&str; 7] = ["-c", "--idle", "--timeout", "--host", "--ca", "--json", "--help"];
    let mut question = Question {
        targets: Vec::new(),
        file: None,
        idle: Duration::from_secs(6),
        timeout: Duration::from_secs(5),
        host: None,
        ca: None,
        json: false,
    };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (word, None),
        };
        let mut value = || value.or_else(|| words.next()).ok_or_else(|| format!("option \"{flag}\" requires a value"));
        match flag {
            "--help" | "-h" => return Ok(None),
            "--json" => question.json = true,
            "-c" => question.file = Some(value()?.into()),
            "--host" => question.host = Some(host(value()?)?),
            "--ca" => question.ca = Some(value()?.into()),
            "--idle" => question.idle = time(flag, value()?)?,
            "--timeout" => question.timeout = time(flag, value()?)?,
            flag if flag.starts_with('-') => {
                let hint = config::suggest::nearest(flag, FLAGS).map(|near| format!(": did you mean \"{near}\"?"));
                return Err(format!("unknown option \"{flag}\"{}", hint.unwrap_or_default()));
            }
            word => question.targets.push(Target::parse(word)?),
        }
    }
    match (question.targets.is_empty(), &question.file) {
        (true, None) => Err("nothing to examine was given: write a URL, HOST:PORT, unix:PATH, or -c FILE".into()),
        _ if question.timeout.is_zero() => Err("--timeout must be longer than nothing".into()),
        _ => Ok(Some(question)),
    }
}

fn time(flag: &str, value: &str) -> Result<Duration, String> {
    config::units::time(value)
        .ok_or_else(|| format!("\"{value}\" is no value for {flag}: write a time like 500ms or 6s"))
}

/// It becomes a line of the request.
fn host(value: &str) -> Result<String, String> {
    match value.find(|c: char| c.is_whitespace() || c.is_control()) {
        Some(_) => Err(format!("\"{}\" is no name of a host", value.escape_debug())),
        None => Ok(value.to_owned()),
    }
}

/// Examines everything; `config` is that of the file, if one was named. Returns the exit code.
pub(crate) fn run(mut question: Question, config: Option<&Config>) -> u8 {
    let roots = match certificate::roots(question.ca.as_deref()) {
        Ok(roots) => Arc::new(roots),
        Err(why) => {
            eprintln!("tidegate: {why}");
            return 2;
        }
    };
    let (found, notes) = config.map(Target::of).unwrap_or_default();
    question.targets.extend(found);
    if let Some(host) = &question.host {
        question.targets.iter_mut().for_each(|target| target.host.clone_from(host));
    }
    let settings = Settings { timeout: question.timeout, idle: question.idle, roots };
    let faults = match question.json {
        true => told_at_once(&question.targets, &settings, &notes),
        false => told_as_it_goes(&question.targets, &settings, &notes),
    };
    u8::from(faults > 0)
}

/// Returns how many endpoints have a fault.
fn told_as_it_goes(targets: &[Target], settings: &Settings, notes: &[String]) -> usize {
    let terminal = io::stdout().is_terminal();
    let mut show = Show { style: Style::of(terminal), terminal };
    let mut faults = 0;
    for (at, target) in targets.iter().enumerate() {
        put(&format!("{}{}\n\n", if at == 0 { "" } else { "\n" }, show.style.bold(&target.name)));
        let facts = steps::examine(target, settings, &mut show);
        let finding = verdict::verdict(&facts);
        faults += usize::from(finding.is_some());
        put(&show.verdict(finding.as_ref()));
    }
    if targets.len() != 1 {
        put(&format!("\n{} endpoints, {faults} with a fault.\n", targets.len()));
    }
    notes.iter().for_each(|note| put(&format!("Note: {note}.\n")));
    faults
}

fn told_at_once(targets: &[Target], settings: &Settings, notes: &[String]) -> usize {
    let mut faults = 0;
    let mut endpoints = Vec::new();
    for target in targets {
        let mut times = Times::default();
        let facts = steps::examine(target, settings, &mut times);
        let finding = verdict::verdict(&facts);
        faults += usize::from(finding.is_some());
        endpoints.push(json::endpoint(target, &facts, &times, finding.as_ref()));
    }
    put(&format!("{:#}\n", json!({ "healthy": faults == 0, "endpoints": endpoints, "notes": notes })));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Question>, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_stand_anywhere() {
        let question = read("app:1 --idle=0 --json --timeout 2s unix:/s").unwrap().unwrap();
        assert_eq!((question.targets.len(), question.idle, question.json), (2, Duration::ZERO, true));
        assert_eq!(question.timeout, Duration::from_secs(2));
        assert_eq!(read("-c a.conf").unwrap().unwrap().file, Some("a.conf".into()));
    }

    #[test]
    fn mistakes_are_said_with_what_to_write() {
        for (line, message) in [
            ("", "nothing to examine was given: write a URL, HOST:PORT, unix:PATH, or -c FILE"),
            ("a:1 --idel 1s", "unknown option \"--idel\": did you mean \"--idle\"?"),
            ("a:1 --idle soon", "\"soon\" is no value for --idle: write a time like 500ms or 6s"),
            ("a:1 --timeout 0", "--timeout must be longer than nothing"),
            ("a:1 --ca", "option \"--ca\" requires a value"),
        ] {
            assert_eq!(read(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn its_help_fits_eighty_columns() {
        assert!(USAGE.lines().all(|line| line.chars().count() <= 80));
    }
}
