//! The directive table: one row a directive, grouped as nginx groups them into modules.
//!
//! The same rows drive the checks, "did you mean", the manual and the builder. Not here: the walk over a file
//! (see `build`).

mod connection;
mod core;
mod core_limits;
mod error_page;
mod events;
mod headers;
mod health_check;
mod log;
mod main;
mod map;
mod next_upstream;
mod no_effect;
mod not_yet;
mod proxy;
mod proxy_pass;
mod proxy_response;
mod proxy_rewrite;
mod resilience;
mod resolver;
mod rewrite;
mod row;
mod server;
mod shorthand;
mod static_files;
mod types;
mod upstream;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use not_yet::{Unsupported, unsupported, unsupported_names};
pub(crate) use proxy_pass::default_redirect;
pub use row::{Arity, Context, Row, Status};
pub(crate) use row::{Meaning, Setter, Value, Words};
pub(crate) use shorthand::EVERYWHERE;
pub use types::built_in_mime_types;
pub(crate) use types::nginx_default_types;

/// Every row, by module and in the order that the manual shows.
pub fn table() -> &'static [Row] {
    &TABLE.rows
}

/// The rows of a name: some names mean one thing in `upstream` and another elsewhere.
pub fn rows_of(name: &str) -> impl Iterator<Item = &'static Row> {
    let places = TABLE.by_name.get(name).map_or(&[][..], Vec::as_slice);
    places.iter().filter_map(|&place| TABLE.rows.get(place))
}

struct Table {
    rows: Vec<Row>,
    by_name: HashMap<&'static str, Vec<usize>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows = collect();
    let mut by_name: HashMap<&'static str, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        by_name.entry(row.name).or_default().push(place);
    }
    Table { rows, by_name }
});

fn collect() -> Vec<Row> {
    [
        ("ngx_core_module", main::rows()),
        ("ngx_core_module", events::rows()),
        ("ngx_http_core_module", server::rows()),
        ("ngx_http_core_module", core::rows()),
        ("ngx_http_core_module", core_limits::rows()),
        ("ngx_http_core_module", connection::rows()),
        ("ngx_http_core_module", error_page::rows()),
        ("ngx_http_core_module", resolver::rows()),
        ("ngx_http_core_module", static_files::rows()),
        ("ngx_http_rewrite_module", rewrite::rows()),
        ("ngx_http_headers_module", headers::rows()),
        ("ngx_http_map_module", map::rows()),
        ("ngx_http_log_module", log::rows()),
        ("ngx_http_proxy_module", proxy::rows()),
        ("ngx_http_proxy_module", proxy_response::rows()),
        ("ngx_http_proxy_module", next_upstream::rows()),
        ("ngx_http_proxy_module", proxy_pass::rows()),
        ("ngx_http_proxy_module", proxy_rewrite::rows()),
        ("ngx_http_upstream_module", upstream::rows()),
        ("ngx_http_upstream_hc_module", health_check::rows()),
        ("tidegate", resilience::rows()),
        ("", no_effect::rows()),
    ]
    .into_iter()
    .flat_map(|(module, rows)| rows.into_iter().map(move |row| of_module(module, row)))
    .collect()
}

fn of_module(module: &'static str, row: Row) -> Row {
    if row.module.is_empty() { Row { module, ..row } } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_what_it_is() {
        for row in table() {
            assert!(!row.module.is_empty(), "{} has no module", row.name);
            assert!(!row.help.is_empty(), "{} has no help", row.name);
            assert!(row.manual.len() > 5, "{} has no manual text", row.name);
            assert!(!row.contexts.is_empty(), "{} has no context", row.name);
        }
    }

    #[test]
    fn no_name_has_two_rows_for_one_context() {
        for row in table() {
            for context in row.contexts {
                let rows = rows_of(row.name).filter(|other| other.contexts.contains(context));
                assert_eq!(rows.count(), 1, "{} in {}", row.name, context.word());
            }
        }
    }

    #[test]
    fn a_supported_name_is_not_listed_as_unsupported() {
        for row in table() {
            assert!(unsupported(row.name).is_none(), "{} is in both", row.name);
        }
    }
}
