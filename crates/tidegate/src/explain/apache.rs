//! What Apache httpd's error log says: an error number, its text, and an AH code. Not here: its access log (`access`).
//!
//! `[Wed Nov 25 16:39:28.123456 2026] [proxy:error] [pid 7:tid 8] (111)Connection refused: AH00957: HTTP: attempt to connect
//! to 127.0.0.1:8080 (localhost:8080) failed`. See httpd's modules/proxy.

use policy::{Cause, Failure};

use super::openssl;
use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// Whether Apache wrote the line: it has an AH code.
pub(super) fn wrote(line: &str) -> bool {
    code(line).is_some()
}

/// What a line, or a code alone, says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let code = code(line)?;
    let candidates = match errno(line).and_then(|errno| of_errno(line, errno)) {
        Some(candidate) if CONNECTS.contains(&code) => vec![candidate],
        _ => of_code(code, line).to_vec(),
    };
    let reading = Reading::new(Vendor::Apache, format!("AH{code:05}"), &candidates).meaning(meaning(code));
    let client = between(line, "[client ", "]");
    let at = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(at, _)| at);
    Some(reading.fact("at", at).fact("client", client).fact("upstream", endpoint(line)))
}

/// The digits behind `AH`.
fn code(line: &str) -> Option<u32> {
    line.match_indices("AH").find_map(|(at, _)| {
        let digits = line.get(at + 2..at + 7)?;
        let ends = line.as_bytes().get(at + 7).is_none_or(|next| !next.is_ascii_alphanumeric());
        (ends && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
    })
}

/// `(111)Connection refused: AH…`.
fn errno(line: &str) -> Option<i32> {
    let (before, _) = line.split_once(": AH")?;
    let (_, rest) = before.rsplit_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// Lines whose number is that of `connect()`.
const CONNECTS: [u32; 5] = [957, 1079, 1114, 2454, 1014];

/// APR's number for a timeout.
const APR_TIMEUP: i32 = 70007;

fn of_errno(line: &str, errno: i32) -> Option<Candidate> {
    if errno == APR_TIMEUP {
        return Some(said(Cause::ConnectTimeout));
    }
    let unix = line.contains("Unix domain socket") || line.contains(".sock");
    (1..200).contains(&errno).then(|| said(Failure::from_connect_errno(errno, unix).cause))
}

/// `AH00898` follows a line that has the error's number.
const FAILED_BEFORE: &[Candidate] = &[
    possible(Cause::ReplyTimeout, "if that line says `The timeout specified has expired`"),
    possible(Cause::ClosedBeforeReply, "if the application's log has a crash, a restart or a kill"),
    possible(
        Cause::StaleConnection,
        "if it comes after pauses: kept connections are used again (`disablereuse=On`, or `ttl=` below the application's keep-alive time)",
    ),
];

const RESET: &[Candidate] = &[
    possible(Cause::StaleConnection, "if it comes to single requests after pauses: kept connections are used again"),
    possible(Cause::ResetBeforeReply, "if the application's log has a crash, a restart or a kill"),
];

/// `AH01110` is about a body. Its APR number 70008 stands for an end and for a reset.
const BROKEN_BODY: &[Candidate] = &[
    likely(Cause::BodyTruncated, "the head had come, the body ended early"),
    possible(Cause::BodyReset, "if the application was killed"),
    possible(Cause::ChunksTruncated, "if the answer came in chunks"),
];

const WRONG_BODY: &[Candidate] = &[
    likely(Cause::BadChunk, "`Internal error` is what its reader of chunks says of a malformed one"),
    possible(Cause::ChunksTruncated, "if the connection ended within the chunks"),
];

const BAD_HEADER: &[Candidate] = &[
    likely(Cause::MalformedField, "a line of the head is no field"),
    possible(Cause::FieldTooLarge, "if the line before it is AH10124"),
];

const NO_STATUS_LINE: &[Candidate] = &[
    possible(Cause::StaleConnection, "if it comes to single requests after pauses: kept connections are used again"),
    possible(Cause::ClosedBeforeReply, "if the application's log has a crash, a restart or a kill"),
    possible(Cause::NotHttp, "if it comes to every request"),
];

/// What a code means where no error number says more.
fn of_code(code: u32, line: &str) -> &'static [Candidate] {
    let timed_out = line.contains("(70007)") || line.contains("timeout specified has expired");
    let reset = line.contains("(104)");
    match code {
        957 | 1114 | 1079 | 2454 => {
            const { &[likely(Cause::ConnectFailed, "an earlier line (AH00957) has the error number")] }
        }
        940 | 959 | 961 | 1059 => const { &[said(Cause::NoLiveEndpoints)] },
        1166..=1171 => const { &[said(Cause::NoLiveEndpoints)] },
        1110 if timed_out => const { &[said(Cause::BodyTimeout)] },
        1110 if reset => const { &[said(Cause::BodyReset)] },
        1110 if line.contains("(20014)") => WRONG_BODY,
        1110 => BROKEN_BODY,
        898 | 1102 if timed_out => const { &[said(Cause::ReplyTimeout)] },
        1102 if reset => RESET,
        1102 => NO_STATUS_LINE,
        898 => FAILED_BEFORE,
        10124 => const { &[said(Cause::FieldTooLarge)] },
        1084 | 1097 | 2609 => {
            const {
                &[
                    likely(Cause::WriteFailed, "the request's body could not be passed on"),
                    possible(Cause::StaleConnection, "if it comes after pauses"),
                ]
            }
        }
        1106 => BAD_HEADER,
        1107 => const { &[said(Cause::MalformedStatusLine)] },
        1111 | 1112 => const { &[said(Cause::MalformedField)] },
        1075 | 1067 | 1068 if timed_out => const { &[said(Cause::ReplyTimeout)] },
        1075 | 1067 | 1068 => {
            const { &[likely(Cause::ClosedBeforeReply, "the FastCGI application ended the connection")] }
        }
        1144 => {
            const {
                &[likely(
                    Cause::ConfigurationError,
                    "the module for the scheme of `ProxyPass` is not loaded (mod_proxy_http, _fcgi, _wstunnel)",
                )]
            }
        }
        124 => const { &[said(Cause::RedirectCycle)] },
        1630 | 1797 | 1276 | 1618 | 1617 => const { &[said(Cause::ClientDenied)] },
        135 | 126 | 560 | 566 => const { &[said(Cause::ClientMalformed)] },
        2039 | 1961 | 2003 | 2004 | 2005 => openssl::candidates(line),
        161 | 484 | 485 => {
            const { &[likely(Cause::QueueTimeout, "all workers are busy, so that requests wait in the listen queue")] }
        }
        1898 => const { &[said(Cause::ConfigurationError)] },
        _ => &[],
    }
}

fn meaning(code: u32) -> &'static str {
    match code {
        959 | 940 => "A worker (endpoint) is left out for `retry=` seconds (60) after its failure.",
        161 | 484 => "`MaxRequestWorkers` is reached.",
        898 => "The line before it, mostly AH01102, has the error's number.",
        10124 => {
            "A field of the answer's head is larger than `ResponseFieldSize` (`responsefieldsize=` of `ProxyPass`)."
        }
        1071 => "A message of the FastCGI application (PHP) itself.",
        947 | 942 | 943 | 944 | 951 => "Tells of an ordinary step; nothing failed.",
        _ => "",
    }
}

