//! The causes as a report lists them, from the best of three sources: codes in the access log, the error log, or guesses.
//! Not here: which of them to change first (`changes`).

use policy::{Blame, Cause};

use crate::explain::Candidate;
use crate::report::matching::Matched;
use crate::report::moment::Moment;
use crate::report::tally::{CauseCount, Tally};

/// Places that are listed for each cause.
const PLACES: usize = 5;

/// Where a cause was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Basis {
    /// The access log names it for each request.
    Codes,
    /// The error log tells of it.
    ErrorLog,
    /// Statuses and durations.
    Guess,
}

/// One cause.
#[derive(Debug, Clone)]
pub(in crate::report) struct CauseLine {
    pub(in crate::report) cause: Cause,
    pub(in crate::report) basis: Basis,
    /// Requests that it happened to.
    pub(in crate::report) requests: u64,
    /// Requests that met with it, those that another endpoint answered among them.
    pub(in crate::report) met: u64,
    /// Lines that tell of it.
    pub(in crate::report) lines: u64,
    pub(in crate::report) first: Option<Moment>,
    pub(in crate::report) last: Option<Moment>,
    /// Names and how often.
    pub(in crate::report) endpoints: Vec<(String, u64)>,
    pub(in crate::report) routes: Vec<(String, u64)>,
    /// What else the lines may mean.
    pub(in crate::report) candidates: &'static [Candidate],
    /// A message as it was written; empty if only codes are known.
    pub(in crate::report) example: String,
}

impl CauseLine {
    /// Whether the client is to blame, which nobody here can change.
    pub(in crate::report) fn is_clients(&self) -> bool {
        self.cause.row().treatment.blame == Blame::Client
    }
}

/// All causes, those with most requests first. `matched` is what access log and error log say together.
pub(super) fn lines(tally: &Tally, matched: Option<&Matched>) -> Vec<CauseLine> {
    let (codes, errors) = (&tally.access.causes, &tally.errors.causes);
    let mut lines: Vec<CauseLine> = Vec::new();
    for (cause, count) in codes.all() {
        // The error log knows more of the same: messages, and endpoints of attempts.
        let told = errors.get(cause).unwrap_or(count);
        lines.push(CauseLine { requests: count.requests, ..line(cause, Basis::Codes, told) });
    }
    let known = |cause: Cause| codes.get(cause).is_some();
    let requests = |cause: Cause, count: &CauseCount| match matched {
        // With codes, what only the error log has was made good by another attempt.
        _ if !codes.is_empty() => 0,
        Some(matched) => matched.by_cause.get(&cause).copied().unwrap_or(0),
        None => count.requests,
    };
    lines.extend(
        errors.all().filter(|(cause, _)| !known(*cause)).map(|(cause, count)| CauseLine {
            requests: requests(cause, count),
            ..line(cause, Basis::ErrorLog, count)
        }),
    );
    if lines.is_empty() {
        lines.extend(tally.access.guesses.all().map(|(cause, count)| line(cause, Basis::Guess, count)));
    }
    lines.sort_by_key(|line| (std::cmp::Reverse(line.requests.max(line.lines)), line.cause));
    lines
}

fn line(cause: Cause, basis: Basis, count: &CauseCount) -> CauseLine {
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let endpoints = count.endpoints.most();
    CauseLine {
        cause,
        basis,
        requests: count.requests,
        met: count.requests,
        lines: count.lines,
        first: count.first,
        last: count.last,
        endpoints: endpoints.iter().take(PLACES).map(|entry| (text(&entry.key), entry.count)).collect(),
        routes: count.routes.most().iter().take(PLACES).map(|entry| (text(&entry.key), entry.count)).collect(),
        candidates: if count.certain == count.lines { &[] } else { count.candidates },
        example: count.example.clone(),
    }
}
