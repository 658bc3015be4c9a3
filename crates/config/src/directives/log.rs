//! The log module, and `error_log` below the main context. Not here: writing.

use super::shorthand::{HTTP, LEVELS, Row, at_least, custom, definition};
use crate::build::{Build, Level, Line};
use crate::model::{
    AccessLog, Capture, ErrorLog, Escape, Level as LogLevel, LogFile, LogFormat, Part, Template, Variable,
};
use crate::text::units::{self, Resolution};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        definition("log_format", HTTP, at_least(2), log_format)
            .repeats()
            .syntax("name [escape=default|json|none] string …")
            .default("combined \"…\"")
            .help("Names a form of access log lines.")
            .manual(
                "The strings are joined. `escape=default` writes quotes, backslashes and bytes \
                 outside printable ASCII as \\xXX and an absent value as a hyphen; `json` \
                 escapes as JSON does and leaves an absent value empty; `none` escapes \
                 nothing. `combined` is always there.",
            )
            .differs(
                "A format may be defined after the access_log that names it. `json` is there unless the file defines a \
                 format of this name: one JSON object a line with everything that is known of the request, its attempts \
                 and its failure.",
            ),
        custom("access_log", LEVELS, at_least(1), access_log)
            .repeats()
            .syntax("path [format [buffer=size] [flush=time] [if=condition]] | off")
            .default("off")
            .help("Says where requests are logged.")
            .manual(
                "`buffer=` collects lines before a write, `flush=` bounds how long they wait. \
                 `if=` logs only where its value is neither empty nor 0. The path may have \
                 variables. If a level has any access_log, it inherits none. `off` turns \
                 logging off.",
            )
            .differs(
                "Without the directive nothing is logged; nginx's default is `logs/access.log combined`. \
                 gzip= and syslog: are not supported yet. Lines are never written on the \
                 request's way, so that a full disk stalls nothing.",
            ),
        custom("error_log", LEVELS, at_least(1), error_log)
            .repeats()
            .syntax("file [level]")
            .default("stderr error")
            .help("Says where errors are logged, and from which level on.")
            .manual(
                "If a level has any error_log, it inherits none. The levels, from most to \
                 least severe: emerg, alert, crit, error, warn, notice, info, debug.",
            )
            .differs(
                "syslog: and memory: are not supported yet. A line that tells of a failure has two more fields behind \
                 nginx's: `failure: \"TG-2001 connect_refused; …\"` with the cause's code, its name and what was seen, \
                 and `advice: \"…\"` with what to change, which is given once a minute for each cause and endpoint.",
            )
            .of_module("ngx_core_module"),
    ]
}

fn log_format(build: &mut Build<'_>, line: &Line<'_>) {
    let name = line.word(0);
    let mut strings = line.words().get(1..).unwrap_or_default();
    let mut escape = Escape::Default;
    if let Some((first, rest)) = strings.split_first()
        && let Some(wanted) = first.text.strip_prefix("escape=")
    {
        escape = escape_word(build, first, wanted);
        strings = rest;
    }
    if build.log_formats.iter().any(|known| *known.name == *name.text) {
        build.error(name.span, format!("duplicate \"log_format\" name \"{}\"", name.text));
        return;
    }
    let parts: Vec<Template> = strings.iter().map(|word| line_template(build, word)).collect();
    build.log_formats.push(LogFormat { name: name.text.as_str().into(), escape, line: join(parts) });
}

/// A template without `$1`: when a line is written, no expression is the last one.
fn line_template(build: &mut Build<'_>, word: &Word) -> Template {
    let template = build.word_template(word);
    let number = template.parts.iter().find_map(|part| match part {
        Part::Variable(Variable::Capture(Capture::Number(number))) => Some(number.to_string()),
        _ => None,
    });
    if let Some(number) = number {
        build.unknown_variable(&number, word.span);
    }
    template
}

fn escape_word(build: &mut Build<'_>, word: &Word, wanted: &str) -> Escape {
    match wanted {
        "default" => Escape::Default,
        "json" => Escape::Json,
        "none" => Escape::None,
        _ => {
            build.error(word.span, format!("unknown log format escaping \"{wanted}\""));
            build.help("one of: default, json, none");
            Escape::Default
        }
    }
}

/// One template of several, adjacent texts joined.
fn join(templates: Vec<Template>) -> Template {
    let mut joined = Template::default();
    let mut source = String::new();
    for template in templates {
        source.push_str(&template.source);
        for part in template.parts {
            match (joined.parts.last_mut(), part) {
                (Some(Part::Text(text)), Part::Text(more)) => {
                    *text = [&text[..], &more[..]].concat().into();
                }
                (_, part) => joined.parts.push(part),
            }
        }
    }
    joined.source = source.into();
    joined
}

