//! The search among locations; the expectations were checked against nginx.

use std::time::Duration;

use config::model::{ProxyPass, ProxyTarget, ServerSettings, Template};
use proptest::prelude::*;

use super::super::captures::tests::regex;
use super::*;
use crate::fixture::location;

fn exact(name: &str) -> Location {
    location(Pattern::Exact(name.into()), vec![])
}

fn prefix(name: &str, children: Vec<Location>) -> Location {
    location(Pattern::Prefix(name.into()), children)
}

fn no_regex(name: &str, children: Vec<Location>) -> Location {
    location(Pattern::PrefixNoRegex(name.into()), children)
}

fn matching(text: &str, children: Vec<Location>) -> Location {
    location(Pattern::Regex(regex(text)), children)
}

fn proxied(mut location: Location) -> Location {
    location.settings.proxy_pass = Some(ProxyPass {
        text: Template::literal("http://u"),
        target: ProxyTarget::Upstream(0),
        uri: None,
        host: "u".into(),
        port: "80".into(),
    });
    location
}

fn server(children: Vec<Location>, named: Vec<Location>) -> Server {
    Server {
        listens: vec![],
        names: vec![],
        settings: ServerSettings {
            client_header_timeout: Duration::from_secs(60),
            client_header_buffer_size: 1024,
            large_client_header_buffers: (4, 8192),
            max_headers: 1000,
            ignore_invalid_headers: true,
            underscores_in_headers: false,
            merge_slashes: true,
        },
        root: location(Pattern::Server, children),
        named,
    }
}

fn table(children: Vec<Location>) -> LocationTable {
    LocationTable::new(&server(children, vec![]))
}

/// What was found, as it is written, with `>` for a redirect.
fn find(table: &LocationTable, path: &str) -> String {
    let found = table.find(path.as_bytes(), &mut Captures::default()).unwrap();
    let mark = if found.redirect { ">" } else { "" };
    mark.to_owned() + &written(&table.get(found.location).pattern)
}

fn written(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Server => "server".to_owned(),
        Pattern::Exact(name) => format!("= {name}"),
        Pattern::Prefix(name) => name.to_string(),
        Pattern::PrefixNoRegex(name) => format!("^~ {name}"),
        Pattern::Regex(regex) => format!("~ {}", regex.text()),
        Pattern::Named(name) => name.to_string(),
    }
}

fn check(table: &LocationTable, cases: &[(&str, &str)]) {
    for (path, expected) in cases {
        assert_eq!(find(table, path), *expected, "{path}");
    }
}

#[test]
fn the_documented_example_holds() {
    let table = table(vec![
        exact("/"),
        prefix("/", vec![]),
        prefix("/documents/", vec![]),
        no_regex("/images/", vec![]),
        matching("\\.(gif|jpg|jpeg)$", vec![]),
    ]);
    check(
        &table,
        &[
            ("/", "= /"),
            ("/index.html", "/"),
            ("/documents/document.html", "/documents/"),
            ("/images/1.gif", "^~ /images/"),
            ("/documents/1.jpg", "~ \\.(gif|jpg|jpeg)$"),
        ],
    );
}

#[test]
fn the_longest_prefix_wins_whatever_the_order() {
    let table = table(vec![
        prefix("/abc", vec![]),
        prefix("/a", vec![]),
        prefix("/ab-", vec![]),
        exact("/ab"),
        prefix("/b/", vec![]),
    ]);
    check(
        &table,
        &[
            ("/abcd", "/abc"),
            ("/abd", "/a"),
            ("/ab", "= /ab"),
            ("/ab-c", "/ab-"),
            ("/ab/c", "/a"),
            ("/b", "server"),
            ("/b/x", "/b/"),
            ("/", "server"),
            ("/ABC", "server"),
        ],
    );
}

#[test]
fn expressions_are_tried_in_order_after_the_prefixes() {
    let table = table(vec![
        matching("^/x/(?<rest>.*)\\.php$", vec![]),
        matching("\\.php$", vec![]),
        prefix("/x/", vec![]),
        no_regex("/x/stop/", vec![]),
    ]);
    check(
        &table,
        &[
            ("/x/a.php", "~ ^/x/(?<rest>.*)\\.php$"),
            ("/a.php", "~ \\.php$"),
            ("/x/a.html", "/x/"),
            ("/x/stop/a.php", "^~ /x/stop/"),
        ],
    );
    let mut captures = Captures::default();
    table.find(b"/x/a/b.php", &mut captures).unwrap();
    assert_eq!(captures.named(0), Some(b"a/b".as_slice()));
    assert_eq!(captures.number(1), Some(b"a/b".as_slice()));
}

