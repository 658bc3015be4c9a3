//! `tidegate report` from outside: whole reports of small logs beside the files that say what is right, and the ways in which
//! logs are given. Not here: how lines are read and counted (unit tests beside the code).
//!
//! `TIDEGATE_BLESS=1` writes what is said now into the files; look at the difference before it is committed.

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(name)
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs it in a folder, in UTC.
fn run(folder: &Path, words: &[&str], input: &[u8]) -> Said {
    let mut command = Command::new(TIDEGATE);
    command.arg("report").args(words).current_dir(folder).env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // It may end before it has read all of a wrong input.
        scope.spawn(move || drop(stdin.write_all(input)));
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    })
}

/// Compares with a file, or writes it.
fn is_as_in(file: &Path, said: &str) {
    if std::env::var_os("TIDEGATE_BLESS").is_some() {
        fs::write(file, said).unwrap();
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    assert!(said == expected, "{} is not what is said now:\n{said}", file.display());
}

/// The text without its pieces of advice, which are the policy's and may be put better at any time.
fn without_advice(text: &str) -> String {
    let mut kept = String::new();
    let mut is_advice = false;
    for line in text.lines() {
        let goes_on = is_advice && line.starts_with("     ");
        is_advice = goes_on || line.starts_with("     → ");
        match (is_advice, goes_on) {
            (false, _) => kept += &format!("{line}\n"),
            (true, false) => kept += "     → (advice)\n",
            (true, true) => {}
        }
    }
    kept
}

/// The same of JSON.
fn json_without_advice(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    for change in value["changes"].as_array_mut().unwrap() {
        assert!(change["advice"].as_str().unwrap().len() > 20, "{change}");
        change["advice"] = "(advice)".into();
    }
    format!("{value:#}\n")
}

#[track_caller]
fn whole(name: &str, words: &[&str]) {
    let folder = folder(name);
    let said = run(&folder, words, b"");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    is_as_in(&folder.join("report.txt"), &without_advice(&said.out));
    let said = run(&folder, &[words, &["--json"]].concat(), b"");
    is_as_in(&folder.join("report.json"), &json_without_advice(&said.out));
}

#[test]
fn an_access_log_and_its_error_log_tell_which_answers_failed_why() {
    // The configuration has a relative folder in its paths: the logs are named by hand, its format is taken.
    whole("shop", &["-c", "nginx.conf", "access.log", "error.log"]);
}

#[test]
fn an_error_log_alone_tells_causes() {
    whole("errors", &["error.log"]);
}

#[test]
fn codes_in_an_access_log_tell_causes_for_certain() {
    whole("codes", &["access.json"]);
}

#[test]
fn an_access_log_alone_lets_one_guess() {
    whole("guesses", &["access.log"]);
}

#[test]
fn a_configuration_names_its_own_logs() {
    let said = run(&folder("shop"), &["--json", "-c", "nginx.conf"], b"");
    let value: Value = serde_json::from_str(&said.out).unwrap();
    let forms: Vec<&str> =
        value["sources"].as_array().unwrap().iter().map(|source| source["form"].as_str().unwrap()).collect();
    assert_eq!(forms, ["log_format timed", "error log"]);
    assert_eq!(value["requests"], 120);
}

/// What is said of a log, less its name and size.
fn told(said: &Said) -> Value {
    let mut value: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    value["sources"] = Value::Null;
    value
}

#[test]
fn a_log_is_the_same_plain_compressed_or_from_standard_input() {
    let logs = folder("guesses");
    let text = fs::read(logs.join("access.log")).unwrap();
    let plain = told(&run(&logs, &["--json", "access.log"], b""));
    assert_eq!(plain["failed"], 15);
    let mut packed = Vec::new();
    // Logs that are appended compressed have several parts.
    for part in [&text[..1000], &text[1000..]] {
        let mut encoder = GzEncoder::new(&mut packed, Compression::fast());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap();
    }
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("access.log.gz"), &packed).unwrap();
    assert_eq!(told(&run(place.path(), &["--json", "access.log.gz"], b"")), plain);
    assert_eq!(told(&run(&logs, &["--json", "-"], &text)), plain);
    assert_eq!(told(&run(&logs, &["--json", "-"], &packed)), plain);
}

#[test]
fn a_compressed_log_that_is_cut_short_counts_up_to_there() {
    let place = tempfile::tempdir().unwrap();
    let line = |at: u32| {
        format!(
            "192.0.2.1 - - [25/Nov/2026:10:00:00 +0000] \"GET /{:x} HTTP/1.1\" 502 1 \"-\" \"-\"\n",
            at.wrapping_mul(2_654_435_761)
        )
    };
    let text: String = (0..20_000).map(line).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    // Before and behind what is looked at to tell the form.
    for part in [4, 2] {
        fs::write(place.path().join("access.log.gz"), &packed[..packed.len() - packed.len() / part]).unwrap();
        let said = told(&run(place.path(), &["--json", "access.log.gz"], b""));
        assert!((1000..20_000).contains(&said["requests"].as_u64().unwrap()), "{said}");
        assert!(said["notes"].to_string().contains("A compressed log is cut short"), "{said}");
    }
}

#[test]
fn threads_do_not_change_what_is_said() {
    let place = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for n in 0..200_000 {
        let (minute, second) = (n / 3600 % 60, n / 60 % 60);
        let status = if n % 997 == 0 { 502 } else { 200 };
        log += &format!(
            "192.0.2.{} - - [25/Nov/2026:09:{minute:02}:{second:02} +0000] \"GET /items/{}?page={n} HTTP/1.1\" {status} 150 \"-\" \"x\"\n",
            n % 251,
            n % 13
        );
    }
    assert!(log.len() > 17_000_000, "too short to be split: {}", log.len());
    fs::write(place.path().join("a.log"), log).unwrap();
    let one = told(&run(place.path(), &["--json", "--threads", "1", "a.log"], b""));
    assert_eq!((&one["requests"], &one["failed"], &one["unread_lines"]), (&200_000.into(), &201.into(), &0.into()));
    assert_eq!(told(&run(place.path(), &["--json", "--threads", "4", "a.log"], b"")), one);
}

#[test]
fn a_page_is_written_beside_the_text() {
    let place = tempfile::tempdir().unwrap();
    let page = place.path().join("report.html").display().to_string();
    let said = run(&folder("shop"), &["-c", "nginx.conf", "--html", &page], b"");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let page = fs::read_to_string(page).unwrap();
    for part in ["<svg", "TG-5005", "What to change first", "/products/{n}", "prefers-color-scheme:dark"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let place = folder("shop");
    let cases: [(&[&str], &str); 6] = [
        (&["none.log"], "none.log: No such file"),
        (&["."], ".: it is a folder"),
        (&["nginx.conf"], "no line of these files has a form that is known; --format tells that of an access log"),
        (&["--format", "$remote_addr", "access.log"], "the format has no $status"),
        (&["-c", "none.conf"], "none.conf: No such file"),
        (&["-c", "../errors/error.log"], "names no log that is there"),
    ];
    for (words, expected) in cases {
        let said = run(&place, words, b"");
        assert!(said.code == Some(1) && said.err.contains(expected), "{words:?}: {}", said.err);
    }
    assert_eq!(run(&place, &[], b"").code, Some(2));
}
