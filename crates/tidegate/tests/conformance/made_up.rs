//! Cases that chance makes up, from seeds: more targets, ranges, locations and error pages than anybody writes down. What
//! nginx answers is all that is expected of them. Not here: how a case is judged.

use std::fmt::Write;

use libtest_mimic::{Failed, Trial};

/// Each kind with each of these; a failure names both, so it comes again.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Requests of a case.
const REQUESTS: usize = 300;

type Judge = fn(&str) -> Result<(), String>;
type Kind = (&'static str, fn(&mut Chance) -> String);

const KINDS: [Kind; 4] =
    [("targets", targets), ("files", files), ("locations", locations), ("error_pages", error_pages)];

pub(crate) fn trials(judge: Judge, skipped: bool) -> Vec<Trial> {
    let all = KINDS.iter().flat_map(|kind| SEEDS.map(|seed| (*kind, seed)));
    let trial = |((name, make), seed): (Kind, u64)| {
        Trial::test(format!("made_up/{name}_{seed}"), move || {
            let text = make(&mut Chance(seed));
            judge(&text).map_err(|why| Failed::from(format!("{why}\n\nof the case:\n{text}")))
        })
    };
    all.map(|one| trial(one).with_ignored_flag(skipped)).collect()
}

/// Splitmix64: the same numbers for the same seed, for ever.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A word among those that spaces separate; `-` is none.
    fn word<'a>(&mut self, words: &'a str) -> &'a str {
        let words: Vec<&str> = words.split_whitespace().collect();
        match self.pick(&words) {
            "-" => "",
            word => word,
        }
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Up to `most` of the words, joined.
    fn some(&mut self, most: usize, words: &str) -> String {
        (0..self.below(most + 1)).map(|_| self.word(words)).collect()
    }
}

/// A case: its configuration, files and origins, and a client's steps made one by one.
fn case(title: &str, sections: &str, chance: &mut Chance, step: impl Fn(&mut Chance) -> String) -> String {
    let mut text = format!("# {title}\n\n{sections}\nclient:\n");
    for _ in 0..REQUESTS {
        text.push_str(&step(chance));
    }
    text
}

