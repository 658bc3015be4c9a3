//! The value of every variable for one request. Not here: their names and syntax (`config`), and the escaping of logs.

mod connection;
mod failure;
mod families;
mod request;
mod upstream;

use config::model::{Part, Template, Variable};

use crate::request::Request;

/// The text of a template for this request; absent variables are empty.
pub(crate) fn evaluate(template: &Template, request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    append(template, request, &mut out);
    out
}

/// Appends the text of a template.
pub(crate) fn append(template: &Template, request: &Request, out: &mut Vec<u8>) {
    for part in &template.parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Variable(variable) => {
                value(variable, request, out);
            }
        }
    }
}

/// The text of a template for a field of a head. A line break or a NUL in it, which `$uri` can bring along, becomes a
/// space (RFC 9110 §5.5), so that no client writes fields of ours; nginx lets it pass.
pub(crate) fn field(template: &Template, request: &Request) -> Vec<u8> {
    let mut out = evaluate(template, request);
    for byte in out.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        *byte = b' ';
    }
    out
}

/// Appends a variable's value; false, and nothing appended, when it has none (logs show `-`).
pub(crate) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> bool {
    ROOMS.iter().find_map(|value| value(variable, request, out)).unwrap_or(false)
}

/// Appends the value of a variable that it knows, and says `None` to others.
type Room = fn(&Variable, &Request, &mut Vec<u8>) -> Option<bool>;

/// Those whose variables logs show most come first.
const ROOMS: [Room; 5] = [request::value, connection::value, families::value, upstream::value, failure::value];

/// A condition such as `if=`: neither empty nor `0`.
pub(crate) fn holds(condition: &Template, request: &Request) -> bool {
    let text = evaluate(condition, request);
    !text.is_empty() && text != b"0"
}

/// Appends anything that can be displayed.
fn show(out: &mut Vec<u8>, value: impl std::fmt::Display) -> bool {
    use std::io::Write;
    // Writing to memory does not fail.
    write!(out, "{value}").is_ok()
}

/// Appends a number.
fn number(out: &mut Vec<u8>, value: u64) -> bool {
    http1::encode::number(out, value);
    true
}

/// Appends bytes that may be absent.
fn bytes(out: &mut Vec<u8>, value: Option<&[u8]>) -> bool {
    let Some(value) = value else { return false };
    out.extend_from_slice(value);
    true
}
