//! The error types of RFC 9209, alone or in a `Proxy-Status` field. Not here: our own codes, which say more (`tidegate`).

use policy::Cause;

use super::reading::{Reading, Vendor, certainly};

/// Whether the line is a `Proxy-Status` field with an error.
pub(super) fn wrote(line: &str) -> bool {
    in_field(line).is_some_and(|found| read_word(found).is_some())
}

/// What a field says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let reading = read_word(in_field(line)?)?;
    Some(reading.fact("next hop", parameter(line, "next-hop")).fact("details", parameter(line, "details")))
}

/// What a type alone says: which causes have it.
pub(super) fn read_word(word: &str) -> Option<Reading> {
    let causes: Vec<Cause> = Cause::ALL.iter().copied().filter(|cause| cause.row().error_type == word).collect();
    let candidates = match causes[..] {
        [] => return None,
        [only] => certainly(only),
        _ => &[],
    };
    let named = causes.iter().map(|cause| format!("{} {}", cause.code(), cause.name()));
    let reading = Reading::new(Vendor::Http, word, candidates)
        .meaning("An error type of RFC 9209, by which gateways tell each other.");
    Some(reading.fact("causes of this type", named.collect::<Vec<_>>().join(", ")))
}

/// `…; error=connection_refused; …`.
fn in_field(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("; error=").or_else(|| line.split_once(";error="))?;
    let ends = |letter: char| !letter.is_ascii_lowercase() && letter != '_';
    Some(&rest[..rest.find(ends).unwrap_or(rest.len())])
}

fn parameter(line: &str, name: &str) -> String {
    let value = line.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_leads_to_its_causes() {
        let reading = read_word("http_response_content_coding").unwrap();
        assert_eq!(reading.candidates, certainly(Cause::BadContentCoding));
        let reading = read_word("connection_terminated").unwrap();
        assert!(reading.candidates.is_empty() && reading.facts[0].1.contains("TG-5001 stale_connection"));
        assert_eq!(read_word("connection"), None);
    }

    #[test]
    fn a_field_is_read() {
        let line = "Proxy-Status: cdn; error=dns_timeout; next-hop=\"origin.example\"; details=\"no answer\"";
        let reading = read(line).unwrap();
        assert_eq!(reading.words, "dns_timeout");
        assert_eq!(
            reading.facts[1..],
            [("next hop", "origin.example".to_owned()), ("details", "no answer".to_owned())]
        );
        assert!(!wrote("x; error=unheard_of"));
    }
}
