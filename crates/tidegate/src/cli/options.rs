//! nginx's command line, read as nginx reads it: letters may be joined (`-tq`), values may touch (`-cFILE`).
//! Not here: what the options do, and the subcommands that nginx does not have.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-?`, `-h`, `-v`, `-V`: say which program this is; nginx then goes on only for `-t`.
    pub(super) version: bool,
    /// `-?`, `-h`.
    pub(super) help: bool,
    /// `-V`.
    pub(super) configure: bool,
    /// `-t`, `-T`.
    pub(super) test: bool,
    /// `-T`.
    pub(super) dump: bool,
    /// `-q`.
    pub(super) quiet: bool,
    /// `-p`.
    pub(super) prefix: Option<PathBuf>,
    /// `-c`.
    pub(super) file: Option<PathBuf>,
    /// `-e`.
    pub(super) error_log: Option<PathBuf>,
    /// `-g`.
    pub(super) globals: Option<String>,
    /// `-s`.
    pub(super) signal: Option<Command>,
}

/// A word of `-s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Ends at once.
    Stop,
    /// Ends after what is asked is answered.
    Quit,
    /// Opens the logs anew.
    Reopen,
    /// Reads the configuration anew.
    Reload,
}

impl Command {
    fn named(word: &[u8]) -> Option<Self> {
        match word {
            b"stop" => Some(Command::Stop),
            b"quit" => Some(Command::Quit),
            b"reopen" => Some(Command::Reopen),
            b"reload" => Some(Command::Reload),
            _ => None,
        }
    }
}

/// Reads the words after the program's.
///
/// # Errors
/// nginx's words, without the program's name in front.
pub(super) fn parse(words: &[OsString]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words.iter().map(OsString::as_os_str);
    while let Some(word) = words.next() {
        let Some(letters) = word.as_bytes().strip_prefix(b"-") else {
            return Err(format!("invalid option: \"{}\"", word.to_string_lossy()));
        };
        options.take_word(letters, &mut words)?;
    }
    Ok(options)
}

impl Options {
    fn take_word<'a>(&mut self, letters: &[u8], next: &mut impl Iterator<Item = &'a OsStr>) -> Result<(), String> {
        for (index, letter) in letters.iter().enumerate() {
            if self.take_flag(*letter) {
                continue;
            }
            let touching = letters.get(index + 1..).filter(|rest| !rest.is_empty());
            let mut value = || touching.map(OsStr::from_bytes).or_else(|| next.next());
            return self.take_value(*letter, &mut value);
        }
        Ok(())
    }

    /// True if the letter stands for itself.
    fn take_flag(&mut self, letter: u8) -> bool {
        match letter {
            b'?' | b'h' => (self.version, self.help) = (true, true),
            b'v' => self.version = true,
            b'V' => (self.version, self.configure) = (true, true),
            b't' => self.test = true,
            b'T' => (self.test, self.dump) = (true, true),
            b'q' => self.quiet = true,
            _ => return false,
        }
        true
    }

    fn take_value<'a>(&mut self, letter: u8, value: &mut impl FnMut() -> Option<&'a OsStr>) -> Result<(), String> {
        let mut required = |what: &str| {
            let missing = || format!("option \"-{}\" requires {what}", char::from(letter));
            value().map(OsStr::to_owned).ok_or_else(missing)
        };
        match letter {
            b'p' => self.prefix = Some(required("directory name")?.into()),
            b'c' => self.file = Some(required("file name")?.into()),
            b'e' => self.error_log = Some(required("file name")?.into()),
            b'g' => self.globals = Some(required("parameter")?.to_string_lossy().into_owned()),
            b's' => self.signal = Some(signal(required("parameter")?)?),
            other => return Err(format!("invalid option: \"{}\"", char::from(other))),
        }
        Ok(())
    }
}

fn signal(word: OsString) -> Result<Command, String> {
    let word = word.into_vec();
    let invalid = || format!("invalid option: \"-s {}\"", String::from_utf8_lossy(&word));
    Command::named(&word).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn letters_may_be_joined() {
        let joined = read("-tq").unwrap();
        assert_eq!(joined, read("-t -q").unwrap());
        assert!(joined.test && joined.quiet && !joined.dump);
    }

    #[test]
    fn values_may_touch_or_follow() {
        let touching = read("-tc/x/n.conf -p/x -sreload").unwrap();
        assert_eq!(touching, read("-t -c /x/n.conf -p /x -s reload").unwrap());
        assert_eq!(touching.file, Some("/x/n.conf".into()));
        assert_eq!(touching.signal, Some(Command::Reload));
    }

    #[test]
    fn the_last_of_a_repeated_option_counts() {
        assert_eq!(read("-c a -c b").unwrap().file, Some("b".into()));
    }

    #[test]
    fn help_and_configure_imply_the_version() {
        for line in ["-h", "-?", "-V", "-v"] {
            assert!(read(line).unwrap().version, "{line}");
        }
    }

    #[test]
    fn a_dump_is_a_test() {
        assert!(read("-T").unwrap().test);
    }

    #[test]
    fn says_what_is_missing_or_unknown_in_nginx_words() {
        let cases = [
            ("-x", "invalid option: \"x\""),
            ("-tz", "invalid option: \"z\""),
            ("word", "invalid option: \"word\""),
            ("-s kill", "invalid option: \"-s kill\""),
            ("-p", "option \"-p\" requires directory name"),
            ("-c", "option \"-c\" requires file name"),
            ("-e", "option \"-e\" requires file name"),
            ("-g", "option \"-g\" requires parameter"),
            ("-s", "option \"-s\" requires parameter"),
        ];
        for (line, message) in cases {
            assert_eq!(read(line), Err(message.to_owned()), "{line}");
        }
    }
}
