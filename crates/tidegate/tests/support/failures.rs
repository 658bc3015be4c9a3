//! What the gateway adds to nginx's error-log lines: `, failure: "CODE CAUSE; …"` and now and then `, advice: "…"`.
//!
//! It is taken off before lines are compared, but only in exactly the form that is documented: a known code with its own
//! name, and no other advice than that cause's. Anything else stays, and is a difference.

use std::sync::LazyLock;

use policy::{Cause, Failure};
use regex::Regex;

static ADDITION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(.*), failure: "(TG-[0-9]{4}) ([a-z0-9_]+)((?:; [^"]+)?)"(?:, advice: "([^"]*)")?$"#)
        .expect("a pattern of this file compiles")
});

/// What an endpoint's failure was met with, as nginx's lines say it.
const ACTIONS: [&str; 6] = [
    " while connecting to upstream,",
    " while SSL handshaking to upstream,",
    " while sending request to upstream,",
    " while reading response header from upstream,",
    " while reading upstream,",
    " while proxying upgraded connection,",
];

/// The lines in nginx's form, and the failures that they named.
pub(crate) fn split_failures(lines: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut failures = Vec::new();
    let split = |line: String| match addition(&line) {
        Some((nginx, failure)) => {
            failures.push(failure);
            nginx
        }
        None => line,
    };
    (lines.into_iter().map(split).collect(), failures)
}

fn addition(line: &str) -> Option<(String, String)> {
    let parts = ADDITION.captures(line)?;
    let cause = Cause::find(&parts[2]).filter(|cause| cause.name() == &parts[3])?;
    let advice = Failure::new(cause).advice();
    let fits = parts.get(5).is_none_or(|given| given.as_str() == advice);
    fits.then(|| (parts[1].to_owned(), format!("{} {}{}", &parts[2], &parts[3], &parts[4])))
}

/// Error-log lines of the gateway that tell of an endpoint's failure without naming its cause.
pub(crate) fn unnamed(lines: &[String]) -> Vec<String> {
    let tells = |line: &&String| {
        let grave = ["[error]", "[crit]"].iter().any(|level| line.starts_with(level));
        // What an endpoint asked for wrongly is no failure of the exchange.
        grave && ACTIONS.iter().any(|action| line.contains(action)) && !line.contains("unsafe URI")
    };
    let named = |line: &str| addition(line).is_some();
    lines.iter().filter(tells).filter(|line| !named(line)).cloned().collect()
}
