//! What reaches the files, and when.

use std::fs;
use std::time::Instant;

use super::*;

const NOW: Buffering = Buffering { size: None, flush: None };
/// Long enough that only a broken writer exceeds it.
const SOON: Duration = Duration::from_secs(10);

struct Place {
    folder: tempfile::TempDir,
    logs: Logs,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), logs: Logs::start().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, name: &str, buffering: Buffering) -> Sink {
        self.logs.open(Target::Path(&self.path(name)), buffering).unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Waits until the file has this text; what it has at last, if it never does.
    fn wait_for(&self, name: &str, text: &str) -> String {
        let start = Instant::now();
        while self.text(name) != text && start.elapsed() < SOON {
            std::thread::yield_now();
        }
        self.text(name)
    }
}

#[test]
fn a_line_appears_without_being_asked_for() {
    let place = Place::new();
    place.open("a", NOW).append(b"one\n");
    assert_eq!(place.wait_for("a", "one\n"), "one\n");
}

#[test]
fn lines_after_a_sleep_appear_too() {
    let place = Place::new();
    let sink = place.open("a", NOW);
    let mut expected = String::new();
    for number in 0..20 {
        sink.append(format!("{number}\n").as_bytes());
        expected.push_str(&format!("{number}\n"));
        assert_eq!(place.wait_for("a", &expected), expected);
    }
}

#[test]
fn lines_are_appended_to_what_is_there() {
    let place = Place::new();
    fs::write(place.path("a"), "old\n").unwrap();
    place.open("a", NOW).append(b"new\n");
    place.logs.flush();
    assert_eq!(place.text("a"), "old\nnew\n");
}

#[test]
fn buffered_lines_wait_until_the_buffer_is_full() {
    let place = Place::new();
    let sink = place.open("a", Buffering { size: Some(10), flush: None });
    let other = place.open("b", NOW);
    sink.append(b"12345\n");
    // The writer has passed by for the other file, and left this one alone.
    other.append(b"x\n");
    place.wait_for("b", "x\n");
    assert_eq!(place.text("a"), "");
    sink.append(b"6789\n");
    assert_eq!(place.wait_for("a", "12345\n6789\n"), "12345\n6789\n");
}

#[test]
fn buffered_lines_are_written_when_their_time_is_over() {
    let place = Place::new();
    let flush = Some(Duration::from_millis(30));
    let sink = place.open("a", Buffering { size: Some(1 << 20), flush });
    let start = Instant::now();
    sink.append(b"x\n");
    assert_eq!(place.wait_for("a", "x\n"), "x\n");
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn flush_writes_what_a_buffer_holds_back() {
    let place = Place::new();
    let sink = place.open("a", Buffering { size: Some(1 << 20), flush: None });
    sink.append(b"x\n");
    place.logs.flush();
    assert_eq!(place.text("a"), "x\n");
}

#[test]
fn the_last_sink_writes_what_its_buffer_held() {
    let place = Place::new();
    place.open("a", Buffering { size: Some(1 << 20), flush: None }).append(b"x\n");
    assert_eq!(place.wait_for("a", "x\n"), "x\n");
}

#[test]
fn the_end_of_the_logs_writes_everything() {
    let place = Place::new();
    let sink = place.open("a", Buffering { size: Some(1 << 20), flush: None });
    sink.append(b"x\n");
    let Place { folder, logs } = place;
    drop(logs);
    assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "x\n");
}

#[test]
fn lines_of_many_threads_stay_whole() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let sink = place.open("a", NOW);
            scope.spawn(move || (0..500).for_each(|n| sink.append(format!("{thread}:{n};\n").as_bytes())));
        }
    });
    place.logs.flush();
    let text = place.text("a");
    assert_eq!(text.lines().count(), 2000);
    let mut of_one = text.lines().filter(|line| line.starts_with("2:"));
    assert!((0..500).all(|n| of_one.next() == Some(&format!("2:{n};"))));
}

#[test]
fn one_path_is_opened_once() {
    let place = Place::new();
    let (_one, _two) = (place.open("a", NOW), place.open("a", NOW));
    assert_eq!(place.logs.shared.registry.lock().len(), 1);
}

#[test]
fn a_file_that_nobody_writes_to_is_closed() {
    let place = Place::new();
    drop(place.open("a", NOW));
    place.logs.flush();
    assert_eq!(place.logs.shared.registry.in_use().len(), 0);
}

#[test]
fn reopen_follows_a_rotation() {
    let place = Place::new();
    let sink = place.open("a", Buffering { size: Some(1 << 20), flush: None });
    sink.append(b"before\n");
    fs::rename(place.path("a"), place.path("a.1")).unwrap();
    assert!(place.logs.reopen(None).is_empty());
    sink.append(b"after\n");
    place.logs.flush();
    assert_eq!((place.text("a.1"), place.text("a")), ("before\n".into(), "after\n".into()));
}

#[test]
fn a_failed_reopen_keeps_the_old_file_and_says_which() {
    let place = Place::new();
    fs::create_dir(place.path("d")).unwrap();
    let sink = place.open("d/a", NOW);
    fs::rename(place.path("d"), place.path("e")).unwrap();
    let errors = place.logs.reopen(None);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].0, place.path("d/a"));
    assert_eq!(errors[0].1.kind(), io::ErrorKind::NotFound);
    sink.append(b"x\n");
    place.logs.flush();
    assert_eq!(place.text("e/a"), "x\n");
}

#[test]
fn reopen_gives_new_files_to_the_owner() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root may give files away.
    }
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let _sink = place.open("a", NOW);
    assert!(place.logs.reopen(Some(65534)).is_empty());
    assert_eq!(fs::metadata(place.path("a")).unwrap().uid(), 65534);
}

#[test]
fn a_missing_folder_is_an_error_at_once() {
    let place = Place::new();
    let error = place.logs.open(Target::Path(&place.path("no/such")), NOW).err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

/// A pipe that nobody reads stands for a disk that does not keep up.
fn stuck_pipe(place: &Place) -> (fs::File, Sink) {
    let path = place.path("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let reader = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    (reader, place.open("pipe", NOW))
}

#[test]
fn a_stuck_file_costs_lines_and_never_time_and_says_how_many() {
    use std::io::{BufRead, BufReader};
    let place = Place::new();
    let (reader, sink) = stuck_pipe(&place);
    let line = [&[b'x'; 1023][..], b"\n"].concat();
    let appended = 3 * MAX_PENDING / line.len();
    for _ in 0..appended {
        sink.append(&line);
    }
    assert!(sink.file.pending_len() <= MAX_PENDING);
    let mut reader = BufReader::new(reader);
    let (mut written, mut lost) = (0, 0);
    // What is lost before the writer comes round again is said at once, the rest the next time.
    while written + lost < appended {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.split_once(" log lines were lost here: the file did not keep up") {
            Some((before, _)) => lost += before.rsplit(' ').next().unwrap().parse::<usize>().unwrap(),
            None => written += 1,
        }
    }
    assert_eq!(written + lost, appended);
    assert!(lost > 0);
}
