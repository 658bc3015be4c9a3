//! The texts that are written by hand are held to the code: what they link to and what they name is there.
//! Not here: the manual's pages, which are made.

use std::fs;
use std::path::{Path, PathBuf};

use super::{links, root};

const TEXTS: [&str; 7] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
    "docs/LIFE_OF_A_REQUEST.md",
    "crates/tidegate/tests/README.md",
];

fn texts() -> impl Iterator<Item = (&'static str, String)> {
    TEXTS.into_iter().map(|path| (path, fs::read_to_string(root().join(path)).unwrap()))
}

/// Every source file of the workspace, by its path from the root.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && entry.file_name().is_none_or(|name| name != "target") {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

/// What a text shows as code: a file, or something in one (`exchange.rs::decide`).
fn named(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let outside_blocks = text.split("```").step_by(2);
    let code = outside_blocks.flat_map(|part| part.split('`').skip(1).step_by(2));
    code.filter_map(|code| match code.split_once(".rs::") {
        Some((file, name)) => Some((code.get(..file.len() + 3)?, name.rsplit("::").next())),
        None => code.ends_with(".rs").then_some((code, None)),
    })
}

fn defines(source: &str, name: &str) -> bool {
    ["fn ", "struct ", "enum ", "trait "].iter().any(|kind| {
        let definition = format!("{kind}{name}");
        source.match_indices(&definition).any(|(at, _)| {
            let next = source.get(at + definition.len()..).and_then(|rest| rest.chars().next());
            next.is_some_and(|next| !next.is_alphanumeric() && next != '_')
        })
    })
}

#[test]
fn links_lead_somewhere() {
    for (path, text) in texts() {
        for target in links::targets(&text).filter(|target| !target.starts_with("https://")) {
            let reached = root().join(links::resolve(path, target));
            assert!(reached.exists(), "{path} links to {target}, which is not there");
        }
    }
}

#[test]
fn files_and_functions_that_are_named_are_there() {
    let mut files = Vec::new();
    ["crates", "xtask", "fuzz"].iter().for_each(|folder| sources(&root().join(folder), &mut files));
    for (path, text) in texts() {
        for (file, name) in named(&text).filter(|(file, _)| !file.contains('*')) {
            let mut fitting = files.iter().filter(|known| known.ends_with(file)).peekable();
            assert!(fitting.peek().is_some(), "{path} names {file}, which is not there");
            let Some(name) = name else { continue };
            let found = fitting.any(|known| defines(&fs::read_to_string(known).unwrap(), name));
            assert!(found, "{path} names {name} in {file}, which does not have it");
        }
    }
}

#[test]
fn examples_are_right_and_nothing_in_them_is_without_effect() {
    let folder = root().join("examples");
    let examples: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!examples.is_empty());
    for path in examples {
        let loaded = config::load_text(&fs::read_to_string(&path).unwrap());
        assert!(loaded.config.is_some(), "{}: {:?}", path.display(), loaded.diagnostics);
        let spoilt = loaded.diagnostics.iter().find(|said| !said.message.contains("built-in table of types"));
        assert!(spoilt.is_none(), "{}: {spoilt:?}", path.display());
    }
}

#[test]
fn a_definition_is_told_from_a_longer_name() {
    assert!(defines("pub(crate) async fn run(self) {", "run"));
    assert!(!defines("fn run_worker() {", "run"));
    assert!(!defines("run()", "run"));
}
