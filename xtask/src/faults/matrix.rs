//! The manual's page of modes and what tidegate says of each. Not here: other programs (`comparison`).

use std::collections::BTreeMap;

use tidegate::misbehave::modes::GROUPS;

use super::Row;
use super::program::Program;
use super::run::Outcome;

pub(super) fn page(rows: &[Row]) -> String {
    format!("{INTRODUCTION}{}\n{}", modes(rows), named(rows))
}

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask faults`: change its sources and run it again. -->

# Failures on purpose

Every mode of [`tidegate misbehave`](command-line.md#misbehave), and what the gateway said of it: with the faulty endpoint alone,
with a healthy one beside, and to a POST. Timeouts are a second and `proxy_next_upstream` has every error and 429, 500 and 502 to
504. `cut` is an answer that broke off visibly. A test tries the same on each change.

";

fn outcome(row: &Row) -> Option<&Outcome> {
    row.outcomes.iter().find(|outcome| outcome.program == Program::Tidegate)
}

/// A table for each group of modes.
fn modes(rows: &[Row]) -> String {
    let mut text = String::new();
    for group in &GROUPS {
        text.push_str(&format!("## {}\n\n| mode | | alone | beside a healthy one | POST | the log |\n", group.heading));
        text.push_str("|---|---|---|---|---|---|\n");
        for row in rows.iter().filter(|row| group.rows.iter().any(|mode| mode.name == row.case.mode.name)) {
            let Some(outcome) = outcome(row) else { continue };
            let (alone, both) = (outcome.alone.got, &outcome.both);
            text.push_str(&format!(
                "| {} | {} | {alone} | {} | {} | {} |\n",
                row.case.mode.name,
                row.case.mode.help,
                both.pair.got,
                both.post.got,
                cause(&outcome.said)
            ));
        }
        text.push('\n');
    }
    text
}

/// Which modes the log calls by the same name: the confusion matrix by its filled cells.
fn named(rows: &[Row]) -> String {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for row in rows {
        let said = outcome(row).map_or("", |outcome| outcome.said.as_str());
        let name = if said.is_empty() { "none, it is no failure".into() } else { cause(said) };
        names.entry(name).or_default().push(row.case.mode.name);
    }
    let mut text = String::from(
        "## Which modes have one cause\n\nThe log names the same cause for those in a row.\n\n| cause | modes |\n|---|---|\n",
    );
    for (name, modes) in names {
        text.push_str(&format!("| {name} | {} |\n", modes.join(", ")));
    }
    text
}

/// The cause, with its page; nginx's phrase for what is no failure and yet worth a line.
fn cause(said: &str) -> String {
    let named = said.rsplit_once(" (TG-").and_then(|(_, named)| named.trim_end_matches(')').split_once(' '));
    match named {
        Some((number, name)) => format!("[TG-{number}](failures/TG-{number}.md) {name}"),
        None => said.split(" while ").next().unwrap_or_default().replace('|', "\\|"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_named_by_its_code() {
        assert_eq!(
            cause("recv() failed (104: x) while reading upstream (TG-7004 body_reset)"),
            "[TG-7004](failures/TG-7004.md) body_reset"
        );
        assert_eq!(cause("more data while reading upstream"), "more data");
        assert_eq!(cause(""), "");
    }
}
