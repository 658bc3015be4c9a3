//! What HAProxy says: HTTP and TCP log lines with their termination state (configuration manual, 8.2 and 8.5), and the lines
//! of its health checks. Not here: what the letters mean (`haproxy/state`).

mod state;

use state::{State, Timers};

use policy::Cause;

use super::openssl;
use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// Whether HAProxy wrote the line.
pub(super) fn wrote(line: &str) -> bool {
    Line::read(line).is_some() || check(line).is_some() || line.contains("has no server available!")
}

/// What a line says.
pub(super) fn read(line: &str) -> Option<Reading> {
    if line.contains("has no server available!") {
        return Some(Reading::new(
            Vendor::Haproxy,
            "has no server available!",
            const { &[said(Cause::NoLiveEndpoints)] },
        ));
    }
    match Line::read(line) {
        Some(line) => Some(line.reading()),
        None => check(line),
    }
}

/// Whether the letters are a pair that HAProxy's manual lists, or all four: other pairs may be an Envoy flag.
pub(super) fn is_documented(word: &str) -> bool {
    const PAIRS: [&str; 25] = [
        "CC", "CD", "cD", "CH", "cH", "CQ", "CR", "cR", "CT", "LC", "LR", "LH", "SC", "sC", "SD", "sD", "SH", "sH",
        "sQ", "PC", "PD", "PH", "PR", "PT", "RC",
    ];
    word.len() == 4 || PAIRS.contains(&word)
}

/// The letters alone: `SH--`, `sC`.
pub(super) fn read_letters(word: &str) -> Option<Reading> {
    let fits = matches!(word.len(), 2 | 4) && word.is_ascii();
    let state = State::read(word).filter(|state| fits && !state.is_normal())?;
    Some(Reading::new(Vendor::Haproxy, word, state.candidates(&Timers::default(), 0)).meaning(state.meaning()))
}

/// What the four letters of an access line mean, its times unknown.
pub(super) fn of_letters(letters: &str, status: u16, server: &str) -> Option<&'static [Candidate]> {
    let state = State::read(letters).filter(|_| letters.len() == 4)?;
    Some(candidates(state, &Timers::default(), status, server))
}

/// Where no server could be picked, none was there to refuse.
fn candidates(state: State, timers: &Timers, status: u16, server: &str) -> &'static [Candidate] {
    if server.ends_with("/<NOSRV>") && state.is_about_connecting() {
        return const { &[said(Cause::NoLiveEndpoints)] };
    }
    state.candidates(timers, status)
}

/// An access line's parts.
struct Line<'a> {
    at: &'a str,
    client: &'a str,
    server: &'a str,
    timers: Timers,
    status: u16,
    state: State,
    letters: &'a str,
    retries: &'a str,
    request: &'a str,
}

impl<'a> Line<'a> {
    /// `… client:port [06/Feb/2009:12:14:14.655] frontend backend/server 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 …`.
    fn read(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" [")?;
        let (at, after) = after.split_once("] ")?;
        if !at.contains('/') || !at.contains(':') {
            return None;
        }
        let words: Vec<&str> = after.splitn(16, ' ').collect();
        let (server, times) = (words.get(1)?, words.get(2)?);
        let timers = Timers::read(times)?;
        // TCP lines have three timers, no status and no cookies; the state then is two letters.
        let place = if timers.is_http { 7 } else { 4 };
        let letters = words.get(place)?;
        let state = State::read(letters)?;
        let status = if timers.is_http { words.get(3)?.parse().unwrap_or(0) } else { 0 };
        let connections = words.get(place + 1).copied().unwrap_or_default();
        let retries = connections.rsplit('/').next().unwrap_or_default();
        let request = line.rsplit_once(" \"").map_or("", |(_, request)| request.trim_end_matches('"'));
        let client = before.rsplit(' ').next().unwrap_or_default();
        Some(Self { at, client, server, timers, status, state, letters, retries, request })
    }

    fn reading(&self) -> Reading {
        let candidates = candidates(self.state, &self.timers, self.status, self.server);
        let retried = if matches!(self.retries, "0" | "") { "" } else { self.retries };
        Reading::new(Vendor::Haproxy, self.letters, candidates)
            .meaning(self.state.meaning())
            .fact("at", self.at)
            .fact("client", self.client)
            .fact("upstream", self.server)
            .fact("request", self.request)
            .fact("status", self.status.to_string())
            .fact("timers", self.timers.to_string())
            .fact("retries", retried)
    }
}

/// `Server be/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. …`.
fn check(line: &str) -> Option<Reading> {
    let (_, reason) = line.split_once("reason: Layer")?;
    let info = line.split_once("info: \"").and_then(|(_, info)| info.split_once('"')).map_or("", |(info, _)| info);
    let reason = reason.split([',', '(']).next().unwrap_or_default();
    let server = line.split_once("Server ").and_then(|(_, server)| server.split(' ').next()).unwrap_or_default();
    let words = format!("Layer{reason}");
    let passed = reason.contains("passed");
    let causes = if passed { &[] } else { check_causes(reason, info) };
    let reading = Reading::new(Vendor::Haproxy, words.trim(), causes).meaning(if passed {
        "A health check went well."
    } else if causes.is_empty() {
        "The endpoint answered its health check with something else than `option httpchk` and `http-check expect` want: its \
         own log, or the path that is checked, says why."
    } else {
        "A health check failed: HAProxy sends the endpoint nothing until checks go well again."
    });
    Some(reading.fact("upstream", server).fact("info", info))
}

