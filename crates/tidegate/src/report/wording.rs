//! Sentences that every form of a report uses. Not here: the forms.

use super::findings::{Event, Kind};
use super::moment::Moment;
use super::tally::What;
use super::units::{percent, plural, span};

/// The second moment without the day if it is the first one's.
pub(super) fn later(first: Moment, last: Moment) -> String {
    if first.date() == last.date() { last.clock() } else { last.to_string() }
}

/// `, since …, until the end of the log`, and the like; nothing if it is not known.
pub(super) fn when(since: Option<Moment>, until: Option<Moment>, goes_on: bool) -> String {
    match since.zip(until) {
        Some((since, _)) if goes_on => format!(", since {since}, until the end of the log"),
        Some((since, until)) if since == until => format!(", at {since}"),
        Some((since, until)) => format!(", from {since} to {}", later(since, until)),
        None => String::new(),
    }
}

/// What an event was, in a sentence.
pub(super) fn told(event: &Event) -> String {
    let lasted = span((event.to.0 - event.from.0).max(1));
    let until = if event.goes_on { "until the end of the log" } else { "then it was back" };
    let what = match &event.kind {
        Kind::Program(What::Started) => "the program started".to_owned(),
        Kind::Program(What::Reloaded) => "the configuration was reloaded".to_owned(),
        Kind::Program(What::Stopped) => "the program ended".to_owned(),
        Kind::Program(What::WorkerDied) => "a worker of the program died".to_owned(),
        Kind::Restart { endpoint } => {
            format!("{endpoint} refused for {lasted} ({}): a restart", plural(event.count, "attempt"))
        }
        Kind::Outage { endpoint } => {
            format!("{endpoint} refused for {lasted} ({}), {until}", plural(event.count, "attempt"))
        }
        Kind::Deploy { endpoints } => format!(
            "{} refused one after another within {lasted} ({}): a deploy",
            endpoints.join(", "),
            plural(event.count, "attempt")
        ),
        Kind::Burst => {
            format!("{} in {lasted}, far more than usual", plural(event.count, "answer 5xx").replace("5xxs", "5xx"))
        }
    };
    match (event.before, event.after) {
        (Some(before), Some(after)) => format!("{what}; 5xx before {}, after {}", percent(before), percent(after)),
        _ => what,
    }
}
