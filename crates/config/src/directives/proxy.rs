//! The proxy module: what is sent to an upstream, and how long it may take. Not here: where to (see `proxy_pass`), the
//! answer (see `proxy_response`), another attempt (see `next_upstream`).

use std::net::SocketAddr;

use super::shorthand::{LEVELS, Row, between, custom, exactly, flag, time};
use crate::build::{Build, HostPart, Level, Line, addresses};

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("proxy_set_header", LEVELS, exactly(2), set_header)
            .repeats()
            .syntax("field value")
            .default("Host $proxy_host")
            .help("Sets a field of the request to the upstream.")
            .manual(
                "It replaces a field of the same name that the client sent; an empty value \
                 removes it. If a level has any proxy_set_header, it inherits none: repeat \
                 those that are wanted. Host is $proxy_host unless set here.",
            ),
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
            .manual(
                "With `off` set Content-Length to an empty value as well, or the upstream \
             waits for a body.",
            ),
        flag("proxy_request_buffering", LEVELS, |l: &mut Level| &mut l.proxy.request_buffering)
            .default("on")
            .help("Reads a request's body before it is sent to the upstream.")
            .manual(
                "A body that was read whole can be sent to another endpoint if the first one \
             fails. `off` streams it: a failure after the first byte of the body was sent \
             is then final.",
            ),
        time("proxy_connect_timeout", LEVELS, |l: &mut Level| &mut l.proxy.connect_timeout)
            .default("60s")
            .help("Bounds the time that a connection to an endpoint may take.")
            .manual(
                "A failure in this phase is always safe to retry: short times, such as 2s, \
             cost nothing.",
            ),
        time("proxy_send_timeout", LEVELS, |l: &mut Level| &mut l.proxy.send_timeout)
            .default("60s")
            .help("Bounds the wait between two writes to the upstream.")
            .manual("An upstream that takes nothing for this long has failed."),
        time("proxy_read_timeout", LEVELS, |l: &mut Level| &mut l.proxy.read_timeout)
            .default("60s")
            .help("Bounds the wait between two reads from the upstream.")
            .manual(
                "An upstream that sends nothing for this long has failed (504). It is not a \
             bound on the whole answer. WebSocket and event streams that are quiet for \
             longer need a larger one.",
            ),
        custom("proxy_bind", LEVELS, between(1, 2), bind)
            .syntax("address[:port] | off")
            .help("Sets the local address of connections to the upstream.")
            .manual("A port that is written limits it to one connection at a time. `off` undoes an inherited one.")
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
            build.error(extra.span, "\"proxy_bind … transparent\" is not supported yet");
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
        return build.error(word.span, "variables in \"proxy_bind\" are not supported yet");
    }
    match addresses::endpoint(&word.text) {
        Ok(addresses::Written { host: HostPart::Ip(ip), port, .. }) => {
            level.proxy.bind = Some(SocketAddr::new(ip, port.unwrap_or(0)));
        }
        _ => build.error(word.span, format!("invalid address \"{}\"", word.text)),
    }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::first_location;

    #[test]
    fn one_field_set_in_a_location_undoes_all_that_are_inherited() {
        let location =
            first_location("proxy_set_header A 1; proxy_set_header B 2; location / { proxy_set_header C 3; }");
        let names: Vec<&str> = location.settings.proxy.set_headers.iter().map(|(n, _)| &**n).collect();
        assert_eq!(names, ["C"]);
    }

    #[test]
    fn bind_off_undoes_an_inherited_address() {
        let location = first_location("proxy_bind 127.0.0.2:80; location / { proxy_bind off; }");
        assert_eq!(location.settings.proxy.bind, None);
    }
}
