//! The `events` block. Not here: knobs of nginx's event loop that have no counterpart (see `no_effect`).

use super::shorthand::{EVENTS, Row, custom, exactly};
use crate::build::{Build, Line};
use crate::model::Main;
use crate::text::units::count;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("worker_connections", EVENTS, exactly(1), worker_connections)
            .syntax("number")
            .default("512")
            .help("Bounds the connections that a worker holds.")
            .manual(
                "When all are in use, a new client takes the place of the one that idles longest or has not asked yet; where \
                 none does, of the one whose request's head has been incomplete longest. Where all work on requests, the new \
                 one is closed.",
            ),
    ]
}

/// nginx has words of its own for this number.
fn worker_connections(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    let word = line.word(0);
    match count(&word.text).and_then(|number| usize::try_from(number).ok()) {
        Some(number) => main.worker_connections = number,
        None => build.error(word.span, format!("invalid number \"{}\"", word.text)),
    }
}
