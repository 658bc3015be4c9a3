//! `tidegate report`: what access and error logs say of failures over time.
//!
//! Not here: what one line means (`explain`), and what a cause is (`policy`).

mod formats;
mod json_row;
mod layout;
mod lines;
mod moment;
mod row;
mod sniff;
mod style;

pub(crate) use lines::each_line;
pub(crate) use moment::Moment;
pub(crate) use style::{Style, wrapped};

use crate::explain::Seen;

/// What one access line tells.
pub(crate) struct AccessLine {
    pub(crate) seen: Seen,
    pub(crate) at: String,
    pub(crate) client: String,
    pub(crate) target: String,
    pub(crate) endpoints: String,
}

/// Reads a line of an access log in any form that is known.
pub(crate) fn access_line(line: &str) -> Option<AccessLine> {
    let (form, _) = sniff::Form::of(&[line.as_bytes()], &[])?;
    let mut reader = row::Reader::default();
    let row = form.row(line.as_bytes(), &mut reader)?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some(AccessLine {
        seen: Seen { status: row.status, took: row.took, answered: false },
        at: row.at.map(|at| at.to_string()).unwrap_or_default(),
        client: text(row.client),
        target: text(row.target),
        endpoints: text(row.endpoints),
    })
}
