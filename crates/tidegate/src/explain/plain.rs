//! Readings as text for a terminal. Not here: what they say.

use std::fmt::Write as _;

use policy::{Blame, Cause};

use super::groups::{Group, Groups};
use super::reading::{Candidate, Likelihood};
use crate::report::{Style, wrapped};

/// Text lines are not longer, so that they can be read.
const WIDTH: usize = 96;

/// Everything that was understood, and how much was not.
pub(super) fn text(groups: &Groups, style: Style) -> String {
    let mut text = String::new();
    for (at, group) in groups.sorted().into_iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        put_group(&mut text, group, style);
    }
    if groups.strange > 0 {
        put_strange(&mut text, groups);
    }
    text
}

fn put_strange(text: &mut String, groups: &Groups) {
    if !text.is_empty() {
        text.push('\n');
    }
    let lines = if groups.strange == 1 { "1 line was".to_owned() } else { format!("{} lines were", groups.strange) };
    let _ = writeln!(text, "{lines} not understood, for example:\n  {}", groups.first_strange);
}

fn put_group(text: &mut String, group: &Group, style: Style) {
    let reading = &group.reading;
    let count = if group.lines > 1 { format!("{} lines, such as ", group.lines) } else { String::new() };
    let _ = writeln!(text, "{}: {count}{}", style.bold(reading.vendor.name()), reading.words);
    for (name, value) in &reading.facts {
        put_wrapped(text, &format!("{name}: {value}"), "  ", style);
    }
    if !reading.meaning.is_empty() {
        put_wrapped(text, &sentence(&reading.meaning), "  ", style);
    }
    for candidate in &reading.candidates {
        put_candidate(text, candidate, style);
    }
}

fn put_candidate(text: &mut String, candidate: &Candidate, style: Style) {
    let cause = candidate.cause;
    let row = cause.row();
    let heading = match candidate.likelihood {
        Likelihood::Said => String::new(),
        likelihood => format!("{}: ", first_upper(likelihood.word())),
    };
    let _ = writeln!(text, "\n{heading}{} {}", style.red(&cause.code().to_string()), style.bold(cause.name()));
    put_wrapped(text, row.happened, "  ", style);
    if !candidate.why.is_empty() {
        put_wrapped(text, &format!("Why: {}", sentence(candidate.why)), "  ", style);
    }
    put_wrapped(text, &format!("What to do: {}", row.advice), "  ", style);
    put_wrapped(text, &treatment(cause), "  ", style);
    let _ = writeln!(text, "  Manual: {}", manual(cause));
}

/// Status, blame and the names that others have for it, in a line.
fn treatment(cause: Cause) -> String {
    let row = cause.row();
    let blame = match row.treatment.blame {
        Blame::Client => "the client's",
        Blame::Endpoint => "the endpoint's",
        Blame::Gateway => "the gateway's",
    };
    format!("Status {}; {}; the fault is {blame}.", row.treatment.status, row.error_type)
}

/// Where the manual has more.
pub(super) fn manual(cause: Cause) -> String {
    format!("docs/manual/failures/{}.md", cause.code())
}

fn put_wrapped(text: &mut String, content: &str, indent: &str, style: Style) {
    for line in wrapped(content, WIDTH - indent.len()) {
        let _ = writeln!(text, "{indent}{}", style.code(&line));
    }
}

fn sentence(text: &str) -> String {
    let mut sentence = first_upper(text);
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain;

    fn of(lines: &[&str]) -> String {
        let mut groups = Groups::default();
        lines.iter().for_each(|line| groups.add(line, explain(line)));
        text(&groups, Style::Plain)
    }

    #[test]
    fn says_cause_advice_and_page() {
        let text = of(&["TG-2001"]);
        for part in [
            "Tidegate: TG-2001 connect_refused",
            "Nothing listens",
            "What to do: ",
            "Status 502",
            "docs/manual/failures/TG-2001.md",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn what_is_ambiguous_has_reasons() {
        let text = of(&["EOF", "EOF", "nonsense"]);
        assert!(text.starts_with("Go: 2 lines, such as EOF"), "{text}");
        assert_eq!(text.matches("\nPossible: TG-").count(), 2, "{text}");
        assert_eq!(text.matches("Why: If it comes").count(), 2, "{text}");
        assert!(text.ends_with("1 line was not understood, for example:\n  nonsense\n"), "{text}");
    }
}
