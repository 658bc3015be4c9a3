//! Golden files: every `golden/*.conf` against the `.expected` beside it, which is what the configuration means, in
//! compact form, or what is wrong with it. `UPDATE=1 cargo test` writes them anew: read the difference before
//! committing it.

mod show;

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_golden_file_means_what_is_written_beside_it() {
    let update = std::env::var_os("UPDATE").is_some();
    let files = golden_files();
    assert!(files.len() >= 60, "only {} golden files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a golden file can be read");
        let found = show::loaded(&text, &config::load_text(&text));
        let beside = file.with_extension("expected");
        if update {
            fs::write(&beside, &found).expect("an expected file can be written");
        } else if fs::read_to_string(&beside).unwrap_or_default() != found {
            wrong.push(format!("{}\n{found}", name(&file)));
        }
    }
    assert!(wrong.is_empty(), "differs from what is expected:\n{}", wrong.join("\n"));
}

fn golden_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
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
