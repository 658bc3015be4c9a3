//! `tidegate misbehave`: an origin that fails on purpose, on the command line. Not here: what modes do (`misbehave`).

use std::io::{self, Write};

use tokio::sync::mpsc;

use crate::logs::clock::Clock;
use crate::misbehave::{Account, Act, Listen, Mode, Server, Words, modes};

/// How it is used.
pub(super) const USAGE: &str = "\
Usage: tidegate misbehave --mode MODE [--listen ADDRESS] [--after TIME]
                          [--count NUMBER] [--size BYTES]
       tidegate misbehave --list [MODE]

An origin that fails on purpose, to try clients and gateways on. Each connection
is told in a line. Ctrl-C ends it.

  --list             show the modes, or all there is to say of one
  --mode MODE        how to fail; with \"path\" each request chooses:
                     curl http://127.0.0.1:8099/delayed?after=5s
  --listen ADDRESS   PORT of the loopback address, ADDRESS:PORT or unix:PATH;
                     127.0.0.1:8099 if not given; port 0 is any free one
  --after, --count, --size
                     what --list shows behind a mode, in nginx's units
";

const FLAGS: [&str; 7] = ["--list", "--mode", "--listen", "--after", "--count", "--size", "--help"];

/// Modes by their paths.
const PATH: &str = "path";

/// Where it listens unless told otherwise.
const DEFAULT: &str = "8099";

/// The text of good answers.
const HELLO: &str = "hello from tidegate misbehave\n";

/// What was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    List,
    Explain(&'static Mode),
    Serve(Listen, Act),
}

/// Reads the words after `misbehave`. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn parse(words: &[String]) -> Result<Option<Asked>, String> {
    let (mut list, mut name, mut listen, mut said) = (false, None, DEFAULT.to_owned(), Words::default());
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        match flag {
            "--help" | "-h" => return Ok(None),
            "--list" => list = true,
            "--mode" | "--listen" | "--after" | "--count" | "--size" => {
                let value =
                    value.or_else(|| words.next()).ok_or_else(|| format!("option \"{flag}\" requires a value"))?;
                match flag {
                    "--mode" => name = Some(value.to_owned()),
                    "--listen" => value.clone_into(&mut listen),
                    flag => said.set(flag.trim_start_matches('-'), value)?,
                }
            }
            flag if flag.starts_with('-') => return Err(unknown(flag)),
            word => name = Some(word.to_owned()),
        }
    }
    match name {
        None if list => Ok(Some(Asked::List)),
        None => Err("no mode was given: --list shows them".into()),
        Some(name) if list => modes::find(&name).map(|mode| Some(Asked::Explain(mode))),
        Some(name) => Ok(Some(Asked::Serve(Listen::parse(&listen)?, act(&name, said)?))),
    }
}

fn unknown(flag: &str) -> String {
    let hint = config::suggest::nearest(flag, FLAGS).map(|near| format!(": did you mean \"{near}\"?"));
    format!("unknown option \"{flag}\"{}", hint.unwrap_or_default())
}

fn act(name: &str, said: Words) -> Result<Act, String> {
    match name {
        PATH if said != Words::default() => Err("with \"path\" parameters stand in the path: /delayed?after=5s".into()),
        PATH => Ok(Act::ByPath),
        name => {
            let mode = modes::find(name)?;
            Ok(Act::Mode(mode, mode.parameters(said)?))
        }
    }
}

/// Does what was asked. Returns the exit code.
pub(super) fn run(asked: &Asked) -> u8 {
    match asked {
        Asked::List => super::print_out(&list()),
        Asked::Explain(mode) => super::print_out(&explanation(mode)),
        Asked::Serve(listen, act) => serve(listen, *act).unwrap_or_else(|error| {
            eprintln!("tidegate: cannot misbehave at {listen}: {error}");
            1
        }),
    }
}

