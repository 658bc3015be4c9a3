//! Configurations as people write them, several files in one: nothing in them is unknown or wrong, and what is not
//! supported yet is said to be so. That nginx takes them too is tested beside the program. Not here: what they mean.

mod texts;

use std::fs;
use std::path::{Path, PathBuf};

use config::diagnostic::{Style, shown};
use config::{Diagnostic, Severity};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/realistic");
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

/// Nothing is wrong with what was written: it is only not there yet.
fn is_not_yet(said: &Diagnostic) -> bool {
    said.message.contains("not supported yet") || said.message.contains("not known")
}

#[test]
fn nothing_that_people_write_is_wrong_or_unknown() {
    assert!(files().len() >= 12);
    for file in files() {
        let text = fs::read_to_string(&file).expect("a file can be read");
        let loaded = texts::load(&text);
        let wrong = loaded.diagnostics.iter().filter(|said| said.severity != Severity::Note && !is_not_yet(said));
        let wrong: String = wrong.map(|said| shown(&loaded.tree, said, Style::Plain)).collect();
        assert_eq!(wrong, "", "{}", file.display());
    }
}

#[test]
fn a_change_of_any_word_is_one_fault() {
    for file in files() {
        let text = fs::read_to_string(&file).expect("a file can be read");
        let before = count(&text);
        for (place, _) in text.match_indices("proxy_pass http").step_by(7) {
            let changed = format!("{}prxy_pass http{}", &text[..place], &text[place + "proxy_pass http".len()..]);
            assert_eq!(count(&changed), before + 1, "{} at byte {place}", file.display());
        }
    }
}

#[test]
fn a_semicolon_or_brace_left_out_is_one_fault_or_two() {
    for file in files() {
        let text = fs::read_to_string(&file).expect("a file can be read");
        let before = count(&text);
        for (changed, place) in without(&text, ";\n") {
            assert!(count(&changed) <= before + 2, "{} without the \";\" at byte {place}", file.display());
        }
        for (changed, place) in without(&text, "}\n") {
            let after = count(&changed);
            assert!(after > before && after <= before + 2, "{} without the \"}}\" at byte {place}", file.display());
        }
    }
}

/// The text without the first byte of some of these parts, and where that was; comments and further files stay.
fn without(text: &str, part: &'static str) -> impl Iterator<Item = (String, usize)> {
    let main = text.find("\n=== ").unwrap_or(text.len());
    let in_comment = |place: usize| text[..place].rsplit('\n').next().is_some_and(|line| line.trim().starts_with('#'));
    let places = text.match_indices(part).map(|(place, _)| place).filter(|place| *place < main && !in_comment(*place));
    let places: Vec<usize> = places.collect();
    let step = places.len().div_ceil(12).max(1);
    places.into_iter().step_by(step).map(|place| (format!("{}{}", &text[..place], &text[place + 1..]), place))
}

fn count(text: &str) -> usize {
    texts::load(text).diagnostics.iter().filter(|said| said.severity == Severity::Error).count()
}
