//! The command line: nginx's options and our own commands. Not here: what runs (`process`, the gateway).

mod check;
mod files;
mod misbehave;
mod nginx;
mod options;
mod proxy;
mod source;
mod texts;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::demo::Demo;
use crate::diagnose;
use crate::explain;
use crate::process::{self, Engine, Invocation, Start};
use crate::record::Observer;
use crate::report;
use crate::simulate;
use nginx::Next;
use options::Options;
use source::Source;

/// Words that may stand first, beside nginx's options.
const COMMANDS: [&str; 9] =
    ["check", "demo", "diagnose", "explain", "help", "misbehave", "proxy", "report", "simulate"];

/// Called so, the program is nginx, which has no demonstration.
const NGINX: &str = "nginx";

/// How the demonstration is used.
const DEMO_USAGE: &str = "\
Usage: tidegate [demo] [--print-config]

Runs a gateway in front of three origins, one of which fails, and shows what
clients get. --print-config shows its nginx.conf instead.
";

/// A command was not understood.
const NOT_UNDERSTOOD: u8 = 2;

/// The way to make a gateway: what it starts with, and who is told of every request.
pub trait StartEngine<E: Engine>: FnOnce(Start, Option<Observer>) -> Result<E, E::Error> {}

impl<E: Engine, F: FnOnce(Start, Option<Observer>) -> Result<E, E::Error>> StartEngine<E> for F {}

/// Does what the words say; `start` makes the gateway, if it comes to that.
pub fn main<E: Engine>(words: impl IntoIterator<Item = OsString>, start: impl StartEngine<E>) -> ExitCode {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_else(|| "tidegate".into());
    let arguments: Vec<_> = words.collect();
    let called = Called { name: texts::program_name(Path::new(&program)), program, arguments };
    ExitCode::from(called.act(start))
}

/// How the program was called.
struct Called {
    name: String,
    program: OsString,
    arguments: Vec<OsString>,
}

impl Called {
    fn act<E: Engine>(self, start: impl StartEngine<E>) -> u8 {
        let first = self.arguments.first().map(|word| word.to_string_lossy().into_owned());
        match first.as_deref() {
            Some("check") => self.check(),
            Some("diagnose") => self.diagnose(),
            Some("explain") => self.explain(),
            Some("misbehave") => self.misbehave(),
            Some("proxy") => self.proxy(start),
            Some("report") => self.report(),
            Some("simulate") => self.simulate(),
            Some("demo" | "--print-config") => self.demo(start),
            None if self.name != NGINX => self.demo(start),
            Some("help" | "--help") => print_out(&(texts::version(&self.name) + &texts::help(&self.name))),
            _ => self.nginx(start),
        }
    }

