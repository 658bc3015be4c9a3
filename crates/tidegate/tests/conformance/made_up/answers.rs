//! Answers of endpoints with fields in any order, and what locations make of them. Not here: answers that are none.

use std::fmt::Write;

use super::{Chance, REQUESTS};

const SERVER: &str = r#"http:
    upstream app { server {{origin}}; }
    proxy_cookie_domain old.test $host;
    proxy_cookie_domain ~^(.+)\.re\.test$ $1.new;
    proxy_cookie_path /one/ /;
    proxy_cookie_path ~*^/TWO/(.*) /t/$1;
    map $upstream_http_x_m $mapped { default "d$upstream_http_x_m"; a A; }
    server {
        listen {{listen}};
        location /plain/ { proxy_pass http://app; }
        location /uri/ { proxy_pass http://app/back/; add_header X-Up "$upstream_http_x_m|$upstream_cookie_c|$upstream_status|$mapped"; }
        location /moved/ { proxy_pass http://app; proxy_redirect http://app/ /; proxy_redirect ~^http://([a-z]+)\.test/(.*)$ https://$1.$host/$2; proxy_redirect /abs /new; }
        location /pages/ { proxy_intercept_errors on; error_page 404 /page; error_page 500 502 =200 @named; error_page 302 301 = @named; error_page 403 http://x.test/; proxy_pass http://app; }
        location /hide/ { proxy_hide_header X-M; proxy_hide_header Set-Cookie; proxy_pass_header Server; proxy_pass_header X-Accel-Expires; proxy_ignore_headers X-Accel-Redirect; proxy_pass http://app; }
        location /page { return 200 "page $status"; }
        location /inside { internal; return 200 "inside $uri $args"; }
        location @named { return 200 "named $upstream_http_location $status"; }
    }
"#;

const PLACES: &str = "/plain/ /uri/ /moved/ /pages/ /hide/";
const STATUSES: &str = "200 200 200 200 201 204 206 301 302 304 307 400 401 403 404 416 500 502 503 299 999";
const URLS: &str = "http://app/back/x http://app/x?y /abs/x /back/x http://a.test/p?q http://old.test/ relative //x/y \
    http://APP/back/ https://app/back/x http://app http://app/back";
/// Each at most once in an answer, but for those of [`REPEATED`].
const FIELDS: &[&str] = &[
    "Content-Type: text/html",
    "Content-Type: text/x; charset=utf-8",
    "Content-Type:",
    "ETag: \"a\"",
    "ETag: W/\"b\"",
    "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT",
    "Last-Modified: x",
    "Expires: 0",
    "X-M: a",
    "X-M: b",
    "X-M:",
    "Server: theirs",
    "X-Accel-Expires: 0",
    "X-Accel-Buffering: no",
    "Accept-Ranges: bytes",
    "Content-Range: bytes 0-1/5",
    "Content-Encoding: gzip",
    "Content-Disposition: x",
    "X-Pad: y",
    "Keep-Alive: timeout=5",
    "x-lower:   spaced",
    "X-Accel-Redirect: /inside/x?y",
    "X-Accel-Redirect: @named",
    "X-Accel-Redirect: /inside/%41%3f",
];
const REPEATED: &[&str] = &[
    "Cache-Control: no-cache",
    "Cache-Control: max-age=1",
    "Vary: x",
    "Link: <a>",
    "WWW-Authenticate: Basic",
    "Set-Cookie: a=1",
    "Set-Cookie: c=2; Domain=old.test",
    "Set-Cookie: c=x; domain=.OLD.test; Path=/one/two",
    "Set-Cookie: b=1; Path=/two/X; Secure",
    "Set-Cookie: d=4;Domain = a.re.test ;path=/TWO/",
    "Set-Cookie: e; Domain=old.test",
    "Set-Cookie: f=1; Path; Domain",
    "Set-Cookie: g=1;;Path=/one/;",
];

pub(super) fn case(chance: &mut Chance) -> String {
    let mut text = format!("# Answers with fields of all kinds, and what becomes of them.\n\n{SERVER}\norigin:\n");
    for _ in 0..REQUESTS {
        let _ = write!(text, "    on request\n        send {}\n", answer(chance));
    }
    text.push_str("\nclient:\n");
    for number in 0..REQUESTS {
        let _ = writeln!(text, "    get {}{number}", chance.word(PLACES));
    }
    text
}

/// An answer as a quoted line of a script.
fn answer(chance: &mut Chance) -> String {
    let status = chance.word(STATUSES);
    let mut fields: Vec<String> = Vec::new();
    for _ in 0..chance.below(7) {
        let (field, once) = field(chance);
        let same = |other: &String| other.split(':').next() == field.split(':').next();
        if !(once && fields.iter().any(same)) {
            fields.push(field);
        }
    }
    let body = match status {
        "204" => "",
        "304" => "Content-Length: 4\r\n\r\n",
        _ if chance.once_in(4) => "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        _ => "Content-Length: 4\r\n\r\nbody",
    };
    let head: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let end = if body.is_empty() { "\r\n" } else { body };
    let whole = format!("HTTP/1.1 {status} Reason\r\n{head}{end}");
    format!("\"{}\"", whole.escape_debug())
}

fn field(chance: &mut Chance) -> (String, bool) {
    match chance.below(4) {
        0 => (format!("Location: {}", chance.word(URLS)), true),
        1 => (format!("Refresh: 5; url={}", chance.word(URLS)), true),
        2 => (chance.pick(REPEATED).to_owned(), false),
        _ => (chance.pick(FIELDS).to_owned(), true),
    }
}
