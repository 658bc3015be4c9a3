//! Makes a test of every case file below a directory, named after its path.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::support::bytes::fits;
use crate::support::case::Case;
use crate::support::case_format::read_case;
use crate::support::logs::is_serious;
use crate::support::self_check;
use crate::support::server::Binary;
use crate::support::transcript::Transcript;

/// Most of a case is waiting: more run at once than there are cores.
const AT_ONCE: usize = 6;

/// Whether a case's text holds.
pub(crate) type Judge = fn(&str) -> Result<(), String>;

/// A directory of case files, and how each is judged.
pub(crate) struct Suite {
    /// Below `tests/`.
    pub(crate) dir: &'static str,
    pub(crate) extension: &'static str,
    pub(crate) judge: Judge,
    /// Checks of what the suite adds to the harness.
    pub(crate) checks: Vec<Trial>,
    /// Its files are listed as ignored and only read; the caller says why.
    pub(crate) skipped: bool,
}

impl Suite {
    /// Runs the checks of the harness, then a test for each file.
    pub(crate) fn run(self) -> ExitCode {
        raise_open_files();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(self.dir);
        let mut files = Vec::new();
        find_files(&root, self.extension, &mut files);
        files.sort();
        let mut trials = self_check::trials();
        trials.extend(self.checks);
        for path in &files {
            trials.push(trial(&root, path, self.judge).with_ignored_flag(self.skipped));
        }
        trials.push(self_check::check("every_file_can_be_read", move || read_all(&files)));
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(AT_ONCE);
        libtest_mimic::run(&arguments, trials).exit_code()
    }
}

/// A case may hold thousands of connections, and the servers under test inherit the limit.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Where it may not be raised, a case that needs it says what it lacks.
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap_or_default();
}

fn read_all(files: &[PathBuf]) -> Result<(), Failed> {
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|error| Failed::from(error.to_string()))?;
        read_case(&text).map_err(|why| Failed::from(format!("{}: {why}", path.display())))?;
    }
    Ok(())
}

fn find_files(dir: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            find_files(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

fn trial(root: &Path, path: &Path, judge: Judge) -> Trial {
    let name = path.strip_prefix(root).unwrap_or(path).with_extension("").display().to_string();
    let path = path.to_owned();
    Trial::test(name, move || {
        let text = std::fs::read_to_string(&path).map_err(|error| Failed::from(error.to_string()))?;
        judge(&text).map_err(|why| Failed::from(format!("{}\n{why}", path.display())))
    })
}

/// The gateway, or what `TIDEGATE_SUBJECT` names in its place: with nginx there, a suite checks itself.
pub(crate) fn subject() -> Binary {
    let path = std::env::var_os("TIDEGATE_SUBJECT")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidegate")), PathBuf::from);
    Binary { name: "tidegate", path, http_defaults: "" }
}

/// Why the case cannot run here, if so.
pub(crate) fn missing(case: &Case) -> Option<String> {
    let has_ipv6 = || std::net::TcpListener::bind("[::1]:0").is_ok();
    case.needs.iter().find_map(|need| match need.as_str() {
        "ipv6" if has_ipv6() => None,
        "ipv6" => Some("there is no ::1 here".to_owned()),
        other => Some(format!("it needs `{other}`, which nothing here knows")),
    })
}

/// What the run shows otherwise than the case says: its scripts' problems, and the logs that it lists.
pub(crate) fn problems(case: &Case, seen: &Transcript) -> Vec<String> {
    let mut problems = seen.problems.clone();
    if let Some(expected) = &case.access_log {
        problems.extend(check_access_log(expected, &seen.access_log));
    }
    if let Some(expected) = &case.error_log {
        problems.extend(check_error_log(expected, &seen.error_log));
    }
    if !problems.is_empty() {
        problems.push(seen.to_string());
    }
    problems
}

/// What the gateway should have said of failures otherwise: nginx says none of it.
pub(crate) fn failure_problems(case: &Case, seen: &Transcript) -> Vec<String> {
    let unnamed = seen.unnamed.iter();
    let mut problems: Vec<String> = unnamed.map(|line| format!("no cause is named in the error log: {line}")).collect();
    if let Some(expected) = &case.failures {
        let fit = |(pattern, failure): (&String, &String)| fits(pattern, failure);
        if expected.len() != seen.failures.len() || !expected.iter().zip(&seen.failures).all(fit) {
            problems.push(format!("expected the failures:\n    {}\n{seen}", expected.join("\n    ")));
        }
    }
    problems
}

fn check_access_log(expected: &[String], seen: &[String]) -> Option<String> {
    let holds = expected.len() == seen.len() && expected.iter().zip(seen).all(|(pattern, line)| fits(pattern, line));
    (!holds).then(|| format!("expected the access log:\n    {}", expected.join("\n    ")))
}

fn check_error_log(expected: &[String], seen: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut awaited = expected.iter().peekable();
    for line in seen {
        let level = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("error", |(level, _)| level);
        if awaited.next_if(|pattern| fits(pattern, line)).is_none() && is_serious(level) {
            problems.push(format!("unexpected in the error log: {line}"));
        }
    }
    problems.extend(awaited.map(|pattern| format!("missing in the error log: {pattern}")));
    problems
}
