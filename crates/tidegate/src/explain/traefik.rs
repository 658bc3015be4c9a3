//! What Traefik says: `'504 Gateway Timeout' caused by: …` in its log (at debug level), and its access log in JSON. Not here:
//! Go's messages that it passes on (`go`), and its access log in the common form (`access`).

use policy::Cause;

use super::json_line::each_member;
use super::reading::{Candidate, Reading, Vendor, possible};
use super::{access, go};

/// Whether Traefik wrote the line.
pub(super) fn wrote(line: &str) -> bool {
    caused_by(line).is_some()
        || line.contains("\"DownstreamStatus\":")
        || (line.starts_with('{') && line.contains("\"error\":") && has_status_message(line))
        || (line.contains(" error=") && status_words(line).is_some())
        || line.contains(ABORTED)
        || (line.contains(go::BODY_COPY) && (line.starts_with('{') || line.contains(" DBG ")))
}

/// It ends an answer so whose body broke off.
const ABORTED: &str = "Request has been aborted [";

/// What a line of either log says.
pub(super) fn read(line: &str) -> Option<Reading> {
    if line.contains("\"DownstreamStatus\":") {
        return read_access(line);
    }
    if line.contains(ABORTED) {
        return Some(aborted(line));
    }
    if let Some((_, message)) = line.split_once(go::BODY_COPY) {
        let message = plain(message);
        let reading = Reading::new(Vendor::Traefik, message.as_str(), go::body_candidates(&message)?);
        return Some(reading.fact("upstream", go::address(&message)));
    }
    let (status, cause) = match caused_by(line) {
        Some((status, cause)) => (status.to_owned(), plain(cause)),
        None if line.starts_with('{') => from_json(line)?,
        None => (status_words(line)?.to_owned(), logged_error(line)?),
    };
    let reading = Reading::new(Vendor::Traefik, format!("'{status}' caused by: {cause}"), go::candidates(&cause)?);
    Some(reading.fact("upstream", go::address(&cause)))
}

/// `Request has been aborted [127.0.0.1:5 - /a]: net/http: abort Handler`.
fn aborted(line: &str) -> Reading {
    let within = line.split_once(ABORTED).and_then(|(_, rest)| rest.split_once(']'));
    let (client, target) = within.and_then(|(within, _)| within.split_once(" - ")).unwrap_or_default();
    Reading::new(Vendor::Traefik, "Request has been aborted", BROKEN_OFF)
        .meaning("The answer broke off after its head; the line before, at level DEBUG, says why.")
        .fact("client", client)
        .fact("request", target)
}

const BROKEN_OFF: &[Candidate] = &[
    possible(Cause::BodyTruncated, "if the line before has `unexpected EOF`"),
    possible(Cause::BodyReset, "if the line before has `connection reset by peer`"),
    possible(Cause::BodyTimeout, "if the line before has `i/o timeout`"),
    possible(Cause::ClientGone, "if the line before has `context canceled`"),
];

/// It answers 500 where it has no other status for what an endpoint did.
const OWN_500: &[Candidate] = &[
    possible(Cause::NotHttp, "if the endpoint's port speaks another protocol"),
    possible(Cause::MalformedField, "if the application writes odd header values"),
    possible(Cause::HeadTooLarge, "if the answer's head is larger than Go takes (10 MB)"),
    possible(Cause::CertificateUntrusted, "if it asks by HTTPS: a certificate that it does not accept"),
];

/// `'502 Bad Gateway' caused by: EOF`.
fn caused_by(line: &str) -> Option<(&str, &str)> {
    let (before, cause) = line.split_once("' caused by: ")?;
    let (_, status) = before.rsplit_once('\'')?;
    status.starts_with(|first: char| first.is_ascii_digit()).then_some((status, cause))
}

/// The message without the rest of the line that it stands in: `msg="…"`, or a member of JSON.
fn plain(cause: &str) -> String {
    let cause = cause.trim_end();
    let end = cause.find("\",\"").or_else(|| cause.find("\" ")).or_else(|| cause.find("\"}"));
    let cause = end.map_or(cause, |end| &cause[..end]);
    let unquoted = if cause.matches('"').count() % 2 == 1 { cause.strip_suffix('"').unwrap_or(cause) } else { cause };
    unquoted.replace("\\\"", "\"")
}

/// Traefik 3: `{"level":"debug","error":"EOF","time":"…","message":"502 Bad Gateway"}`.
fn from_json(line: &str) -> Option<(String, String)> {
    let (mut message, mut error) = (None, None);
    each_member(line.as_bytes(), |object, name, value| match name {
        b"message" | b"msg" if object.is_empty() => message = Some(value.text().into_owned()),
        b"error" if object.is_empty() => error = Some(value.text().into_owned()),
        _ => {}
    });
    message.zip(error)
}

fn has_status_message(line: &str) -> bool {
    from_json(line).is_some_and(|(message, _)| status_words(&message).is_some())
}

/// Traefik's own words for what it answers.
fn status_words(line: &str) -> Option<&'static str> {
    const WORDS: [&str; 5] = [
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "499 Client Closed Request",
        "500 Internal Server Error",
    ];
    WORDS.into_iter().find(|words| line.contains(words))
}

