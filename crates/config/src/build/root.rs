//! The main context: process settings, `events`, and the way into `http`. Not here: what stands inside `http`.

use std::path::PathBuf;
use std::sync::Arc;

use super::apply::apply;
use super::{Build, Line, check, http};
use crate::directives::{Context, Meaning, rows_of};
use crate::model::{Config, ErrorLog, Level as LogLevel, LogFile, Main};
use crate::tree::{Directive, Span, Tree};

/// What a whole tree means, as far as it can be said.
pub(crate) fn config(build: &mut Build<'_>, tree: &Tree) -> Option<Config> {
    let all: Vec<&Directive> = tree.directives.iter().collect();
    let (outer, bare) = split_bare(build, &all);
    let lines = check::lines(build, Context::Main, outer.iter().copied());
    let main = main_settings(build, &lines);
    require_events(build, &lines, !bare.is_empty());
    let http_line = lines.iter().find(|line| line.name() == "http");
    let inside: Vec<&Directive> = match http_line {
        Some(line) => line.block().iter().collect(),
        None => bare,
    };
    Some(http::config(build, main, &inside))
}

/// Splits the top level of a file that was written to be included in `http { }` (a `conf.d` file): what only http
/// knows is its inside. A file with an `http` block of its own has no such part.
fn split_bare<'t>(build: &mut Build<'_>, all: &[&'t Directive]) -> (Vec<&'t Directive>, Vec<&'t Directive>) {
    if all.iter().any(|directive| directive.name.text == "http") {
        return (all.to_vec(), Vec::new());
    }
    let inner: Vec<&Directive> = of_http(all, true);
    let outer = of_http(all, false);
    if let Some(first) = inner.first() {
        build.note(first.name.span, "there is no \"http\" block: the file is read as the inside of one");
        build.help("nginx reads such a file through an \"include\" in its http block");
    }
    (outer, inner)
}

/// The directives that only http knows, or all others.
fn of_http<'t>(all: &[&'t Directive], wanted: bool) -> Vec<&'t Directive> {
    let fits = |directive: &&&Directive| only_in_http(&directive.name.text) == wanted;
    all.iter().filter(fits).copied().collect()
}

fn only_in_http(name: &str) -> bool {
    let has = |context| rows_of(name).any(|row| row.contexts.contains(&context));
    has(Context::Http) && !has(Context::Main)
}

fn main_settings(build: &mut Build<'_>, lines: &[Line<'_>]) -> Main {
    let mut main = default_main(build);
    apply_main(build, lines, &mut main);
    for line in lines.iter().filter(|line| line.name() == "events") {
        let inside = check::lines(build, Context::Events, line.block());
        apply_main(build, &inside, &mut main);
    }
    main
}

fn apply_main(build: &mut Build<'_>, lines: &[Line<'_>], main: &mut Main) {
    for line in lines {
        if let Meaning::Main(setter) = &line.row.meaning {
            apply(build, setter, main, line);
        }
    }
}

fn default_main(build: &Build<'_>) -> Main {
    let file = match &build.options.error_log {
        Some(path) if path.as_os_str() == "stderr" => LogFile::Stderr,
        Some(path) => LogFile::Path(build.options.prefix.join(path)),
        None => LogFile::Path(build.absolute("logs/error.log")),
    };
    let level = LogLevel::Error;
    Main {
        user: None,
        worker_processes: Some(1),
        worker_connections: 512,
        worker_rlimit_nofile: None,
        worker_shutdown_timeout: None,
        working_directory: None,
        pid: Some(default_pid(build)),
        daemon: true,
        master_process: true,
        error_logs: Arc::new([ErrorLog { file, level }]),
        environment: Vec::new(),
    }
}

fn default_pid(build: &Build<'_>) -> PathBuf {
    build.absolute("logs/nginx.pid")
}

/// nginx refuses a file without `events`; a file that is the inside of `http` has none.
fn require_events(build: &mut Build<'_>, lines: &[Line<'_>], bare: bool) {
    if bare || lines.iter().any(|line| line.name() == "events") {
        return;
    }
    build.error(Span::NOWHERE, "no \"events\" section in configuration");
    build.help("add a line: events {}");
}

#[cfg(test)]
mod tests {
    use crate::Severity;
    use crate::build::testing::{config, errors, said};
    use crate::load_text;

    #[test]
    fn a_file_without_http_is_the_inside_of_one() {
        let loaded = load_text("upstream a { server b; } server { listen 8080; }");
        assert_eq!(said(&loaded, Severity::Note).len(), 1);
        assert_eq!(config(loaded).servers.len(), 1);
    }

    #[test]
    fn a_file_with_http_has_nothing_of_http_beside_it() {
        let loaded = load_text("events { } http { } server { }");
        assert_eq!(errors(&loaded), ["\"server\" directive is not allowed here"]);
    }

    #[test]
    fn what_is_said_has_a_bound() {
        let loaded = load_text(&format!("events {{ }} http {{ {} }}", "listen 1;".repeat(5000)));
        assert_eq!(errors(&loaded).len(), 1000);
        assert_eq!(said(&loaded, Severity::Note), ["there is more to say, 4000 times: it is left out"]);
    }

    #[test]
    fn events_must_be_there() {
        let loaded = load_text("worker_processes 1;");
        assert_eq!(errors(&loaded), ["no \"events\" section in configuration"]);
    }
}
