//! nginx, and tidegate, which logs as nginx does. Their configuration is `misbehave::trial`'s.

/// The phrase of the first line from `warn` up that speaks of the request, without its tail.
pub(crate) fn says(log: &str) -> String {
    let serious = |line: &&str| ["[warn]", "[error]", "[crit]", "[alert]"].iter().any(|level| line.contains(level));
    let mut lines = log.lines().filter(serious).filter(|line| line.contains("upstream: "));
    let Some(line) = lines.next() else { return String::new() };
    let phrase = line.split_once(": *").and_then(|(_, rest)| rest.split_once(' ')).map_or(line, |(_, rest)| rest);
    let (phrase, tail) = phrase.split_once(", client: ").unwrap_or((phrase, ""));
    match cause(tail) {
        Some(cause) => format!("{phrase} ({cause})"),
        None => phrase.to_owned(),
    }
}

/// Tidegate's name of the cause, `TG-2001 connect_refused`.
fn cause(tail: &str) -> Option<&str> {
    let (_, named) = tail.split_once("failure: \"")?;
    named.split([';', '"']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrase_is_read_without_its_frame() {
        let log = "2026/11/25 17:09:49 [info] 1#2: *1 x, client: a, upstream: \"b\"\n\
                   2026/11/25 17:09:49 [error] 1#2: *1 upstream sent too big header while reading response header from \
                   upstream, client: 127.0.0.1, server: , request: \"GET /alone HTTP/1.1\", upstream: \"http://b/alone\"\n";
        assert_eq!(says(log), "upstream sent too big header while reading response header from upstream");
        let tail = ", host: \"trial\", failure: \"TG-7009 trailer_too_large; after 5 bytes\", advice: \"x\"";
        assert_eq!(cause(tail), Some("TG-7009 trailer_too_large"));
        assert_eq!(says(""), "");
    }
}
