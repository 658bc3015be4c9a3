//! The disk, as `config` reads it: files whole, patterns of `include` expanded. Not here: what the files say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};

/// The largest configuration file that is read, in bytes: a log file given by mistake must not fill the memory.
const MAX_FILE: u64 = 64 << 20;

/// The file system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk;

impl Disk {
    /// A whole file.
    ///
    /// # Errors
    /// It cannot be read, is a directory, or is larger than `MAX_FILE`.
    pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
        if fs::metadata(path)?.len() > MAX_FILE {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        fs::read(path)
    }

    /// The paths that a pattern stands for, in order of name, as glob(3) gives them to nginx. A path without
    /// wildcards stands for itself, there or not.
    ///
    /// # Errors
    /// The pattern is malformed, or a directory on its way cannot be read.
    #[allow(dead_code, reason = "`include` is to read through it")]
    pub(super) fn expand(pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let text = pattern.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return Ok(vec![pattern.to_owned()]);
        }
        let options =
            MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
        Pattern::new(&text).map_err(io::Error::other)?;
        let paths = glob_with(&text, options).map_err(io::Error::other)?;
        let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(io::Error::from)?;
        paths.sort();
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), name).unwrap();
        }
        folder
    }

    fn expanded(folder: &Path, pattern: &str) -> Vec<String> {
        let paths = Disk::expand(&folder.join(pattern)).unwrap();
        paths.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn patterns_find_names_in_order_and_no_hidden_ones() {
        let folder = folder(&["b.conf", "a.conf", ".c.conf", "d.txt"]);
        assert_eq!(expanded(folder.path(), "*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(expanded(folder.path(), "[bd].*"), ["b.conf", "d.txt"]);
        assert_eq!(expanded(folder.path(), "*.none"), [""; 0]);
    }

    #[test]
    fn a_plain_path_stands_for_itself() {
        let folder = folder(&[]);
        assert_eq!(expanded(folder.path(), "missing.conf"), ["missing.conf"]);
    }

    #[test]
    fn reads_bytes_and_reports_what_it_cannot() {
        let folder = folder(&["a"]);
        assert_eq!(Disk::read(&folder.path().join("a")).unwrap(), b"a");
        let error = Disk::read(&folder.path().join("b")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(2));
        assert!(Disk::read(folder.path()).is_err());
    }
}
