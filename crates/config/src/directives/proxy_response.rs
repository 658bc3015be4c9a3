//! The proxy module: what is done with an upstream's answer. Not here: rewriting its fields (see `proxy_rewrite`).

use super::shorthand::{LEVELS, Row, at_least, between, buffers, custom, exactly, flag, size};
use crate::build::{Build, Level, Line};

pub(super) fn rows() -> Vec<Row> {
    vec![
        flag("proxy_buffering", LEVELS, |l: &mut Level| &mut l.proxy.buffering)
            .default("on")
            .help("Reads an answer as fast as the upstream sends it.")
            .manual(
                "proxy_buffers take what the client cannot take yet; when they are full, the upstream waits. `off` \
             reads only as fast as the client does and passes each piece on at once. The \
             upstream's X-Accel-Buffering field overrides it for its answer.",
            ),
        size("proxy_buffer_size", LEVELS, |l: &mut Level| &mut l.proxy.buffer_size)
            .default("4k")
            .help("Bounds the head of an answer.")
            .manual(
                "An answer with a larger head is a 502: large cookies and tokens need 16k or \
             more. It must fit proxy_busy_buffers_size, so raise proxy_buffers with it.",
            ),
        buffers("proxy_buffers", LEVELS, |l: &mut Level| &mut l.proxy.buffers)
            .default("8 4k")
            .help("Bounds the memory that one answer's body may take.")
            .manual(
                "A number of buffers, at least 2, and the size of each. What a slow client has not taken yet waits there.",
            ),
        custom("proxy_busy_buffers_size", LEVELS, exactly(1), busy_buffers_size)
            .syntax("size")
            .default("8k")
            .help(
                "Bounds what may be on its way to the client while the answer is not yet read \
             whole.",
            )
            .manual(
                "Unless written, twice the larger of proxy_buffer_size and one of \
             proxy_buffers. It must be less than all proxy_buffers but one.",
            )
            .no_effect_yet("bytes go out as they come in, up to all of proxy_buffers"),
        custom("proxy_max_temp_file_size", LEVELS, exactly(1), max_temp_file_size)
            .syntax("size")
            .default("1024m")
            .help("Bounds the temporary file of one answer.")
            .manual(
                "Beyond it the upstream is read only as fast as the client reads. 0 uses no \
             file.",
            )
            .no_effect_yet("an answer goes to no file: when proxy_buffers are full, the upstream waits"),
        custom("proxy_temp_path", LEVELS, between(1, 4), temp_path)
            .syntax("path [level1 [level2 [level3]]]")
            .default("proxy_temp")
            .help("Names the directory of answers' temporary files.")
            .manual("Relative paths start at the prefix.")
            .differs(
                "The levels of subdirectories are accepted and not used: a temporary file has \
                 no name there.",
            )
            .no_effect_yet("an answer goes to no file: when proxy_buffers are full, the upstream waits"),
        custom("proxy_hide_header", LEVELS, exactly(1), hide_header)
            .repeats()
            .syntax("field")
            .help("Keeps a field of the upstream's answer from the client.")
            .manual(
                "Date, Server, X-Pad and X-Accel-… are never passed on unless \
                 proxy_pass_header says so. If a level has any proxy_hide_header, it inherits \
                 none.",
            ),
        custom("proxy_pass_header", LEVELS, exactly(1), pass_header)
            .repeats()
            .syntax("field")
            .help("Passes on a field that is kept from the client otherwise.")
            .manual(
                "It undoes both the built-in list and proxy_hide_header. If a level has any \
                 proxy_pass_header, it inherits none.",
            ),
        custom("proxy_ignore_headers", LEVELS, at_least(1), ignore_headers)
            .repeats()
            .syntax("field …")
            .help("Gives some fields of the upstream's answer no meaning here.")
            .manual(
                "X-Accel-Redirect, X-Accel-Expires, X-Accel-Limit-Rate, X-Accel-Buffering, \
                 X-Accel-Charset, Expires, Cache-Control, Set-Cookie and Vary can be named. \
                 They are passed on, or not, as otherwise.",
            ),
        flag("proxy_pass_trailers", LEVELS, |l: &mut Level| &mut l.proxy.pass_trailers)
            .default("off")
            .help("Passes the upstream's trailers to the client.")
            .manual("It needs HTTP/1.1 to the client, and a client that said `TE: trailers`."),
        flag("proxy_intercept_errors", LEVELS, |l: &mut Level| &mut l.proxy.intercept_errors)
            .default("off")
            .help("Lets error_page answer for the upstream's errors.")
            .manual(
                "It concerns answers of the upstream with 300 and above for which an \
             error_page is written. Errors that the gateway itself makes, such as 502, are \
             always subject to error_page.",
            ),
        flag("proxy_force_ranges", LEVELS, |l: &mut Level| &mut l.proxy.force_ranges)
            .default("off")
            .help("Answers range requests from whole answers of the upstream.")
            .manual("It does so even if the upstream did not send Accept-Ranges.")
            .no_effect_yet("ranges are left to the upstream"),
    ]
}

/// It may be larger than memory, but nginx reads it as a size in memory, without `g`.
fn max_temp_file_size(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(size) = build.size(line, line.word(0)) {
        level.proxy.max_temp_file_size = size;
    }
}

fn busy_buffers_size(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(size) = build.size(line, line.word(0)) {
        level.written.busy_buffers_size = usize::try_from(size).ok();
    }
}

fn temp_path(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    level.proxy.temp_path = build.absolute(&line.word(0).text);
}

fn hide_header(_build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    push_name(&mut level.written.hide_headers, line);
}

fn pass_header(_build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    push_name(&mut level.written.pass_headers, line);
}

fn push_name(names: &mut Vec<Box<str>>, line: &Line<'_>) {
    if line.first {
        names.clear();
    }
    names.push(line.word(0).text.to_ascii_lowercase().into());
}

/// The fields that may be named in `proxy_ignore_headers`.
const IGNORABLE: &[&str] = &[
    "X-Accel-Redirect",
    "X-Accel-Expires",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
    "Expires",
    "Cache-Control",
    "Set-Cookie",
    "Vary",
];

fn ignore_headers(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if line.first {
        level.proxy.ignore_headers.clear();
    }
    for word in line.words() {
        if IGNORABLE.iter().any(|name| name.eq_ignore_ascii_case(&word.text)) {
            let name = word.text.to_ascii_lowercase().into();
            level.proxy.ignore_headers.push(name);
        } else {
            build.invalid_value(word);
            build.help(format!("some of: {}", IGNORABLE.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, first_location, in_server, server_settings};

    #[test]
    fn hidden_and_passed_fields_are_inherited_apart() {
        let location =
            first_location("proxy_hide_header X-One; proxy_pass_header Date; location / { proxy_hide_header X-Two; }");
        let hidden = &location.settings.proxy.hide_headers;
        let hides = |name: &str| hidden.iter().any(|each| **each == *name);
        assert!(hides("x-two") && hides("server"));
        assert!(!hides("x-one") && !hides("date"));
    }

    #[test]
    fn busy_buffers_are_twice_the_larger_buffer_unless_written() {
        let settings = server_settings("proxy_buffer_size 16k; proxy_buffers 8 8k;");
        assert_eq!(settings.proxy.busy_buffers_size, 32 << 10);
    }

    #[test]
    fn a_large_first_buffer_needs_more_buffers() {
        let loaded = in_server("proxy_buffer_size 128k;");
        assert_eq!(errors(&loaded).len(), 1);
        assert!(loaded.diagnostics.iter().any(|said| said.help.is_some()));
    }
}
