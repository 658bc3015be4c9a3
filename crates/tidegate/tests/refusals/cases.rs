//! The broken files. Not here: how they are compared.

use std::path::Path;

/// A broken configuration.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    main: Main,
    /// Another file, `other.conf`.
    other: &'static str,
    /// `-g`.
    pub(crate) globals: Option<&'static str>,
    pub(crate) expected: Expected,
}

pub(crate) enum Expected {
    /// The same exit code, the same first message.
    Same,
    /// Another first message, or none.
    Differs { ours: Option<&'static str>, reason: &'static str },
}

/// The main file's text.
enum Main {
    /// All of it.
    Whole(Vec<u8>),
    /// The inside of `http`.
    Http(Vec<u8>),
}

impl Case {
    /// The files by name.
    pub(crate) fn files(&self, folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
        let main = match &self.main {
            Main::Whole(text) => text.clone(),
            Main::Http(text) => {
                let folder = folder.display();
                let start = format!("pid {folder}/pid; error_log {folder}/log; events {{}}\nhttp {{ access_log off;\n");
                [start.as_bytes(), text, b"\n}\n"].concat()
            }
        };
        vec![("nginx.conf", main), ("other.conf", self.other.as_bytes().to_vec())]
    }

    fn with(self, other: &'static str) -> Self {
        Self { other, ..self }
    }

    fn globals(self, globals: &'static str) -> Self {
        Self { globals: Some(globals), ..self }
    }

    fn differs(self, ours: &'static str, reason: &'static str) -> Self {
        Self { expected: Expected::Differs { ours: Some(ours), reason }, ..self }
    }

    fn accepted(self, reason: &'static str) -> Self {
        Self { expected: Expected::Differs { ours: None, reason }, ..self }
    }
}

fn case(name: &'static str, main: Main) -> Case {
    Case { name, main, other: "", globals: None, expected: Expected::Same }
}

fn whole(name: &'static str, text: &str) -> Case {
    case(name, Main::Whole(text.as_bytes().to_vec()))
}

fn http(name: &'static str, text: &str) -> Case {
    case(name, Main::Http(text.as_bytes().to_vec()))
}

fn server(name: &'static str, text: &str) -> Case {
    http(name, &format!("server {{ listen 127.0.0.1:1999; {text} }}"))
}

fn location(name: &'static str, text: &str) -> Case {
    server(name, &format!("location / {{ {text} }}"))
}

pub(crate) fn all() -> Vec<Case> {
    [text(), blocks(), words(), variables(), servers(), proxying(), logs_and_maps(), includes(), globals()]
        .into_iter()
        .flatten()
        .collect()
}

const END: &str = "tidegate shows the line of the name, nginx that of the end";

fn text() -> Vec<Case> {
    let long = "a".repeat(5000);
    vec![
        http("a semicolon alone", ";"),
        server("two semicolons", "root /a;;"),
        server("a brace alone", "{ }"),
        http("a brace too many", "server { } }"),
        http("a block that is not closed", "server { listen 127.0.0.1:1999;"),
        server("no semicolon before a brace", "root /a"),
        http("a brace that touches a word", "server { listen 127.0.0.1:1999}"),
        whole("the end within a directive", "events {}\nhttp"),
        whole("the end within a block", "events {}\nhttp {\n"),
        location("the end within quotes", "return 200 \"a;"),
        location("a letter after a closing quote", "return 200 \"a\"b;"),
        server("a quote that is not closed", "root \"/a;\n index \"b\";"),
        location("an apostrophe", "return 200 'it's fine';"),
        location("a long word", &format!("return 200 {long};")),
        location("a long word in quotes", &format!("return 200 \"{long}\";")),
        http("a long comment", &format!("#{long}")),
        server("an expression with a brace", "location ~ ^/a{2}$ { }"),
        http("an expression with a brace in a map", "map $uri $a { ~^/a{2} b; }"),
        http("a backslash in a name", "ser\\ver {}"),
        http("an escaped name", "ser\\tver {}").differs(
            "[emerg] unknown directive \"ser␉ver\" in /nginx.conf:3",
            "a control character is shown and not sent to the terminal",
        ),
        whole("a byte order mark", "\u{feff}events {}"),
        http("lines that end in two characters", "server {\r\n listen 127.0.0.1:1999;\r\n nonsense;\r\n}"),
        case("a byte that is not UTF-8", Main::Http(b"server { server_name \"\xe9\"; nonsense; }".to_vec())),
        case("a zero byte", Main::Http(b"server { server_name \x00a; nonsense; }".to_vec())),
        server("no semicolon before a line", "root /a\n index b;")
            .differs("[emerg] invalid number of arguments in \"root\" directive in /nginx.conf:3", END),
        server("no semicolon before a block", "root /a\n location / { }")
            .differs("[emerg] directive \"root\" is not terminated by \";\" in /nginx.conf:3", END),
        http("no semicolon after listen", "server { listen 127.0.0.1:1999\n server_name a; }"),
        server("a directive of many lines", "\nroot\n a\n b;")
            .differs("[emerg] invalid number of arguments in \"root\" directive in /nginx.conf:4", END),
    ]
}

