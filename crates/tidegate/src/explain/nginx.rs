//! What nginx's error log says. Not here: access logs, which many programs write in the same form (`access`).

mod line;
mod phrases;

pub(crate) use line::ErrorLine;
pub(crate) use phrases::meant;

use super::reading::{Reading, Vendor, certainly};

/// Whether nginx wrote the line.
pub(super) fn wrote(line: &str) -> bool {
    ErrorLine::read(line.as_bytes()).is_some()
}

/// What an error-log line says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let line = ErrorLine::read(line.as_bytes())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let reading = match meant(line.message, line.action) {
        Some(meant) => Reading::new(Vendor::Nginx, words(&line), meant.candidates).meaning(meant.note),
        None => {
            Reading::new(Vendor::Nginx, words(&line), &[]).meaning("a message that tells of no failure of an upstream")
        }
    };
    let at = line.at.map(|at| at.to_string()).unwrap_or_default();
    let reading = reading.fact("at", at).fact("client", text(line.client)).fact("server", text(line.server));
    Some(reading.fact("request", text(line.request)).fact("upstream", text(line.endpoint())))
}

/// What a phrase alone says, such as `no live upstreams`.
pub(super) fn read_phrase(phrase: &str) -> Option<Reading> {
    let (message, action) = line::split_action(phrase.as_bytes());
    if let Some(meant) = meant(message, action) {
        return Some(Reading::new(Vendor::Nginx, phrase, meant.candidates).meaning(meant.note));
    }
    Some(Reading::new(Vendor::Nginx, phrase, certainly(phrases::of_number(phrase)?)))
}

fn words(line: &ErrorLine<'_>) -> String {
    let message = String::from_utf8_lossy(line.message);
    match line.action {
        b"" => message.into_owned(),
        action => format!("{message} while {}", String::from_utf8_lossy(action)),
    }
}
