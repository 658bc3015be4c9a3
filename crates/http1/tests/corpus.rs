//! Plays the committed corpora of the fuzz targets of this crate through their checks. Not here: finding more
//! (`fuzz/README.md`).

mod checks;

use std::fs;
use std::path::Path;

use checks::{chunked_body, request_head, response_head};

fn play(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus can be read");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "only {} files", paths.len());
    for path in paths {
        println!("{}", path.display());
        check(&fs::read(&path).expect("a file can be read"));
    }
}

#[test]
fn the_corpus_of_request_head_keeps_every_promise() {
    play("request_head", request_head::check);
}

#[test]
fn the_corpus_of_response_head_keeps_every_promise() {
    play("response_head", response_head::check);
}

#[test]
fn the_corpus_of_chunked_body_keeps_every_promise() {
    play("chunked_body", chunked_body::check);
}
