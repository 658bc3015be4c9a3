//! What this gateway says: its codes, wherever they stand. Not here: nginx's phrases before them, which say less.

use policy::Cause;

use super::nginx::ErrorLine;
use super::reading::{Reading, Vendor, said};

/// Whether the line has one of our codes.
pub(super) fn wrote(line: &str) -> bool {
    code(line).is_some()
}

/// What a line with a code says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let cause = code(line)?;
    let reading = Reading::new(Vendor::Tidegate, format!("{} {}", cause.code(), cause.name()), &[said(cause)]);
    let Some(line) = ErrorLine::read(line.as_bytes()) else { return Some(reading) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at = line.at.map(|at| at.to_string()).unwrap_or_default();
    let reading = reading.fact("at", at).fact("client", text(line.client));
    let evidence = text(line.failure).split_once("; ").map(|(_, evidence)| evidence.to_owned()).unwrap_or_default();
    let reading = reading.fact("request", text(line.request)).fact("upstream", text(line.endpoint()));
    Some(reading.fact("evidence", evidence))
}

/// The first code in a text, in either case: `TG-2001`.
pub(crate) fn code(text: &str) -> Option<Cause> {
    let upper = text.to_ascii_uppercase();
    upper.match_indices("TG-").find_map(|(at, _)| Cause::find(upper.get(at..at + "TG-2001".len())?))
}

/// A code or one of our names, alone.
pub(super) fn read_word(word: &str) -> Option<Reading> {
    let cause = Cause::find(word).or_else(|| Cause::find(&word.to_ascii_lowercase()))?;
    Some(Reading::new(Vendor::Tidegate, format!("{} {}", cause.code(), cause.name()), &[said(cause)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_found_in_any_case() {
        for word in ["TG-2001", "tg-2001", "connect_refused", "Connect_Refused"] {
            assert_eq!(read_word(word).unwrap().candidates, [said(Cause::ConnectRefused)], "{word}");
        }
        assert_eq!(read_word("TG-0000"), None);
    }

    #[test]
    fn an_error_line_tells_what_was_seen() {
        let line = "2026/11/25 16:39:28 [error] 1#1: *1 upstream timed out (110: Connection timed out) while reading response header \
                    from upstream, client: 192.0.2.1, server: , request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:1/\", \
                    failure: \"TG-5005 reply_timeout; proxy_read_timeout 60s\"";
        let reading = read(line).unwrap();
        assert_eq!(reading.candidates, [said(Cause::ReplyTimeout)]);
        assert!(reading.facts.contains(&("evidence", "proxy_read_timeout 60s".to_owned())), "{:?}", reading.facts);
    }

    #[test]
    fn a_code_in_a_line_says_it() {
        assert_eq!(code("{\"failure_code\":\"TG-5005\"}"), Some(Cause::ReplyTimeout));
        assert_eq!(code("TG-9 TG-20 TG-"), None);
        assert_eq!(code("ſTG-\u{1F600}"), None);
    }
}
