//! The page that compares what programs make of each mode. Not here: tidegate's own page (`matrix`).

use tidegate::misbehave::trial::{Answered, Got};

use super::program::Program;
use super::run::Outcome;
use super::{Contender, Found, Row};

/// The whole page.
pub(super) fn page(contenders: &[Contender], rows: &[Row]) -> String {
    let (there, missing): (Vec<_>, Vec<_>) = contenders.iter().partition(|contender| contender.found.is_ok());
    let named = |contender: &&Contender| {
        let version = contender.found.as_ref().map_or("", |Found { version, .. }| version.as_str());
        format!("{} {version}", contender.program.name())
    };
    let there = there.iter().map(named).collect::<Vec<_>>().join(", ");
    let missing = match missing.iter().map(|contender| contender.program.name()).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => String::new(),
        names => format!(" Not installed, and so left out: {names}."),
    };
    format!(
        "<!-- Written by `cargo xtask faults`: change its sources and run it again. -->\n\n\
         # What gateways make of failures\n\n\
         {} ways to fail ([`tidegate misbehave`](manual/command-line.md#misbehave)), each behind {there}, in one run of \
         `cargo xtask faults`.{missing}\n\n{INTRODUCTION}\n{}{}",
        rows.len(),
        summary(contenders, rows),
        tables(contenders, rows),
    )
}

const INTRODUCTION: &str = "\
All have timeouts of a second, keep connections to endpoints, and try again as much as they can without repeating a POST, as far
as they have words for it: `proxy_next_upstream` with every error and 429 and 500 to 504 (nginx, tidegate), `retry-on
all-retryable-errors` and `disable-l7-retry if METH_POST` (HAProxy), `5xx,reset,connect-failure` for GET and
`connect-failure,refused-stream,reset-before-request` for POST (Envoy), a `retry` of two attempts (Traefik), `lb_retries 1`
(Caddy). Their configurations are in `xtask/src/faults/programs/`. HAProxy, Envoy and Traefik let endpoints take turns: they are
asked twice, and the worse answer counts.

In a cell: the status that a GET gets with the faulty endpoint alone / the same with a healthy one beside / what a POST gets there.
`cut` is an answer that broke off visibly, `wrong` one that looks complete and is not the application's, `nothing` a connection
that ended without a byte, `hangs` one that did not end in 20 seconds. `×2` means that the POST was executed twice. Where two
packets race (an endpoint that resets while the request is sent, or speaks before it is asked) a run shows one of the outcomes.
Of modes that need a connection that was used before, programs that let endpoints take turns may meet the healthy one.
";

/// How many of the modes each program handles well.
fn summary(contenders: &[Contender], rows: &[Row]) -> String {
    type Counts = fn(&Outcome) -> bool;
    let questions: [(&str, Counts); 5] = [
        ("GET answered right although the endpoint is alone", |outcome| outcome.alone.is_right()),
        ("GET answered right with a healthy endpoint beside", |outcome| outcome.both.pair.is_right()),
        ("a failure passed for a good answer, alone", |outcome| is_wrong(&outcome.alone)),
        ("an answer that broke off, or none, alone", |outcome| matches!(outcome.alone.got, Got::Cut(_) | Got::Nothing)),
        ("POST executed twice", |outcome| outcome.both.repeated > 0),
    ];
    let mut text = heading(contenders, &format!("of {} modes", rows.len()));
    for (question, counts) in questions {
        let cells = programs(contenders).map(|program| {
            let outcomes = rows.iter().filter_map(|row| row.outcomes.iter().find(|outcome| outcome.program == program));
            outcomes.filter(|outcome| counts(outcome)).count().to_string()
        });
        text.push_str(&line(question, cells));
    }
    text + "\n"
}

/// What clients got, and what logs said, mode by mode.
pub(super) fn tables(contenders: &[Contender], rows: &[Row]) -> String {
    let mut text = format!("## What clients get\n\n{}", heading(contenders, "mode"));
    for row in rows {
        text.push_str(&line(row.case.mode.name, row.outcomes.iter().map(got)));
    }
    text.push_str("\n## What logs say of the GET to the faulty endpoint alone\n\n");
    text.push_str("The error log of nginx, tidegate, Traefik (which logs it at its level DEBUG) and Caddy; the termination state of \
                   HAProxy; flags and details of Envoy. Addresses are left out.\n\n");
    text.push_str(&heading(contenders, "mode"));
    for row in rows {
        text.push_str(&line(row.case.mode.name, row.outcomes.iter().map(|outcome| said(&outcome.said))));
    }
    text
}

fn programs(contenders: &[Contender]) -> impl Iterator<Item = Program> {
    contenders.iter().filter(|contender| contender.found.is_ok()).map(|contender| contender.program)
}

fn heading(contenders: &[Contender], first: &str) -> String {
    let names: Vec<_> = programs(contenders).map(|program| program.name().to_owned()).collect();
    let rule = "|---".repeat(names.len() + 1);
    format!("{}{rule}|\n", line(first, names.into_iter()))
}

fn line(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
    format!("| {first} |{cells}\n")
}

fn got(outcome: &Outcome) -> String {
    let twice = if outcome.both.repeated > 0 { " ×2" } else { "" };
    format!("{} / {} / {}{twice}", shown(&outcome.alone), shown(&outcome.both.pair), shown(&outcome.both.post))
}

fn shown(answered: &Answered) -> String {
    if is_wrong(answered) { format!("{}, wrong", answered.got) } else { answered.got.to_string() }
}

/// It looks complete and good, and no origin sent it.
fn is_wrong(answered: &Answered) -> bool {
    answered.got == Got::Garbage || (answered.got == Got::Whole(200) && !answered.is_right())
}

/// A log's words in a cell: without what differs from run to run, and nothing that a table takes for its own.
fn said(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let words = text.split(' ').map(without_ports).collect::<Vec<_>>().join(" ");
    let escaped: String = words.chars().flat_map(char::escape_default).collect();
    format!("`{}`", escaped.replace("\\\"", "\"").replace("\\'", "'").replace('|', "\\|").replace('`', "'"))
}

/// Ports are chance.
fn without_ports(word: &str) -> String {
    match word.split_once("127.0.0.1:") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}127.0.0.1{}", without_ports(rest))
        }
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_logs_fit_into_a_cell_and_do_not_change() {
        let text = "dial tcp 127.0.0.1:4711: connect: \"x\" | `y`\n";
        assert_eq!(said(text), "`dial tcp 127.0.0.1: connect: \"x\" \\| 'y'\\n`");
        assert_eq!(without_ports("127.0.0.1:1->127.0.0.1:2:"), "127.0.0.1->127.0.0.1:");
        assert_eq!(said(""), "");
    }

    #[test]
    fn an_answer_that_no_origin_sent_is_called_wrong() {
        let answered = |got, body: &str| Answered { got, body: body.into() };
        assert_eq!(shown(&answered(Got::Whole(200), "hello\n")), "200");
        assert_eq!(shown(&answered(Got::Whole(200), "SSH-2.0")), "200, wrong");
        assert_eq!(shown(&answered(Got::Whole(502), "x")), "502");
    }
}
