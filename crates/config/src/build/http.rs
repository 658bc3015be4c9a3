//! The http context: definitions first, then its own settings, then the servers. Not here: what is inside a server.

use super::apply::apply;
use super::upstream::{check_resolver, inherit_resolver};
use super::{Build, Host, Level, Line, check, conflicts, finish, server};
use crate::directives::{Context, Meaning, Setter};
use crate::model::{Config, Escape, LogFormat, Main, Pattern};
use crate::tree::{Directive, Span};

/// nginx's predefined log format.
const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
                        \"$http_referer\" \"$http_user_agent\"";

/// The whole configuration, given the directives inside `http`.
pub(crate) fn config(build: &mut Build<'_>, main: Main, inside: &[&Directive]) -> Config {
    let combined =
        LogFormat { name: "combined".into(), escape: Escape::Default, line: build.template(COMBINED, Span::default()) };
    build.log_formats.push(combined);
    let lines = check::lines(build, Context::Http, inside.iter().copied());
    define(build, &lines);
    let mut level = Level::http(&build.options.prefix, main.error_logs.clone());
    apply_level(build, &lines, &mut level, None);
    let http = finish::settings(&mut level);
    let mut servers = Vec::new();
    let mut hosts = Vec::new();
    for line in lines.iter().filter(|line| line.name() == "server") {
        let (server, host) = server::server(build, line, &level);
        servers.push(server);
        hosts.push(host);
    }
    conflicts::check(build, &mut servers, &hosts);
    let mut upstreams = std::mem::take(&mut build.upstreams);
    inherit_resolver(&mut upstreams, http.resolver.as_ref());
    check_resolver(build, http.resolver.as_ref());
    Config {
        main,
        upstreams,
        servers,
        maps: std::mem::take(&mut build.maps),
        own_names: build.names.own.clone(),
        reads_heads: build.reads_heads,
        log_formats: std::mem::take(&mut build.log_formats),
        http,
    }
}

/// Reads what other lines may name: maps, upstreams, log formats.
fn define(build: &mut Build<'_>, lines: &[Line<'_>]) {
    for line in lines {
        if let Meaning::Define(define) = &line.row.meaning {
            define(build, line);
        }
    }
}

/// The lines whose sizes are compared with one another.
const BUFFER_SIZES: &[&str] =
    &["proxy_buffer_size", "proxy_buffers", "proxy_busy_buffers_size", "proxy_max_temp_file_size"];

/// Applies a block's own settings; blocks inside it come later.
pub(crate) fn apply_level(build: &mut Build<'_>, lines: &[Line<'_>], level: &mut Level, mut host: Option<&mut Host>) {
    let context = match (&host, &level.own.pattern) {
        (Some(_), _) => Context::Server,
        (None, Pattern::Server) => Context::Http,
        _ => Context::Location,
    };
    for line in lines {
        match &line.row.meaning {
            Meaning::Level(setter) => {
                apply(build, setter, level, line);
                if matches!(setter, Setter::Time(_)) && line.name().starts_with("proxy_") {
                    let place = build.place(line.span());
                    level.proxy.written.wrote(line.name(), format!("{}, {place}", context.word()).into());
                }
            }
            Meaning::Host(setter) => {
                if let Some(host) = host.as_deref_mut() {
                    apply(build, setter, host, line);
                }
            }
            _ => continue,
        }
        if BUFFER_SIZES.contains(&line.name()) {
            level.written.buffers_span = Some(line.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, in_http};
    use crate::model::Pattern;

    #[test]
    fn a_line_below_a_server_holds_in_it_as_well() {
        let config = config(in_http("server { location / { } } send_timeout 5s;"));
        let location = config.servers.first().and_then(|server| server.root.children.first());
        assert_eq!(location.unwrap().settings.send_timeout.as_secs(), 5);
    }

    #[test]
    fn combined_is_always_the_first_format() {
        let formats = config(in_http("log_format mine $uri;")).log_formats;
        let names: Vec<&str> = formats.iter().map(|format| &*format.name).collect();
        assert_eq!(names, ["combined", "mine"]);
    }

    #[test]
    fn where_a_time_was_written_is_known() {
        let config = config(in_http(
            "proxy_send_timeout 3s;\nserver { proxy_read_timeout 5s; location / { }\nlocation /a { proxy_read_timeout 1s; } }",
        ));
        let told = |path: &str, directive| {
            let locations = &config.servers[0].root.children;
            let is = |pattern: &Pattern| matches!(pattern, Pattern::Prefix(prefix) if **prefix == *path);
            locations.iter().find(|location| is(&location.pattern)).unwrap().settings.proxy.written.told(directive)
        };
        assert!(told("/", "proxy_read_timeout").starts_with("set in server, "));
        assert!(told("/a", "proxy_read_timeout").starts_with("set in location, "));
        assert!(told("/a", "proxy_send_timeout").starts_with("set in http, "));
        assert_eq!(&*told("/", "proxy_connect_timeout"), "by default");
        let line = |place: Box<str>| place.rsplit_once(':').unwrap().1.parse::<u32>().unwrap();
        assert_eq!(line(told("/a", "proxy_read_timeout")), line(told("/", "proxy_read_timeout")) + 1);
    }
}
