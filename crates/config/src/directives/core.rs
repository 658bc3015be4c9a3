//! The http core module: how responses are made and connections kept. Not here: files (see `static_files`), bounds on
//! what clients send (see `core_limits`).

use super::shorthand::{
    HTTP_SERVER, LEVELS, LOCATION, Row, at_least, between, choice, custom, exactly, flag,
    long_count, time,
};
use crate::build::addresses;
use crate::build::{Build, HostPart, Level, Line, RESOLVER_TIMEOUT, time_text};
use crate::model::{
    ErrorPage, ErrorPageTarget, IfModifiedSince, LingeringClose, Resolver, ServerTokens,
};
use crate::tree::Word;
use std::net::SocketAddr;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("error_page", LEVELS, at_least(2), error_page)
            .repeats()
            .syntax("code … [=[response]] uri")
            .help("Answers an error with a page of one's own.")
            .manual("The URI is fetched by an internal redirect, as GET, and the client sees the original status; `=200` answers with another, and a bare `=` with whatever the page answers. `@name` goes to a named location. A full URL makes a redirect, 302 unless 301, 303, 307 or 308 is given. Codes are 300 to 599. If a level has any error_page, it inherits none."),
        flag("recursive_error_pages", LEVELS, |l: &mut Level| &mut l.settings.recursive_error_pages)
            .default("off")
            .help("Lets an error page that fails lead to another one.")
            .manual("The number of internal redirects of a request is bounded either way."),
        custom("internal", LOCATION, exactly(0), internal)
            .help("Hides the location from clients.")
            .manual("Only internal redirects reach it: error_page, try_files, index, X-Accel-Redirect. A client that asks for it gets 404. Nested locations inherit it."),
        custom("keepalive_timeout", LEVELS, between(1, 2), keepalive_timeout)
            .syntax("timeout [header_timeout]")
            .default("75s")
            .help("Bounds how long an idle client connection is kept.")
            .manual("0 closes after each answer. The second time goes to the client as `Keep-Alive: timeout=`."),
        long_count("keepalive_requests", LEVELS, |l: &mut Level| &mut l.settings.keepalive_requests)
            .default("1000")
            .help("Bounds the requests of one client connection.")
            .manual("After that many the connection is closed, so that what it holds is freed."),
        time("keepalive_time", LEVELS, |l: &mut Level| &mut l.settings.keepalive_time)
            .default("1h")
            .help("Bounds the age of a client connection.")
            .manual("Once it is older, it is closed after the next answer."),
        time("keepalive_min_timeout", LEVELS, |l: &mut Level| &mut l.settings.keepalive_min_timeout)
            .default("0")
            .help("Keeps idle client connections at least this long during a drain.")
            .manual("A client that sends again at once is then not cut off in the middle of its request."),
        choice("lingering_close", LEVELS, &[
            ("off", |l: &mut Level| l.settings.lingering_close = LingeringClose::Off),
            ("on", |l| l.settings.lingering_close = LingeringClose::On),
            ("always", |l| l.settings.lingering_close = LingeringClose::Always),
        ])
            .syntax("on | off | always")
            .default("on")
            .help("Says whether to read on after the last answer before closing.")
            .manual("Closing while a client still sends makes its system throw away the answer. `on` reads on where that is likely."),
        time("lingering_time", LEVELS, |l: &mut Level| &mut l.settings.lingering_time)
            .default("30s")
            .help("Bounds a lingering close as a whole.")
            .manual("The connection is closed after this time, whether or not the client has stopped sending."),
        time("lingering_timeout", LEVELS, |l: &mut Level| &mut l.settings.lingering_timeout)
            .default("5s")
            .help("Bounds the wait for more bytes during a lingering close.")
            .manual("If nothing arrives for this long, the connection is closed."),
        time("send_timeout", LEVELS, |l: &mut Level| &mut l.settings.send_timeout)
            .default("60s")
            .help("Bounds the wait between two writes to the client.")
            .manual("A client that takes nothing for this long is disconnected. It is not a bound on the whole answer."),
        flag("reset_timedout_connection", LEVELS, |l: &mut Level| &mut l.settings.reset_timedout_connection)
            .default("off")
            .help("Resets connections that time out instead of closing them.")
            .manual("A reset frees the socket's buffers at once."),
        flag("tcp_nodelay", LEVELS, |l: &mut Level| &mut l.settings.tcp_nodelay)
            .default("on")
            .help("Sends small packets without waiting for more.")
            .manual("Sets TCP_NODELAY on client connections."),
        flag("absolute_redirect", LEVELS, |l: &mut Level| &mut l.settings.absolute_redirect)
            .default("on")
            .help("Makes the redirects of the gateway itself absolute.")
            .manual("`off` sends the path alone, which is safer behind another proxy whose port or scheme differs."),
        flag("server_name_in_redirect", LEVELS, |l: &mut Level| &mut l.settings.server_name_in_redirect)
            .default("off")
            .help("Uses the first server_name in absolute redirects.")
            .manual("`off` uses the request's Host, and the address where there is none."),
        flag("port_in_redirect", LEVELS, |l: &mut Level| &mut l.settings.port_in_redirect)
            .default("on")
            .help("Names the port in absolute redirects.")
            .manual("The scheme's default port is never named."),
        choice("if_modified_since", LEVELS, &[
            ("off", |l: &mut Level| l.settings.if_modified_since = IfModifiedSince::Off),
            ("exact", |l| l.settings.if_modified_since = IfModifiedSince::Exact),
            ("before", |l| l.settings.if_modified_since = IfModifiedSince::Before),
        ])
            .syntax("off | exact | before")
            .default("exact")
            .help("Says how If-Modified-Since is compared.")
            .manual("`exact` wants the very time, `before` takes a later one as unmodified too, `off` ignores the field."),
        flag("chunked_transfer_encoding", LEVELS, |l: &mut Level| &mut l.settings.chunked_transfer_encoding)
            .default("on")
            .help("Allows chunked answers to HTTP/1.1 clients.")
            .manual("`off` marks the end of an answer of unknown length by closing the connection."),
        choice("server_tokens", LEVELS, &[
            ("off", |l: &mut Level| l.settings.server_tokens = ServerTokens::Off),
            ("on", |l| l.settings.server_tokens = ServerTokens::On),
            ("build", |l| l.settings.server_tokens = ServerTokens::Build),
        ])
            .syntax("on | off | build")
            .default("on")
            .help("Says whether the version is shown in the Server field and on error pages.")
            .manual("`build` adds the build's name to the version."),
        custom("resolver", LEVELS, at_least(1), resolver)
            .syntax("address … [valid=time] [ipv4=on|off] [ipv6=on|off]")
            .help("Names the DNS servers to ask.")
            .manual("Port 53 unless written. `valid=` overrides the time to live of the answers. Without the directive the system's own servers are asked.")
            .differs("It is optional: names are looked up again as their time to live runs out in any case. status_zone= is not supported."),
        time("resolver_timeout", LEVELS, |l: &mut Level| {
            l.written.resolver_timeout.get_or_insert(RESOLVER_TIMEOUT)
        })
            .default("30s")
            .help("Bounds a name's look-up.")
            .manual("A request that waits for a name longer than this gets 502."),
        flag("ignore_invalid_headers", HTTP_SERVER, |l: &mut Level| &mut l.server.ignore_invalid_headers)
            .default("on")
            .help("Drops request fields whose names are not letters, digits and hyphens.")
            .manual("`off` passes them on. Names that HTTP forbids outright are an error either way. It counts in the default server of an address."),
        flag("underscores_in_headers", HTTP_SERVER, |l: &mut Level| &mut l.server.underscores_in_headers)
            .default("off")
            .help("Takes an underscore in a request field's name as valid.")
            .manual("`off` treats such a field as invalid: see ignore_invalid_headers. Programs that map both `-` and `_` to one character can be deceived by these fields."),
        flag("merge_slashes", HTTP_SERVER, |l: &mut Level| &mut l.server.merge_slashes)
            .default("on")
            .help("Takes adjacent slashes of a path as one.")
            .manual("It concerns the choice of a location. With `off`, `//api` does not match `location /api`."),
    ]
}

