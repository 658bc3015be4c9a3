//! A request body that is kept, so that it can be sent again: in memory up to a bound, in a temporary file beyond it.
//! Not here: how it is read from a client or written to an endpoint.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::buffer::LARGE;

/// A complete request body, or one that grows until it is complete.
#[derive(Default)]
pub(crate) struct Kept {
    memory: Vec<u8>,
    /// Nameless: it goes with its last handle. Holds everything once there is one.
    file: Option<File>,
    len: u64,
}

impl Kept {
    /// A body of no bytes.
    pub(crate) const EMPTY: Self = Self { memory: Vec::new(), file: None, len: 0 };

    /// A body from bytes at hand.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len() as u64, memory: bytes, file: None }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Its bytes if it lies in memory; empty if it lies in a file.
    pub(crate) fn in_memory(&self) -> &[u8] {
        &self.memory
    }

    /// Adds bytes and leaves `bytes` to be filled anew; beyond `bound` bytes in memory everything moves to a file in
    /// `directory`. True if it did so now.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub(crate) fn append(&mut self, bytes: &mut Vec<u8>, bound: usize, directory: &Path) -> io::Result<bool> {
        let moves = self.file.is_none() && self.memory.len() + bytes.len() > bound;
        if moves {
            let mut file = temporary_file(directory)?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        self.len += bytes.len() as u64;
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None if self.memory.is_empty() => std::mem::swap(&mut self.memory, bytes),
            None => self.memory.extend_from_slice(bytes),
        }
        bytes.clear();
        Ok(moves)
    }

    /// Appends a piece from offset `at` to `out`; the number of bytes appended, 0 at the end.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than what was written to it.
    pub(crate) fn read_at(&self, at: u64, out: &mut Vec<u8>) -> io::Result<usize> {
        let Some(file) = &self.file else {
            let rest = self.memory.get(at as usize..).unwrap_or_default();
            out.extend_from_slice(rest);
            return Ok(rest.len());
        };
        let count = (self.len - at).min(LARGE as u64) as usize;
        let from = out.len();
        out.resize(from + count, 0);
        file.read_exact_at(&mut out[from..], at)?;
        Ok(count)
    }
}

fn temporary_file(directory: &Path) -> io::Result<File> {
    tempfile::tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(kept: &Kept) -> Vec<u8> {
        let mut out = Vec::new();
        while kept.read_at(out.len() as u64, &mut out).unwrap() > 0 {}
        out
    }

    #[test]
    fn a_body_within_the_bound_stays_in_memory() {
        let mut kept = Kept::default();
        kept.append(&mut b"abc".to_vec(), 4, Path::new("/nonexistent")).unwrap();
        assert_eq!((kept.in_memory(), kept.len()), (b"abc".as_slice(), 3));
        assert_eq!(read_all(&kept), b"abc");
    }

    #[test]
    fn a_body_beyond_the_bound_moves_to_a_file_and_can_be_read_twice() {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::default();
        let moved = [(); 3].map(|()| kept.append(&mut vec![b'x'; 50_000], 60_000, directory.path()).unwrap());
        assert_eq!(moved, [false, true, false]);
        assert!(kept.in_memory().is_empty());
        assert_eq!(read_all(&kept), [b'x'; 150_000]);
        assert_eq!(read_all(&kept).len(), 150_000);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");
    }
}
