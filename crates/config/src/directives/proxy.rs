//! The proxy module's settings. Not here: `proxy_pass` itself (see `proxy_pass`), and what rewrites answers
//! (see `proxy_rewrite`).

use std::net::SocketAddr;

use super::shorthand::{
    LEVELS, Row, at_least, between, buffers, custom, exactly, flag, long_size, size, time,
};
use crate::build::{Build, HostPart, Level, Line, addresses};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = request_rows();
    rows.extend(response_rows());
    rows.extend(failure_rows());
    rows
}

fn request_rows() -> Vec<Row> {
    vec![
        custom("proxy_set_header", LEVELS, exactly(2), set_header)
            .repeats()
            .syntax("field value")
            .default("Host $proxy_host")
            .help("Sets a field of the request to the upstream.")
            .manual("It replaces a field of the same name that the client sent; an empty value removes it. If a level has any proxy_set_header, it inherits none: repeat those that are wanted. Host is $proxy_host unless set here."),
        custom("proxy_set_body", LEVELS, exactly(1), |build, level: &mut Level, line| {
            level.proxy.set_body = Some(build.word_template(line.word(0)));
        })
            .syntax("value")
            .help("Replaces the body of the request to the upstream.")
            .manual("The value may have variables. Its length goes into Content-Length."),
        custom("proxy_method", LEVELS, exactly(1), |build, level: &mut Level, line| {
            level.proxy.method = Some(build.word_template(line.word(0)));
        })
            .syntax("method")
            .help("Sets the method of the request to the upstream.")
            .manual("The client's is used unless written."),
        custom("proxy_http_version", LEVELS, exactly(1), http_version)
            .syntax("1.0 | 1.1")
            .default("1.1")
            .help("Sets the HTTP version towards the upstream.")
            .manual("1.1 is what keep-alive and upgrades need.")
            .differs("2 is not supported yet."),
        flag("proxy_pass_request_headers", LEVELS, |l: &mut Level| &mut l.proxy.pass_request_headers)
            .default("on")
            .help("Passes the client's fields to the upstream.")
            .manual("With `off` only what proxy_set_header says is sent."),
        flag("proxy_pass_request_body", LEVELS, |l: &mut Level| &mut l.proxy.pass_request_body)
            .default("on")
            .help("Passes the client's body to the upstream.")
            .manual("With `off` set Content-Length to an empty value as well, or the upstream waits for a body."),
        flag("proxy_request_buffering", LEVELS, |l: &mut Level| &mut l.proxy.request_buffering)
            .default("on")
            .help("Reads a request's body before it is sent to the upstream.")
            .manual("A body that was read whole can be sent to another endpoint if the first one fails. `off` streams it: a failure after the first byte of the body was sent is then final."),
        time("proxy_connect_timeout", LEVELS, |l: &mut Level| &mut l.proxy.connect_timeout)
            .default("60s")
            .help("Bounds the time that a connection to an endpoint may take.")
            .manual("A failure in this phase is always safe to retry: short times, such as 2s, cost nothing."),
        time("proxy_send_timeout", LEVELS, |l: &mut Level| &mut l.proxy.send_timeout)
            .default("60s")
            .help("Bounds the wait between two writes to the upstream.")
            .manual("An upstream that takes nothing for this long has failed."),
        time("proxy_read_timeout", LEVELS, |l: &mut Level| &mut l.proxy.read_timeout)
            .default("60s")
            .help("Bounds the wait between two reads from the upstream.")
            .manual("An upstream that sends nothing for this long has failed (504). It is not a bound on the whole answer. WebSocket and event streams that are quiet for longer need a larger one."),
        custom("proxy_bind", LEVELS, between(1, 2), bind)
            .syntax("address[:port] | off")
            .help("Sets the local address of connections to the upstream.")
            .manual("`off` undoes an inherited one.")
            .differs("Variables and `transparent` are not supported yet."),
        flag("proxy_socket_keepalive", LEVELS, |l: &mut Level| &mut l.proxy.socket_keepalive)
            .default("off")
            .help("Turns on TCP keep-alive for connections to the upstream.")
            .manual("The system's probes then find out that an idle peer is gone."),
        flag("proxy_ignore_client_abort", LEVELS, |l: &mut Level| &mut l.proxy.ignore_client_abort)
            .default("off")
            .help("Goes on with the upstream when the client is gone.")
            .manual("`off` closes the connection to the upstream when the client closes its own."),
    ]
}