fn internal(_build: &mut Build<'_>, level: &mut Level, _line: &Line<'_>) {
    level.internal = true;
}

fn keepalive_timeout(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(timeout) = build.time(line, line.word(0)) {
        level.settings.keepalive_timeout = timeout;
        level.settings.keepalive_header = None;
    }
    if let Some(header) = line.words().get(1) {
        level.settings.keepalive_header = build.time(line, header);
    }
}

fn error_page(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let (target_word, before) = match line.words().split_last() {
        Some(split) => split,
        None => return,
    };
    let (codes, overwrite) = match before.split_last() {
        Some((word, codes)) if word.text.starts_with('=') => (codes, Some(word)),
        _ => (before, None),
    };
    if codes.is_empty() {
        return build.invalid_value(line.word(0));
    }
    let overwrite = match overwrite.map(|word| response_code(build, word)) {
        Some(None) => return,
        code => code.flatten(),
    };
    let target = error_page_target(build, target_word);
    let pages: Vec<ErrorPage> = codes
        .iter()
        .filter_map(|word| error_code(build, word))
        .map(|status| ErrorPage {
            status,
            overwrite: overwrite.or(default_overwrite(status)),
            target: target.clone(),
        })
        .collect();
    let earlier = if line.first {
        &[][..]
    } else {
        &level.settings.error_pages[..]
    };
    level.settings.error_pages = earlier.iter().cloned().chain(pages).collect();
}