    fn nginx<E: Engine>(self, start: impl StartEngine<E>) -> u8 {
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
                process::run(&self.invocation(source), *config, |with| start(with, None))
            }
        }
    }

    /// What may have been meant by a word that no option is.
    fn hint(&self) {
        let Some(word) = self.arguments.first().and_then(|word| word.to_str()) else {
            return;
        };
        if let Some(command) = config::suggest::nearest(word, COMMANDS) {
            eprintln!("{}: did you mean \"{command}\"?", self.name);
        } else if Path::new(word).is_file() {
            eprintln!("{}: to run that file, write \"-c {word}\"", self.name);
        }
    }

    fn check(self) -> u8 {
        match check::parse(&self.words()) {
            Ok(Some(source)) => check::run(&source),
            Ok(None) => print_out(check::USAGE),
            Err(message) => self.not_understood(&message, check::USAGE),
        }
    }

    fn diagnose(self) -> u8 {
        let question = match diagnose::parse(&self.words()) {
            Ok(Some(question)) => question,
            Ok(None) => return print_out(diagnose::USAGE),
            Err(message) => return self.not_understood(&message, diagnose::USAGE),
        };
        let Some(file) = question.file.clone() else { return diagnose::run(question, None) };
        let loaded = Source::from_options(&Options { file: Some(file), ..Options::default() }).load();
        if loaded.config.is_none() {
            nginx::say_all(&self.name, &loaded);
            return NOT_UNDERSTOOD;
        }
        diagnose::run(question, loaded.config.as_ref())
    }

    fn explain(self) -> u8 {
        match explain::parse(&self.words()) {
            Ok(Some(question)) => explain::run(&question),
            Ok(None) => print_out(explain::USAGE),
            Err(message) => self.not_understood(&message, explain::USAGE),
        }
    }

    fn report(self) -> u8 {
        match report::parse(&self.words()) {
            Ok(Some(options)) => report::run(&options, |file| Source::of_file(file).load().tree),
            Ok(None) => print_out(report::USAGE),
            Err(message) => self.not_understood(&message, report::USAGE),
        }
    }

    fn simulate(self) -> u8 {
        let options = match simulate::parse(&self.words()) {
            Ok(Some(options)) => options,
            Ok(None) => return print_out(simulate::USAGE),
            Err(message) => return self.not_understood(&message, simulate::USAGE),
        };
        let built_in = || Source::from_text("what is simulated", simulate::DEFAULT.to_owned());
        let loaded = options.file().map_or_else(built_in, Source::of_file).load();
        match &loaded.config {
            Some(config) => simulate::run(options, config),
            None => {
                nginx::say_all(&self.name, &loaded);
                NOT_UNDERSTOOD
            }
        }
    }

    fn misbehave(self) -> u8 {
        match misbehave::parse(&self.words()) {
            Ok(Some(asked)) => misbehave::run(&asked),
            Ok(None) => print_out(misbehave::USAGE),
            Err(message) => self.not_understood(&message, misbehave::USAGE),
        }
    }

    fn proxy<E: Engine>(self, start: impl StartEngine<E>) -> u8 {
        let proxy = match proxy::parse(&self.words()) {
            Ok(Some(proxy)) => proxy,
            Ok(None) => return print_out(proxy::USAGE),
            Err(message) => return self.not_understood(&message, proxy::USAGE),
        };
        if proxy.print_config {
            return print_out(&proxy.text);
        }
        let source = Source::from_text("the command line", proxy.text);
        let loaded = source.load();
        nginx::say_all(&self.name, &loaded);
        match loaded.config {
            Some(config) => {
                let said = format!("{}: {}", self.name, proxy.summary);
                let start_and_say = |with| start(with, None).inspect(|_| eprintln!("{said}"));
                process::run(&self.invocation(source), config, start_and_say)
            }
            None => 1,
        }
    }

    /// The word `demo` may be left out.
    fn demo<E: Engine>(self, start: impl StartEngine<E>) -> u8 {
        let words = self.all_words();
        let words = words.iter().map(String::as_str).skip_while(|word| *word == "demo");
        match words.collect::<Vec<_>>().as_slice() {
            [] => self.run_demo(start).unwrap_or_else(|error| {
                eprintln!("tidegate: the demonstration cannot start: {error}");
                1
            }),
            ["--print-config"] => print_out(&Demo::usual_configuration()),
            ["--help" | "-h"] => print_out(DEMO_USAGE),
            [word, ..] => self.not_understood(&format!("unknown option \"{word}\""), DEMO_USAGE),
        }
    }

    fn run_demo<E: Engine>(self, start: impl StartEngine<E>) -> io::Result<u8> {
        let demo = Demo::prepare()?;
        let source = Source::from_text("the demonstration", demo.configuration());
        let loaded = source.load();
        nginx::say_all(&self.name, &loaded);
        let Some(config) = loaded.config else {
            return Ok(1);
        };
        let running = demo.start()?;
        let observer = running.observer();
        let code = process::run(&self.invocation(source), config, |with| start(with, Some(observer)));
        running.end();
        Ok(code)
    }

    /// The words after the command's.
    fn words(&self) -> Vec<String> {
        self.all_words().into_iter().skip(1).collect()
    }

    fn all_words(&self) -> Vec<String> {
        self.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn not_understood(&self, message: &str, usage: &str) -> u8 {
        eprintln!("{}: {message}\n\n{usage}", self.name);
        NOT_UNDERSTOOD
    }

    fn invocation(self, source: Source) -> Invocation {
        Invocation { program: self.program, arguments: self.arguments, load: Box::new(move || source.load_to_run()) }
    }
}

/// Prints what was asked for.
fn print_out(text: &str) -> u8 {
    // A reader that went away wants no more.
    let _ = io::stdout().write_all(text.as_bytes());
    0
}
