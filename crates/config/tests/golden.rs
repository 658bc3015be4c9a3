//! Golden files: every `golden/*.conf` against the `.expected` beside it, which is what the configuration means, in
//! compact form, or what is wrong with it; and every `golden/shown/*.conf` against what `tidegate check` shows of it.
//! `UPDATE=1 cargo test` writes them anew: read the difference before committing it.

mod show;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

use config::Loaded;
use config::diagnostic::{Style, shown};

#[test]
fn every_golden_file_means_what_is_written_beside_it() {
    compare("golden", 60, |loaded| show::loaded(&loaded));
}

#[test]
fn every_fault_is_shown_as_is_written_beside_it() {
    compare("golden/shown", 10, |loaded| {
        let said = loaded.diagnostics.iter().map(|said| shown(&loaded.tree, said, Style::Plain));
        said.collect()
    });
}

/// Compares the files of a folder, of which there are some at least.
fn compare(folder: &str, least: usize, found: impl Fn(Loaded) -> String) {
    let update = std::env::var_os("UPDATE").is_some();
    let files = golden_files(folder);
    assert!(files.len() >= least, "only {} golden files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a golden file can be read");
        let found = found(texts::load(&text));
        let beside = file.with_extension("expected");
        if update {
            fs::write(&beside, &found).expect("an expected file can be written");
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            wrong.push(format!("{}\n{found}", name(&file)));
        }
    }
    assert!(wrong.is_empty(), "differs from what is expected:\n{}", wrong.join("\n"));
}

fn golden_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the golden folder can be read")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
