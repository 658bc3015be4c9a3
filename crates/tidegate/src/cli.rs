//! The command line: nginx's options and our own commands. Not here: what runs (`process`, the gateway).

mod check;
mod files;
mod nginx;
mod options;
mod proxy;
mod source;
mod suggest;
mod texts;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::process::{self, Engine, Invocation, Start};
use nginx::Next;
use source::Source;

/// Words that may stand first, beside nginx's options.
const COMMANDS: [&str; 4] = ["check", "demo", "help", "proxy"];

/// A command was not understood.
const NOT_UNDERSTOOD: u8 = 2;

/// Does what the words say; `start` makes the gateway, if it comes to that.
pub fn main<E: Engine>(
    words: impl IntoIterator<Item = OsString>,
    start: impl FnOnce(Start) -> Result<E, E::Error>,
) -> ExitCode {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_else(|| "tidegate".into());
    let arguments: Vec<_> = words.collect();
    let called = Called {
        name: texts::program_name(Path::new(&program)),
        program,
        arguments,
    };
    ExitCode::from(called.act(start))
}

/// How the program was called.
struct Called {
    name: String,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Called {
    fn act<E: Engine>(self, start: impl FnOnce(Start) -> Result<E, E::Error>) -> u8 {
        let first = self
            .arguments
            .first()
            .map(|word| word.to_string_lossy().into_owned());
        match first.as_deref() {
            Some("check") => self.check(),
            Some("proxy") => self.proxy(start),
            Some("help" | "--help") => {
                print!("{}{}", texts::version(&self.name), texts::help(&self.name));
                0
            }
            _ => self.nginx(start),
        }
    }

    fn nginx<E: Engine>(self, start: impl FnOnce(Start) -> Result<E, E::Error>) -> u8 {
        let options = match options::parse(&self.arguments) {
            Ok(options) => options,
            Err(message) => {
                eprintln!("{}: {message}", self.name);
                self.hint();
                return 1;
            }
        };
        match nginx::act(&self.name, &options) {
            Next::Exit(code) => code,
            Next::Run(source, config) => {
                source.make_log_folder(&config);
                process::run(&self.invocation(source), *config, start)
            }
        }
    }

    /// What may have been meant by a word that no option is.
    fn hint(&self) {
        let Some(word) = self.arguments.first().and_then(|word| word.to_str()) else {
            return;
        };
        if let Some(command) = suggest::nearest(word, &COMMANDS) {
            eprintln!("{}: did you mean \"{command}\"?", self.name);
        } else if Path::new(word).is_file() {
            eprintln!("{}: to run that file, write \"-c {word}\"", self.name);
        }
    }

    fn check(self) -> u8 {
        match check::parse(&self.words()) {
            Ok(Some(source)) => check::run(&source),
            Ok(None) => usage(check::USAGE),
            Err(message) => self.not_understood(&message, check::USAGE),
        }
    }

    fn proxy<E: Engine>(self, start: impl FnOnce(Start) -> Result<E, E::Error>) -> u8 {
        let proxy = match proxy::parse(&self.words()) {
            Ok(Some(proxy)) => proxy,
            Ok(None) => return usage(proxy::USAGE),
            Err(message) => return self.not_understood(&message, proxy::USAGE),
        };
        if proxy.print_config {
            print!("{}", proxy.text);
            return 0;
        }
        let source = Source::from_text("the command line", proxy.text);
        let loaded = source.load();
        nginx::say_all(&self.name, &loaded);
        match loaded.config {
            Some(config) => process::run(&self.invocation(source), config, start),
            None => 1,
        }
    }

    /// The words after the command's.
    fn words(&self) -> Vec<String> {
        self.arguments
            .iter()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    fn not_understood(&self, message: &str, usage: &str) -> u8 {
        eprintln!("{}: {message}\n\n{usage}", self.name);
        NOT_UNDERSTOOD
    }

    fn invocation(self, source: Source) -> Invocation {
        Invocation {
            program: self.program,
            arguments: self.arguments,
            load: Box::new(move || source.load_to_run()),
        }
    }
}

fn usage(text: &str) -> u8 {
    print!("{text}");
    0
}
