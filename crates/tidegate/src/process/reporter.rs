//! What the main process has to say, to the error log and, while somebody watches, to standard error in nginx's form.
//! Not here: what requests have to say.

use std::path::{Path, PathBuf};

use config::model::{ErrorLog, Level, LogFile};

use crate::logs::error_log::{Context, errno};
use crate::logs::{Buffering, ErrorLogs, Logs, Target};

/// Says things at a level.
pub(super) struct Reporter {
    program: String,
    logs: ErrorLogs,
    /// The first error log that is a file: it takes standard error's place in the background.
    first_file: Option<PathBuf>,
    writes_to_stderr: bool,
    /// Somebody started this by hand and reads standard error; over once a background process serves.
    watched: bool,
}

impl Reporter {
    /// Speaks as `program` before any log is open.
    pub(super) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            logs: ErrorLogs::default(),
            first_file: None,
            writes_to_stderr: false,
            watched: true,
        }
    }

    /// Writes to these logs from now on.
    ///
    /// # Errors
    /// nginx's words: `open() "PATH" failed (13: Permission denied)`. Nothing changed then.
    pub(super) fn open(&mut self, logs: &Logs, wanted: &[ErrorLog]) -> Result<(), String> {
        let mut sinks = Vec::new();
        for log in wanted {
            let target = match &log.file {
                LogFile::Path(path) => Target::Path(path),
                LogFile::Stderr => Target::Stderr,
                // Only access logs have variables in their names.
                LogFile::Template(_) => continue,
            };
            let sink = logs.open(target, Buffering::default()).map_err(|error| match &log.file {
                LogFile::Path(path) => cannot_open(path, &error),
                _ => error.to_string(),
            })?;
            sinks.push((sink, log.level));
        }
        self.first_file = wanted.iter().find_map(|log| match &log.file {
            LogFile::Path(path) => Some(path.clone()),
            _ => None,
        });
        self.writes_to_stderr = wanted.iter().any(|log| log.file == LogFile::Stderr);
        self.logs = ErrorLogs::new(sinks);
        Ok(())
    }

    /// Nobody watches standard error any more.
    pub(super) fn unwatched(&mut self) {
        self.watched = false;
    }

    /// The file that standard error goes to in the background, unless standard error itself is the log.
    pub(super) fn instead_of_stderr(&self) -> Option<&Path> {
        if self.writes_to_stderr { None } else { self.first_file.as_deref() }
    }

    /// Says it.
    pub(super) fn say(&self, level: Level, message: &str) {
        self.logs.write(level, None, message, &Context::default());
        let said_there = self.writes_to_stderr && self.logs.enabled(level);
        if self.watched && level <= Level::Warn && !said_there {
            eprintln!("{}: [{}] {message}", self.program, level.word());
        }
    }
}

/// nginx's words for a log file that cannot be opened.
pub(super) fn cannot_open(path: &Path, error: &std::io::Error) -> String {
    format!("open() \"{}\" failed ({})", path.display(), errno(error))
}