fn access_log(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let target = line.word(0);
    if line.first {
        level.settings.access_logs = [].into();
        level.own.access_log_off = false;
    }
    if target.text == "off" {
        if let Some(extra) = line.words().get(1) {
            build.invalid_parameter(extra);
        }
        level.own.access_log_off = true;
        level.settings.access_logs = [].into();
        return;
    }
    let Some(log) = access_log_of(build, line, target) else {
        return;
    };
    if !level.own.access_log_off {
        let earlier = level.settings.access_logs.iter().cloned();
        level.settings.access_logs = earlier.chain([log]).collect();
    }
}

fn access_log_of(build: &mut Build<'_>, line: &Line<'_>, target: &Word) -> Option<AccessLog> {
    let file = access_log_file(build, target)?;
    let mut log = AccessLog { file, format: 0, buffer: None, flush: None, condition: None };
    let (format, parameters) = match line.words().get(1..) {
        Some([format, rest @ ..]) if !is_parameter(&format.text) => (Some(format), rest),
        rest => (None, rest.unwrap_or_default()),
    };
    if let Some(format) = format {
        log.format = format_place(build, format)?;
    }
    for word in parameters {
        parameter(build, &mut log, word);
    }
    check_buffering(build, target, &log);
    Some(log)
}

/// nginx wants a format before any parameter; one that is plainly a parameter is taken as such.
fn is_parameter(text: &str) -> bool {
    ["buffer=", "flush=", "gzip=", "if="].iter().any(|start| text.starts_with(start))
}

fn access_log_file(build: &mut Build<'_>, target: &Word) -> Option<LogFile> {
    if target.text.starts_with("syslog:") {
        build.error(target.span, "logging to syslog is not supported yet");
        return None;
    }
    let template = build.absolute_template(&target.text, target.span);
    if template.as_literal().is_none() {
        return Some(LogFile::Template(template));
    }
    Some(match target.text.as_str() {
        "stderr" | "/dev/stderr" => LogFile::Stderr,
        path => LogFile::Path(build.absolute(path)),
    })
}

fn format_place(build: &mut Build<'_>, word: &Word) -> Option<usize> {
    let named = |build: &Build<'_>| build.log_formats.iter().position(|format| *format.name == *word.text);
    let mut place = named(build);
    if place.is_none() && word.text == "json" {
        let line = build.template(&json(), word.span);
        build.log_formats.push(LogFormat { name: "json".into(), escape: Escape::Json, line });
        place = named(build);
    }
    if place.is_none() {
        build.error(word.span, format!("unknown log format \"{}\"", word.text));
        let known: Vec<&str> = build.log_formats.iter().map(|format| &*format.name).collect();
        let known = known.join(", ");
        build.help(format!("known: {known}"));
    }
    place
}

/// The members of a `json` line whose values are numbers, and those whose values are strings. What is a list with an entry an
/// attempt is a string, since a list of nginx's is not JSON's.
const JSON_NUMBERS: &[&str] = &[
    "msec",
    "status",
    "request_time",
    "request_length",
    "bytes_sent",
    "body_bytes_sent",
    "connection",
    "connection_requests",
    "attempts",
];
const JSON_STRINGS: &[&str] = &[
    "time_iso8601",
    "request_id",
    "remote_addr",
    "remote_user",
    "scheme",
    "host",
    "server_name",
    "server_port",
    "request_method",
    "request_uri",
    "uri",
    "server_protocol",
    "request_completion",
    "http_referer",
    "http_user_agent",
    "http_x_forwarded_for",
    "failure",
    "failure_code",
    "failure_phase",
    "failure_blame",
    "proxy_status",
    "proxy_host",
    "upstream_addr",
    "upstream_status",
    "upstream_failure",
    "upstream_connect_time",
    "upstream_header_time",
    "upstream_response_time",
    "upstream_response_length",
    "upstream_bytes_sent",
    "upstream_bytes_received",
];

/// The predefined format: each member is named after its variable.
fn json() -> String {
    let numbers = JSON_NUMBERS.iter().map(|name| format!("\"{name}\":${name}"));
    let strings = JSON_STRINGS.iter().map(|name| format!("\"{name}\":\"${name}\""));
    format!("{{{}}}", numbers.chain(strings).collect::<Vec<_>>().join(","))
}

