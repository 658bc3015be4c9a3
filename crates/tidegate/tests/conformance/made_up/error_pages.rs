//! Errors and redirects that lead to one another's pages. Not here: the errors of endpoints.

use std::fmt::Write;

use super::{Chance, make};

const CODES: &str = "301 302 307 308 400 401 403 404 405 410 413 416 418 429 494 497 498 500 501 502 503 504 599";
const PAGES: &str = "/l0 /l1 /l2 /l3 @n0 @n1 @n2 /none http://x.test/y /l1?a=$uri $scheme://z/$args /l$arg_n";
const ACTIONS: &[&str] = &[
    "return 200 \"text $status $request_method $v $uri $args\";",
    "return 503 \"text $status\";",
    "return 302 /x;",
    "return 307 $uri;",
    "return 301 http://x.test/;",
    "proxy_pass http://{{origin}};",
    "proxy_pass http://{{down}};",
    "try_files /f.txt @n1;",
    "try_files /none =404;",
    "try_files /none /l2;",
    "try_files /none @n2;",
    "",
];

pub(super) fn case(chance: &mut Chance) -> String {
    let mut text = format!("server:\n    root {{{{dir}}}}/www;\n    set $v \"\";\n    {}\n", level(chance));
    for name in ["/l0", "/l1", "/l2", "/l3", "= /l4", "/l5", "@n0", "@n1", "@n2"] {
        let action =
            if chance.once_in(2) { format!("return {};", chance.word(CODES)) } else { chance.pick(ACTIONS).to_owned() };
        let _ = writeln!(text, "    location {name} {{ {} {action} }}", level(chance));
    }
    text.push_str("\nfile www/f.txt: file\n\norigin: echo\n\norigin down refused:\n");
    make("Error pages that lead to one another.", &text, chance, |chance| {
        let method = chance.word("get get delete post");
        format!("    {method} /l{}{}\n", chance.below(6), chance.word("- - ?n=2 ?a=b /x"))
    })
}

fn level(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..chance.below(3) {
        let (codes, rule) = (chance.word(CODES), chance.pick(&["", "", "", "= ", "=200 ", "=404 ", "=301 ", "=503 "]));
        let _ = write!(text, "error_page {codes} {} {rule}{}; ", chance.word(CODES), chance.word(PAGES));
    }
    for (line, times) in [
        ("recursive_error_pages on; ", 3),
        ("add_header X-A \"$status $uri\"; ", 4),
        ("add_header X-B \"$status $uri\" always; ", 4),
        ("default_type text/x; ", 8),
        ("absolute_redirect off; ", 8),
        ("set $v \"$v,$uri\"; ", 4),
        ("proxy_intercept_errors on; ", 5),
    ] {
        if chance.once_in(times) {
            text.push_str(line);
        }
    }
    text
}
