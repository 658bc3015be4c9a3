//! Several files in one: a line `=== NAME` starts the file of that name in the folder of the main file, which comes
//! first. Not here: what is read from them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{Files, Loaded, NoFiles, Options, Unreadable};

/// The folder of the main file, and the prefix.
const FOLDER: &str = "/etc/nginx";

/// Reads a configuration that is written in one text.
pub(crate) fn load(text: &str) -> Loaded {
    let main = Path::new(FOLDER).join("nginx.conf");
    config::load(&main, &Texts::of(text), &Options { prefix: FOLDER.into(), ..Options::default() })
}

struct Texts(BTreeMap<PathBuf, String>);

impl Texts {
    fn of(text: &str) -> Self {
        let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut name = "nginx.conf";
        for line in text.split_inclusive('\n') {
            match line.strip_prefix("=== ") {
                Some(next) => name = next.trim(),
                None => files.entry(Path::new(FOLDER).join(name)).or_default().push_str(line),
            }
        }
        Self(files)
    }
}

impl Files for Texts {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unreadable> {
        self.0.get(path).map_or_else(|| NoFiles.read(path), |text| Ok(text.as_bytes().to_vec()))
    }

    fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable> {
        let below = self.0.keys().filter_map(|path| path.strip_prefix(folder).ok());
        let mut names: Vec<OsString> =
            below.filter_map(|path| Some(path.components().next()?.as_os_str().to_owned())).collect();
        names.dedup();
        Ok(names)
    }
}
