//! What Envoy says (and Istio, Contour, Gateway API implementations built on it): response flags, response details and the
//! texts of its local answers. Not here: OpenSSL's words within them (`openssl`).
//!
//! See Envoy's documentation, "Access logging: command operators", and source/common/stream_info.

use policy::Cause;

use super::json_line::each_member;
use super::openssl;
use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

const BODY: &str = "upstream connect error or disconnect/reset before headers";

/// Whether Envoy wrote the line.
pub(super) fn wrote(line: &str) -> bool {
    line.contains("upstream_reset_")
        || line.contains(BODY)
        || line.contains("\"response_flags\":")
        || text_flags(line).is_some()
}

/// What a line says. Details say more than flags.
pub(super) fn read(line: &str) -> Option<Reading> {
    let flags = text_flags(line).map(str::to_owned).or_else(|| json(line, "response_flags"));
    let flags = flags.unwrap_or_default();
    let (words, candidates) = match details(line) {
        Some((words, candidates)) => (join(&flags, &whole(words)), candidates),
        None => (flags.clone(), of_flags(&flags, status(line))),
    };
    let meaning = flags.split(',').find_map(flag).map_or("", |row| row.meaning);
    let meaning = if candidates.is_empty() && meaning.is_empty() {
        "no flag is set: nothing failed on the way."
    } else {
        meaning
    };
    let reading = Reading::new(Vendor::Envoy, words, candidates).meaning(meaning);
    let upstream = json(line, "upstream_host").unwrap_or_else(|| text_host(line).to_owned());
    let request = json(line, "path").unwrap_or_else(|| quoted_request(line).to_owned());
    Some(reading.fact("request", request).fact("upstream", upstream).fact("reason", reason(line)))
}

/// Flags or details alone: `UF`, `UC,URX`, `no_healthy_upstream`.
pub(super) fn read_words(text: &str) -> Option<Reading> {
    if let Some((words, candidates)) = details(text) {
        return Some(Reading::new(Vendor::Envoy, whole(words), candidates));
    }
    let flags: Option<Vec<_>> = text.split(',').map(flag).collect();
    let meaning = flags?.first()?.meaning;
    Some(Reading::new(Vendor::Envoy, text, of_flags(text, 0)).meaning(meaning))
}

fn join(flags: &str, words: &str) -> String {
    match flags {
        "" | "-" => words.to_owned(),
        flags => format!("{flags} {words}"),
    }
}

/// Details as Envoy writes them: what stands in braces may go on behind the words that count.
fn whole(words: &str) -> String {
    if words.contains('{') { format!("{words}}}") } else { words.to_owned() }
}

/// A response flag.
struct Flag {
    name: &'static str,
    meaning: &'static str,
    candidates: &'static [Candidate],
}

const fn row(name: &'static str, meaning: &'static str, candidates: &'static [Candidate]) -> Flag {
    Flag { name, meaning, candidates }
}

const UF: &[Candidate] = &[
    possible(
        Cause::ConnectRefused,
        "if the failure reason says `delayed connect error: 111`, or nothing listens there",
    ),
    possible(Cause::ConnectTimeout, "if the request took as long as `connect_timeout`"),
    possible(Cause::TlsProtocolError, "if the cluster has a transport socket: the reason then names a `TLS_error`"),
];

const BROKEN_BODY: &[Candidate] = &[
    likely(Cause::BodyTruncated, "the head had come, the body ended early"),
    possible(Cause::BodyReset, "Envoy does not tell a reset from an orderly end"),
    possible(Cause::BadChunk, "if the answer came in chunks"),
];

const UPE: &[Candidate] = &[
    possible(Cause::NotHttp, "if every answer of this host ends so: the port speaks another protocol"),
    possible(Cause::MalformedField, "if the application writes odd header values"),
    possible(Cause::LengthAndCoding, "if it sets Content-Length or Transfer-Encoding by hand"),
    possible(Cause::HeadTooLarge, "if its head is larger than `max_response_headers_kb` (60)"),
];

const UC: &[Candidate] = &[
    possible(
        Cause::StaleConnection,
        "if it comes after pauses: the endpoint closes idle connections before Envoy does (`idle_timeout`)",
    ),
    possible(Cause::ClosedBeforeReply, "if the application's log has a crash, a restart or a kill"),
    possible(Cause::ResetBeforeReply, "Envoy does not tell a reset from an orderly end"),
];

const UH: &[Candidate] =
    &[likely(Cause::NoLiveEndpoints, "the cluster is empty, or every host fails its checks or was ejected")];
