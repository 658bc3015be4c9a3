//! Request targets, whatever they may hold. Not here: what they find.

use super::{Chance, make};

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

pub(super) fn case(chance: &mut Chance) -> String {
    make("Targets made of whatever a path may hold.", TARGET_SECTIONS, chance, |chance| {
        let target = format!("{}{}", chance.word(STARTS), chance.some(7, PIECES));
        let version = if chance.once_in(10) { " 1.0" } else { "" };
        format!("    get {target}{version}\n")
    })
}
