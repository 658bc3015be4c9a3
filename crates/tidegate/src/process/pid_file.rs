//! The pid file: how `-s` and service managers find the main process. Not here: the signals themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::logs::error_log::errno;

/// What nginx appends to the name while an old and a new binary run side by side.
const OLD_BINARY: &str = ".oldbin";

/// The file with this process's number. Removed when dropped.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    old_binary: bool,
}

impl PidFile {
    /// Writes the process's number, replacing what was there.
    ///
    /// # Errors
    /// nginx's words: `open() "PATH" failed (13: Permission denied)`.
    pub fn write(path: &Path) -> Result<Self, String> {
        fs::write(path, format!("{}\n", std::process::id())).map_err(|error| failed("open", path, &error))?;
        Ok(Self { path: path.to_owned(), old_binary: false })
    }

    /// Makes room for a new binary's file: this one becomes `PATH.oldbin`.
    ///
    /// # Errors
    /// The file cannot be renamed; nothing changed.
    pub fn become_old(&mut self) -> Result<(), String> {
        self.rename(true)
    }

    /// Takes the name back, after the new binary is gone.
    ///
    /// # Errors
    /// The file cannot be renamed; it stays `PATH.oldbin`.
    pub fn become_current(&mut self) -> Result<(), String> {
        self.rename(false)
    }

    /// The path as configured.
    pub fn configured(&self) -> &Path {
        &self.path
    }

    fn rename(&mut self, old_binary: bool) -> Result<(), String> {
        if self.old_binary == old_binary {
            return Ok(());
        }
        let from = self.place();
        self.old_binary = old_binary;
        let to = self.place();
        fs::rename(&from, &to).map_err(|error| {
            self.old_binary = !old_binary;
            format!("rename \"{}\" to \"{}\" failed ({})", from.display(), to.display(), errno(&error))
        })
    }

    fn place(&self) -> PathBuf {
        if !self.old_binary {
            return self.path.clone();
        }
        let mut name = self.path.clone().into_os_string();
        name.push(OLD_BINARY);
        name.into()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file that is gone already is as wanted; any other failure leaves a file that the next start replaces.
        let _ = fs::remove_file(self.place());
    }
}

/// Whether the file could be written, for `-t`; leaves nothing behind that was not there.
///
/// # Errors
/// As [`PidFile::write`].
pub fn check(path: &Path) -> Result<(), String> {
    let existed = path.exists();
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| failed("open", path, &error))?;
    if !existed {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// The process's number in a pid file.
///
/// # Errors
/// nginx's words: the file cannot be opened, or `invalid PID number "x" in "PATH"`.
pub fn read(path: &Path) -> Result<i32, String> {
    let text = fs::read(path).map_err(|error| failed("open", path, &error))?;
    let text = String::from_utf8_lossy(&text);
    let number = text.trim_end_matches(['\r', '\n']);
    let invalid = || format!("invalid PID number \"{number}\" in \"{}\"", path.display());
    let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if all_digits { number.parse().ok() } else { None };
    parsed.filter(|number| *number > 0).ok_or_else(invalid)
}

fn failed(call: &str, path: &Path, error: &io::Error) -> String {
    format!("{call}() \"{}\" failed ({})", path.display(), errno(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_number_and_goes_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let file = PidFile::write(&path).unwrap();
        assert_eq!(read(&path), Ok(std::process::id().cast_signed()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn an_old_binary_leaves_the_new_ones_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let mut old = PidFile::write(&path).unwrap();
        old.become_old().unwrap();
        let _new = PidFile::write(&path).unwrap();
        assert!(folder.path().join("pid.oldbin").exists());
        drop(old);
        assert!(path.exists());
        assert!(!folder.path().join("pid.oldbin").exists());
    }

    #[test]
    fn an_old_binary_takes_its_name_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let mut old = PidFile::write(&path).unwrap();
        old.become_old().unwrap();
        old.become_current().unwrap();
        assert!(path.exists());
        assert!(!folder.path().join("pid.oldbin").exists());
    }

    #[test]
    fn says_what_is_wrong_in_nginx_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let shown = path.display();
        let missing = format!("open() \"{shown}\" failed (2: No such file or directory)");
        assert_eq!(read(&path), Err(missing));
        for (text, number) in [("", ""), ("12x\n", "12x"), ("0\n", "0"), ("99999999999\n", "99999999999")] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), Err(format!("invalid PID number \"{number}\" in \"{shown}\"")));
        }
    }

    #[test]
    fn a_check_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        check(&path).unwrap();
        assert!(!path.exists());
        fs::write(&path, "7\n").unwrap();
        check(&path).unwrap();
        assert_eq!(read(&path), Ok(7));
        assert!(check(&folder.path().join("no/pid")).is_err());
    }
}
