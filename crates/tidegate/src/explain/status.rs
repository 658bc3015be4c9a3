//! What a status alone says: little about the cause, so that what follows is where to look. Not here: access lines, which
//! have a duration too (`access`).

use policy::Cause;

use super::access::{Seen, candidates};
use super::reading::{Reading, Vendor};

/// `502`, `HTTP 502`, `502 Bad Gateway`, `HTTP/1.1 502 Bad Gateway`, `status 502`.
pub(super) fn read(text: &str) -> Option<Reading> {
    let bare = text.split_once(' ').filter(|(first, _)| first.starts_with("HTTP") || *first == "status");
    let word = bare.map_or(text, |(_, rest)| rest).split(' ').next()?;
    let status: u16 = word.parse().ok().filter(|status| (100..600).contains(status) && word.len() == 3)?;
    let reading = Reading::new(Vendor::Http, status.to_string(), candidates(&Seen { status, ..Seen::default() }));
    Some(reading.meaning(meaning(status)).fact("causes with this status", with_status(status)))
}

fn meaning(status: u16) -> &'static str {
    match status {
        499 => "nginx's word in logs for a client that left before it had the answer; nobody receives it.",
        500 => "The application, or the gateway itself, met with an error: its own log says which.",
        502 => {
            "A gateway asked an endpoint and got no answer, or none that it could use. The line of the gateway's error log says \
                which: give it to `tidegate explain`."
        }
        503 => "A gateway or an application had no capacity for the request, or no endpoint to ask.",
        504 => {
            "A gateway asked an endpoint and did not wait any longer. The line of the gateway's error log says which timer ran out: \
                give it to `tidegate explain`."
        }
        100..=399 => "No error.",
        _ => "The client's request was not accepted.",
    }
}

/// Codes and names, in the order of the codes.
fn with_status(status: u16) -> String {
    let fits = |cause: &&Cause| cause.row().treatment.status == status;
    let named = Cause::ALL.iter().filter(fits).map(|cause| format!("{} {}", cause.code(), cause.name()));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_with_or_without_its_words() {
        for text in ["502", "HTTP 502", "502 Bad Gateway", "HTTP/1.1 502 Bad Gateway", "HTTP/2 502", "status 502"] {
            let reading = read(text).unwrap();
            assert_eq!(reading.words, "502");
            assert!(reading.facts[0].1.contains("TG-2001 connect_refused"), "{:?}", reading.facts);
        }
        for text in ["", "50", "5020", "099", "bad gateway", "HTTP/1.1", "status quo"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
