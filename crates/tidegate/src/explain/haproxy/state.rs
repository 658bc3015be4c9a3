//! HAProxy's termination state: who ended a session or why, and when. Not here: the lines that it stands in.
//!
//! See the configuration manual, "Session state at disconnection".

use std::fmt;

use policy::Cause;

use crate::explain::reading::{Candidate, likely, possible, said};

/// The first two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    who: u8,
    when: u8,
}

/// The five times of an HTTP line, the three of a TCP line, in milliseconds; none where HAProxy has -1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Timers {
    pub(crate) is_http: bool,
    /// Receiving the request.
    request: Option<u64>,
    /// In the queue.
    queue: Option<u64>,
    /// Connecting; 0 on a connection that is used again (or made at once).
    connect: Option<u64>,
    /// Until the head of the answer.
    reply: Option<u64>,
    /// In all.
    total: Option<u64>,
}

/// A worker is killed after so many milliseconds by servers with their ordinary settings: gunicorn's `--timeout`.
const WORKER_TIMEOUT: std::ops::RangeInclusive<u64> = 29_500..=31_500;

impl State {
    /// Reads the letters; none if they are none of HAProxy's.
    pub(crate) fn read(letters: &str) -> Option<Self> {
        let [who, when, rest @ ..] = letters.as_bytes() else { return None };
        let fits = b"CSPLRIDUKcs-".contains(who) && b"RQCHDLT-".contains(when);
        let cookies = matches!(rest, [])
            || (rest.len() == 2 && rest.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-'));
        (fits && cookies).then_some(Self { who: *who, when: *when })
    }

    /// Whether all went well.
    pub(crate) fn is_normal(self) -> bool {
        self.who == b'-'
    }

    /// Whether no connection to a server was made.
    pub(super) fn is_about_connecting(self) -> bool {
        matches!(self.when, b'C' | b'Q')
    }

    /// What the letters say, as a sentence.
    pub(crate) fn meaning(self) -> String {
        let who = match self.who {
            b'C' => "The client closed or reset its connection",
            b'S' => "The server closed, reset or refused the connection",
            b'P' => "HAProxy itself ended the session: a limit, a rule, or an answer that it does not accept",
            b'L' => "HAProxy answered by itself",
            b'R' => "HAProxy had no ports, descriptors or memory left",
            b'I' => "HAProxy met with an error of its own",
            b'D' => "HAProxy ended the session because the server was found down",
            b'U' => "HAProxy ended the session because another server is in use again",
            b'K' => "An administrator ended the session",
            b'c' => "The client was silent for longer than its timeout",
            b's' => "The server was silent for longer than its timeout",
            _ => return "HAProxy ended the session in good order: nothing failed.".to_owned(),
        };
        let when = match self.when {
            b'R' => " while the request was read",
            b'Q' => " while the request waited in the queue",
            b'C' => " while connecting to the server",
            b'H' => " while the head of the answer was awaited",
            b'D' => " while the body was on its way",
            b'L' => " while the last of it was sent to the client",
            b'T' => " while the request was held back (tarpit)",
            _ => "",
        };
        format!("{who}{when}.")
    }

    /// The causes that the letters may have, with what the timers add.
    pub(crate) fn candidates(self, timers: &Timers, status: u16) -> &'static [Candidate] {
        match (self.who, self.when) {
            (b'-', _) => &[],
            (b'C', b'R') => const { &[said(Cause::ClientCutOff)] },
            (b'C', _) => const { &[said(Cause::ClientGone)] },
            (b'c', b'D' | b'L') => const { &[said(Cause::ClientStalled)] },
            (b'c', _) => const { &[said(Cause::ClientTimeout)] },
            (b'S', b'C') => REFUSED,
            (b'S', b'H') => timers.ended_before_reply(),
            (b'S', b'D' | b'L') => ENDED_IN_BODY,
            (b'S', _) => REFUSED,
            (b's', b'C') => CONNECT_TIMEOUT,
            (b's', b'Q') => const { &[said(Cause::QueueTimeout)] },
            (b's', b'D' | b'L') if status == 101 => const { &[said(Cause::TunnelTimeout)] },
            (b's', b'D' | b'L') => const { &[said(Cause::BodyTimeout)] },
            (b's', _) => timers.silent_before_reply(),
            (b'P', b'H') => UNACCEPTABLE,
            (b'P', b'C') => {
                const {
                    &[likely(
                        Cause::DescriptorsExhausted,
                        "HAProxy's own limit of sockets was reached: `maxconn`, `ulimit-n`",
                    )]
                }
            }
            (b'P', b'D') => const { &[likely(Cause::BadChunk, "HAProxy ends a body whose chunks are malformed")] },
            (b'P', _) => refused_by_rule(status),
            (b'L', _) => const { &[said(Cause::LocalResponse)] },
            (b'R', _) => EXHAUSTED,
            (b'I', _) => const { &[said(Cause::InternalError)] },
            (b'D', b'D' | b'L') => {
                const { &[likely(Cause::BodyReset, "`on-marked-down shutdown-sessions` cuts what is on its way")] }
            }
            (b'D', _) => {
                const { &[likely(Cause::ResetBeforeReply, "`on-marked-down shutdown-sessions` cuts what is on its way")] }
            }
            _ => const { &[likely(Cause::ShutDown, "it was ended on purpose")] },
        }
    }
}