fn list() -> String {
    let mut text = String::new();
    for group in &modes::GROUPS {
        text.push_str(&format!("{}{}\n", if text.is_empty() { "" } else { "\n" }, group.heading));
        for mode in group.rows {
            let takes = if mode.takes().is_empty() { String::new() } else { format!("  [{}]", mode.takes()) };
            text.push_str(&format!("  {:<21}  {}{takes}\n", mode.name, mode.help));
        }
    }
    text
}

fn explanation(mode: &Mode) -> String {
    let counts = mode.count.map(|(what, _)| format!("count is in {what}.\n")).unwrap_or_default();
    let takes = if mode.takes().is_empty() { "none".into() } else { mode.takes() };
    format!("{}: {}\n\n{}\n{counts}\nParameters: {takes}\n", mode.name, mode.help, mode.text)
}

/// Serves until Ctrl-C.
fn serve(listen: &Listen, act: Act) -> io::Result<u8> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start(listen, act, HELLO, Some(tell))?;
    put(&introduction(server.address(), act));
    let clock = Clock::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        loop {
            tokio::select! {
                account = told.recv() => account.iter().for_each(|account| put(&line(&clock, account))),
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    });
    let tally = server.tally();
    put(&format!("\n{} connections, {} requests.\n", tally.connections, tally.requests));
    Ok(0)
}

fn introduction(address: &Listen, act: Act) -> String {
    let what = match act {
        Act::Mode(mode, _) => format!("{}: {}", mode.name, mode.help),
        Act::ByPath => "each request's path names its mode; / shows them".to_owned(),
    };
    format!("Misbehaving at {address}\n{what}\n\n")
}

fn line(clock: &Clock, account: &Account) -> String {
    let stamp = clock.error_stamp();
    format!("{}  {account}\n", stamp.rsplit(' ').next().unwrap_or_default())
}

fn put(text: &str) {
    // A reader that is gone needs no account.
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Asked>, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_mode_with_parameters_is_served() {
        let asked = read("--mode closes-idle --after 5s --listen=9000").unwrap().unwrap();
        let Asked::Serve(listen, Act::Mode(mode, parameters)) = asked else { panic!("{asked:?}") };
        assert_eq!((listen.to_string().as_str(), mode.name), ("127.0.0.1:9000", "closes-idle"));
        assert_eq!(parameters.after.as_secs(), 5);
        assert!(matches!(read("silent").unwrap(), Some(Asked::Serve(..))));
        assert!(matches!(read("--mode path").unwrap(), Some(Asked::Serve(_, Act::ByPath))));
    }

    #[test]
    fn mistakes_are_said_with_what_to_write() {
        for (line, message) in [
            ("", "no mode was given: --list shows them"),
            ("--mode", "option \"--mode\" requires a value"),
            ("--mode slent", "there is no mode \"slent\": did you mean \"silent\"?"),
            ("--mode silent --after 1s", "mode \"silent\" has no parameter \"after\""),
            ("--mode path --after 1s", "with \"path\" parameters stand in the path: /delayed?after=5s"),
            ("--mode silent --lisen 1", "unknown option \"--lisen\": did you mean \"--listen\"?"),
            ("--mode silent --listen x", "\"x\" is no address: write PORT, ADDRESS:PORT or unix:PATH"),
        ] {
            assert_eq!(read(line).map(|_| ()), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_list_names_every_mode_with_its_parameters() {
        let list = list();
        assert!(modes::all().all(|mode| list.contains(&format!("  {} ", mode.name))));
        assert!(list.contains("closes idle connections, and does not say so before  [after=500ms]\n"), "{list}");
        let Some(Asked::Explain(mode)) = read("--list close-in-head").unwrap() else { panic!("no mode") };
        assert!(explanation(mode).contains("count is in bytes."));
    }

    #[test]
    fn its_help_fits_eighty_columns() {
        assert!(USAGE.lines().all(|line| line.chars().count() <= 80));
    }
}
