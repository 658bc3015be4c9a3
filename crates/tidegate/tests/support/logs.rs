//! The logs that a run left, line by line, with names in the place of times, process ids and connection numbers.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::support::place::Place;
use crate::support::transcript::Seen;

static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\]"));
static SECONDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9]+\.[0-9]{3}\b"));
static ERROR_LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \[([a-z]+)\] [0-9]+#[0-9]+: (\*[0-9]+ )?(.*)$")
});
static VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(^|[ |])([0-9]+)"));
static SERVER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:nginx|tidegate)/[0-9][0-9.]*"));
static TEMP_FILE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:/[^ ]*)?/[0-9]{10}\b"));

/// Lines that say when an idle connection ended: whether the client or the drain ends it first is chance.
const CHANCE: [&str; 2] = ["closed keepalive connection", "while waiting for request"];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file compiles")
}

/// The access log. Lengths of bodies in which the server's name stands follow the names in `responses`.
pub(crate) fn read_access_log(place: &Place, responses: &[Seen]) -> Vec<String> {
    let text = read(place, "access.log");
    let name = |line: &str| {
        let line = place.unfill(line);
        let line = TIME.replace_all(&line, "[{{time}}]");
        let line = SECONDS.replace_all(&line, "{{seconds}}");
        let line = SERVER.replace_all(&line, "{{server}}/{{version}}");
        follow_lengths(&line, responses)
    };
    text.lines().map(name).collect()
}

/// Puts the renamed length of a body where the received one stands as a whole value.
pub(crate) fn follow_lengths(line: &str, responses: &[Seen]) -> String {
    let follow = |found: &Captures<'_>| {
        let whole = found.get(0).map_or(0, |found| found.end());
        let is_value = !line[whole..].starts_with(['.', ':']);
        let lengths = responses.iter().filter_map(|seen| seen.renamed);
        let renamed = lengths.filter(|(from, _)| is_value && found[2] == from.to_string()).map(|(_, to)| to).next();
        match renamed {
            Some(to) => format!("{}{to}", &found[1]),
            None => found[0].to_owned(),
        }
    };
    VALUE.replace_all(line, follow).into_owned()
}

/// The error log: each line about a connection, and others from `warn` up, as `[level] message`.
pub(crate) fn read_error_log(place: &Place) -> Vec<String> {
    let text = read(place, "error.log");
    let mut lines = Vec::new();
    for line in whole_lines(&text) {
        let Some(parts) = ERROR_LINE.captures(&line) else {
            lines.push(format!("not in the form of an error log: {line}"));
            continue;
        };
        let (level, message) = (&parts[1], &parts[3]);
        let told = parts.get(2).is_some() || is_serious(level);
        if told && !CHANCE.iter().any(|chance| message.contains(chance)) {
            let message = TEMP_FILE.replace_all(&place.unfill(message), "{{temp file}}").into_owned();
            lines.push(format!("[{level}] {message}"));
        }
    }
    lines
}

/// Puts together what a message with line ends in it has torn apart.
fn whole_lines(text: &str) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for line in text.lines() {
        match whole.last_mut() {
            Some(above) if !ERROR_LINE.is_match(line) => {
                above.push_str("\\n");
                above.push_str(line);
            }
            _ => whole.push(line.to_owned()),
        }
    }
    whole
}

/// Whether a level is `warn` or above.
pub(crate) fn is_serious(level: &str) -> bool {
    matches!(level, "warn" | "error" | "crit" | "alert" | "emerg")
}

fn read(place: &Place, name: &str) -> String {
    let bytes = std::fs::read(place.dir.join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
