//! Files, compressed files and standard input as jobs that threads can count apart. Not here: what is counted.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use memchr::memchr;

use super::findings::Source;
use super::layout::Layout;
use super::sniff::Form;

/// Bytes of a file's start that tell the form of its lines.
const SAMPLE: u64 = 64 * 1024;
/// Lines of it that are looked at.
const SAMPLE_LINES: usize = 200;
/// A smaller part is not worth a thread of its own.
const LEAST_PART: u64 = 8 * 1024 * 1024;
/// What a gzip file starts with (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes to be counted, and the form of their lines.
pub(super) struct Job {
    pub(super) form: Form,
    bytes: Bytes,
}

enum Bytes {
    /// From here to there, both at the start of a line.
    Part(Arc<File>, u64, u64),
    /// Compressed, from the start.
    Gzip(File),
    /// What was read to look at it, and the rest.
    Stream(Cursor<Vec<u8>>, Box<dyn Read + Send>),
}

/// What was opened.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) jobs: Vec<Job>,
    pub(super) sources: Vec<Source>,
    /// Bytes in all, as far as they are known.
    pub(super) size: u64,
}

impl Inputs {
    /// Opens a file; `-` is standard input. Large files are split into as many parts as there are threads.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub(super) fn open(&mut self, name: &str, formats: &[(String, Layout)], threads: usize) -> io::Result<()> {
        if name == "-" {
            return self.stream(name, Box::new(io::stdin()), formats);
        }
        let file = File::open(name)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        if !metadata.is_file() {
            return self.stream(name, Box::new(file), formats);
        }
        let size = metadata.len();
        let mut start = [0; 2];
        if file.read_at(&mut start, 0)? == 2 && start == GZIP {
            let sample = sample(MultiGzDecoder::new(Positioned::new(&file, 0, size)))?;
            return self.add(name, size, &sample, formats, |form| vec![Job { form, bytes: Bytes::Gzip(file) }]);
        }
        let sample = sample(Positioned::new(&file, 0, size))?;
        let cuts = cuts(&file, size, threads)?;
        let file = Arc::new(file);
        let part =
            |form: &Form, pair: &[u64]| Job { form: form.clone(), bytes: Bytes::Part(file.clone(), pair[0], pair[1]) };
        self.add(name, size, &sample, formats, |form| cuts.windows(2).map(|pair| part(&form, pair)).collect())
    }

    fn stream(&mut self, name: &str, mut rest: Box<dyn Read + Send>, formats: &[(String, Layout)]) -> io::Result<()> {
        let mut start = sample(&mut rest)?;
        if start.starts_with(&GZIP) {
            rest = Box::new(MultiGzDecoder::new(Cursor::new(start).chain(rest)));
            start = sample(&mut rest)?;
        }
        let look = start.clone();
        self.add(name, 0, &look, formats, |form| vec![Job { form, bytes: Bytes::Stream(Cursor::new(start), rest) }])
    }

    fn add(
        &mut self,
        name: &str,
        bytes: u64,
        sample: &[u8],
        formats: &[(String, Layout)],
        jobs: impl FnOnce(Form) -> Vec<Job>,
    ) -> io::Result<()> {
        let lines: Vec<&[u8]> = whole_lines(sample).take(SAMPLE_LINES).collect();
        let found = Form::of(&lines, formats);
        let form = found.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
        let name = Path::new(name).display().to_string();
        self.sources.push(Source { name, form, bytes });
        if let Some((form, _)) = found {
            self.size += bytes;
            self.jobs.extend(jobs(form));
        }
        Ok(())
    }
}

fn sample(source: impl Read) -> io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    match source.take(SAMPLE).read_to_end(&mut sample) {
        // What a compressed log that is cut short holds is looked at all the same.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof || sample.is_empty() => Err(error),
        _ => Ok(sample),
    }
}

/// The lines of a sample, its last one left out if it may have been cut.
fn whole_lines(sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let cut = sample.len() as u64 == SAMPLE;
    let end = if cut { memchr::memrchr(b'\n', sample).unwrap_or(sample.len()) } else { sample.len() };
    sample[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Where a file is cut: at ends of lines.
fn cuts(file: &File, size: u64, threads: usize) -> io::Result<Vec<u64>> {
    let parts = (size / LEAST_PART).clamp(1, threads.max(1) as u64);
    let mut cuts = vec![0];
    for part in 1..parts {
        let cut = end_of_line(file, size / parts * part, size)?;
        if cut > *cuts.last().unwrap_or(&0) && cut < size {
            cuts.push(cut);
        }
    }
    cuts.push(size);
    Ok(cuts)
}

/// Behind the first end of a line from `at` on.
fn end_of_line(file: &File, at: u64, size: u64) -> io::Result<u64> {
    let mut block = [0; 4096];
    let mut at = at;
    while at < size {
        let read = file.read_at(&mut block, at)?;
        if read == 0 {
            break;
        }
        if let Some(end) = memchr(b'\n', &block[..read]) {
            return Ok(at + end as u64 + 1);
        }
        at += read as u64;
    }
    Ok(size)
}

impl Job {
    /// Its bytes, uncompressed; what is read of them from the file is added to `done`.
    pub(super) fn open(self, done: &AtomicU64) -> (Form, Box<dyn Read + '_>) {
        let reader: Box<dyn Read + '_> = match self.bytes {
            Bytes::Part(file, from, to) => Box::new(Counted(Positioned::new(file, from, to), done)),
            Bytes::Gzip(file) => Box::new(MultiGzDecoder::new(Counted(Positioned::new(file, 0, u64::MAX), done))),
            Bytes::Stream(start, rest) => Box::new(start.chain(Counted(rest, done))),
        };
        (self.form, reader)
    }
}

/// Reads a file from one place to another, wherever others read it.
struct Positioned<F> {
    file: F,
    at: u64,
    end: u64,
}

impl<F> Positioned<F> {
    fn new(file: F, at: u64, end: u64) -> Self {
        Self { file, at, end }
    }
}

impl<F: std::borrow::Borrow<File>> Read for Positioned<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.borrow().read_at(&mut into[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Counts what is read.
struct Counted<'a, R>(R, &'a AtomicU64);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
