//! Error-log lines in nginx's form, and the set of logs that a place writes them to. Not here: what went wrong.
//!
//! `2026/11/23 08:09:10 [error] 123#124: *7 MESSAGE, client: 192.0.2.1, server: name, request: "GET / HTTP/1.1",
//! upstream: "http://127.0.0.1:1/", host: "example.org"`: tools read this form, so it stays exactly nginx's. What is ours comes
//! behind it, as two more of these fields: `, failure: "TG-2001 connect_refused; …", advice: "…"`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use config::model::Level;

use super::Sink;
use super::clock::Clock;

/// The longest line, its newline included; the rest is cut, as nginx cuts it (`NGX_MAX_ERROR_STR`).
pub const MAX_LINE: usize = 2048;
/// The most that stands behind it of a failure: its cause, what was seen, and advice.
pub const MAX_ADDITION: usize = 1536;

/// What a line says after its message, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The client's address, `unix:` for a unix-domain one.
    pub client: Option<&'a str>,
    /// The virtual host's name.
    pub server: Option<&'a str>,
    /// The request line.
    pub request: Option<&'a str>,
    /// The URL that the attempt asked for.
    pub upstream: Option<&'a str>,
    /// The `Host` field.
    pub host: Option<&'a str>,
    /// The `Referer` field.
    pub referrer: Option<&'a str>,
    /// The failure's code and cause, and what was seen.
    pub failure: Option<&'a str>,
    /// What can be done about it.
    pub advice: Option<&'a str>,
}

/// The error logs in force somewhere: each with the least severe level that it takes.
#[derive(Clone, Default)]
pub struct ErrorLogs {
    sinks: Arc<[(Sink, Level)]>,
}

impl ErrorLogs {
    /// The logs of some `error_log` lines; none writes nothing.
    pub fn new(sinks: Vec<(Sink, Level)>) -> Self {
        Self { sinks: sinks.into() }
    }

    /// Whether a message of this level would be written: ask before a costly message is made.
    pub fn enabled(&self, level: Level) -> bool {
        self.sinks.iter().any(|(_, least)| level <= *least)
    }

    /// Writes a line to each log that takes its level. `connection` is the number after `*`.
    pub fn write(&self, level: Level, connection: Option<u64>, message: &str, context: &Context<'_>) {
        if !self.enabled(level) {
            return;
        }
        let mut text = Vec::with_capacity(256);
        line(&mut text, level, connection, message, context);
        for (sink, _) in self.sinks.iter().filter(|(_, least)| level <= *least) {
            sink.append(&text);
        }
    }
}

/// Appends one line, its newline included, to `text`.
pub fn line(text: &mut Vec<u8>, level: Level, connection: Option<u64>, message: &str, context: &Context<'_>) {
    thread_local! {
        static CLOCK: Clock = Clock::new();
        static THREAD: i32 = rustix::thread::gettid().as_raw_nonzero().get();
    }
    let start = text.len();
    let (level, process) = (level.word(), std::process::id());
    let thread = THREAD.with(|thread| *thread);
    CLOCK.with(|clock| put(text, format_args!("{} [{level}] {process}#{thread}: ", clock.error_stamp())));
    if let Some(number) = connection {
        put(text, format_args!("*{number} "));
    }
    put_escaped(text, message);
    put_context(text, context);
    text.truncate(start + MAX_LINE - 1);
    put_addition(text, context);
    text.push(b'\n');
}

/// What nginx has not.
fn put_addition(text: &mut Vec<u8>, context: &Context<'_>) {
    let start = text.len();
    for (name, value) in [("failure", context.failure), ("advice", context.advice)] {
        let Some(value) = value else { continue };
        put(text, format_args!(", {name}: \""));
        put_escaped(text, &value.replace('"', "'"));
        text.truncate(start + MAX_ADDITION - 1);
        text.push(b'"');
    }
}

