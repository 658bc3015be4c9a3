//! Files that nginx refuses: tidegate refuses them with the same exit code, and the first thing that it says is what nginx
//! says. Each difference stands here with its reason. Not here: what else is said (golden files of `config`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

#[path = "refusals/cases.rs"]
mod cases;

use std::fs;
use std::path::Path;
use std::process::Command;

use cases::{Case, Expected};
use config::directives::{Context, Row, table};

const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");
const NGINX: &str = "/usr/sbin/nginx";

/// What `-t` came to.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    code: Option<i32>,
    /// The first line about the file, without the program's name and nginx's log stamp: `[emerg] MESSAGE`.
    first: Option<String>,
}

fn verdict(program: &str, folder: &Path, globals: Option<&str>) -> Verdict {
    let file = folder.join("nginx.conf");
    let mut command = Command::new(program);
    command.arg("-t").arg("-c").arg(&file);
    if let Some(globals) = globals {
        command.args(["-g", globals]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).replace(&*folder.to_string_lossy(), "");
    Verdict { code: output.status.code(), first: said.lines().find_map(plain) }
}

/// `nginx: [emerg] MESSAGE`, or the same with a log stamp where the build logs to standard error from the start.
fn plain(line: &str) -> Option<String> {
    let (level, rest) = line.split_once('[')?.1.split_once("] ")?;
    let message = match line.split_once(": [") {
        Some((program, _)) if !program.contains(' ') => rest,
        _ => rest.split_once(": ")?.1,
    };
    ["emerg", "crit", "alert"].contains(&level).then(|| format!("[{level}] {message}"))
}

fn write(case: &Case, folder: &Path) {
    for (name, text) in case.files(folder) {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn peer_is_there() -> bool {
    let there = Path::new(NGINX).exists();
    if !there {
        assert!(std::env::var_os("TIDEGATE_REQUIRE_PEERS").is_none(), "there is no {NGINX}");
        eprintln!("not compared: there is no {NGINX} on this machine");
    }
    there
}

#[test]
fn what_nginx_refuses_is_refused_in_its_words() {
    if !peer_is_there() {
        return;
    }
    let mut wrong = Vec::new();
    for case in cases::all() {
        let folder = tempfile::tempdir().unwrap();
        write(&case, folder.path());
        let nginxs = verdict(NGINX, folder.path(), case.globals);
        let ours = verdict(TIDEGATE, folder.path(), case.globals);
        let expected = match case.expected {
            Expected::Same => {
                assert_eq!(nginxs.code, Some(1), "{}: nginx accepts it", case.name);
                ours == nginxs
            }
            Expected::Differs { ours: said, .. } => {
                let expected = Verdict { code: Some(i32::from(said.is_some())), first: said.map(str::to_owned) };
                ours == expected && ours != nginxs
            }
        };
        if !expected {
            wrong.push(format!("{}\n  nginx:    {nginxs:?}\n  tidegate: {ours:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "differs:\n{}", wrong.join("\n"));
}

/// A line where its directive may stand.
fn in_context(row: &Row, line: &str) -> String {
    let server =
        |inside: &str| format!("events {{}} http {{ access_log off; server {{ listen 127.0.0.1:1999; {inside} }} }}");
    match row.contexts.first() {
        Some(Context::Events) => format!("events {{ {line} }}"),
        Some(Context::Http) => format!("events {{}} http {{ {line} }}"),
        Some(Context::Server) => server(line),
        Some(Context::Location) => server(&format!("location / {{ {line} }}")),
        Some(Context::Upstream) => format!("events {{}} http {{ upstream a {{ server 127.0.0.1; {line} }} }}"),
        _ => format!("events {{}} {line}"),
    }
}

#[test]
fn each_directive_takes_the_units_that_it_takes_in_nginx() {
    if !peer_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let own = format!("pid {}/pid; error_log stderr;\n", folder.path().display());
    let mut compared = 0;
    for row in table().iter().filter(|row| ["size", "time", "number", "on | off"].contains(&row.syntax)) {
        for value in ["1g", "1y", "1ms", "1"] {
            let text = own.clone() + &in_context(row, &format!("{} {value};", row.name));
            fs::write(folder.path().join("nginx.conf"), text).unwrap();
            let nginxs = verdict(NGINX, folder.path(), None);
            let newer = [
                format!("unknown directive \"{}\"", row.name),
                format!("\"{}\" directive is not allowed here", row.name),
            ];
            if nginxs.first.as_ref().is_some_and(|first| newer.iter().any(|newer| first.contains(newer))) {
                break;
            }
            let bound = nginxs
                .first
                .as_ref()
                .is_some_and(|first| first.contains("must be") || first.contains("could not build"));
            if !bound {
                assert_eq!(verdict(TIDEGATE, folder.path(), None), nginxs, "{} {value};", row.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

/// Writes a realistic configuration of `config`'s tests, whose files are in one text.
fn write_realistic(text: &str, folder: &Path) {
    let mut name = "nginx.conf".to_owned();
    let mut written: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(next) => name = next.trim().to_owned(),
            None => written.entry(name.clone()).or_default().push_str(line),
        }
    }
    for folder_name in ["logs", "run", "tmp", "cache"] {
        fs::create_dir(folder.join(folder_name)).unwrap();
    }
    for (name, text) in written {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn nginx_accepts_what_is_taken_for_realistic() {
    if !peer_is_there() {
        return;
    }
    let realistic = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tests/realistic");
    for file in fs::read_dir(realistic).unwrap().map(|entry| entry.unwrap().path()) {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        // A file for conf.d stands in an http block.
        let whole = text.contains("events") && text.contains("http {");
        let text = if whole { text } else { format!("pid run/pid; events {{}} http {{ access_log off;\n{text}\n}}") };
        write_realistic(&text, folder.path());
        let output = Command::new(NGINX)
            .args(["-t", "-e", "stderr", "-p"])
            .arg(folder.path())
            .args(["-c", "nginx.conf"])
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn there_are_cases_of_every_kind_and_each_has_a_name_of_its_own() {
    let mut names: Vec<_> = cases::all().iter().map(|case| case.name).collect();
    assert!(names.len() >= 80, "{}", names.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases::all().len());
    let reasons = cases::all().into_iter().filter_map(|case| match case.expected {
        Expected::Same => None,
        Expected::Differs { reason, .. } => Some(reason),
    });
    assert!(reasons.into_iter().all(|reason| reason.len() > 20));
}
