//! The only place that touches files: open, and look. Not here: reading, and what a failure means for the client.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// What is behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Regular,
    Directory,
    /// A pipe, a device, a socket.
    Other,
}

/// A file that was opened for reading, and what it was at that moment.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) kind: Kind,
    /// In bytes.
    pub(super) size: u64,
    /// The last change, in seconds since 1970.
    pub(super) modified: i64,
}

/// A call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DiskError {
    /// As nginx names it in its log: `open()`, `stat()`.
    call: &'static str,
    errno: Errno,
}

/// Opens a file and looks at what was opened, so that nothing can change in between. A pipe does not block the call.
pub(super) fn open(path: &[u8]) -> Result<Opened, DiskError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd =
        rustix::fs::open(as_path(path), flags, Mode::empty()).map_err(|errno| DiskError { call: "open()", errno })?;
    let stat = rustix::fs::fstat(&fd).map_err(|errno| DiskError { call: "fstat()", errno })?;
    Ok(Opened {
        file: File::from(fd),
        kind: kind(&stat),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: stat.st_mtime,
    })
}

/// Looks at what is behind a name.
pub(super) fn look(path: &[u8]) -> Result<Kind, DiskError> {
    rustix::fs::stat(as_path(path)).map(|stat| kind(&stat)).map_err(|errno| DiskError { call: "stat()", errno })
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::Regular,
        FileType::Directory => Kind::Directory,
        _ => Kind::Other,
    }
}

impl DiskError {
    /// There is no such name.
    pub(super) fn is_absent(self) -> bool {
        self.errno == Errno::NOENT
    }

    /// There can be no such name: what should be a directory is none, or the name is too long.
    pub(super) fn is_impossible(self) -> bool {
        matches!(self.errno, Errno::NOTDIR | Errno::NAMETOOLONG)
    }

    /// The system forbids it.
    pub(super) fn is_denied(self) -> bool {
        self.errno == Errno::ACCESS
    }

    /// Symbolic links go in a circle.
    pub(super) fn is_loop(self) -> bool {
        matches!(self.errno, Errno::MLINK | Errno::LOOP)
    }

    /// nginx's log phrase: `open() "/x" failed (2: No such file or directory)`.
    pub(super) fn phrase(self, path: &[u8]) -> String {
        let path = String::from_utf8_lossy(path);
        format!("{} \"{path}\" failed {self}", self.call)
    }
}

/// The number and the text, as nginx appends them.
impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.errno.raw_os_error();
        let text = io::Error::from_raw_os_error(number).to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        write!(f, "({number}: {text})")
    }
}

#[cfg(test)]
impl DiskError {
    pub(super) fn of(call: &'static str, errno: Errno) -> Self {
        Self { call, errno }
    }
}