fn response_rows() -> Vec<Row> {
    vec![
        flag("proxy_buffering", LEVELS, |l: &mut Level| &mut l.proxy.buffering)
            .default("on")
            .help("Reads an answer as fast as the upstream sends it.")
            .manual("Buffers take what the client cannot take yet, then a temporary file. `off` reads only as fast as the client does and passes each piece on at once. The upstream's X-Accel-Buffering field overrides it for its answer."),
        size("proxy_buffer_size", LEVELS, |l: &mut Level| &mut l.proxy.buffer_size)
            .default("4k")
            .help("Bounds the head of an answer.")
            .manual("An answer with a larger head is a 502: large cookies and tokens need 16k or more. It must fit proxy_busy_buffers_size, so raise proxy_buffers with it."),
        buffers("proxy_buffers", LEVELS, |l: &mut Level| &mut l.proxy.buffers)
            .default("8 4k")
            .help("Bounds the memory that one answer's body may take.")
            .manual("A number of buffers, at least 2, and the size of each."),
        custom("proxy_busy_buffers_size", LEVELS, exactly(1), busy_buffers_size)
            .syntax("size")
            .default("8k")
            .help("Bounds what may be on its way to the client while the answer is not yet read whole.")
            .manual("Unless written, twice the larger of proxy_buffer_size and one of proxy_buffers. It must be less than all proxy_buffers but one."),
        long_size("proxy_max_temp_file_size", LEVELS, |l: &mut Level| &mut l.proxy.max_temp_file_size)
            .default("1024m")
            .help("Bounds the temporary file of one answer.")
            .manual("Beyond it the upstream is read only as fast as the client reads. 0 uses no file."),
        custom("proxy_temp_path", LEVELS, between(1, 4), temp_path)
            .syntax("path [level1 [level2 [level3]]]")
            .default("proxy_temp")
            .help("Names the directory of answers' temporary files.")
            .manual("Relative paths start at the prefix.")
            .differs("The levels of subdirectories are accepted and not used: a temporary file has no name there."),
        custom("proxy_hide_header", LEVELS, exactly(1), hide_header)
            .repeats()
            .syntax("field")
            .help("Keeps a field of the upstream's answer from the client.")
            .manual("Date, Server, X-Pad and X-Accel-… are never passed on unless proxy_pass_header says so. If a level has any proxy_hide_header, it inherits none."),
        custom("proxy_pass_header", LEVELS, exactly(1), pass_header)
            .repeats()
            .syntax("field")
            .help("Passes on a field that is kept from the client otherwise.")
            .manual("It undoes both the built-in list and proxy_hide_header. If a level has any proxy_pass_header, it inherits none."),
        custom("proxy_ignore_headers", LEVELS, at_least(1), ignore_headers)
            .repeats()
            .syntax("field …")
            .help("Gives some fields of the upstream's answer no meaning here.")
            .manual("X-Accel-Redirect, X-Accel-Expires, X-Accel-Limit-Rate, X-Accel-Buffering, X-Accel-Charset, Expires, Cache-Control, Set-Cookie and Vary can be named. They are passed on, or not, as otherwise."),
        flag("proxy_pass_trailers", LEVELS, |l: &mut Level| &mut l.proxy.pass_trailers)
            .default("off")
            .help("Passes the upstream's trailers to the client.")
            .manual("It needs HTTP/1.1 to the client, and a client that said `TE: trailers`."),
        flag("proxy_intercept_errors", LEVELS, |l: &mut Level| &mut l.proxy.intercept_errors)
            .default("off")
            .help("Lets error_page answer for the upstream's errors.")
            .manual("It concerns answers of the upstream with 300 and above for which an error_page is written. Errors that the gateway itself makes, such as 502, are always subject to error_page."),
        flag("proxy_force_ranges", LEVELS, |l: &mut Level| &mut l.proxy.force_ranges)
            .default("off")
            .help("Answers range requests from whole answers of the upstream.")
            .manual("It does so even if the upstream did not send Accept-Ranges."),
    ]
}

