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
    Some(reading.fact("request", text(line.request)).fact("upstream", text(line.upstream)))
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
    fn a_code_in_a_line_says_it() {
        assert_eq!(code("{\"failure_code\":\"TG-5005\"}"), Some(Cause::ReplyTimeout));
        assert_eq!(code("TG-9 TG-20 TG-"), None);
        assert_eq!(code("ſTG-\u{1F600}"), None);
    }
}