fn put_context(text: &mut Vec<u8>, context: &Context<'_>) {
    let plain = [("client", context.client), ("server", context.server)];
    let quoted = [
        ("request", context.request),
        ("upstream", context.upstream),
        ("host", context.host),
        ("referrer", context.referrer),
    ];
    for (name, value) in plain {
        let Some(value) = value else { continue };
        put(text, format_args!(", {name}: "));
        put_escaped(text, value);
    }
    for (name, value) in quoted {
        let Some(value) = value else { continue };
        put(text, format_args!(", {name}: \""));
        put_escaped(text, value);
        text.push(b'"');
    }
}

/// Control bytes become `\xXX`: what peers send must not forge lines or command the reader's terminal.
fn put_escaped(text: &mut Vec<u8>, value: &str) {
    for &byte in value.as_bytes() {
        if byte.is_ascii_control() {
            put(text, format_args!("\\x{byte:02X}"));
        } else {
            text.push(byte);
        }
    }
}

fn put(text: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = text.write_fmt(arguments);
}

/// A system error as nginx appends it: `2: No such file or directory`.
pub fn errno(error: &io::Error) -> String {
    let Some(code) = error.raw_os_error() else {
        return error.to_string();
    };
    let said = error.to_string();
    let words = said.strip_suffix(&format!(" (os error {code})")).unwrap_or(&said);
    let mut text = String::new();
    let _ = write!(text, "{code}: {words}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(connection: Option<u64>, message: &str, context: &Context<'_>) -> String {
        let mut text = Vec::new();
        line(&mut text, Level::Error, connection, message, context);
        String::from_utf8(text).unwrap()
    }

    fn after_the_ids(line: &str) -> &str {
        line.split_once(": ").unwrap().1
    }

    #[test]
    fn a_line_has_stamp_level_process_and_thread() {
        let text = written(None, "hello", &Context::default());
        let (stamp, rest) = text.split_at(19);
        let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999/99/99 99:99:99");
        let tid = rustix::thread::gettid().as_raw_nonzero();
        assert_eq!(rest, format!(" [error] {}#{tid}: hello\n", std::process::id()));
    }

    #[test]
    fn the_tail_is_in_nginx_order() {
        let context = Context {
            client: Some("192.0.2.1"),
            server: Some("www"),
            request: Some("GET / HTTP/1.1"),
            upstream: Some("http://127.0.0.1:1/"),
            host: Some("x"),
            referrer: Some("http://y/"),
            ..Context::default()
        };
        let text = written(Some(7), "connect() failed (111: Connection refused)", &context);
        let expected = "*7 connect() failed (111: Connection refused), client: 192.0.2.1, server: www, \
            request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:1/\", host: \"x\", referrer: \"http://y/\"\n";
        assert_eq!(after_the_ids(&text), expected);
    }

    #[test]
    fn what_is_ours_stands_behind_what_is_nginxs() {
        let context =
            Context { host: Some("x"), failure: Some("TG-1 \"a\""), advice: Some("Do."), ..Context::default() };
        let expected = "m, host: \"x\", failure: \"TG-1 'a'\", advice: \"Do.\"\n";
        assert_eq!(after_the_ids(&written(None, "m", &context)), expected);
    }

    #[test]
    fn a_long_line_does_not_cut_what_is_ours() {
        let context = Context { failure: Some("TG-1"), ..Context::default() };
        let text = written(None, &"x".repeat(5000), &context);
        assert_eq!(text.len(), MAX_LINE + ", failure: \"TG-1\"".len());
        let context = Context { failure: Some(&"y".repeat(5000)), ..Context::default() };
        assert!(written(None, "m", &context).ends_with("yyy\"\n"));
    }

    #[test]
    fn control_bytes_cannot_forge_a_line() {
        let context = Context { host: Some("a\nb\x1b[2J"), ..Context::default() };
        assert_eq!(after_the_ids(&written(None, "m", &context)), "m, host: \"a\\x0Ab\\x1B[2J\"\n");
    }

    #[test]
    fn a_long_line_is_cut_and_still_ends() {
        let text = written(None, &"x".repeat(5000), &Context::default());
        assert_eq!(text.len(), MAX_LINE);
        assert!(text.ends_with("x\n"));
    }

    #[test]
    fn system_errors_are_said_as_nginx_says_them() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(errno(&error), "2: No such file or directory");
        assert_eq!(errno(&io::Error::other("odd")), "odd");
    }
}
