//! Whether an answer passes a `match` block, or is good without one; if not, which test says so. Not here: getting one.

use config::model::{HeaderTest, Match, Regex, Test};
use http1::ResponseHead;

/// Nothing, or the test that fails and why.
pub(super) fn judge(tests: Option<&Match>, head: &ResponseHead, body: &[u8]) -> Result<(), String> {
    match tests {
        None if (200..400).contains(&head.status) => Ok(()),
        None => Err(format!("status {}, not 2xx or 3xx", head.status)),
        Some(tests) => tests.tests.iter().try_for_each(|test| {
            let why = failed(test, head, body);
            why.map_or(Ok(()), |why| Err(format!("{why}, by match \"{}\"", tests.name)))
        }),
    }
}

/// Why a test fails, if it does.
fn failed(test: &Test, head: &ResponseHead, body: &[u8]) -> Option<String> {
    match test {
        Test::Status { among, ranges } => {
            let is_among = ranges.iter().any(|(from, to)| (*from..=*to).contains(&head.status));
            (is_among != *among).then(|| format!("status {}", head.status))
        }
        Test::Header { name, wants } => header_failed(name, wants, head.fields.get(name)),
        Test::Body { matches, regex } => (fits(regex, body) != Some(*matches)).then(|| match matches {
            true => format!("body does not match \"{}\"", regex.text()),
            false => format!("body matches \"{}\"", regex.text()),
        }),
    }
}

fn header_failed(name: &str, wants: &HeaderTest, value: Option<&[u8]>) -> Option<String> {
    let fine = match (wants, value) {
        (HeaderTest::Absent, value) => value.is_none(),
        (_, None) => false,
        (HeaderTest::Present, Some(_)) => true,
        (HeaderTest::Equals(wanted, text), Some(value)) => (value == text.as_bytes()) == *wanted,
        (HeaderTest::Matches(wanted, regex), Some(value)) => fits(regex, value) == Some(*wanted),
    };
    (!fine).then(|| match value {
        None => format!("header \"{name}\" is missing"),
        Some(value) => format!("header \"{name}\" is \"{}\"", String::from_utf8_lossy(value)),
    })
}

/// Nothing where the expression would take too long: then neither `~` nor `!~` holds.
fn fits(regex: &Regex, text: &[u8]) -> Option<bool> {
    regex.compiled().is_match(text).ok()
}