const UO: &[Candidate] = &[likely(
    Cause::EndpointsFull,
    "a circuit breaker's bound (`max_connections`, `max_pending_requests`, `max_requests`) was met",
)];
const UT: &[Candidate] = &[
    likely(Cause::ReplyTimeout, "the route's `timeout` (15 s unless it is set) ran out"),
    possible(Cause::DeadlineExceeded, "if attempts were made before: the route's `timeout` counts for all of them"),
];

static FLAGS: &[Flag] = &[
    row("UH", "No healthy host is in the cluster.", UH),
    row("UF", "The connection to the host failed.", UF),
    row("UO", "A circuit breaker's bound was met.", UO),
    row("NR", "No route matches the request.", &[said(Cause::NoRoute)]),
    row("NC", "The route names a cluster that does not exist.", &[said(Cause::NoRoute)]),
    row(
        "URX",
        "Retries, or attempts to connect, were used up.",
        &[likely(
            Cause::NoLiveEndpoints,
            "attempts failed one after another: the flags beside this one, and earlier lines, say why",
        )],
    ),
    row("UT", "The host did not answer in the route's time.", UT),
    row("UC", "The host ended the connection.", UC),
    row(
        "UR",
        "The host reset the stream.",
        &[
            likely(Cause::H2StreamReset, "HTTP/2 hosts reset single streams"),
            possible(Cause::H2StreamRefused, "if the details say `remote_refused_stream_reset`"),
        ],
    ),
    row("UPE", "The host's answer breaks the protocol.", UPE),
    row(
        "LR",
        "Envoy itself reset the connection.",
        &[possible(Cause::ShutDown, "if Envoy was drained or restarted then")],
    ),
    row("LH", "Envoy's own health check fails.", &[said(Cause::NoLiveEndpoints)]),
    row("DC", "The client ended the connection.", &[said(Cause::ClientGone)]),
    row("DR", "The client reset its stream.", &[said(Cause::ClientGone)]),
    row("DPE", "The client's request breaks the protocol.", &[said(Cause::ClientMalformed)]),
    row("IH", "A strict check refuses one of the client's headers.", &[said(Cause::ClientMalformed)]),
    row("DI", "A delay was injected on purpose.", &[]),
    row("FI", "A fault was injected on purpose.", &[said(Cause::LocalResponse)]),
    row("RL", "The local rate limit was met.", &[said(Cause::ClientLimited)]),
    row(
        "RLSE",
        "The rate-limit service failed, and requests are refused then.",
        &[likely(Cause::ClientLimited, "`failure_mode_deny` is set")],
    ),
    row("UAEX", "The external authorization refused the request.", &[said(Cause::ClientDenied)]),
    row(
        "SI",
        "Nothing went through the stream for `stream_idle_timeout`.",
        &[
            likely(Cause::BodyTimeout, "the timer counts on both sides; 5 min unless it is set"),
            possible(Cause::TunnelTimeout, "if the request was an upgrade"),
        ],
    ),
    row("DT", "The time for the whole request or connection ran out.", &[said(Cause::DeadlineExceeded)]),
    row("UMSDR", "The time for the stream ran out (`max_stream_duration`).", &[said(Cause::DeadlineExceeded)]),
    row(
        "OM",
        "The overload manager refused the request.",
        &[likely(Cause::MemoryExhausted, "it mostly watches memory")],
    ),
    row(
        "DF",
        "The name could not be looked up.",
        &[
            possible(Cause::NameNotFound, "if the name does not exist"),
            possible(Cause::DnsServerFailed, "if the DNS server fails or refuses"),
            possible(Cause::DnsTimeout, "if it does not answer"),
        ],
    ),
    row("NFCF", "The configuration of a filter has not arrived.", &[said(Cause::ConfigurationError)]),
    row("RFCF", "An answer came from the cache.", &[]),
    row("DO", "The cluster's drop_overload refused the request.", &[said(Cause::EndpointsFull)]),
];

fn flag(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// Of several flags, the one that says why counts before the one that says that retries are used up. With a good status the
/// head had been passed on, and the flag is about the body.
pub(super) fn of_flags(flags: &str, status: u16) -> &'static [Candidate] {
    let mut rows: Vec<_> = flags.split(',').filter_map(flag).collect();
    rows.sort_by_key(|row| row.name == "URX");
    let Some(row) = rows.first() else { return &[] };
    match row.name {
        "UC" | "UPE" | "UF" if (200..500).contains(&status) => BROKEN_BODY,
        "UT" if (200..500).contains(&status) => const { &[said(Cause::BodyTimeout)] },
        _ => row.candidates,
    }
}