const L4: &[Candidate] = &[
    likely(Cause::ConnectRefused, "HAProxy says `timeout` where nobody answers, so that somebody said no"),
    possible(Cause::HostUnreachable, "if the info says `No route to host`"),
];

/// What failed checks mean: `4 timeout`, `6 invalid response`, `7 wrong status`, ….
fn check_causes(reason: &str, info: &str) -> &'static [Candidate] {
    match (reason.as_bytes().first(), info) {
        (Some(b'4'), _) if reason.contains("timeout") => const { &[said(Cause::ConnectTimeout)] },
        (Some(b'4'), info) if info.contains("refused") => const { &[said(Cause::ConnectRefused)] },
        (Some(b'4'), info) if info.contains("No route") => const { &[said(Cause::HostUnreachable)] },
        (Some(b'4'), _) => L4,
        (Some(b'6'), _) if reason.contains("timeout") => const { &[said(Cause::TlsTimeout)] },
        (Some(b'6'), info) => openssl::candidates(info),
        (Some(b'7'), _) if reason.contains("timeout") => const { &[said(Cause::ReplyTimeout)] },
        (Some(b'7'), _) if reason.contains("invalid response") => const { &[said(Cause::NotHttp)] },
        // The endpoint answered with another status than the check wants: no failure of the way to it.
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 \
                        10/0/30/69/109 502 2750 - - SH-- 1/1/1/1/0 0/0 {1wt.eu} {} \"GET /index.html HTTP/1.1\"";

    fn causes(line: &str) -> Vec<Cause> {
        assert!(wrote(line), "{line}");
        read(line).unwrap().candidates.iter().map(|candidate| candidate.cause).collect()
    }

    #[test]
    fn an_http_line_is_taken_apart() {
        let reading = read(LINE).unwrap();
        let fact = |name: &str| reading.facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(reading.words, "SH--");
        assert_eq!(fact("client"), Some("10.0.1.2:33317"));
        assert_eq!(fact("upstream"), Some("static/srv1"));
        assert_eq!(fact("request"), Some("GET /index.html HTTP/1.1"));
        assert_eq!((fact("status"), fact("retries")), (Some("502"), None));
    }

    #[test]
    fn no_server_is_no_live_endpoint() {
        let line = LINE
            .replace("static/srv1", "static/<NOSRV>")
            .replace("SH--", "SC--")
            .replace("10/0/30/69/109", "0/-1/-1/-1/0");
        assert_eq!(causes(&line), [Cause::NoLiveEndpoints]);
    }

    #[test]
    fn a_tcp_line_has_two_letters() {
        let line = "haproxy[1]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/-1/3003 0 SC 0/0/0/0/3 0/0";
        assert_eq!(causes(line)[0], Cause::ConnectRefused);
        assert!(read(line).unwrap().facts.contains(&("retries", "3".to_owned())));
    }

    #[test]
    fn a_line_that_went_well_has_no_cause() {
        let reading = read(&LINE.replace("SH--", "----").replace(" 502 ", " 200 ")).unwrap();
        assert!(reading.candidates.is_empty() && reading.meaning.contains("nothing"), "{}", reading.meaning);
    }

    #[test]
    fn failed_checks_say_why() {
        let line = "Server be/s1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\", check duration: 0ms.";
        assert_eq!(causes(line), [Cause::ConnectRefused]);
        assert_eq!(causes(&line.replace("connection problem", "timeout")), [Cause::ConnectTimeout]);
        let line =
            "Health check for server be/s1 failed, reason: Layer7 timeout, check duration: 2001ms, status: 0/2 DOWN.";
        assert_eq!(causes(line), [Cause::ReplyTimeout]);
        let wrong = "Server be/s1 is DOWN, reason: Layer7 wrong status, code: 503, info: \"Service Unavailable\", check duration: 5ms.";
        assert!(causes(wrong).is_empty() && read(wrong).unwrap().meaning.contains("http-check expect"));
        let up = "Server be/s1 is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online.";
        assert!(causes(up).is_empty() && read(up).unwrap().meaning.contains("went well"));
        assert_eq!(causes("backend be has no server available!"), [Cause::NoLiveEndpoints]);
    }

    #[test]
    fn letters_alone_are_understood() {
        assert_eq!(read_letters("sH--").unwrap().candidates[0].cause, Cause::ReplyTimeout);
        assert_eq!(read_letters("SC").unwrap().candidates[0].cause, Cause::ConnectRefused);
        for word in ["----", "--", "xy", "502", "SHELL", "é-"] {
            assert_eq!(read_letters(word), None, "{word}");
        }
    }
}
