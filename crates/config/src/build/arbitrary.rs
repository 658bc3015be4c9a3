//! Any tree at all means something or is refused, and never panics: trees drawn from the table's own names and from
//! words that are nearly right.

use proptest::prelude::*;

use super::{Options, meaning_of};
use crate::Severity;
use crate::directives::table;
use crate::text::Written;
use crate::tree::{Directive, Origin, SourceFile, Span, Tree, Word};

/// Words that are at the edge of something: units, ports, modifiers, expressions, variables.
const WORDS: &[&str] = &[
    "",
    "on",
    "off",
    "0",
    "1",
    "18446744073709551616",
    "1k",
    "1m",
    "10s",
    "1h30m",
    "999999999999999y",
    "-1",
    "/",
    "/a",
    "/a/",
    "=",
    "~",
    "~*",
    "^~",
    "@",
    "@a",
    "=404",
    "=",
    "404",
    "1000",
    "$",
    "$uri",
    "${uri}",
    "${",
    "$1",
    "~(",
    "~(?<a>.)",
    "*.a",
    ".",
    "*",
    "a.*",
    "[::1]:80",
    "[",
    "[]",
    "[::1",
    ":",
    ":80",
    "80",
    "80-90",
    "90-80",
    "unix:",
    "unix:/a",
    "unix:/a:/b",
    "http://",
    "http://a",
    "http://a:b",
    "http://[::1]:0/",
    "http://unix:",
    "https://a",
    "http://$host",
    "default",
    "hostnames",
    "weight=0",
    "weight=5",
    "max_fails=",
    "backup",
    "valid=",
    "buffer=1k",
    "flush=1s",
    "if=$a",
    "escape=json",
    "combined",
    "é",
    "\u{1}",
    "ssl",
    "default_server",
];

fn word(text: &str) -> Word {
    Word { text: text.to_owned(), quoted: false, span: Span::default() }
}

fn names() -> impl Strategy<Value = String> {
    let known: Vec<String> = table().iter().map(|row| row.name.to_owned()).collect();
    prop_oneof![
        6 => proptest::sample::select(known),
        3 => proptest::sample::select(vec!["server", "location", "http", "upstream"]).prop_map(str::to_owned),
        1 => "[a-z_~.$*]{0,6}",
    ]
}

fn directive() -> impl Strategy<Value = Directive> {
    let words = proptest::collection::vec(proptest::sample::select(WORDS), 0..4);
    let leaf = (names(), words.clone()).prop_map(|(name, words)| made(&name, &words, None));
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let block = proptest::collection::vec(inner, 0..6);
        (names(), words.clone(), block).prop_map(|(name, words, block)| made(&name, &words, Some(block)))
    })
}

fn made(name: &str, words: &[&str], block: Option<Vec<Directive>>) -> Directive {
    Directive { name: word(name), args: words.iter().copied().map(word).collect(), block, span: Span::default() }
}

/// Puts what was drawn where it may stand, so that more than the first check is reached.
fn tree(inside: Vec<Directive>, in_server: Vec<Directive>) -> Tree {
    let location = made("location", &["/"], Some(in_server.clone()));
    let mut server = in_server;
    server.push(location);
    let mut http = inside;
    http.push(made("server", &[], Some(server)));
    Tree {
        files: vec![SourceFile {
            path: "drawn.conf".into(),
            text: String::new(),
            origin: Origin::File,
            included_at: None,
        }],
        directives: vec![made("events", &[], Some(vec![])), made("http", &[], Some(http))],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_tree_means_something_or_is_refused(
        inside in proptest::collection::vec(directive(), 0..8),
        in_server in proptest::collection::vec(directive(), 0..8),
    ) {
        let loaded = meaning_of(Written { tree: tree(inside, in_server), ..Written::default() }, &Options::default());
        let refused = loaded.diagnostics.iter().any(|said| said.severity == Severity::Error);
        prop_assert_eq!(loaded.config.is_none(), refused);
    }
}
