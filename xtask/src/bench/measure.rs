//! What a process and its descendants cost, read from `/proc`: CPU time, and resident memory; and
//! how busy a core was.
//!
//! The kernel's own memory (socket buffers, page tables) is in no process's figures and therefore
//! not here.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The process `root` and its descendants, as they are now.
fn tree(root: u32) -> io::Result<Vec<u32>> {
    let parents: Vec<(u32, u32)> = numbered_entries(Path::new("/proc"))?
        .filter_map(|process| Some((process, parent_of(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)?)))
        .collect();
    let mut members = vec![root];
    let mut next = 0;
    while let Some(&member) = members.get(next) {
        members.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(process, _)| *process));
        next += 1;
    }
    Ok(members)
}

fn numbered_entries(directory: &Path) -> io::Result<impl Iterator<Item = u32>> {
    let entries = fs::read_dir(directory)?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// The fourth field of `/proc/PID/stat`; the second is the program's name in parentheses, which may
/// hold anything.
fn parent_of(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The CPU time that all threads of the tree have used. Threads that ended are not counted any
/// more.
pub(crate) fn cpu_time(root: u32) -> io::Result<Duration> {
    let mut total = 0;
    for process in tree(root)? {
        let tasks = format!("/proc/{process}/task");
        for task in numbered_entries(Path::new(&tasks))? {
            // A thread may end between the listing and the reading.
            let schedstat = fs::read_to_string(format!("{tasks}/{task}/schedstat")).unwrap_or_default();
            total += nanoseconds_run(&schedstat);
        }
    }
    Ok(Duration::from_nanos(total))
}

/// The first field of `schedstat`: nanoseconds on a CPU (Linux,
/// Documentation/scheduler/sched-stats.rst).
fn nanoseconds_run(schedstat: &str) -> u64 {
    schedstat.split_ascii_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// How long `core` was not idle since boot, whoever used it, in clock ticks' precision (10 ms).
pub(crate) fn core_busy(core: usize) -> io::Result<Duration> {
    let ticks = busy_ticks(&fs::read_to_string("/proc/stat")?, core).unwrap_or(0);
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}

/// Of a core's line, all but `idle` and `iowait`; what follows `steal` is counted in `user` already
/// (proc_stat(5)).
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core} ");
    let fields = stat.lines().find_map(|line| line.strip_prefix(&name))?.split_ascii_whitespace();
    let ticks = fields.take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    ticks.map(|(_, field)| field.parse::<u64>().ok()).sum()
}

/// The resident memory of the tree, in bytes; pages that its processes share count once for each.
pub(crate) fn resident(root: u32) -> io::Result<u64> {
    let mut total = 0;
    for process in tree(root)? {
        // `statm` and `status` are only exact to some pages a core.
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        total += kilobytes(&rollup, "Rss:").unwrap_or(0) * 1024;
    }
    Ok(total)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_program_name() {
        assert_eq!(parent_of("42 (nginx) S 7 42 42 0"), Some(7));
        assert_eq!(parent_of("42 (a) b (c) ) R 8 42"), Some(8));
    }

    #[test]
    fn this_process_is_in_its_own_tree_and_has_used_cpu_and_memory() {
        let own = std::process::id();
        assert!(tree(own).is_ok_and(|members| members.contains(&own)));
        assert!(resident(own).is_ok_and(|bytes| bytes > 0));
        assert!(cpu_time(own).is_ok());
    }

    #[test]
    fn schedstat_counts_its_first_field() {
        assert_eq!(nanoseconds_run("1234500552 8665694 35\n"), 1_234_500_552);
    }

    #[test]
    fn a_core_is_busy_when_it_neither_idles_nor_waits_for_a_disk() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu1 9 9 9 9 9 9 9 9 9 9\ncpu11 1 2 3 1000 1000 4 5 6 7 8\n";
        assert_eq!(busy_ticks(stat, 11), Some(21));
        assert_eq!(busy_ticks(stat, 2), None);
    }

    #[test]
    fn resident_memory_is_the_rss_line() {
        assert_eq!(kilobytes("55d0-7ffc ---p 00 [rollup]\nRss:      1264 kB\nPss:  99 kB\n", "Rss:"), Some(1264));
    }
}
