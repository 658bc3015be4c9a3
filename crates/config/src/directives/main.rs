//! The main context: the process, its workers, its files. Not here: `events`, `http` and what is inside them.

use std::path::PathBuf;

use super::log::error_log_of;
use super::shorthand::{EVERYWHERE, MAIN, Row, at_least, between, custom, definition, exactly, flag, section};
use crate::build::{Build, Line};
use crate::model::{Main, User};

pub(super) fn rows() -> Vec<Row> {
    vec![
        section("events", MAIN, exactly(0)).help("Holds the settings of connection handling.").manual(
            "nginx refuses a configuration without this block, and so does Tidegate; \
                 `events {}` is enough. A file that is only the inside of an http block needs \
                 none.",
        ),
        section("http", MAIN, exactly(0))
            .help("Holds everything about HTTP.")
            .manual(
                "Servers, upstreams, maps and log formats stand in it, and so do settings that \
                 all servers inherit.",
            )
            .differs(
                "A file without an http block whose top level holds what belongs in one (such \
                 as a conf.d file) is read as its inside.",
            ),
        custom("user", MAIN, between(1, 2), user)
            .syntax("user [group]")
            .default("nobody nobody")
            .help("Names the account that the workers run as.")
            .manual(
                "The group defaults to one with the user's name. It matters only if the \
                 process is started by root.",
            )
            .differs(
                "The workers are threads that give up root's rights while the main thread keeps them. Threads share \
                 memory: this guards against mistakes of path and permission, not against foreign code in a worker. For \
                 the same reason a reload that changes `user` changes nothing, and says so in the error log: a restart or \
                 an upgrade of the binary does it.",
            ),
        custom("worker_processes", MAIN, exactly(1), worker_processes)
            .syntax("number | auto")
            .default("1")
            .help("Sets how many workers serve connections.")
            .manual(
                "`auto` takes one worker for each processor that the process may use. Each worker has its own \
                 listeners, its own idle upstream connections and its own view of upstream \
                 health.",
            )
            .differs("A worker is a thread, not a process."),
        custom("worker_rlimit_nofile", MAIN, exactly(1), worker_rlimit_nofile)
            .syntax("number")
            .help("Raises the limit on open files.")
            .manual(
                "Each client connection and each upstream connection is an open file: allow \
             for two per proxied request, and for logs and temporary files.",
            ),
        custom("worker_shutdown_timeout", MAIN, exactly(1), worker_shutdown_timeout)
            .syntax("time")
            .help("Bounds how long a drain may take.")
            .manual(
                "After QUIT, connections still open when this time is over are closed. Without it a drain takes as long as its \
                 slowest request. Idle connections stay for a second: what they ask is answered with `Connection: close`.",
            ),
        custom("pid", MAIN, exactly(1), pid)
            .syntax("file | off")
            .default("logs/nginx.pid")
            .help("Names the file that holds the main process's id.")
            .manual(
                "Relative paths start at the prefix. Scripts and `-s` find the running process \
                 through it. `off` writes none.",
            ),
        flag("daemon", MAIN, |main: &mut Main| &mut main.daemon)
            .default("on")
            .help("Says whether to go into the background.")
            .manual(
                "The program that was called ends when the one in the background serves, with its exit code; a \
                 failure to start is still said on the terminal. Containers and service managers want `off`.",
            ),
        flag("master_process", MAIN, |main: &mut Main| &mut main.master_process)
            .default("on")
            .help("Says whether a main process watches over the workers.")
            .manual("With `off` the workers keep the account that the process was started with.")
            .differs("There is one process either way: workers are its threads."),
        custom("error_log", MAIN, at_least(1), error_log)
            .repeats()
            .syntax("file [level]")
            .default("stderr error")
            .help("Says where errors are logged, and from which level on.")
            .manual(
                "The levels, from most to least severe: emerg, alert, crit, error, warn, \
                 notice, info, debug. `stderr` is the standard error. Several lines write to \
                 several places.",
            )
            .differs(
                "syslog: and memory: are not supported yet. The default is what `-e` names, else the standard error; nginx's \
                 is chosen when it is built.",
            ),
        custom("env", MAIN, exactly(1), env)
            .repeats()
            .syntax("variable[=value]")
            .default("TZ")
            .help("Keeps or sets a variable of the environment.")
            .manual("The workers see only the variables that are named, as in nginx.")
            .no_effect_yet("the process keeps the environment that it was given"),
        custom("working_directory", MAIN, exactly(1), working_directory)
            .syntax("directory")
            .help("Sets the directory that the workers run in.")
            .manual("Relative names of logs and temporary files do not depend on it; core dumps land there."),
        custom("load_module", MAIN, exactly(1), load_module)
            .repeats()
            .syntax("file")
            .help("Is read, and loads nothing.")
            .manual(
                "nginx's dynamic modules cannot be loaded. What is supported is built in; \
                 directives of other modules are named one by one.",
            )
            .differs("No module is loaded."),
        definition("include", EVERYWHERE, exactly(1), |_, _| {})
            .repeats()
            .syntax("file | mask")
            .help("Reads another file, or all that match a mask, in its place.")
            .manual(
                "Relative paths start at the directory of the main configuration file. A mask \
                 that matches nothing is no error; a missing file is. It may stand anywhere, \
                 in `types` and `map` too.",
            )
            .differs("A mime.types that does not exist is replaced by a built-in one."),
    ]
}