fn blocks() -> Vec<Case> {
    vec![
        server("an unknown directive", "nonsense on;"),
        http("a directive of servers in http", "listen 80;"),
        http("a location in http", "location / {}"),
        server("a server in a server", "server {}"),
        server("an upstream in a server", "upstream a { server b; }"),
        server("a proxy_pass in a server", "proxy_pass http://127.0.0.1;"),
        http("a block without its block", "server;"),
        server("a plain directive with a block", "root /a { }"),
        whole("no events", "http {}"),
        whole("nothing", ""),
        whole("two http blocks", "events {} http {} http {}"),
        whole("two events blocks", "events {} events {}"),
        http("worker_processes in http", "worker_processes 1;"),
    ]
}

fn words() -> Vec<Case> {
    vec![
        server("too few words", "root;"),
        server("too many words", "root a b;"),
        server("a location without a pattern", "location { }"),
        server("a location with a strange modifier", "location ! /a { }"),
        server("a directive written twice", "root /a; root /b;"),
        server("a flag that is neither on nor off", "etag maybe;"),
        server("a size with a strange unit", "client_max_body_size 5x;"),
        server("a size in gigabytes where memory is meant", "client_body_buffer_size 1g;"),
        server("a size that is too large", "client_max_body_size 99999999999999999999;"),
        server("a time with a strange unit", "send_timeout 5q;"),
        server("a time whose units go up", "send_timeout 1s1h;"),
        server("a time in years where milliseconds count", "send_timeout 1y;"),
        server("a negative time", "send_timeout -1;"),
        server("a number that is none", "keepalive_requests many;"),
        server("too few buffers", "proxy_buffers 8;"),
        whole("a strange number of workers", "worker_processes x; events {}"),
        whole("three words for user", "user a b c; events {}"),
        whole("a strange number of connections", "events { worker_connections x; }"),
    ]
}

fn variables() -> Vec<Case> {
    const PLACE: &str = "nginx finds unknown variables after reading, and has no line for them";
    vec![
        location("a brace of a variable that is not closed", "return 200 ${host;"),
        location("a brace of a variable that is closed too late", "return 200 \"${host x}\";"),
        location("a dollar alone", "return 200 $;"),
        location("a variable without a name", "return 200 ${};"),
        location("a dollar before a dash", "return 200 \"$-\";"),
        location("an unknown variable", "return 200 $nothing;")
            .differs("[emerg] unknown \"nothing\" variable in /nginx.conf:3", PLACE),
        location("a capture in braces", "return 200 ${1};")
            .differs("[emerg] unknown \"1\" variable in /nginx.conf:3", PLACE),
        http("a capture in a log format", "log_format a $1;")
            .differs("[emerg] unknown \"1\" variable in /nginx.conf:3", PLACE),
        location("set of a word", "set a b;"),
        location("set of a variable of nginx", "set $uri b;"),
        http("a map of a word", "map $uri a { }"),
    ]
}

