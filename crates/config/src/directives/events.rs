//! The `events` block. Not here: knobs of nginx's event loop that have no counterpart (see `no_effect`).

use super::shorthand::{EVENTS, Row, count};
use crate::model::Main;

pub(super) fn rows() -> Vec<Row> {
    vec![
        count("worker_connections", EVENTS, |main: &mut Main| &mut main.worker_connections)
            .default("512")
            .help("Bounds the connections that a worker holds.")
            .manual("Clients' and upstreams' connections both count, the idle ones too."),
    ]
}
