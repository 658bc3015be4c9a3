//! `tidegate explain`: what a code, a status, a phrase or a log line of any gateway means, and what to do about it.
//!
//! Each vendor has a room of its own; whose line it is, is decided here and nowhere else. Not here: files of logs and their
//! counts over time (`report`), and what is known of a cause (`policy`).

mod access;
mod alb;
mod apache;
mod caddy;
mod envoy;
mod error_type;
mod go;
mod groups;
mod haproxy;
mod json;
mod json_line;
pub(crate) mod nginx;
mod openssl;
mod plain;
mod reading;
mod server;
mod status;
mod tidegate;
mod traefik;

pub(crate) use access::{Seen, candidates as of_access};
pub(crate) use json_line::each_member;
pub(crate) use reading::{Candidate, Likelihood, certainly};

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use groups::Groups;
use reading::{Reading, Vendor};

use crate::report::{Style, each_line};

/// How it is used.
pub(crate) const USAGE: &str = "\
Usage: tidegate explain [--json] [WHAT…]

Says what a failure means, which causes it may have, and what to change. WHAT is
a code (TG-2001), a status (502), a phrase (\"no live upstreams\"), letters of
HAProxy (SH--) or Envoy (UF,URX), a Proxy-Status field, a log line, or a file of
them, of nginx, HAProxy, Envoy, Traefik, Caddy, Apache httpd, an AWS ALB,
Tidegate, or the application's server. Without WHAT, lines are read from standard input. Lines that mean the
same are counted together.

The exit code is 1 if nothing of it was understood.
";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    json: bool,
    what: Vec<String>,
}

/// Reads the words after `explain`. Nothing is returned for `--help`.
///
/// # Errors
/// What is wrong.
pub(crate) fn parse(words: &[String]) -> Result<Option<Question>, String> {
    let mut question = Question { json: false, what: Vec::new() };
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--json" => question.json = true,
            // HAProxy's letters may begin with a hyphen; options have two or are short.
            word if word.starts_with("--") && word.len() > 4 => return Err(format!("unknown option \"{word}\"")),
            word => question.what.push(word.to_owned()),
        }
    }
    Ok(Some(question))
}

/// Answers. Returns the exit code.
pub(crate) fn run(question: &Question) -> u8 {
    let mut groups = Groups::default();
    if let Err(error) = question.collect(&mut groups) {
        eprintln!("tidegate: {error}");
        return 1;
    }
    let mut out = io::stdout().lock();
    let text = if question.json { json::text(&groups) } else { plain::text(&groups, Style::of(out.is_terminal())) };
    // A reader that went away wants no more.
    let _ = out.write_all(text.as_bytes());
    u8::from(groups.is_empty())
}

impl Question {
    fn collect(&self, groups: &mut Groups) -> io::Result<()> {
        if self.what.is_empty() {
            return collect_lines(&mut io::stdin().lock(), groups);
        }
        let joined = self.what.join(" ");
        // `no live upstreams` need not be quoted; `502 504` are two questions.
        let unquoted = self.what.len() > 1 && !self.what.iter().any(|what| what.contains(' '));
        if unquoted && self.what.iter().any(|what| word(what).is_none() && !is_readable(what)) {
            return collect_lines(&mut joined.as_bytes(), groups);
        }
        for what in &self.what {
            if is_readable(what) {
                collect_lines(&mut std::fs::File::open(what)?, groups)?;
            } else {
                collect_lines(&mut what.as_bytes(), groups)?;
            }
        }
        Ok(())
    }
}

/// A file or a pipe, as `<(…)` of a shell is.
fn is_readable(what: &str) -> bool {
    Path::new(what).metadata().is_ok_and(|found| !found.is_dir())
}

fn collect_lines(source: &mut impl Read, groups: &mut Groups) -> io::Result<()> {
    each_line(source, |line| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if !line.is_empty() {
            groups.add(line, explain(line));
        }
    })
}