const TARGET_SECTIONS: &str = r#"server:
    location /raw/ { proxy_pass http://{{origin}}; }
    location /cut/ { proxy_pass http://{{origin}}/; }
    location /pre { proxy_pass http://{{origin}}/x; }
    location ~ ^/re/(.*)\.(a|b)$ { return 200 "re $1 $2 $uri"; }
    location ~* /Ci$ { return 200 "ci $uri"; }
    location = /exact { return 200 "exact"; }
    location ^~ /st/ { return 200 "st $uri"; }
    location /dir/ { proxy_pass http://{{origin}}/d/; location /dir/in/ { return 200 "in $uri"; } location ~ x$ { return 200 "inx $uri"; } }
    location / { return 200 "root $uri|$args|$request_uri|$is_args"; }

origin: echo
"#;

const STARTS: &str =
    "/ / / /raw/ /raw/ /cut/ /cut/ /pre /re/ /dir/ /dir/in/ /st/ /exact http://h/ http://h http://h.x:80/a // * x";
const PIECES: &str = r#"/ / / . .. a b raw re in x Ci ci .a .b %2f %2F %2e %2E%2e %41 %20 %00 %zz % %3f %23 # ? ?a=b & + %2B %25 %252f
    \ < | ^ ` { ~ %7e %c3%a9 %ff %0a %0d %7f ; : @ ! * ' ( // /./ /../ /. %5c"#;

fn targets(chance: &mut Chance) -> String {
    case("Targets made of whatever a path may hold.", TARGET_SECTIONS, chance, |chance| {
        let target = format!("{}{}", chance.word(STARTS), chance.some(7, PIECES));
        let version = if chance.once_in(10) { " 1.0" } else { "" };
        format!("    get {target}{version}\n")
    })
}

const FILE_SECTIONS: &str = r#"server:
    root {{dir}}/www;
    error_page 404 /d/g.html;
    error_page 405 = /f.txt;
    location /al/ { alias {{dir}}/www/d/; }
    location ~ ^/rx/(.*)$ { alias {{dir}}/www/$1; }
    location /try/ { try_files $uri /d$uri /d/$arg_f $uri/ /d/ =404; }
    location /try2/ { alias {{dir}}/www/d/; try_files $uri $uri/ g.html /f.txt; }
    location /idx/ { root {{dir}}/www/d; index none.html index.html; }
    location /mr/ { alias {{dir}}/www/; max_ranges 1; }
    location /im/ { alias {{dir}}/www/; if_modified_since before; etag off; }

file www/f.txt: hello world
file www/d/g.html: 0123456789
file www/d/idx/index.html: index
file www/empty.txt: empty
file www/big.bin: size 70000
directory www/e
link www/l.txt: f.txt
link www/ld: d
"#;

const PLACES: &str = "/ / /al/ /rx/ /try/ /try2/ /idx/ /mr/ /im/";
const NAMES: &str =
    "f.txt f.txt d/ d d/g.html d/idx/ d/idx empty.txt big.bin l.txt ld/ ld none e/ e g.html idx/ idx - f.txt/
    f.txt/x d/../f.txt";
const NUMBERS: &[&str] =
    &["", "0", "1", "5", "9", "10", "11", "100", "69999", "70000", "99999999999999999999", "x", " 3"];
const VALIDATORS: &[&str] = &[
    "Sun, 09 Sep 2001 01:46:40 GMT",
    "Sun, 09 Sep 2001 01:46:41 GMT",
    "Sunday, 09-Sep-01 01:46:40 GMT",
    "Sun Sep  9 01:46:40 2001",
    "junk",
    "\"3b9aca00-b\"",
    "W/\"3b9aca00-b\"",
    "\"x\"",
    "*",
    "\"x\", \"3b9aca00-b\"",
    "\"3b9aca00-b",
    "\"3b9aca00-a\"",
    "\"\"",
    ",,\"3b9aca00-b\"",
];

fn files(chance: &mut Chance) -> String {
    case("Files by ranges, conditions and methods of all kinds.", FILE_SECTIONS, chance, |chance| {
        let method = chance.word("get get get get get get delete options");
        let (place, name) = (chance.word(PLACES), chance.word(NAMES));
        let mut step = format!("    {method} {place}{name}{}\n", chance.word("- - - ?f=g.html ?"));
        if chance.once_in(2) {
            let _ = writeln!(
                step,
                "        Range: {}{}",
                chance.word("bytes= bytes= bytes= Bytes= items="),
                ranges(chance)
            );
        }
        for name in ["If-Range", "If-Modified-Since", "If-None-Match"] {
            if chance.once_in(6) {
                let _ = writeln!(step, "        {name}: {}", chance.pick(VALIDATORS));
            }
        }
        step
    })
}

fn ranges(chance: &mut Chance) -> String {
    let count = 1 + chance.below(3);
    let one = |chance: &mut Chance| format!("{}-{}", chance.pick(NUMBERS), chance.pick(NUMBERS));
    (0..count).map(|_| one(chance)).collect::<Vec<_>>().join(",")
}

const SEGMENTS: &str = "/ a b ab .a x A";
const EXPRESSIONS: &str = r#"a$ ^/a b /(a|b)/ ^/(.*)b$ \.a$ ^/a/(x)? [ab]x ^/A a+b"#;

fn locations(chance: &mut Chance) -> String {
    let mut tree = Tree { chance, count: 0, text: "server:\n    root {{dir}};\n".to_owned() };
    tree.block("", 0, false);
    let sections = tree.text + "\norigin: echo\n";
    case("A tree of locations, and paths through it.", &sections, chance, |chance| {
        format!("    get /{}\n", chance.some(6, SEGMENTS))
    })
}

struct Tree<'a> {
    chance: &'a mut Chance,
    count: usize,
    text: String,
}

impl Tree<'_> {
    /// Some locations inside `outer`; inside an expression's only expressions are searched.
    fn block(&mut self, outer: &str, depth: usize, expressions_only: bool) {
        let mut known: Vec<String> = Vec::new();
        for _ in 0..3 + self.chance.below(4) {
            let by_regex = expressions_only || self.chance.once_in(3);
            let pattern = if by_regex {
                self.chance.word(EXPRESSIONS).to_owned()
            } else {
                let path = if outer.is_empty() { "/" } else { outer }.to_owned() + &self.chance.some(3, SEGMENTS);
                path.replace("//", "/").replace("//", "/")
            };
            let modifier =
                if by_regex { self.chance.pick(&["~ ", "~* "]) } else { self.chance.pick(&["", "", "= ", "^~ "]) };
            if known.contains(&pattern) {
                continue;
            }
            known.push(pattern.clone());
            self.location(modifier, &pattern, depth);
        }
    }

    fn location(&mut self, modifier: &str, pattern: &str, depth: usize) {
        self.count += 1;
        let own = format!("return 200 \"{} $1 $uri\";", self.count);
        let action = match self.chance.below(6) {
            0 => "proxy_pass http://{{origin}};",
            1 => "",
            2 => "internal;",
            _ => &own,
        };
        let _ = writeln!(self.text, "    location {modifier}{pattern} {{ {action}");
        if depth < 2 && modifier != "= " && self.chance.once_in(2) {
            self.block(pattern, depth + 1, modifier.starts_with('~'));
        }
        self.text.push_str("    }\n");
    }
}

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

fn error_pages(chance: &mut Chance) -> String {
    let mut text = format!("server:\n    root {{{{dir}}}}/www;\n    set $v \"\";\n    {}\n", level(chance));
    for name in ["/l0", "/l1", "/l2", "/l3", "= /l4", "/l5", "@n0", "@n1", "@n2"] {
        let action =
            if chance.once_in(2) { format!("return {};", chance.word(CODES)) } else { chance.pick(ACTIONS).to_owned() };
        let _ = writeln!(text, "    location {name} {{ {} {action} }}", level(chance));
    }
    text.push_str("\nfile www/f.txt: file\n\norigin: echo\n\norigin down refused:\n");
    case("Error pages that lead to one another.", &text, chance, |chance| {
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
