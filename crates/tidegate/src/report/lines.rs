//! A stream as lines, a block at a time, without a copy of any but those that cross a block's end. Not here: where bytes
//! come from.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr_iter, memrchr};

/// Bytes read at once: large enough that calls cost nothing, small enough for a core's own cache. Of a longer line only
/// so much is read.
const BLOCK: usize = 256 * 1024;

/// Gives every line of `source` to `take`, without its end.
///
/// # Errors
/// What the source says.
pub(crate) fn each_line(source: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    let mut kept = 0;
    let mut skipping = false;
    loop {
        let read = read_some(source, &mut block[kept..])?;
        let filled = kept + read;
        if read == 0 {
            if kept > 0 && !skipping {
                take(without_return(&block[..kept]));
            }
            return Ok(());
        }
        let Some(last) = memrchr(b'\n', &block[kept..filled]).map(|place| kept + place) else {
            kept = filled;
            if kept == block.len() {
                // A line that fills the whole block: its start is taken, the rest left out.
                if !std::mem::replace(&mut skipping, true) {
                    take(&block);
                }
                kept = 0;
            }
            continue;
        };
        let mut start = 0;
        for end in memchr_iter(b'\n', &block[..=last]) {
            if !std::mem::take(&mut skipping) {
                take(without_return(&block[start..end]));
            }
            start = end + 1;
        }
        block.copy_within(start..filled, 0);
        kept = filled - start;
    }
}

fn read_some(source: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let many = self.1.min(into.len()).min(self.0.len());
            into[..many].copy_from_slice(&self.0[..many]);
            self.0 = &self.0[many..];
            Ok(many)
        }
    }

    fn lines(text: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        each_line(&mut Dribble(text, step), |line| lines.push(line.to_vec())).unwrap();
        lines
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(lines(b"a\r\n\nb", 2), [b"a".to_vec(), vec![], b"b".to_vec()]);
        assert_eq!(lines(b"a\n", 100), [b"a".to_vec()]);
        assert_eq!(lines(b"", 1), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_line_longer_than_a_block_is_cut_and_the_next_is_whole() {
        let mut text = vec![b'x'; BLOCK * 2 + 5];
        text.extend_from_slice(b"\nnext\n");
        let lines = lines(&text, 100_000);
        assert_eq!((lines.len(), lines[0].len(), lines[1].as_slice()), (2, BLOCK, &b"next"[..]));
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_bytes_arrive(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
            step in 1usize..50,
        ) {
            let mut expected: Vec<&[u8]> = text.split(|byte| *byte == b'\n').map(without_return).collect();
            if text.last().is_none_or(|last| *last == b'\n') {
                expected.pop();
            }
            prop_assert_eq!(lines(&text, step), expected);
        }
    }
}
