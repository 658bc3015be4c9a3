//! Where the configuration comes from: nginx's defaults and options made into paths, and the reading of it.
//! Not here: what is done with it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use config::diagnostic::printable;
use config::model::{AccessLog, Level, Location, LogFile};
use config::tree::Origin;
use config::{Config, Diagnostic, Loaded, Severity};

use super::files::Disk;
use super::options::Options;

/// The file for a program that is called without `-c` and `-p`: the first of these that is there.
pub(super) const DEFAULT_FILES: [&str; 2] = ["/etc/tidegate/nginx.conf", "/etc/nginx/nginx.conf"];
/// The file below the prefix that `-p` gives.
const FILE_IN_PREFIX: &str = "conf/nginx.conf";
/// The folder below the prefix that nginx's installation makes, and that default logs and pid files are in.
const LOGS: &str = "logs";

/// What is read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// The main file, as messages name it.
    pub(super) file: PathBuf,
    prefix: PathBuf,
    globals: Option<String>,
    error_log: PathBuf,
    /// The text, where it comes from the command line and not from `file`.
    text: Option<String>,
}

impl Source {
    /// What nginx's options say. Without `-p` the prefix is the folder of the file, as in nginx's own packages, and a
    /// relative `-c` starts from the current directory.
    pub(super) fn from_options(options: &Options) -> Self {
        let prefix = options.prefix.as_deref().map(absolute);
        let file = match (&options.file, &prefix) {
            (Some(file), Some(prefix)) => prefix.join(file),
            (Some(file), None) => absolute(file),
            (None, Some(prefix)) => prefix.join(FILE_IN_PREFIX),
            (None, None) => default_file(),
        };
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        Self {
            prefix: prefix.unwrap_or(folder),
            globals: options.globals.clone(),
            error_log: options.error_log.clone().unwrap_or_else(|| "stderr".into()),
            text: None,
            file,
        }
    }

    /// A file, its folder the prefix.
    pub(super) fn of_file(file: &Path) -> Self {
        Self::from_options(&Options { file: Some(file.to_owned()), ..Options::default() })
    }

    /// A text of our own making.
    pub(super) fn from_text(name: &str, text: String) -> Self {
        let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
        Self { file: name.into(), prefix: folder, globals: None, error_log: "stderr".into(), text: Some(text) }
    }

    /// Reads it.
    pub(super) fn load(&self) -> Loaded {
        let options = config::Options {
            prefix: self.prefix.clone(),
            globals: self.globals.clone(),
            error_log: Some(self.error_log.clone()),
            unprivileged: !rustix::process::geteuid().is_root(),
        };
        match &self.text {
            Some(text) => config::load_text_with(&self.file, text, &options),
            None => config::load(&self.file, &Disk, &options),
        }
    }

    /// Reads it to run it: every error as the error log shows it.
    pub(super) fn load_to_run(&self) -> Result<Config, Vec<(Level, String)>> {
        let loaded = self.load();
        let faults = || messages(&loaded).filter(|(level, _)| *level == Level::Emerg).collect();
        loaded.config.clone().ok_or_else(faults)
    }

    /// Makes the folder that nginx's installation would have made, if this configuration writes to it.
    pub(super) fn make_log_folder(&self, config: &Config) {
        let folder = self.prefix.join(LOGS);
        let mut files = log_files(config).into_iter().chain(config.main.pid.clone());
        if self.prefix.is_dir() && files.any(|file| file.parent() == Some(&folder)) {
            // If it cannot be made, opening the file says why.
            let _ = std::fs::create_dir(&folder);
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn default_file() -> PathBuf {
    let [ours, nginxs] = DEFAULT_FILES.map(PathBuf::from);
    if ours.exists() { ours } else { nginxs }
}

/// Errors and warnings in nginx's form, `MESSAGE in FILE:LINE`, each line once.
pub(super) fn messages(loaded: &Loaded) -> impl Iterator<Item = (Level, String)> {
    let mut seen = HashSet::new();
    let lines = loaded.diagnostics.iter().filter_map(|said| {
        let level = match said.severity {
            Severity::Error => Level::Emerg,
            Severity::Warning => Level::Warn,
            Severity::Note => return None,
        };
        Some((level, one_line(loaded, said)))
    });
    lines.filter(move |(_, line)| seen.insert(line.clone()))
}

/// A diagnostic in nginx's form.
fn one_line(loaded: &Loaded, said: &Diagnostic) -> String {
    let message = printable(&said.message);
    match loaded.tree.file(said.span).zip(loaded.tree.position(said.span)) {
        None => message,
        Some((file, _)) if file.origin == Origin::CommandLine => format!("{message} in command line"),
        Some((file, place)) => format!("{message} in {}:{}", file.path.display(), place.line),
    }
}

/// Every log file with a fixed name that the configuration writes to, each once.
pub(super) fn log_files(config: &Config) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut add = |file: &LogFile| match file {
        LogFile::Path(path) if !files.contains(path) => files.push(path.clone()),
        _ => {}
    };
    config.main.error_logs.iter().for_each(|log| add(&log.file));
    for location in config.servers.iter().flat_map(|server| std::iter::once(&server.root).chain(&server.named)) {
        in_location(location, &mut add);
    }
    files
}

fn in_location(location: &Location, add: &mut impl FnMut(&LogFile)) {
    let settings = &location.settings;
    settings.access_logs.iter().for_each(|log: &AccessLog| add(&log.file));
    settings.error_logs.iter().for_each(|log| add(&log.file));
    location.children.iter().for_each(|child| in_location(child, add));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(prefix: Option<&str>, file: Option<&str>) -> Source {
        let options =
            Options { prefix: prefix.map(PathBuf::from), file: file.map(PathBuf::from), ..Options::default() };
        Source::from_options(&options)
    }

    #[test]
    fn a_relative_file_starts_from_the_prefix_that_was_given() {
        assert_eq!(source(Some("/p"), Some("a.conf")).file, Path::new("/p/a.conf"));
        assert_eq!(source(Some("/p"), Some("/x/a.conf")).file, Path::new("/x/a.conf"));
        assert_eq!(source(Some("/p"), None).file, Path::new("/p/conf/nginx.conf"));
    }

    #[test]
    fn without_a_prefix_it_is_the_folder_of_the_file() {
        assert_eq!(source(None, Some("/x/y/a.conf")).prefix, Path::new("/x/y"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(source(None, Some("a.conf")).file, here.join("a.conf"));
    }

    #[test]
    fn finds_every_log_file_once() {
        let loaded = config::load_text(
            "error_log /l/e; events {} http { access_log /l/a; server { error_log /l/s; location / { access_log /l/b; } location /x { return 200; } } }",
        );
        let files = log_files(&loaded.config.unwrap());
        let mut names: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, ["/l/a", "/l/b", "/l/e", "/l/s"]);
    }

    #[test]
    fn faults_are_said_in_nginx_form() {
        let loaded = config::load_text("events {}\nhttp {\n  nonsense on;\n}\n");
        let said: Vec<_> = messages(&loaded).collect();
        assert_eq!(said, [(Level::Emerg, "unknown directive \"nonsense\" in /etc/nginx/nginx.conf:3".to_owned())]);
    }
}
