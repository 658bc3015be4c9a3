//! The page of limits: every bound on what others can make grow. Not here: where they are enforced.
//!
//! A limit that a directive sets takes its default from the directive's row; one that is fixed quotes the line of code that
//! has it, so that the page cannot outlive a change of it.

use std::fs;
use std::path::Path;

use config::directives::rows_of;

use super::links;

/// One bound, and what happens beyond it.
struct Limit {
    what: &'static str,
    bound: Bound,
    beyond: &'static str,
}

enum Bound {
    /// Set by this directive.
    Directive(&'static str),
    /// Fixed: as the page shows it, and the file and the text in it that say so.
    Fixed { shown: &'static str, file: &'static str, code: &'static str },
}

pub(super) fn page(root: &Path) -> Result<String, String> {
    let mut text = String::from(INTRODUCTION);
    for (title, limits) in SECTIONS {
        text.push_str(&format!("\n## {title}\n\n| what is bounded | by | default | beyond it |\n|---|---|---|---|\n"));
        for limit in *limits {
            text.push_str(&line(root, limit)?);
        }
    }
    Ok(text)
}

fn line(root: &Path, limit: &Limit) -> Result<String, String> {
    let (by, default) = match &limit.bound {
        Bound::Directive(name) => (format!("[{name}](directives/{name}.md)"), default_of(name)?),
        Bound::Fixed { shown, file, code } => {
            let source = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
            if !source.contains(code) {
                return Err(format!("{file} says no more `{code}`: bring xtask/src/manual/limits.rs up to date"));
            }
            ("fixed".to_owned(), (*shown).to_owned())
        }
    };
    let beyond = links::linked(limit.beyond, "directives/", "");
    Ok(format!("| {} | {by} | {default} | {beyond} |\n", limit.what))
}

fn default_of(name: &str) -> Result<String, String> {
    let row = rows_of(name).next().ok_or_else(|| format!("a limit names `{name}`, which is no directive"))?;
    Ok(row.default.map_or("none".into(), |default| format!("`{default}`")))
}

const INTRODUCTION: &str = "\
# Limits

Everything that a client, an endpoint or a file can make grow has a bound, and an answer for what is beyond it. Times are between
two operations (two reads, two writes) unless the directive's page says otherwise. 1k is 1,024 bytes.
";

const fn directive(what: &'static str, name: &'static str, beyond: &'static str) -> Limit {
    Limit { what, bound: Bound::Directive(name), beyond }
}

const fn fixed(
    what: &'static str,
    (shown, file, code): (&'static str, &'static str, &'static str),
    beyond: &'static str,
) -> Limit {
    Limit { what, bound: Bound::Fixed { shown, file, code }, beyond }
}

const SECTIONS: &[(&str, &[Limit])] =
    &[("Clients", CLIENTS), ("Endpoints", ENDPOINTS), ("The gateway itself", GATEWAY)];

const HEAD: &str = "crates/http1/src/request.rs";
const DOWNSTREAM: &str = "crates/tidegate/src/downstream/h1.rs";
const PROXY_PROTOCOL: &str = "crates/tidegate/src/downstream/proxy_protocol.rs";
const CHUNKS: &str = "ChunkLimits { line: 1024, excess: 16384, trailer: 8192, trailer_fields: 100 }";

const CLIENTS: &[Limit] = &[
    directive(
        "connections of a worker",
        "worker_connections",
        "the connection that has idled longest makes room, and if none idles, the one whose request's head has been incomplete longest (closed without an answer, 408 in logs); a warning is logged, once a second at most; if all work on requests, the new one is closed and an alert logged",
    ),
    fixed(
        "connections that wait to be accepted, for each worker",
        ("511, or `backlog=` of `listen`", "crates/tidegate/src/listen.rs", "const BACKLOG: u32 = 511;"),
        "the kernel lets the client try again",
    ),
    fixed(
        "a PROXY header, version 1",
        ("107 bytes", PROXY_PROTOCOL, "const V1_MAX: usize = 107;"),
        "the connection is closed and an error logged",
    ),
    fixed(
        "a PROXY header, version 2",
        ("4k", PROXY_PROTOCOL, "const V2_MAX: usize = 4096;"),
        "the connection is closed and an error logged",
    ),
    directive("time for a request's head", "client_header_timeout", "408"),
    directive(
        "the request line, each field line, and the whole head",
        "large_client_header_buffers",
        "414 for the line; 400 for the rest (494 in error_page and in logs)",
    ),
    directive("field lines of a request", "max_headers", "400 (494 in error_page and in logs)"),
    fixed("a method's name", ("32 bytes", HEAD, "const MAX_METHOD: usize = 32;"), "400"),
    fixed("empty lines before a request", ("8", HEAD, "const LEADING_LINES: usize = 8;"), "400"),
    directive("a request's body", "client_max_body_size", "413"),
    directive("what of a body is kept in memory", "client_body_buffer_size", "a temporary file takes it"),
    directive("wait for more of a body", "client_body_timeout", "408"),
    fixed("a chunk's size line, extensions included", ("1k", DOWNSTREAM, CHUNKS), "400"),
    fixed("chunks' size lines together, beyond 16 bytes and the data of each", ("16k", DOWNSTREAM, CHUNKS), "400"),
    fixed("trailers of a chunked body", ("8k, 100 lines", DOWNSTREAM, CHUNKS), "400"),
    directive("wait for the client to take more of an answer", "send_timeout", "the connection is closed"),
    directive("idle time of a connection", "keepalive_timeout", "the connection is closed"),
    directive("requests of a connection", "keepalive_requests", "the last answer says `Connection: close`"),
    directive("age of a connection", "keepalive_time", "the next answer says `Connection: close`"),
    directive("reading on after the last answer", "lingering_time", "the connection is closed"),
    directive("wait for more while reading on", "lingering_timeout", "the connection is closed"),
    directive("ranges of one request", "max_ranges", "the whole file is sent"),
];

const ENDPOINTS: &[Limit] = &[
    directive("time for a connection", "proxy_connect_timeout", "504, or another endpoint as proxy_next_upstream says"),
    directive(
        "wait to send more of a request",
        "proxy_send_timeout",
        "504, or another endpoint as proxy_next_upstream says",
    ),
    directive(
        "wait for more of an answer",
        "proxy_read_timeout",
        "before the head: 504, or another endpoint as proxy_next_upstream says; after it: the answer is cut where the client can see it",
    ),
    directive("an answer's head", "proxy_buffer_size", "502, or another endpoint as proxy_next_upstream says"),
    fixed(
        "field lines of an answer's head",
        ("1,000", "crates/tidegate/src/exchange/making.rs", "const MAX_RESPONSE_FIELDS: usize = 1000;"),
        "502, or another endpoint as proxy_next_upstream says",
    ),
    fixed(
        "interim answers before the final one",
        ("100", "crates/tidegate/src/exchange/making.rs", "const MAX_INTERIM: usize = 100;"),
        "502, or another endpoint as proxy_next_upstream says",
    ),
    fixed(
        "a chunk's size line; size lines together, beyond 16 bytes and the data of each; trailers",
        ("1k; 16k; 8k, 100 lines", "crates/tidegate/src/upstream/evidence.rs", CHUNKS),
        "the answer is cut where the client can see it; a 502, or another endpoint, where the chunks came with the head",
    ),
    directive(
        "what of an answer is held for a client that is slower",
        "proxy_buffers",
        "the endpoint waits; nothing goes to a file",
    ),
    directive("attempts of a request", "proxy_next_upstream_tries", "the last failure is answered"),
    directive("time for further attempts", "proxy_next_upstream_timeout", "the last failure is answered"),
    directive(
        "idle connections of an upstream, for each worker",
        "keepalive",
        "the one that has idled longest is closed",
    ),
    directive(
        "requests that wait for an endpoint to come back, and how long",
        "hold",
        "the last failure is answered at once",
    ),
];

const GATEWAY: &[Limit] = &[
    directive(
        "descriptors of the process",
        "worker_rlimit_nofile",
        "idle connections are closed to make room, and an alert is logged; where none idles, clients wait to be accepted and a request that needs a connection to an endpoint is a 503",
    ),
    fixed(
        "internal redirects of a request",
        ("10", "crates/tidegate/src/answer.rs", "const MAX_REDIRECTS: u32 = 10;"),
        "500, and an error is logged",
    ),
    fixed(
        "steps of a regular expression",
        ("100,000", "crates/config/src/model/regex.rs", "pub const BACKTRACK_LIMIT: usize = 100_000;"),
        "500, and an alert is logged",
    ),
    fixed(
        "upstreams that variables name, between two reloads",
        ("1,024 a worker", "crates/tidegate/src/worker.rs", "const NAMED_AT_RUN_TIME: usize = 1024;"),
        "what is known of them is forgotten",
    ),
    fixed(
        "names that requests alone bring up, and their addresses",
        ("1,024", "crates/tidegate/src/upstream/resolve.rs", "const PASSING_NAMES: usize = 1024;"),
        "they are forgotten and looked up again",
    ),
    fixed(
        "log lines that wait for one file",
        ("8m", "crates/tidegate/src/logs/file.rs", "pub const MAX_PENDING: usize = 8 << 20;"),
        "lines are lost; how many is said in the error log",
    ),
    fixed(
        "a line of the error log",
        ("2k", "crates/tidegate/src/logs/error_log.rs", "pub const MAX_LINE: usize = 2048;"),
        "the rest of it is cut",
    ),
    fixed(
        "a word of a configuration, and a comment",
        ("4,095 bytes, as in nginx", "crates/config/src/text/lexer.rs", "const MAX_WORD: usize = 4096;"),
        "the configuration is refused",
    ),
    fixed(
        "blocks in one another",
        ("64", "crates/config/src/text/mod.rs", "const MAX_BLOCK_DEPTH: usize = 64;"),
        "the configuration is refused",
    ),
    fixed(
        "includes in one another",
        ("32", "crates/config/src/text/include.rs", "const MAX_INCLUDE_DEPTH: usize = 32;"),
        "the configuration is refused",
    ),
    fixed(
        "all text of a configuration, a file as often as it is included",
        ("64m", "crates/config/src/text/include.rs", "const MAX_TEXT: usize = 64 << 20;"),
        "the configuration is refused",
    ),
    fixed(
        "things said of a configuration",
        ("1,000", "crates/config/src/build/mod.rs", "const MAX_SAID: usize = 1000;"),
        "what is more is counted and left out",
    ),
    fixed(
        "what stands behind it of a failure",
        ("1.5k", "crates/tidegate/src/logs/error_log.rs", "pub const MAX_ADDITION: usize = 1536;"),
        "the rest of it is cut",
    ),
    fixed(
        "failures whose repetitions are counted",
        ("256 causes and endpoints a worker", "crates/policy/src/failure/repeats.rs", "const MOST: usize = 256;"),
        "the one that has been silent for longest is forgotten, and gets its advice again",
    ),
    fixed(
        "a configuration file",
        ("64m", "crates/tidegate/src/cli/files.rs", "const MAX_FILE: u64 = 64 << 20;"),
        "it is refused",
    ),
    fixed(
        "sockets taken over from an old binary",
        ("4,096", "crates/tidegate/src/process/inherit.rs", "const MAX_SOCKETS: usize = 4096;"),
        "the rest is not taken",
    ),
    directive("time for a drain", "worker_shutdown_timeout", "what is still connected is closed"),
    fixed(
        "time in which a connection that idles when a drain begins may ask once more",
        (
            "1s, and no more than worker_shutdown_timeout",
            DOWNSTREAM,
            "const DRAIN_GRACE: Duration = Duration::from_secs(1);",
        ),
        "the connection is closed; what it asks before is answered with `Connection: close`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_the_code_no_longer_has_is_an_error() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let gone = fixed("x", ("1", "crates/tidegate/src/answer.rs", "const MAX_REDIRECTS: u32 = 11;"), "500");
        assert!(line(root, &gone).unwrap_err().contains("MAX_REDIRECTS"));
        assert!(line(root, &directive("x", "no_such_directive", "500")).is_err());
    }

    #[test]
    fn a_limit_names_its_default_and_its_answer() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let shown = line(root, &directive("a body", "client_max_body_size", "413")).unwrap();
        assert_eq!(shown, "| a body | [client_max_body_size](directives/client_max_body_size.md) | `1m` | 413 |\n");
    }
}