#[test]
fn nested_levels_are_searched_first_and_outer_expressions_still_apply() {
    let table = table(vec![
        prefix(
            "/a/",
            vec![
                prefix("/a/b/", vec![]),
                exact("/a/e.php"),
                matching("nested\\.php$", vec![]),
                no_regex("/a/stop/", vec![]),
            ],
        ),
        no_regex("/n/", vec![matching("x\\.php$", vec![])]),
        matching("/deep", vec![prefix("/deep/x", vec![]), matching("\\.css$", vec![])]),
        matching("\\.php$", vec![]),
    ]);
    check(
        &table,
        &[
            ("/a/b/c", "/a/b/"),
            ("/a/e.php", "= /a/e.php"),
            ("/a/nested.php", "~ nested\\.php$"),
            ("/a/b/x.php", "~ \\.php$"),
            // `^~` stops the expressions of its own level only.
            ("/a/stop/nested.php", "~ \\.php$"),
            ("/n/x.php", "~ x\\.php$"),
            ("/n/x", "^~ /n/"),
            ("/deep/x.php", "~ /deep"),
            ("/deep/y.css", "~ \\.css$"),
            ("/a/deep/x.php", "~ /deep"),
        ],
    );
}

#[test]
fn a_proxied_prefix_catches_its_path_without_the_slash() {
    let table = table(vec![
        prefix("/", vec![]),
        proxied(prefix("/app/", vec![])),
        prefix("/app-x", vec![]),
        proxied(prefix("/own/", vec![])),
        prefix("/own", vec![]),
        prefix("/plain/", vec![]),
        proxied(exact("/e/")),
        matching("^/(app|own)$", vec![]),
        matching("/r", vec![proxied(prefix("/r/", vec![]))]),
    ]);
    check(
        &table,
        &[
            ("/app", ">/app/"),
            ("/app/", "/app/"),
            ("/app-", "/"),
            ("/own", "~ ^/(app|own)$"),
            ("/plain", "/"),
            ("/e", ">= /e/"),
            ("/r", "~ /r"),
        ],
    );
}

#[test]
fn the_slash_redirect_is_escaped_and_keeps_the_arguments() {
    let table = table(vec![proxied(prefix("/a b?/", vec![]))]);
    let found = table.find(b"/a b?", &mut Captures::default()).unwrap();
    assert!(found.redirect);
    assert_eq!(table.slash_redirect(found.location, b"x=1"), b"/a%20b%3F/?x=1");
    assert_eq!(table.slash_redirect(found.location, b""), b"/a%20b%3F/");
}

#[test]
fn named_locations_are_found_by_name_only() {
    let named = vec![location(Pattern::Named("@fallback".into()), vec![])];
    let table = LocationTable::new(&server(vec![], named));
    let id = table.named("@fallback").unwrap();
    assert_eq!(written(&table.get(id).pattern), "@fallback");
    assert_eq!(table.named("@other"), None);
    assert_eq!(find(&table, "@fallback"), "server");
}

#[test]
fn an_expression_over_its_budget_is_an_error() {
    let table = table(vec![matching("^(?=(/a+))(?:/?a|aa|aaa)*\\1b$", vec![])]);
    let path = format!("/{}", "a".repeat(64));
    assert!(table.find(path.as_bytes(), &mut Captures::default()).is_err());
}

proptest! {
    #[test]
    fn agrees_with_a_plain_scan_over_prefixes(
        names in proptest::collection::btree_set("/[ab/-]{0,4}", 0..12),
        path in "/[ab/-]{0,6}",
    ) {
        let table = table(names.iter().map(|name| prefix(name, vec![])).collect());
        let expected = names
            .iter()
            .filter(|name| path.starts_with(*name))
            .max_by_key(|name| name.len())
            .map_or("server", |name| name);
        prop_assert_eq!(find(&table, &path), expected);
    }
}