/// Traefik 3 on a terminal: `DBG … > 502 Bad Gateway error="dial tcp …"`, `error=EOF`; quotes within are escaped.
fn logged_error(line: &str) -> Option<String> {
    let (_, error) = line.split_once(" error=")?;
    let Some(quoted) = error.strip_prefix('"') else {
        return error.split(' ').next().map(str::to_owned);
    };
    let escaped = |at: usize| quoted[..at].ends_with('\\');
    let end = quoted.match_indices('"').map(|(at, _)| at).find(|at| !escaped(*at)).unwrap_or(quoted.len());
    Some(quoted[..end].replace("\\\"", "\""))
}

fn read_access(line: &str) -> Option<Reading> {
    let (mut status, mut origin, mut length, mut nanos) = (0, 0, 0, None);
    let (mut client, mut target, mut endpoint, mut at) = Default::default();
    each_member(line.as_bytes(), |_, name, value| match name {
        b"DownstreamStatus" => status = value.text().parse().unwrap_or(0),
        b"OriginStatus" => origin = value.text().parse().unwrap_or(0),
        b"OriginContentSize" => length = value.text().parse().unwrap_or(0),
        b"Duration" => nanos = value.text().parse::<u64>().ok(),
        b"ClientHost" => client = value.text().into_owned(),
        b"RequestPath" => target = value.text().into_owned(),
        b"ServiceAddr" => endpoint = value.text().into_owned(),
        b"time" => at = value.text().into_owned(),
        _ => {}
    });
    // What it answers itself it counts as the endpoint's; its text is the status' own, and so has that length.
    let own = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).map_or(0, str::len);
    let answered = origin != 0 && origin == status && length != own;
    let seen = access::Seen { status, took: nanos.map(|nanos| nanos / 1_000), answered };
    let mut reading = access::reading(Vendor::Traefik, &seen)?;
    if status == 500 && !answered {
        reading.candidates = OWN_500.to_vec();
    }
    let at: String = at;
    Some(
        reading
            .fact("at", at)
            .fact("client", client as String)
            .fact("request", target as String)
            .fact("upstream", endpoint as String),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(line: &str) -> Cause {
        assert!(wrote(line), "{line}");
        read(line).unwrap_or_else(|| panic!("{line}")).candidates[0].cause
    }

    #[test]
    fn every_way_in_which_it_writes_a_cause_is_read() {
        let cases = [
            ("'502 Bad Gateway' caused by: EOF", Cause::StaleConnection),
            ("'504 Gateway Timeout' caused by: dial tcp 172.24.0.2:80: i/o timeout", Cause::ConnectTimeout),
            (
                r#"time="2026-11-25T16:39:28Z" level=debug msg="'502 Bad Gateway' caused by: dial tcp 10.0.0.1:80: connect: connection refused""#,
                Cause::ConnectRefused,
            ),
            (
                r#"{"level":"debug","msg":"'502 Bad Gateway' caused by: dial tcp 10.0.0.1:80: connect: no route to host","time":"2026-11-25T16:39:28Z"}"#,
                Cause::HostUnreachable,
            ),
            (
                r#"{"level":"debug","error":"dial tcp 10.0.0.1:80: connect: connection refused","time":"2026-11-25T16:39:28Z","message":"502 Bad Gateway"}"#,
                Cause::ConnectRefused,
            ),
            (
                "2026-11-25T16:39:28Z DBG github.com/traefik/traefik/v3/pkg/proxy/httputil/proxy.go:121 > 502 Bad Gateway error=\"EOF\"",
                Cause::StaleConnection,
            ),
            (
                "'500 Internal Server Error' caused by: x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
                Cause::CertificateWrongName,
            ),
            ("'499 Client Closed Request' caused by: context canceled", Cause::ClientGone),
        ];
        for (line, cause) in cases {
            assert_eq!(first(line), cause, "{line}");
        }
    }

    #[test]
    fn the_address_is_a_fact() {
        let reading = read("'504 Gateway Timeout' caused by: dial tcp 172.24.0.2:80: i/o timeout").unwrap();
        assert_eq!(reading.facts, [("upstream", "172.24.0.2:80".to_owned())]);
    }

    #[test]
    fn an_access_line_tells_whose_status_it_is() {
        let line = |origin: u16, length: usize| {
            format!(
                r#"{{"ClientHost":"192.0.2.1","Duration":30001000000,"DownstreamStatus":504,"OriginContentSize":{length},"OriginStatus":{origin},"RequestPath":"/a","ServiceAddr":"10.0.0.1:80","time":"2026-11-25T16:39:28Z"}}"#
            )
        };
        assert_eq!(first(&line(0, 0)), Cause::ReplyTimeout);
        assert_eq!(first(&line(504, "Gateway Timeout".len())), Cause::ReplyTimeout, "its own text is no endpoint's");
        assert!(read(&line(504, 1234)).unwrap().candidates.is_empty(), "the endpoint itself answered 504");
    }
}