fn servers() -> Vec<Case> {
    const REGEX: &str = "regular expressions are not PCRE's, and neither are the words for what is wrong with one";
    const PARSING: &str = "[emerg] invalid regular expression: Parsing error at position 1: Opening parenthesis without \
                           closing parenthesis in /nginx.conf:3";
    vec![
        http("a port that is too large", "server { listen 99999; }"),
        http("a strange word for listen", "server { listen 1999 nonsense; }"),
        http("a listen written twice", "server { listen 1999; listen 1999; }"),
        http("two default servers", "server { listen 1999 default_server; } server { listen 1999 default_server; }"),
        server("no name", "server_name;"),
        server("an expression in a name", "server_name ~(;").differs(PARSING, REGEX),
        server("an expression in a location", "location ~ ( { }").differs(PARSING, REGEX),
        server("two locations of one pattern", "location /a { } location /a { }"),
        server("a location outside the one around", "location /a { location /b { } }"),
        server("a location in a named one", "location @a { location /b { } }"),
        server("an alias in a named location", "location @a { alias /b; }"),
        location("a root beside an alias", "root /a; alias /b;"),
        location("a word for internal", "internal on;"),
        location("one word for try_files", "try_files $uri;"),
        server("an error page for 200", "error_page 200 /a;"),
        server("an error page without a code", "error_page /a;"),
        location("a return without a code", "return abc;"),
        location("a return with a large code", "return 1000;"),
        server("one word for add_header", "add_header a;"),
        server("no word for resolver", "resolver;"),
    ]
}

fn proxying() -> Vec<Case> {
    vec![
        location("a proxy_pass without a scheme", "proxy_pass a;"),
        server("a path where an expression matched", "location ~ /a { proxy_pass http://127.0.0.1/b; }"),
        location("two proxy_pass", "proxy_pass http://127.0.0.1; proxy_pass http://127.0.0.1;"),
        location("a strange port", "proxy_pass http://127.0.0.1:x;"),
        http("an empty upstream", "upstream a { }"),
        http("two upstreams of one name", "upstream a { server 127.0.0.1; } upstream a { server 127.0.0.1; }"),
        http("a strange word for a server", "upstream a { server 127.0.0.1 nonsense; }"),
        http("a host that does not resolve", "upstream a { server no.such.host.invalid; }")
            .accepted("a name that does not resolve is tried again, and does not stop the start"),
    ]
}

fn logs_and_maps() -> Vec<Case> {
    vec![
        http("two formats of one name", "log_format a x; log_format a y;"),
        http("an unknown format", "access_log /dev/null nonsense;"),
        http("a brace that is not closed in a format", "log_format a ${x;"),
        http("a format of nothing", "log_format a;"),
        http("three words in a map", "map $uri $a { a b c; }"),
        http("a block in a map", "map $uri $a { a { } }"),
        http("a key twice", "map $uri $a { a 1; a 2; }"),
        http("a block in types", "types { a b { } }"),
        http("a map that is not finished", "map $uri $a { a }"),
    ]
}

fn includes() -> Vec<Case> {
    vec![
        http("a file that is not there", "include none.conf;"),
        http("two words for include", "include a b;"),
        http("a block for include", "include a { }"),
        http("an included file that closes less than it opens", "include other.conf;").with("server {\n"),
        http("an included file that closes more than it opens", "include other.conf;").with("\n}\nserver {"),
        http("an included file that ends within a directive", "include other.conf;").with("server_tokens off\n"),
        http("a fault in an included file", "include other.conf;").with("# a\nserver {\n nonsense;\n}"),
        server("a directive that may not stand where its file is included", "include oth*.conf;").with("server { }"),
        http("a folder", "include /;").differs(
            "[emerg] open() \"/\" failed (21: Is a directory) in /nginx.conf:3",
            "nginx opens a folder and fails to read it, and does not say where it is included",
        ),
        http("a file that includes itself", "include other.conf;").with("include other.conf;").differs(
            "[emerg] \"/other.conf\" includes itself in /other.conf:1",
            "nginx includes until its stack or its descriptors end",
        ),
    ]
}

fn globals() -> Vec<Case> {
    vec![
        http("globals without an end", "").globals("daemon off"),
        http("globals within quotes", "").globals("daemon \"off"),
        http("globals with a block", "").globals("http {}"),
        http("globals with a brace", "").globals("}"),
        http("globals that are unknown", "").globals("daemon off; nonsense;"),
        http("globals twice", "").globals("daemon off; daemon on;"),
        whole("globals that the file has too", "events {} daemon on;").globals("daemon off;"),
    ]
}