/// What a line, a phrase or a word means; none if it is not understood.
pub(crate) fn explain(text: &str) -> Option<Reading> {
    match whose(text) {
        Some(vendor) => read(vendor, text),
        None => word(text).or_else(|| phrase(text)),
    }
}

/// Whose line it is, by marks that no other's has; none if it is no whole line.
fn whose(line: &str) -> Option<Vendor> {
    type Wrote = fn(&str) -> bool;
    const ROOMS: [(Vendor, Wrote); 12] = [
        (Vendor::Tidegate, |line| line.len() > "TG-2001".len() && tidegate::wrote(line)),
        (Vendor::Nginx, nginx::wrote),
        (Vendor::Alb, alb::wrote),
        (Vendor::Caddy, caddy::wrote),
        (Vendor::Traefik, traefik::wrote),
        (Vendor::Haproxy, haproxy::wrote),
        (Vendor::Apache, apache::wrote),
        (Vendor::Envoy, envoy::wrote),
        (Vendor::Http, error_type::wrote),
        (Vendor::Server, server::wrote),
        (Vendor::OpenSsl, openssl::wrote),
        (Vendor::Go, go::wrote),
    ];
    let found = ROOMS.iter().find(|(_, wrote)| wrote(line)).map(|(vendor, _)| *vendor);
    found.or_else(|| crate::report::access_line(line).map(|_| Vendor::AccessLog))
}

fn read(vendor: Vendor, line: &str) -> Option<Reading> {
    match vendor {
        Vendor::Tidegate => tidegate::read(line),
        Vendor::Nginx => nginx::read(line),
        Vendor::Alb => alb::read(line),
        Vendor::Caddy => caddy::read(line),
        Vendor::Traefik => traefik::read(line),
        Vendor::Haproxy => haproxy::read(line),
        Vendor::Apache => apache::read(line),
        Vendor::Envoy => envoy::read(line),
        Vendor::OpenSsl => openssl::read(line),
        Vendor::Server => server::read(line),
        Vendor::Go => go::read(line),
        Vendor::AccessLog => read_access(line),
        Vendor::Http => error_type::read(line),
    }
}

fn read_access(line: &str) -> Option<Reading> {
    let found = crate::report::access_line(line)?;
    let reading = access::reading(Vendor::AccessLog, &found.seen)?;
    let reading = reading.fact("at", found.at).fact("client", found.client);
    Some(reading.fact("request", found.target).fact("upstream", found.endpoints))
}

/// What HAProxy's termination state or Envoy's flags mean beside a status and the endpoint.
pub(crate) fn of_state(letters: &str, status: u16, endpoint: &str) -> &'static [Candidate] {
    match haproxy::of_letters(letters, status, endpoint) {
        Some(candidates) => candidates,
        None => envoy::of_flags(letters, status),
    }
}

/// One word: a code, a name, a status, letters.
fn word(text: &str) -> Option<Reading> {
    if text.contains(' ') {
        return None;
    }
    tidegate::read_word(text)
        .or_else(|| status::read(text))
        .or_else(|| haproxy::is_documented(text).then(|| haproxy::read_letters(text)).flatten())
        .or_else(|| error_type::read_word(text))
        .or_else(|| envoy::read_words(text))
        .or_else(|| haproxy::read_letters(text))
}

/// Words of a message without the line that they stood in.
fn phrase(text: &str) -> Option<Reading> {
    nginx::read_phrase(text)
        .or_else(|| status::read(text))
        .or_else(|| envoy::read_words(text))
        .or_else(|| go::read(text))
}

#[cfg(test)]
mod tests {
    use policy::Cause;
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> (Vendor, Option<Cause>) {
        let reading = explain(text).unwrap_or_else(|| panic!("not understood: {text}"));
        (reading.vendor, reading.candidates.first().map(|candidate| candidate.cause))
    }

