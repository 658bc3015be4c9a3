//! Counting: jobs are shared among threads, and their tallies merged in the order of the jobs, so that a report of the same
//! files says the same. Not here: what is counted.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::input::Job;
use super::lines::each_line;
use super::progress::Progress;
use super::row::Reader;
use super::tally::Tally;
use super::top::Merge;

/// Counts all jobs with `threads` threads. `size` is what they have in bytes together, for the bar that a terminal shows.
///
/// # Errors
/// The first job that cannot be read, after the others were.
pub(super) fn count(jobs: Vec<Job>, size: u64, threads: usize, offset: i64) -> io::Result<Tally> {
    let done = AtomicU64::new(0);
    let next = AtomicUsize::new(0);
    let jobs: Vec<Mutex<Option<Job>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let (sender, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let sender = sender.clone();
            let (jobs, next, done) = (&jobs, &next, &done);
            scope.spawn(move || {
                while let Some((at, job)) = take(jobs, next) {
                    // The receiver lives until all are done.
                    let _ = sender.send((at, one(job, done, offset)));
                }
            });
        }
        drop(sender);
        let progress = Progress::new(size, io::stderr().is_terminal());
        merged(&results, &done, progress)
    })
}

fn take(jobs: &[Mutex<Option<Job>>], next: &AtomicUsize) -> Option<(usize, Job)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    let job = jobs.get(at)?.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()?;
    Some((at, job))
}

fn one(job: Job, done: &AtomicU64, offset: i64) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let (form, mut bytes) = job.open(done);
    let mut reader = Reader::new(offset);
    match each_line(&mut bytes, |line| tally.take(&form, line, &mut reader)) {
        // A log that is still being compressed, or whose disk was full: what there is of it counts.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => tally.cut_short += 1,
        result => result?,
    }
    Ok(tally)
}

/// Merges results as soon as those before them are there.
fn merged(
    results: &mpsc::Receiver<(usize, io::Result<Tally>)>,
    done: &AtomicU64,
    mut progress: Progress,
) -> io::Result<Tally> {
    let mut waiting = std::collections::BTreeMap::new();
    let (mut all, mut next, mut failed) = (None::<Tally>, 0, None);
    loop {
        match results.recv_timeout(Progress::PAUSE) {
            Ok((at, result)) => {
                waiting.insert(at, result);
                while let Some(result) = waiting.remove(&next) {
                    next += 1;
                    match (result, &mut all) {
                        (Ok(tally), Some(all)) => all.merge(tally),
                        (Ok(tally), None) => all = Some(tally),
                        (Err(error), _) => failed = failed.or(Some(error)),
                    }
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => progress.show(done.load(Ordering::Relaxed)),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    progress.end();
    failed.map_or_else(|| Ok(all.unwrap_or_default()), Err)
}
