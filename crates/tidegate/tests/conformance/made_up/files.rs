//! Files asked for by ranges, conditions and methods of all kinds. Not here: where a path leads.

use std::fmt::Write;

use super::{Chance, make};

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

pub(super) fn case(chance: &mut Chance) -> String {
    make("Files by ranges, conditions and methods of all kinds.", FILE_SECTIONS, chance, |chance| {
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
