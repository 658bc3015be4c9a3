//! Plays the committed corpus of the fuzz target `policy` beside the model. Not here: finding more (`fuzz/README.md`).

mod checks;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_policy_does_what_the_model_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/policy");
    let entries = fs::read_dir(&folder).expect("the corpus can be read");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "only {} files", paths.len());
    for path in paths {
        println!("{}", path.display());
        checks::operations::check(&fs::read(&path).expect("a file can be read"));
    }
}