fn parameter(build: &mut Build<'_>, log: &mut AccessLog, word: &Word) {
    match word.text.split_once('=') {
        Some(("buffer", size)) => {
            log.buffer = units::size(size).and_then(|size| usize::try_from(size).ok());
            if log.buffer.is_none_or(|size| size == 0) {
                build.error(word.span, format!("invalid buffer size \"{size}\""));
            }
        }
        Some(("flush", time)) => {
            log.flush = units::time(time, Resolution::Milliseconds);
            if log.flush.is_none_or(|time| time.is_zero()) {
                build.error(word.span, format!("invalid flush time \"{time}\""));
            }
        }
        Some(("if", condition)) => log.condition = Some(build.template(condition, word.span)),
        Some(("gzip", _)) => build.error(word.span, "compressed access logs are not supported yet"),
        None if word.text == "gzip" => {
            build.error(word.span, "compressed access logs are not supported yet");
        }
        _ => build.invalid_parameter(word),
    }
}

fn check_buffering(build: &mut Build<'_>, target: &Word, log: &AccessLog) {
    if log.flush.is_some() && log.buffer.is_none() {
        build.error(target.span, format!("no buffer is defined for access_log \"{}\"", target.text));
    }
    if log.buffer.is_some() && matches!(log.file, LogFile::Template(_)) {
        build.error(target.span, "buffered logs cannot have variables in name");
    }
}

fn error_log(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(log) = error_log_of(build, line) {
        let earlier = if line.first { &[][..] } else { &level.settings.error_logs[..] };
        level.settings.error_logs = earlier.iter().cloned().chain([log]).collect();
    }
}

/// The file and level of an `error_log`.
pub(super) fn error_log_of(build: &mut Build<'_>, line: &Line<'_>) -> Option<ErrorLog> {
    let target = line.word(0);
    let level = match line.words().get(1) {
        Some(word) => log_level(build, word)?,
        None => LogLevel::Error,
    };
    if let Some(extra) = line.words().get(2) {
        build.error(extra.span, format!("invalid log level \"{}\"", extra.text));
    }
    let file = match target.text.as_str() {
        "stderr" | "/dev/stderr" => LogFile::Stderr,
        text if text.starts_with("syslog:") || text.starts_with("memory:") => {
            let kind = text.split(':').next().unwrap_or_default();
            build.error(target.span, format!("logging to {kind} is not supported yet"));
            return None;
        }
        path => LogFile::Path(build.absolute(path)),
    };
    Some(ErrorLog { file, level })
}

fn log_level(build: &mut Build<'_>, word: &Word) -> Option<LogLevel> {
    let found = LEVEL_WORDS.into_iter().find(|level| level.word() == word.text);
    if found.is_none() && word.text.starts_with("debug_") {
        return Some(LogLevel::Debug);
    }
    if found.is_none() {
        build.error(word.span, format!("invalid log level \"{}\"", word.text));
        let known: Vec<&str> = LEVEL_WORDS.map(LogLevel::word).to_vec();
        build.help(format!("one of: {}", known.join(", ")));
    }
    found
}

const LEVEL_WORDS: [LogLevel; 8] = [
    LogLevel::Emerg,
    LogLevel::Alert,
    LogLevel::Crit,
    LogLevel::Error,
    LogLevel::Warn,
    LogLevel::Notice,
    LogLevel::Info,
    LogLevel::Debug,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{config, errors, first_location, in_http, in_server};

    #[test]
    fn the_strings_of_a_format_are_one_line() {
        let format = config(in_http("log_format a '$uri ' 'x' 'y';")).log_formats.remove(1);
        assert_eq!(format.line.parts.len(), 2);
        assert_eq!(&*format.line.source, "$uri xy");
    }

    #[test]
    fn a_line_has_no_numbered_captures() {
        assert_eq!(errors(&in_http("log_format a $uri$1;")), ["unknown \"1\" variable"]);
    }

    #[test]
    fn the_json_format_is_there_unless_the_file_has_one() {
        let predefined = config(in_http("access_log /a json;")).log_formats.remove(1);
        assert_eq!(predefined.escape, Escape::Json);
        assert!(predefined.line.source.contains("\"status\":$status,"));
        let own = config(in_http("access_log /a json; log_format json $uri;")).log_formats;
        assert_eq!((own.len(), &*own[1].line.source), (2, "$uri"));
    }

    #[test]
    fn off_wins_over_other_logs_of_its_level() {
        let location = first_location("location / { access_log off; access_log /a; }");
        assert!(location.settings.access_logs.is_empty());
    }

    #[test]
    fn a_log_of_a_location_undoes_an_inherited_off() {
        let location = first_location("access_log off; location / { access_log /a; }");
        assert_eq!(location.settings.access_logs.len(), 1);
    }

    #[test]
    fn a_path_with_variables_is_no_file_yet() {
        let location = first_location("location / { access_log /a/$host; }");
        let file = &location.settings.access_logs.first().unwrap().file;
        assert!(matches!(file, LogFile::Template(_)));
    }

    #[test]
    fn a_level_of_no_log_is_refused() {
        let loaded = in_server("error_log /a loud;");
        assert_eq!(errors(&loaded), ["invalid log level \"loud\""]);
    }
}