fn failure_rows() -> Vec<Row> {
    vec![
        custom("proxy_next_upstream", LEVELS, at_least(1), next_upstream)
            .syntax("error | timeout | invalid_header | http_500 | http_502 | http_503 | http_504 | http_403 | http_404 | http_429 | non_idempotent | off …")
            .default("error timeout")
            .help("Says when a request is tried on another endpoint.")
            .manual("`error`: no connection, or a failure while sending or reading the head. `timeout`: one of the timeouts. `invalid_header`: an empty or broken answer. `http_…`: that status. POST, LOCK and PATCH are not tried again once the request was sent, unless `non_idempotent` is given. `off` tries once. Nothing is retried after a byte of the answer reached the client."),
        custom("proxy_next_upstream_tries", LEVELS, exactly(1), |build, level: &mut Level, line| {
            if let Some(tries) = build.count(line, line.word(0)) {
                level.written.next_upstream.tries = usize::try_from(tries).unwrap_or(usize::MAX);
            }
        })
            .syntax("number")
            .default("0")
            .help("Bounds the attempts of a request.")
            .manual("0 means once for each endpoint. A failure on a reused connection that the endpoint had just closed does not count."),
        custom("proxy_next_upstream_timeout", LEVELS, exactly(1), |build, level: &mut Level, line| {
            if let Some(timeout) = build.time(line, line.word(0)) {
                level.written.next_upstream.timeout = timeout;
            }
        })
            .syntax("time")
            .default("0")
            .help("Bounds the time within which another attempt may start.")
            .manual("0 is no bound. It does not cut off an attempt in progress."),
    ]
}

fn set_header(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if line.first {
        level.proxy.set_headers.clear();
    }
    let name = line.word(0).text.as_str().into();
    let value = build.word_template(line.word(1));
    level.proxy.set_headers.push((name, value));
}

fn http_version(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let word = line.word(0);
    match word.text.as_str() {
        "1.0" => level.proxy.http11 = false,
        "1.1" => level.proxy.http11 = true,
        "2" => build.error(word.span, "HTTP/2 to the upstream is not supported yet"),
        _ => {
            build.invalid_value(word);
            build.help("one of: 1.0, 1.1");
        }
    }
}

fn bind(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(extra) = line.words().get(1) {
        if extra.text == "transparent" {
            build.error(
                extra.span,
                "\"proxy_bind … transparent\" is not supported yet",
            );
        } else {
            build.invalid_parameter(extra);
        }
    }
    let word = line.word(0);
    if word.text == "off" {
        level.proxy.bind = None;
        return;
    }
    if word.text.contains('$') {
        return build.error(
            word.span,
            "variables in \"proxy_bind\" are not supported yet",
        );
    }
    match addresses::endpoint(&word.text) {
        Ok(addresses::Written {
            host: HostPart::Ip(ip),
            port,
            ..
        }) => {
            level.proxy.bind = Some(SocketAddr::new(ip, port.unwrap_or(0)));
        }
        _ => build.error(word.span, format!("invalid address \"{}\"", word.text)),
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
        if IGNORABLE
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&word.text))
        {
            let name = word.text.to_ascii_lowercase().into();
            level.proxy.ignore_headers.push(name);
        } else {
            build.invalid_value(word);
            build.help(format!("some of: {}", IGNORABLE.join(", ")));
        }
    }
}

/// The words of `proxy_next_upstream`.
const CONDITIONS: &[&str] = &[
    "error",
    "timeout",
    "invalid_header",
    "non_idempotent",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "off",
];

fn next_upstream(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut conditions = Vec::new();
    for word in line.words() {
        let known = CONDITIONS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&word.text));
        match known {
            Some(known) if conditions.contains(known) => {
                build.warn(word.span, format!("duplicate value \"{}\"", word.text))
            }
            Some(known) => conditions.push(*known),
            None => {
                build.invalid_value(word);
                build.help(format!("some of: {}", CONDITIONS.join(", ")));
            }
        }
    }
    level.written.next_upstream.conditions = conditions;
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, first_location, in_server, server_settings};

    #[test]
    fn one_field_set_in_a_location_undoes_all_that_are_inherited() {
        let location = first_location(
            "proxy_set_header A 1; proxy_set_header B 2; location / { proxy_set_header C 3; }",
        );
        let names: Vec<&str> = location
            .settings
            .proxy
            .set_headers
            .iter()
            .map(|(n, _)| &**n)
            .collect();
        assert_eq!(names, ["C"]);
    }

    #[test]
    fn hidden_and_passed_fields_are_inherited_apart() {
        let location = first_location(
            "proxy_hide_header X-One; proxy_pass_header Date; location / { proxy_hide_header X-Two; }",
        );
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

    #[test]
    fn bind_off_undoes_an_inherited_address() {
        let location = first_location("proxy_bind 127.0.0.2:80; location / { proxy_bind off; }");
        assert_eq!(location.settings.proxy.bind, None);
    }
}
