//! Formats and log files that an nginx.conf names. It need not be free of faults: only its lines are looked at. Not here:
//! what the language means (`config`).

use std::path::{Path, PathBuf};

use config::tree::{Directive, Tree};

use super::layout::Layout;

/// What a configuration says of logs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Configured {
    /// Names and formats that can be read.
    pub(super) formats: Vec<(String, Layout)>,
    /// Log files with fixed names.
    pub(super) logs: Vec<PathBuf>,
}

/// What a configuration names. `folder` is where its relative paths start.
pub(super) fn read(tree: &Tree, folder: &Path) -> Configured {
    let mut found = Configured::default();
    found.walk(&tree.directives, folder);
    found
}

impl Configured {
    fn walk(&mut self, directives: &[Directive], prefix: &Path) {
        for directive in directives {
            let words: Vec<&str> = directive.args.iter().map(|word| word.text.as_str()).collect();
            match (directive.name.text.as_str(), words.as_slice()) {
                ("log_format", [name, strings @ ..]) => self.format(name, strings),
                ("access_log" | "error_log", [file, ..]) => self.log(file, prefix),
                _ => {}
            }
            self.walk(directive.block.as_deref().unwrap_or_default(), prefix);
        }
    }

    fn format(&mut self, name: &str, strings: &[&str]) {
        let strings = strings.iter().filter(|word| !word.starts_with("escape="));
        if let Ok(layout) = Layout::new(&strings.copied().collect::<String>()) {
            self.formats.push((name.to_owned(), layout));
        }
    }

    fn log(&mut self, file: &str, prefix: &Path) {
        let is_file = !matches!(file, "off" | "stderr") && !file.contains('$') && !file.contains(':');
        let path = prefix.join(file);
        if is_file && !self.logs.contains(&path) && path.is_file() {
            self.logs.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_files_are_found_beside_faults() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.log"), "").unwrap();
        let text = "nonsense on; events {} http { log_format timed escape=json '$status ' '$request_time'; server { access_log \
                    a.log timed; access_log $host.log; access_log syslog:server=x; error_log stderr; access_log off; } }";
        let found = read(&config::load_text(text).tree, folder.path());
        assert_eq!(found.logs, [folder.path().join("a.log")]);
        assert_eq!(found.formats, [("timed".to_owned(), Layout::new("$status $request_time").unwrap())]);
    }
}
