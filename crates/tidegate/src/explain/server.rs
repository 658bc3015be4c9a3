//! What application servers, and the kernel below them, write when they leave a gateway without an answer: the other half of
//! a gateway's line, mostly found beside it. Not here: what a gateway writes (each vendor's room).

use policy::Cause;

use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// A worker that took too long was killed, and its connection with it.
const WORKER_TIMEOUT: &[Candidate] = &[
    likely(
        Cause::ClosedBeforeReply,
        "the server killed a worker that took longer than its own timer allows (gunicorn `--timeout`, uWSGI `harakiri`), and \
         the gateway saw the connection end",
    ),
    possible(Cause::BodyTruncated, "if the worker had begun to answer"),
];

const KILLED: &[Candidate] = &[
    likely(
        Cause::ClosedBeforeReply,
        "the process was killed for its memory: every request that it had in hand lost its connection",
    ),
    possible(Cause::ResetBeforeReply, "if requests were not read to their end"),
    possible(Cause::ConnectRefused, "until it runs again"),
];

const NO_WORKER: &[Candidate] = &[
    likely(Cause::ReplyTimeout, "requests wait in the queue until a worker is free"),
    possible(Cause::BacklogFull, "if the queue is full as well"),
];

const BACKLOG: &[Candidate] = &[said(Cause::BacklogFull)];
const TLS: &[Candidate] = &[said(Cause::SpeaksTls)];

/// A part of the message, and what it means; the first that fits counts.
const WORDS: &[(&str, &[Candidate])] = &[
    // gunicorn, uWSGI.
    ("WORKER TIMEOUT", WORKER_TIMEOUT),
    ("HARAKIRI", WORKER_TIMEOUT),
    ("Perhaps out of memory?", KILLED),
    ("uWSGI listen queue of socket", BACKLOG),
    // php-fpm.
    ("reached pm.max_children", NO_WORKER),
    ("reached max_children", NO_WORKER),
    // The kernel.
    ("Out of memory: Kill", KILLED),
    ("Memory cgroup out of memory: Kill", KILLED),
    // What servers answer on a TLS port that is asked in plain HTTP: nginx, Go, Apache.
    ("plain HTTP request was sent to HTTPS port", TLS),
    ("HTTP request to an HTTPS server", TLS),
    ("speaking plain HTTP to an SSL-enabled server port", TLS),
];

/// Whether these are such a message.
pub(super) fn wrote(line: &str) -> bool {
    found(line).is_some()
}

/// What a message means.
pub(super) fn read(line: &str) -> Option<Reading> {
    found(line).map(|candidates| Reading::new(Vendor::Server, line, candidates))
}

fn found(line: &str) -> Option<&'static [Candidate]> {
    WORDS.iter().find(|(words, _)| line.contains(words)).map(|(_, candidates)| *candidates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain;

    #[test]
    fn what_a_server_says_of_itself_is_understood() {
        for (line, cause) in [
            ("[2026-11-25 16:39:28 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:12)", Cause::ClosedBeforeReply),
            ("Wed Nov 25 16:39:28 2026 - *** HARAKIRI ON WORKER 1 (pid: 12, try: 1) ***", Cause::ClosedBeforeReply),
            (
                "[2026-11-25 16:39:28 +0000] [7] [ERROR] Worker (pid:12) was sent SIGKILL! Perhaps out of memory?",
                Cause::ClosedBeforeReply,
            ),
            (
                "[25-Nov-2026 16:39:28] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it",
                Cause::ReplyTimeout,
            ),
            (
                "Nov 25 16:39:28 host kernel: Out of memory: Killed process 1234 (node) total-vm:1kB",
                Cause::ClosedBeforeReply,
            ),
            ("*** uWSGI listen queue of socket \":8000\" (fd: 3) full !!! (101/100) ***", Cause::BacklogFull),
            ("400 The plain HTTP request was sent to HTTPS port", Cause::SpeaksTls),
            ("Client sent an HTTP request to an HTTPS server.", Cause::SpeaksTls),
            ("Reason: You're speaking plain HTTP to an SSL-enabled server port.", Cause::SpeaksTls),
        ] {
            let reading = explain(line).unwrap_or_else(|| panic!("not understood: {line}"));
            assert_eq!((reading.vendor, reading.candidates[0].cause), (Vendor::Server, cause), "{line}");
        }
    }

    #[test]
    fn a_gateways_line_stays_its_own() {
        let line = "2026/11/25 16:39:28 [error] 7#7: *1 no live upstreams while connecting to upstream, request: \"GET /WORKER TIMEOUT HTTP/1.1\"";
        assert_eq!(explain(line).unwrap().vendor, Vendor::Nginx);
    }
}