const REFUSED: &[Candidate] = &[
    likely(Cause::ConnectRefused, "HAProxy writes `sC` where nobody answers, so that somebody said no at once"),
    possible(Cause::TlsProtocolError, "if the server line has `ssl`: a handshake that fails ends so too"),
    possible(Cause::HostUnreachable, "if the server is on another machine that is off"),
    possible(Cause::ConnectReset, "if a firewall answers for the server"),
];

const CONNECT_TIMEOUT: &[Candidate] = &[
    likely(Cause::ConnectTimeout, "`timeout connect` ran out, retries included"),
    possible(Cause::TlsTimeout, "if the server line has `ssl`: the handshake counts too"),
];

const ENDED_IN_BODY: &[Candidate] = &[
    likely(Cause::BodyTruncated, "the server ended before the length that it had announced"),
    possible(Cause::ChunksTruncated, "if the answer came in chunks"),
    possible(Cause::BodyReset, "if the server was killed"),
];

const UNACCEPTABLE: &[Candidate] = &[
    possible(Cause::MalformedField, "`show errors` on HAProxy's socket shows the answer and the byte that is wrong"),
    possible(
        Cause::HeadTooLarge,
        "if the answer's head is larger than `tune.bufsize` less `tune.maxrewrite`: large cookies",
    ),
    possible(Cause::LengthAndCoding, "if the application sets Content-Length or Transfer-Encoding by hand"),
    possible(Cause::NotHttp, "if every answer of this server ends so: the port speaks another protocol"),
];

const EXHAUSTED: &[Candidate] = &[
    likely(
        Cause::LocalPortsExhausted,
        "connections to one address use up the source ports first: look for many in TIME-WAIT (`ss -s`)",
    ),
    possible(Cause::DescriptorsExhausted, "if HAProxy's log has `reached process FD limit`"),
    possible(Cause::MemoryExhausted, "if the kernel's log says so"),
];

fn refused_by_rule(status: u16) -> &'static [Candidate] {
    match status {
        403 | 401 | 407 => const { &[said(Cause::ClientDenied)] },
        429 => const { &[said(Cause::ClientLimited)] },
        413 => const { &[said(Cause::ClientBodyTooLarge)] },
        _ => {
            const {
                &[
                    likely(Cause::ClientMalformed, "`show errors` on HAProxy's socket shows the request"),
                    possible(
                        Cause::ClientHeadTooLarge,
                        "if the request's head is larger than `tune.bufsize` less `tune.maxrewrite`",
                    ),
                    possible(Cause::ClientDenied, "if a rule of the configuration refuses it"),
                ]
            }
        }
    }
}

impl Timers {
    /// `TR/Tw/Tc/Tr/Ta` or, in TCP, `Tw/Tc/Tt`; the last may have a `+`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let times: Option<Vec<i64>> = text.split('/').map(|time| time.trim_start_matches('+').parse().ok()).collect();
        let known = |time: i64| u64::try_from(time).ok();
        match times?[..] {
            [request, queue, connect, reply, total] => Some(Self {
                is_http: true,
                request: known(request),
                queue: known(queue),
                connect: known(connect),
                reply: known(reply),
                total: known(total),
            }),
            [queue, connect, total] => {
                Some(Self { queue: known(queue), connect: known(connect), total: known(total), ..Self::default() })
            }
            _ => None,
        }
    }

    /// Milliseconds between the connection and the end.
    fn waited(&self) -> Option<u64> {
        let before = self.request.unwrap_or(0) + self.queue.unwrap_or(0) + self.connect?;
        self.total?.checked_sub(before)
    }

    /// `SH`: a connection used again has a connect time of 0, one that was made anew mostly has not.
    fn ended_before_reply(&self) -> &'static [Candidate] {
        match (self.connect, self.waited()) {
            (_, Some(waited)) if WORKER_TIMEOUT.contains(&waited) => AFTER_WORKER_TIMEOUT,
            (Some(connect), _) if connect > 0 => ON_FRESH,
            (Some(0), Some(0..=50)) => AT_ONCE_ON_REUSED,
            _ => ENDED,
        }
    }

    fn silent_before_reply(&self) -> &'static [Candidate] {
        match self.connect {
            Some(1..) => const { &[said(Cause::ReplyTimeout)] },
            _ => SILENT,
        }
    }
}