    #[test]
    fn two_letters_are_haproxys_where_its_manual_has_them_and_else_envoys() {
        for (letters, vendor) in
            [("SC", Vendor::Haproxy), ("sH--", Vendor::Haproxy), ("UH", Vendor::Envoy), ("UF", Vendor::Envoy)]
        {
            assert_eq!(first(letters).0, vendor, "{letters}");
        }
        assert_eq!(first("UH").1, Some(Cause::NoLiveEndpoints));
    }

    #[test]
    fn every_line_is_known_for_its_vendors() {
        let cases = [
            ("TG-5005", Vendor::Tidegate, Cause::ReplyTimeout),
            ("2026/11/25 16:39:28 [error] 1#1: *1 [TG-5006] x", Vendor::Tidegate, Cause::SilentPath),
            (
                "2026/11/25 16:39:28 [error] 1#1: *1 no live upstreams while connecting to upstream, client: 192.0.2.1",
                Vendor::Nginx,
                Cause::NoLiveEndpoints,
            ),
            (
                "10.0.1.2:33317 [06/Feb/2009:12:14:14.655] in be/s1 0/0/1/-1/50001 504 194 - - sH-- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
                Vendor::Haproxy,
                Cause::ReplyTimeout,
            ),
            (
                "'504 Gateway Timeout' caused by: dial tcp 172.24.0.2:80: i/o timeout",
                Vendor::Traefik,
                Cause::ConnectTimeout,
            ),
            (
                "(111)Connection refused: AH00957: HTTP: attempt to connect to 127.0.0.1:1 (x) failed",
                Vendor::Apache,
                Cause::ConnectRefused,
            ),
            ("read tcp 10.0.0.1:2->10.0.0.2:80: read: connection reset by peer", Vendor::Go, Cause::StaleConnection),
            (
                "upstream connect error or disconnect/reset before headers. reset reason: overflow",
                Vendor::Envoy,
                Cause::EndpointsFull,
            ),
            ("no live upstreams", Vendor::Nginx, Cause::NoLiveEndpoints),
            ("502 Bad Gateway", Vendor::Http, Cause::ConnectRefused),
            ("SH--", Vendor::Haproxy, Cause::ClosedBeforeReply),
            ("UC,URX", Vendor::Envoy, Cause::StaleConnection),
            (
                "192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET / HTTP/1.1\" 504 1 \"-\" \"-\"",
                Vendor::AccessLog,
                Cause::ReplyTimeout,
            ),
        ];
        for (text, vendor, cause) in cases {
            assert_eq!(first(text), (vendor, Some(cause)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_not_understood() {
        for text in ["hello", "hello world", "xyzzy-1", "{}", "TG-0000"] {
            assert_eq!(explain(text), None, "{text}");
        }
    }

    #[test]
    fn words_without_quotes_are_one_phrase_and_words_that_stand_alone_are_several() {
        let ask = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let mut groups = Groups::default();
            parse(&words).unwrap().unwrap().collect(&mut groups).unwrap();
            groups.len()
        };
        assert_eq!(ask(&["no", "live", "upstreams"]), 1);
        assert_eq!(ask(&["502", "504", "TG-2001"]), 3);
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            explain(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn anything_like_a_log_line_is_answered_without_harm(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("2026/11/25 16:39:28 [error] 1#1: *1 "), Just("upstream timed out"), Just(" while "), Just(", client: "),
                    Just("'502 "), Just("' caused by: "), Just("EOF"), Just("["), Just("] "), Just("0/0/0/-1/3"), Just(" SH--"), Just(" 502 "),
                    Just("{\"DownstreamStatus\":"), Just("\"logger\":\"http."), Just("AH00957"), Just("(111)"), Just("h2 "), Just("app/x"),
                    Just("\""), Just("error:0A:SSL routines:"), Just("TG-"), Just("2001"), Just("é"), Just(": "), Just("reason: Layer4"),
                ],
                0..12,
            ),
        ) {
            explain(&words.concat());
        }
    }
}
