//! Plays the committed corpus of the fuzz target `config_text` through its check, and the golden files, whole and cut off
//! anywhere. Not here: finding more (`fuzz/README.md`).

mod checks;

use std::fs;
use std::path::Path;

use checks::config_text;

/// The contents of a folder's files, in the order of their names.
fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("the folder can be read");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    // Folders hold what cases include.
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file can be read")).collect()
}

#[test]
fn the_corpus_of_config_text_keeps_every_promise() {
    let corpus = files("../../fuzz/corpus/config_text");
    assert!(corpus.len() >= 20, "only {} files", corpus.len());
    corpus.iter().for_each(|text| config_text::check(text));
}

#[test]
fn golden_files_keep_every_promise_wherever_they_break_off() {
    for text in files("tests/golden").into_iter().chain(files("tests/golden/shown")) {
        config_text::check(&text);
        let step = text.len() / 6 + 1;
        (0..text.len()).step_by(step).for_each(|end| config_text::check(&text[..end]));
    }
}
