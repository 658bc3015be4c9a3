//! Access-log lines: which are written, and their text. Not here: the files (`logs`), and the values (`variables`).

use config::model::{Escape, LogFormat, Part};

use crate::request::Request;
use crate::variables;

/// Writes a finished request to every access log in force at its location.
pub(crate) fn write(request: &Request) {
    let tables = &request.generation.tables;
    let settings = request.settings();
    for (log, sink) in settings.access_logs.iter().zip(tables.access_logs(&settings.access_logs)) {
        if log.condition.as_ref().is_some_and(|condition| !variables::holds(condition, request)) {
            continue;
        }
        let mut text = Vec::with_capacity(512);
        line(&tables.config.log_formats[log.format], request, &mut text);
        text.push(b'\n');
        match sink {
            Some(sink) => sink.append(&text),
            None => tables.append_to_named(&log.file, request, &text),
        }
    }
}

fn line(format: &LogFormat, request: &Request, out: &mut Vec<u8>) {
    for part in &format.line.parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Variable(variable) => {
                let start = out.len();
                let found = variables::value(variable, request, out);
                escape(format.escape, found, start, out);
            }
        }
    }
}

/// Escapes the value that was written from `start` on; an absent one may show as `-`.
fn escape(how: Escape, found: bool, start: usize, out: &mut Vec<u8>) {
    match how {
        _ if !found => {
            out.truncate(start);
            out.extend_from_slice(if how == Escape::Default { b"-" } else { b"" });
        }
        Escape::Default => escape_from(start, out, needs_escape, escape_default),
        Escape::Json => escape_from(start, out, needs_json_escape, escape_json),
        Escape::None => {}
    }
}

/// Most values hold nothing to escape, and stay where they are. The look has no early end: many bytes are one step.
fn escape_from(start: usize, out: &mut Vec<u8>, needed: impl Fn(u8) -> bool, escape: fn(&[u8], &mut Vec<u8>)) {
    if out[start..].iter().fold(false, |found, byte| found | needed(*byte)) {
        let value = out.split_off(start);
        escape(&value, out);
    }
}

/// `\xXX` for quotes, backslashes and everything that is not printable ASCII.
fn escape_default(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        if needs_escape(byte) {
            out.extend_from_slice(b"\\x");
            out.extend_from_slice(&hexadecimal(byte, b"0123456789ABCDEF"));
        } else {
            out.push(byte);
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    !(32..=126).contains(&byte) | (byte == b'"') | (byte == b'\\')
}

fn needs_json_escape(byte: u8) -> bool {
    (byte < 32) | (byte == b'"') | (byte == b'\\')
}

/// RFC 8259 §7; bytes above 126 pass, so that UTF-8 stays readable.
fn escape_json(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0..32 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hexadecimal(byte, b"0123456789ABCDEF"));
            }
            _ => out.push(byte),
        }
    }
}

fn hexadecimal(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(how: Escape, value: Option<&[u8]>) -> String {
        String::from_utf8(escaped_bytes(how, value)).unwrap()
    }

    fn escaped_bytes(how: Escape, value: Option<&[u8]>) -> Vec<u8> {
        let mut out = [b"before ", value.unwrap_or_default()].concat();
        escape(how, value.is_some(), 7, &mut out);
        out.split_off(7)
    }

    #[test]
    fn the_default_escape_hides_what_could_forge_a_line() {
        assert_eq!(escaped(Escape::Default, Some(b"a\"b\\c\nd\xe9")), "a\\x22b\\x5Cc\\x0Ad\\xE9");
        assert_eq!(escaped(Escape::Default, None), "-");
    }

    #[test]
    fn no_byte_to_escape_is_missed_wherever_it_stands() {
        for (byte, at) in (0..=255).flat_map(|byte| (0..20).map(move |at| (byte, at))) {
            let mut value = [b'a'; 20];
            value[at] = byte;
            assert_eq!(escaped(Escape::Default, Some(&value)).len() > 20, needs_escape(byte), "{byte} at {at}");
            assert_eq!(escaped_bytes(Escape::Json, Some(&value)).len() > 20, needs_json_escape(byte), "{byte} at {at}");
        }
    }

    #[test]
    fn the_json_escape_makes_json_strings() {
        assert_eq!(escaped(Escape::Json, Some(b"a\"b\\c\nd\x01")), "a\\\"b\\\\c\\nd\\u0001");
        assert_eq!(escaped(Escape::Json, None), "");
    }

    #[test]
    fn without_escape_values_are_written_as_they_are() {
        assert_eq!(escaped(Escape::None, Some(b"\"")), "\"");
        assert_eq!(escaped(Escape::None, None), "");
    }
}