const AFTER_WORKER_TIMEOUT: &[Candidate] = &[
    likely(Cause::ClosedBeforeReply, "it ended 30 s after the request, when gunicorn and others kill a worker"),
    possible(Cause::ResetBeforeReply, "if the worker was killed from outside"),
];

const ON_FRESH: &[Candidate] = &[
    likely(Cause::ClosedBeforeReply, "the connection was new: connecting took time"),
    possible(Cause::ResetBeforeReply, "HAProxy does not tell a reset from an orderly end"),
];

const AT_ONCE_ON_REUSED: &[Candidate] = &[
    likely(
        Cause::StaleConnection,
        "it ended at once, and a connect time of 0 is that of a connection used again (or of a server on this machine)",
    ),
    possible(Cause::ClosedBeforeReply, "if `http-reuse` is `never`, or the server is on this machine"),
    possible(Cause::ResetBeforeReply, "HAProxy does not tell a reset from an orderly end"),
];

const ENDED: &[Candidate] = &[
    possible(Cause::ClosedBeforeReply, "if it comes with a crash, a restart or a kill in the application's log"),
    possible(Cause::StaleConnection, "if connections are used again (`http-reuse`) and it comes after pauses"),
    possible(Cause::ResetBeforeReply, "HAProxy does not tell a reset from an orderly end"),
];

const SILENT: &[Candidate] = &[
    likely(Cause::ReplyTimeout, "`timeout server` ran out"),
    possible(Cause::SilentPath, "if it happens to the first request after minutes of quiet, whatever it asks for"),
];

impl fmt::Display for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("request", self.request),
            ("queue", self.queue),
            ("connect", self.connect),
            ("reply", self.reply),
            ("total", self.total),
        ];
        let known = named.iter().filter_map(|(name, time)| Some((name, (*time)?)));
        for (at, (name, time)) in known.enumerate() {
            write!(f, "{}{name} {time} ms", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(letters: &str, timers: &str, status: u16) -> Cause {
        let timers = Timers::read(timers).unwrap();
        State::read(letters).unwrap().candidates(&timers, status)[0].cause
    }

    #[test]
    fn every_documented_pair_but_the_good_end_has_a_cause() {
        let pairs = [
            "CC", "CD", "cD", "CH", "cH", "CQ", "CR", "cR", "CT", "LC", "LR", "LH", "SC", "sC", "SD", "sD", "SH", "sH",
            "sQ", "PC", "PD", "PH", "PR", "PT", "RC",
        ];
        for pair in pairs {
            let state = State::read(pair).unwrap();
            assert!(!state.candidates(&Timers::default(), 0).is_empty(), "{pair}");
            assert!(state.meaning().ends_with('.'), "{pair}");
        }
    }

    #[test]
    fn timers_tell_how_a_session_ended_before_its_answer() {
        assert_eq!(first("SH--", "10/0/30/-1/109", 502), Cause::ClosedBeforeReply);
        assert_eq!(first("SH--", "0/0/0/-1/3", 502), Cause::StaleConnection);
        assert_eq!(first("SH--", "0/0/1/-1/30012", 502), Cause::ClosedBeforeReply);
        assert_eq!(first("SH--", "0/0/0/-1/4000", 502), Cause::ClosedBeforeReply);
        assert_eq!(first("sH--", "0/0/1/-1/50001", 504), Cause::ReplyTimeout);
        assert_eq!(first("sD--", "0/0/1/2/50001", 101), Cause::TunnelTimeout);
    }

    #[test]
    fn all_letters_have_a_meaning_and_a_reason() {
        for who in b"CSPLRIDUKcs-" {
            for when in b"RQCHDLT-" {
                let state = State { who: *who, when: *when };
                assert!(!state.meaning().is_empty());
                for candidate in state.candidates(&Timers::default(), 0) {
                    let said = candidate.likelihood == crate::explain::reading::Likelihood::Said;
                    assert_eq!(said, candidate.why.is_empty(), "{}{}", char::from(*who), char::from(*when));
                }
            }
        }
    }

    #[test]
    fn timers_are_three_or_five() {
        assert_eq!(Timers::read("1/2"), None);
        assert_eq!(Timers::read("a/b/c/d/e"), None);
        assert_eq!(Timers::read("0/-1/-1/-1/+50001").unwrap().to_string(), "request 0 ms, total 50001 ms");
    }
}