fn user(_build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    main.user = Some(User { name: line.word(0).text.as_str().into(), group: line.last().text.as_str().into() });
}

fn worker_processes(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    let word = line.word(0);
    if word.text == "auto" {
        main.worker_processes = None;
        return;
    }
    match word.text.parse::<usize>() {
        Ok(number) if number > 0 => main.worker_processes = Some(number),
        _ => {
            build.directive_error(line, word.span, "invalid value");
            build.help("a number of workers, or auto");
        }
    }
}

fn worker_rlimit_nofile(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    main.worker_rlimit_nofile = build.count(line, line.word(0));
}

fn worker_shutdown_timeout(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    main.worker_shutdown_timeout = build.time(line, line.word(0));
}

fn pid(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    let path = line.word(0).text.as_str();
    main.pid = (path != "off").then(|| build.absolute(path));
}

fn error_log(build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    if let Some(log) = error_log_of(build, line) {
        let earlier = if line.first { &[][..] } else { &main.error_logs[..] };
        main.error_logs = earlier.iter().cloned().chain([log]).collect();
    }
}

fn env(_build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    let word = line.word(0).text.as_str();
    let variable = match word.split_once('=') {
        Some((name, value)) => (name.into(), Some(value.into())),
        None => (word.into(), None),
    };
    main.environment.push(variable);
}

fn working_directory(_build: &mut Build<'_>, main: &mut Main, line: &Line<'_>) {
    main.working_directory = Some(PathBuf::from(&line.word(0).text));
}

fn load_module(build: &mut Build<'_>, _main: &mut Main, line: &Line<'_>) {
    build.note(
        line.span(),
        format!("\"load_module\" loads nothing here: directives of \"{}\" are not known", line.word(0).text),
    );
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, errors};
    use crate::load_text;

    fn main_of(lines: &str) -> crate::model::Main {
        config(load_text(&format!("{lines} events {{ }}"))).main
    }

    #[test]
    fn a_group_is_named_as_the_user_unless_written() {
        let user = main_of("user web;").user.unwrap();
        assert_eq!((&*user.name, &*user.group), ("web", "web"));
    }

    #[test]
    fn auto_leaves_the_number_of_workers_open() {
        assert_eq!(main_of("worker_processes auto;").worker_processes, None);
        assert_eq!(main_of("").worker_processes, Some(1));
    }

    #[test]
    fn no_worker_at_all_is_refused() {
        let loaded = load_text("worker_processes 0; events { }");
        assert_eq!(errors(&loaded), ["\"worker_processes\" directive invalid value"]);
    }

    #[test]
    fn a_first_error_log_replaces_the_default_and_others_add_to_it() {
        assert_eq!(main_of("error_log /a; error_log /b info;").error_logs.len(), 2);
    }

    #[test]
    fn pid_off_writes_no_file() {
        assert_eq!(main_of("pid off;").pid, None);
    }
}
