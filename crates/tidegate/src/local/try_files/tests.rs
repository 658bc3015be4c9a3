//! `try_files` over a real directory; the expectations were checked against nginx.

use std::path::Path;

use config::model::{Part, Root, Settings, TryCandidate, Variable};

use super::*;
use crate::fixture::{Directory, Pairs, settings};

/// A template: `$uri`, or a literal text, or `$uri` and a literal tail.
fn template(source: &str) -> Template {
    match source.strip_prefix("$uri") {
        None => Template::literal(source),
        Some(tail) => {
            let mut parts = vec![Part::Variable(Variable::Uri)];
            parts.extend(Template::literal(tail).parts);
            Template { source: source.into(), parts }
        }
    }
}

fn evaluate(template: &Template, uri: &str) -> Vec<u8> {
    let mut value = Vec::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => value.extend_from_slice(text),
            Part::Variable(_) => value.extend_from_slice(uri.as_bytes()),
        }
    }
    value
}

struct Site {
    directory: Directory,
    settings: Settings,
}

impl Site {
    fn new() -> Self {
        let directory = Directory::new();
        directory.file("a.txt", "a").file("b.txt", "b").directory("d");
        let mut settings = settings();
        settings.root.path = Template::literal(directory.path());
        Self { directory, settings }
    }

    fn aliased(replaces: Option<usize>) -> Self {
        let mut site = Self::new();
        site.settings.root =
            Root { path: Template::literal(&format!("{}/", site.directory.path())), alias: true, replaces };
        site
    }

    fn try_all(&self, uri: &str, candidates: &[&str], last: TryTarget) -> (Tried, Vec<LogLine>) {
        let candidates = candidates
            .iter()
            .map(|source| TryCandidate {
                path: template(source.strip_suffix('/').unwrap_or(source)),
                directory: source.ends_with('/'),
            })
            .collect();
        let request = FileRequest {
            settings: &self.settings,
            path: uri.as_bytes(),
            args: b"",
            method: "GET",
            fields: &Pairs(&[]),
            prefix: Path::new("/"),
            add_uri_to_alias: false,
            content_type: None,
            status: 200,
            boundary: 0,
        };
        try_files(&request, &TryFiles { candidates, last }, &mut |template| evaluate(template, uri))
    }
}

fn found(uri: &str) -> Tried {
    Tried::Found { uri: Some(uri.as_bytes().to_vec()), add_uri_to_alias: false }
}

#[test]
fn the_first_candidate_of_its_kind_becomes_the_uri() {
    let site = Site::new();
    for (uri, candidates, expected) in [
        ("/a.txt", ["$uri", "$uri/"], found("/a.txt")),
        ("/d", ["$uri", "$uri/"], found("/d")),
        ("/d/", ["$uri", "$uri/"], found("/d/")),
        ("/x", ["$uri", "/b.txt"], found("/b.txt")),
        ("/x", ["/d", "/a.txt/"], Tried::Status(404)),
    ] {
        let (tried, lines) = site.try_all(uri, &candidates, TryTarget::Status(404));
        assert_eq!(tried, expected, "{uri}");
        assert_eq!(lines, vec![]);
    }
}

#[test]
fn the_last_argument_is_a_status_a_name_or_a_uri() {
    let site = Site::new();
    for (last, expected) in [
        (TryTarget::Status(410), Tried::Status(410)),
        (TryTarget::Named("@app".into()), Tried::Named("@app".into())),
        (
            TryTarget::Uri(template("/index.php?q=1")),
            Tried::Internal { uri: b"/index.php".to_vec(), args: b"q=1".to_vec() },
        ),
    ] {
        assert_eq!(site.try_all("/x", &["$uri"], last).0, expected);
    }
}

#[test]
fn below_an_alias_variables_lose_the_locations_prefix() {
    let site = Site::aliased(Some("/tf/".len()));
    let status = || TryTarget::Status(404);
    assert_eq!(site.try_all("/tf/a.txt", &["$uri"], status()).0, found("/tf/a.txt"));
    assert_eq!(site.try_all("/tf/x", &["a.txt"], status()).0, found("/tf/a.txt"));
    // nginx does so with the last argument too.
    let expected = Tried::Internal { uri: b"x.html".to_vec(), args: vec![] };
    assert_eq!(site.try_all("/tf/x", &["$uri"], TryTarget::Uri(template("$uri.html"))).0, expected);
}

#[test]
fn an_expressions_alias_is_completed_by_the_candidate() {
    let site = Site::aliased(None);
    let expected = Tried::Found { uri: Some(b"a.txt".to_vec()), add_uri_to_alias: true };
    assert_eq!(site.try_all("/rt/x", &["a.txt"], TryTarget::Status(404)).0, expected);
    let expected = Tried::Found { uri: None, add_uri_to_alias: false };
    assert_eq!(site.try_all("/rt/x", &["d/"], TryTarget::Status(404)).0, expected);
}

#[test]
fn a_candidate_that_cannot_be_looked_at_is_logged_and_passed_over() {
    let site = Site::new();
    let root = site.directory.path();
    std::os::unix::fs::symlink(format!("{root}/loop"), format!("{root}/loop")).unwrap();
    let (tried, lines) = site.try_all("/loop", &["$uri", "/a.txt"], TryTarget::Status(404));
    assert_eq!(tried, found("/a.txt"));
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(line.level, Level::Crit);
    assert_eq!(line.text, format!("stat() \"{root}/loop\" failed (40: Too many levels of symbolic links)"));
}
