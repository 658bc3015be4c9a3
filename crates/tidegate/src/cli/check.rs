//! `tidegate check FILE`: everything there is to say of a configuration, at once. Not here: what is said (`config`).

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use config::diagnostic::{Style, shown};
use config::{Loaded, Severity};

use super::options::Options;
use super::source::Source;

/// How it is used.
pub(super) const USAGE: &str = "\
Usage: tidegate check [-p PREFIX] FILE

Says everything that is wrong with a configuration, and what of it has no effect
here. The exit code is 1 if it could not be run.
";

/// Reads the words after `check`. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong and what to write instead.
pub(super) fn parse(words: &[String]) -> Result<Option<Source>, String> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "-p" => options.prefix = Some(words.next().ok_or("option \"-p\" requires directory name")?.into()),
            word if word.starts_with('-') => return Err(format!("unknown option \"{word}\"")),
            _ if options.file.is_some() => {
                return Err("only one file can be checked at a time".into());
            }
            word => options.file = Some(std::path::absolute(word).unwrap_or_else(|_| PathBuf::from(word))),
        }
    }
    match options.file {
        Some(_) => Ok(Some(Source::from_options(&options))),
        None => Err("no file was given".into()),
    }
}

/// Says everything. Returns the exit code.
pub(super) fn run(source: &Source) -> u8 {
    let loaded = source.load();
    let mut out = io::stdout().lock();
    let style = style(out.is_terminal(), |name| std::env::var_os(name));
    for said in &loaded.diagnostics {
        // A reader that went away wants no more.
        let _ = out.write_all(shown(&loaded.tree, said, style).as_bytes());
    }
    let _ = writeln!(out, "{}: {}", source.file.display(), summary(&loaded));
    u8::from(loaded.config.is_none())
}

/// Colours are for a terminal that can show them, where nobody objects (<https://no-color.org>).
fn style(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Style {
    let objected = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let able = variable("TERM").is_some_and(|term| term != "dumb");
    if terminal && able && !objected { Style::Coloured } else { Style::Plain }
}

/// `2 errors, 1 warning`, or that all is well.
fn summary(loaded: &Loaded) -> String {
    let kinds = [Severity::Error, Severity::Warning, Severity::Note];
    let count = |severity| loaded.diagnostics.iter().filter(|said| said.severity == severity).count();
    let counts = kinds.map(|severity| (count(severity), severity.word()));
    let said: Vec<_> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| plural(*count, name)).collect();
    if said.is_empty() { "all is well".into() } else { said.join(", ") }
}

fn plural(count: usize, name: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {name}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_was_said_by_kind() {
        let loaded = config::load_text("events {}\nhttp {\n sendfile on;\n nonsense;\n more_nonsense;\n}\n");
        assert_eq!(summary(&loaded), "2 errors, 1 note");
    }

    #[test]
    fn colours_are_for_terminals_and_can_be_refused() {
        let style = |terminal, variables: &[(&str, &str)]| {
            style(terminal, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
        };
        assert_eq!(style(true, &[("TERM", "xterm")]), Style::Coloured);
        assert_eq!(style(true, &[("TERM", "xterm"), ("NO_COLOR", "")]), Style::Coloured);
        assert_eq!(style(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]), Style::Plain);
        assert_eq!(style(true, &[("TERM", "dumb")]), Style::Plain);
        assert_eq!(style(true, &[]), Style::Plain);
        assert_eq!(style(false, &[("TERM", "xterm")]), Style::Plain);
    }

    #[test]
    fn asks_for_exactly_one_file() {
        let read = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read("").unwrap_err(), "no file was given");
        assert_eq!(read("a b").unwrap_err(), "only one file can be checked at a time");
        assert_eq!(read("-x a").unwrap_err(), "unknown option \"-x\"");
        assert!(read("-p /p /x/a.conf").unwrap().is_some());
    }
}
