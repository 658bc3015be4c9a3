//! What nginx's options do. Not here: how they are read (`options`), and running (`process`).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use config::model::Level;
use config::tree::Origin;
use config::{Config, Loaded};

use super::options::{Command, Options};
use super::source::{Source, log_files, messages};
use super::texts;
use crate::logs::error_log::errno;
use crate::process::{self, pid_file};

/// What is left to do after the options that only say something.
pub(super) enum Next {
    /// Exit with this code.
    Exit(u8),
    /// Run this.
    Run(Source, Box<Config>),
}

/// Does what the options say, up to running.
pub(super) fn act(program: &str, options: &Options) -> Next {
    if options.version {
        show_version(program, options);
        if !options.test {
            return Next::Exit(0);
        }
    }
    let source = Source::from_options(options);
    let loaded = source.load();
    if !process::is_background() {
        say_all(program, &loaded);
    }
    let Some(config) = loaded.config.clone() else {
        if options.test {
            say_test_failed(program, &source.file);
        }
        return Next::Exit(1);
    };
    if options.test {
        return Next::Exit(test(program, options, &source, &loaded, &config));
    }
    match options.signal {
        Some(command) => Next::Exit(send(program, command, config.main.pid.as_deref())),
        None => Next::Run(source, Box::new(config)),
    }
}

fn show_version(program: &str, options: &Options) {
    eprint!("{}", texts::version(program));
    if options.help {
        eprint!("{}", texts::help(program));
    }
    if options.configure {
        eprint!("{}", texts::configure());
    }
}

/// A message in nginx's form.
fn say(program: &str, level: Level, message: &str) {
    eprintln!("{program}: [{}] {message}", level.word());
}

/// Every error and warning of a configuration.
pub(super) fn say_all(program: &str, loaded: &Loaded) {
    messages(loaded).for_each(|(level, message)| say(program, level, &message));
}

fn say_test_failed(program: &str, file: &Path) {
    eprintln!("{program}: configuration file {} test failed", file.display());
}

/// `-t` and `-T`, for a file whose text is right.
fn test(program: &str, options: &Options, source: &Source, loaded: &Loaded, config: &Config) -> u8 {
    let file = source.file.display();
    if !options.quiet {
        eprintln!("{program}: the configuration file {file} syntax is ok");
    }
    source.make_log_folder(config);
    if let Err(error) = test_surroundings(config) {
        say(program, Level::Emerg, &error);
        say_test_failed(program, &source.file);
        return 1;
    }
    if !options.quiet {
        eprintln!("{program}: configuration file {file} test is successful");
    }
    if options.dump {
        dump(loaded);
    }
    0
}

/// What must be there to run it, besides ports: accounts, log files, the pid file.
fn test_surroundings(config: &Config) -> Result<(), String> {
    process::check_account(config)?;
    for file in log_files(config) {
        let existed = file.exists();
        let opened = OpenOptions::new().append(true).create(true).open(&file);
        opened.map_err(|error| format!("open() \"{}\" failed ({})", file.display(), errno(&error)))?;
        if !existed {
            let _ = std::fs::remove_file(&file);
        }
    }
    config.main.pid.as_deref().map_or(Ok(()), pid_file::check)
}

/// Every file that was read, in nginx's form.
fn dump(loaded: &Loaded) {
    let mut out = io::stdout().lock();
    for file in loaded.tree.files.iter().filter(|file| file.origin != Origin::CommandLine) {
        // A reader that went away wants no more.
        let _ = writeln!(out, "# configuration file {}:", file.path.display());
        let _ = out.write_all(&file.bytes()).and_then(|()| out.write_all(b"\n"));
    }
}

/// `-s`.
fn send(program: &str, command: Command, pid_file: Option<&Path>) -> u8 {
    let Some(path) = pid_file else {
        say(program, Level::Error, "the configuration says \"pid off\": there is no file to find the process by");
        return 1;
    };
    let sent = pid_file::read(path).map_err(|error| (Level::Error, error));
    let sent = sent.and_then(|pid| kill(pid, command).map_err(|error| (Level::Alert, error)));
    match sent {
        Ok(()) => 0,
        Err((level, error)) => {
            say(program, level, &error);
            1
        }
    }
}

fn kill(pid: i32, command: Command) -> Result<(), String> {
    use rustix::process::Signal;
    let signal = match command {
        Command::Stop => Signal::TERM,
        Command::Quit => Signal::QUIT,
        Command::Reopen => Signal::USR1,
        Command::Reload => Signal::HUP,
    };
    let process = rustix::process::Pid::from_raw(pid).ok_or_else(|| format!("invalid PID number \"{pid}\""))?;
    rustix::process::kill_process(process, signal)
        .map_err(|error| format!("kill({pid}, {}) failed ({})", signal.as_raw(), errno(&error.into())))
}