/// The status in any of the forms; 0 where it is not told.
fn status(line: &str) -> u16 {
    let quoted = || line.split_once("] \"").and_then(|(_, rest)| rest.split_once("\" ")?.1.split(' ').next());
    let text = json(line, "response_code").or_else(|| quoted().map(str::to_owned));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Details, and what they mean; the first that the text holds counts.
const DETAILS: &[(&str, &[Candidate])] = &[
    ("connection_timeout", &[said(Cause::ConnectTimeout)]),
    ("connection timeout", &[said(Cause::ConnectTimeout)]),
    ("upstream_reset_before_response_started{connection_failure", UF),
    ("upstream_reset_before_response_started{remote_connection_failure", UF),
    ("upstream_reset_before_response_started{local_connection_failure", UF),
    ("upstream_reset_before_response_started{connection_termination", UC),
    ("upstream_reset_before_response_started{remote_refused_stream_reset", &[said(Cause::H2StreamRefused)]),
    ("upstream_reset_before_response_started{remote_reset", &[said(Cause::H2StreamReset)]),
    ("upstream_reset_before_response_started{overflow", UO),
    ("upstream_reset_before_response_started{protocol_error", UPE),
    ("upstream_reset_after_response_started", BROKEN_BODY),
    ("no_healthy_upstream", UH),
    ("no healthy upstream", UH),
    ("cluster_not_found", &[said(Cause::NoRoute)]),
    ("route_not_found", &[said(Cause::NoRoute)]),
    ("upstream_per_try_timeout", &[said(Cause::ReplyTimeout)]),
    ("upstream_per_try_idle_timeout", &[said(Cause::BodyTimeout)]),
    ("upstream_response_timeout", UT),
    ("response_timeout", UT),
    ("upstream request timeout", UT),
    ("upstream_max_stream_duration_reached", &[said(Cause::DeadlineExceeded)]),
    ("stream_idle_timeout", &[said(Cause::BodyTimeout)]),
    ("request_payload_exceeded_retry_buffer_limit", &[said(Cause::ClientBodyTooLarge)]),
    ("request_payload_too_large", &[said(Cause::ClientBodyTooLarge)]),
    ("response_payload_too_large", &[said(Cause::BodyTooLarge)]),
    ("dns_resolution_failure", &[said(Cause::NameNotFound)]),
    ("reset reason: connection failure", UF),
    ("reset reason: remote connection failure", UF),
    ("reset reason: connection termination", UC),
    ("reset reason: remote reset", &[said(Cause::H2StreamReset)]),
    ("reset reason: overflow", UO),
    (
        "reset reason: protocol error",
        &[likely(Cause::NotHttp, "the answer is none of the protocol that the cluster was told")],
    ),
    ("downstream_remote_disconnect", &[said(Cause::ClientGone)]),
    ("http1.codec_error", &[said(Cause::ClientMalformed)]),
    ("maintenance_mode", &[said(Cause::LocalResponse)]),
    ("drop_overload", UO),
];

/// The details in a text, and the candidates. A TLS error within them says the most.
fn details(text: &str) -> Option<(&'static str, &'static [Candidate])> {
    if let Some(at) = text.find("TLS_error").or_else(|| text.find("TLS error")) {
        return Some(("TLS_error", openssl::candidates(&text[at + "TLS_error".len()..])));
    }
    let found =
        || DETAILS.iter().find(|(words, _)| text.contains(words)).map(|(words, candidates)| (*words, *candidates));
    connect_error(text).or_else(found)
}

/// `delayed connect error: 111`, `delayed_connect_error:_Connection_refused`: older versions have the number, newer ones its
/// text; in details spaces are underscores.
fn connect_error(text: &str) -> Option<(&'static str, &'static [Candidate])> {
    const ERRORS: [(&str, &str, &[Candidate]); 6] = [
        ("111", "Connection refused", &[said(Cause::ConnectRefused)]),
        ("113", "No route to host", &[said(Cause::HostUnreachable)]),
        ("101", "Network is unreachable", &[said(Cause::NetworkUnreachable)]),
        ("110", "Connection timed out", &[said(Cause::ConnectTimeout)]),
        ("99", "Cannot assign requested address", &[said(Cause::LocalPortsExhausted)]),
        ("2", "No such file or directory", &[said(Cause::UnixSocketMissing)]),
    ];
    let after = |words| text.split_once(words).map(|(_, after)| after);
    let after = after("connect error: ").or_else(|| after("connect_error:_"))?.replace('_', " ");
    let number = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let found = ERRORS.iter().find(|(wanted, words, _)| number == *wanted || after.starts_with(words));
    found.map(|(_, words, candidates)| (*words, *candidates))
}

/// The flags behind the status in Envoy's own form: `"GET / HTTP/1.1" 503 UF …`. Lines of this form begin with the time in
/// brackets.
fn text_flags(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('[').filter(|rest| rest.as_bytes().get(10) == Some(&b'T'))?;
    let (_, rest) = rest.split_once("] \"")?;
    let (_, rest) = rest.split_once("\" ")?;
    let mut words = rest.split(' ');
    let status = words.next()?;
    let flags = words.next()?;
    let fits = status.len() <= 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let known = flags == "-" || flags.split(',').all(|name| flag(name).is_some());
    (fits && known).then_some(flags)
}

fn quoted_request(line: &str) -> &str {
    let quoted = line.split_once("] \"").and_then(|(_, rest)| rest.split_once("\" "));
    quoted.map_or("", |(request, _)| request)
}

/// The last quoted word of the form's own default is the host.
fn text_host(line: &str) -> &str {
    let last = || line.trim_end().strip_suffix('"')?.rsplit_once('"').map(|(_, host)| host);
    if text_flags(line).is_some() { last().filter(|host| !host.contains(' ')).unwrap_or_default() } else { "" }
}

/// What stands behind `transport failure reason: `, and the like.
fn reason(line: &str) -> String {
    let marked = line.split_once("transport failure reason: ").map(|(_, reason)| reason.to_owned());
    marked.or_else(|| json(line, "upstream_transport_failure_reason")).unwrap_or_default()
}

fn json(line: &str, wanted: &str) -> Option<String> {
    if !line.starts_with('{') {
        return None;
    }
    let mut found = None;
    each_member(line.as_bytes(), |_, name, value| {
        if name == wanted.as_bytes() && value.bytes() != b"null" {
            found = Some(value.text().into_owned());
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(line: &str) -> Vec<Cause> {
        assert!(wrote(line), "{line}");
        read(line).unwrap().candidates.iter().map(|candidate| candidate.cause).collect()
    }

    #[test]
    fn a_line_of_the_default_form_is_read_by_its_flags() {
        let line =
            r#"[2026-11-25T16:39:28.310Z] "GET /a HTTP/1.1" 503 UC 0 95 4 - "-" "curl" "id" "host" "10.0.0.1:80""#;
        assert_eq!(causes(line), [Cause::StaleConnection, Cause::ClosedBeforeReply, Cause::ResetBeforeReply]);
        let reading = read(line).unwrap();
        assert!(reading.facts.contains(&("upstream", "10.0.0.1:80".to_owned())));
        assert_eq!(causes(&line.replace(" UC ", " UF,URX "))[0], Cause::ConnectRefused);
        assert_eq!(causes(&line.replace(" UC ", " - ").replace(" 503 ", " 200 ")), []);
    }

    #[test]
    fn istios_details_say_more_than_flags() {
        let line = r#"[2026-11-25T16:39:28.310Z] "GET /a HTTP/1.1" 503 UF upstream_reset_before_response_started{connection_failure} - "delayed_connect_error:_111" 0 95 4 - "-" "curl" "id" "host" "10.0.0.1:80" outbound|80||a.b -"#;
        assert_eq!(causes(line), [Cause::ConnectRefused]);
        let line = line.replace(
            "delayed_connect_error:_111",
            "TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
        );
        assert_eq!(causes(&line)[0], Cause::TlsNotSpoken);
    }

    #[test]
    fn json_lines_and_bodies_are_read() {
        let line = r#"{"response_code":503,"response_flags":"UH","response_code_details":"no_healthy_upstream","upstream_host":null,"path":"/a"}"#;
        assert_eq!(causes(line), [Cause::NoLiveEndpoints]);
        let body = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
        assert_eq!(causes(body)[0], Cause::StaleConnection);
        let body = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: delayed connect error: 111";
        assert_eq!(causes(body), [Cause::ConnectRefused]);
    }

    #[test]
    fn every_flag_is_understood_alone() {
        for row in FLAGS {
            let reading = read_words(row.name).unwrap();
            assert_eq!(reading.candidates, row.candidates);
            assert!(reading.meaning.ends_with('.'));
        }
        assert_eq!(read_words("XX"), None);
        let words = read_words("503 upstream_reset_before_response_started{connection_termination}").unwrap().words;
        assert_eq!(words, "upstream_reset_before_response_started{connection_termination}");
        assert_eq!(
            read_words("upstream_reset_before_response_started{overflow}").unwrap().candidates[0].cause,
            Cause::EndpointsFull
        );
    }

    #[test]
    fn details_are_reachable() {
        for (words, candidates) in DETAILS {
            assert_eq!(details(words).map(|(_, found)| found), Some(*candidates), "{words}");
        }
    }
}
