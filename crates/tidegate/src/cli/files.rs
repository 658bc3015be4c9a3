//! The disk, as `config` reads it: files whole, folders as lists of names. Not here: what the files say, and what a mask
//! of `include` stands for.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use config::{Files, Unreadable};

use crate::logs::error_log::errno;

/// The largest configuration file that is read, in bytes: a log file given by mistake must not fill the memory.
const MAX_FILE: u64 = 64 << 20;

/// The file system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unreadable> {
        whole(path).map_err(|error| unreadable(&error))
    }

    fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable> {
        names(folder).map_err(|error| unreadable(&error))
    }
}

fn whole(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    fs::read(path)
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// Something that is no folder has no names in it, as far as a mask goes.
fn unreadable(error: &io::Error) -> Unreadable {
    let missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    Unreadable { cause: errno(error), missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bytes_and_says_why_it_cannot() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a\u{e9}").unwrap();
        assert_eq!(Disk.read(&folder.path().join("a")).unwrap(), "a\u{e9}".as_bytes());
        let missing = Disk.read(&folder.path().join("b")).unwrap_err();
        assert_eq!(missing, Unreadable { cause: "2: No such file or directory".into(), missing: true });
        let no_file = Disk.read(folder.path()).unwrap_err();
        assert_eq!(no_file, Unreadable { cause: "21: Is a directory".into(), missing: false });
    }

    #[test]
    fn lists_names_and_takes_a_file_for_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        assert_eq!(Disk.list(folder.path()).unwrap(), ["a"]);
        assert!(Disk.list(&folder.path().join("a")).unwrap_err().missing);
    }
}