/// The address behind `connect to ` or `for `.
fn endpoint(line: &str) -> &str {
    let after =
        ["attempt to connect to ", "failed to make connection to backend: ", "disabling worker for (", "for worker "];
    let rest = after.iter().find_map(|words| line.split_once(words)).map_or("", |(_, rest)| rest);
    rest.split([' ', ')', ',']).next().unwrap_or_default()
}

fn between<'a>(line: &'a str, start: &str, end: &str) -> &'a str {
    line.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(line: &str) -> Vec<Cause> {
        assert!(wrote(line), "{line}");
        read(line).unwrap().candidates.iter().map(|candidate| candidate.cause).collect()
    }

    #[test]
    fn the_error_number_of_connect_says_it() {
        let line = "[Wed Nov 25 16:39:28.123456 2026] [proxy:error] [pid 7:tid 8] (111)Connection refused: AH00957: HTTP: attempt \
                    to connect to 127.0.0.1:8080 (localhost:8080) failed";
        assert_eq!(causes(line), [Cause::ConnectRefused]);
        let reading = read(line).unwrap();
        assert!(reading.facts.contains(&("upstream", "127.0.0.1:8080".to_owned())), "{:?}", reading.facts);
        assert_eq!(
            causes(&line.replace("(111)Connection refused", "(13)Permission denied")),
            [Cause::ConnectForbidden]
        );
        assert_eq!(
            causes(&line.replace("(111)Connection refused", "(70007)The timeout specified has expired")),
            [Cause::ConnectTimeout]
        );
        let unix = "(2)No such file or directory: AH02454: FCGI: attempt to connect to Unix domain socket /run/php/php.sock (localhost:8000) failed";
        assert_eq!(causes(unix), [Cause::UnixSocketMissing]);
    }

    #[test]
    fn ends_and_timeouts_are_told_apart() {
        let line = "[proxy_http:error] [pid 7] (104)Connection reset by peer: [client 192.0.2.1:5] AH01102: error reading status line from remote server localhost:8080";
        assert_eq!(causes(line)[0], Cause::StaleConnection);
        assert_eq!(
            causes(&line.replace("(104)Connection reset by peer", "(70007)The timeout specified has expired")),
            [Cause::ReplyTimeout]
        );
        assert_eq!(
            read(line).unwrap().facts,
            [("at", "proxy_http:error".to_owned()), ("client", "192.0.2.1:5".to_owned())]
        );
    }

    #[test]
    fn errors_within_a_body_are_not_those_before_it() {
        let line = |error: &str| {
            format!("[proxy_http:error] [pid 7] {error}: [client 192.0.2.1:5] AH01110: error reading response")
        };
        for (error, cause) in [
            ("(70007)The timeout specified has expired", Cause::BodyTimeout),
            ("(104)Connection reset by peer", Cause::BodyReset),
            ("(70008)Partial results are valid but processing is incomplete", Cause::BodyTruncated),
            ("(20014)Internal error (specific information not available)", Cause::BadChunk),
        ] {
            assert_eq!(causes(&line(error))[0], cause, "{error}");
        }
    }

    #[test]
    fn codes_alone_are_understood_and_other_words_are_not() {
        assert_eq!(causes("AH00959"), [Cause::NoLiveEndpoints]);
        for line in ["AH1", "AHOY12345", "AH123456", "no code"] {
            assert!(!wrote(line), "{line}");
        }
        assert!(read("AH99999").unwrap().candidates.is_empty());
    }
}