/// `=` is 0, "take the page's"; `=CODE` is that code.
fn response_code(build: &mut Build<'_>, word: &Word) -> Option<u16> {
    let code = word.text.get(1..).unwrap_or_default();
    if code.is_empty() {
        return Some(0);
    }
    let number = code.parse::<u16>().ok();
    if number.is_none() {
        build.invalid_value(word);
    }
    number
}

fn error_code(build: &mut Build<'_>, word: &Word) -> Option<u16> {
    match word.text.parse::<u16>() {
        Ok(499) => {
            build.invalid_value(word);
            build.help("499 means that the client is gone: there is nobody to show a page to");
            None
        }
        Ok(status @ 300..=599) => Some(status),
        Ok(_) => {
            build.error(
                word.span,
                format!("value \"{}\" must be between 300 and 599", word.text),
            );
            None
        }
        Err(_) => {
            build.invalid_value(word);
            build.help("codes come first, then perhaps =CODE, and the page last");
            None
        }
    }
}

/// nginx's own codes for bad TLS and an oversized head are shown to clients as 400.
fn default_overwrite(status: u16) -> Option<u16> {
    matches!(status, 494..=497).then_some(400)
}

fn error_page_target(build: &mut Build<'_>, word: &Word) -> ErrorPageTarget {
    if word.text.starts_with('@') {
        return ErrorPageTarget::Named(word.text.as_str().into());
    }
    let template = build.word_template(word);
    if word.text.starts_with('/') {
        ErrorPageTarget::Uri(template)
    } else {
        ErrorPageTarget::Url(template)
    }
}

/// The port of DNS.
const DNS_PORT: u16 = 53;

fn resolver(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut resolver = Resolver {
        servers: Vec::new(),
        valid: None,
        timeout: RESOLVER_TIMEOUT,
        families: (true, true),
    };
    for word in line.words() {
        match word.text.split_once('=') {
            Some(("valid", time)) => {
                resolver.valid = time_text(time);
                if resolver.valid.is_none() {
                    build.error(word.span, format!("invalid parameter: {}", word.text));
                }
            }
            Some(("ipv4", on)) => resolver.families.0 = family(build, word, on),
            Some(("ipv6", on)) => resolver.families.1 = family(build, word, on),
            Some(_) => build.invalid_parameter(word),
            None => resolver.servers.extend(name_server(build, word)),
        }
    }
    if resolver.families == (false, false) {
        build.error(line.span(), "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    }
    if resolver.servers.is_empty() {
        build.error(line.span(), "no name servers defined");
    }
    level.written.resolver = Some(resolver);
}

fn family(build: &mut Build<'_>, word: &Word, value: &str) -> bool {
    if !matches!(value, "on" | "off") {
        build.invalid_parameter(word);
    }
    value != "off"
}

fn name_server(build: &mut Build<'_>, word: &Word) -> Option<SocketAddr> {
    let written = match addresses::endpoint(&word.text) {
        Ok(written) => written,
        Err(fault) => {
            build.error(word.span, format!("{fault} in resolver \"{}\"", word.text));
            return None;
        }
    };
    let HostPart::Ip(ip) = written.host else {
        build.error(
            word.span,
            format!("host not found in resolver \"{}\"", word.text),
        );
        build.help("write the name server's address, such as 127.0.0.53");
        return None;
    };
    Some(SocketAddr::new(ip, written.port.unwrap_or(DNS_PORT)))
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, in_server, server_settings};

    #[test]
    fn a_bare_equals_sign_takes_the_status_of_the_page() {
        let pages = server_settings("error_page 404 = /a;").error_pages;
        assert_eq!(pages.first().unwrap().overwrite, Some(0));
    }

    #[test]
    fn any_error_page_at_a_level_undoes_all_that_are_inherited() {
        let http = "error_page 500 /a; error_page 502 /b; server { error_page 404 /c; }";
        let config = crate::build::testing::config(crate::build::testing::in_http(http));
        assert_eq!(config.http.error_pages.len(), 2);
        let pages = &config.servers.first().unwrap().root.settings.error_pages;
        assert_eq!(
            pages.iter().map(|page| page.status).collect::<Vec<_>>(),
            [404]
        );
    }

    #[test]
    fn a_second_keepalive_time_is_the_field_for_clients() {
        let settings = server_settings("keepalive_timeout 30s 20s;");
        assert_eq!(settings.keepalive_timeout.as_secs(), 30);
        assert_eq!(settings.keepalive_header.unwrap().as_secs(), 20);
    }

    #[test]
    fn a_word_out_of_a_choice_is_refused() {
        let loaded = in_server("server_tokens maybe;");
        assert_eq!(errors(&loaded), ["invalid value \"maybe\""]);
    }

    #[test]
    fn resolver_timeout_counts_on_whichever_line_it_stands() {
        let settings = server_settings("resolver_timeout 5s; resolver 127.0.0.1;");
        assert_eq!(settings.resolver.unwrap().timeout.as_secs(), 5);
    }
}
