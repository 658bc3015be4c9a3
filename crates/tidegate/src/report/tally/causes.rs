//! Counts for each cause: how often, since when, where. Not here: how a line's cause is told.

use std::collections::BTreeMap;

use policy::Cause;

use crate::explain::{Candidate, Likelihood};
use crate::report::moment::Moment;
use crate::report::runs::Runs;
use crate::report::top::{Merge, Top};

/// Endpoints and routes that are kept for each cause.
const PLACES: usize = 32;
/// The longest example that is kept, in bytes.
const MAX_EXAMPLE: usize = 600;

/// What is known of one cause.
#[derive(Debug, Clone)]
pub(in crate::report) struct CauseCount {
    /// Lines that tell of it.
    pub(in crate::report) lines: u64,
    /// Requests that it happened to.
    pub(in crate::report) requests: u64,
    /// Lines that say so for certain.
    pub(in crate::report) certain: u64,
    /// What else the words of the first line may mean.
    pub(in crate::report) candidates: &'static [Candidate],
    pub(in crate::report) first: Option<Moment>,
    pub(in crate::report) last: Option<Moment>,
    pub(in crate::report) endpoints: Top<Runs>,
    pub(in crate::report) routes: Top<()>,
    /// The message of the first line.
    pub(in crate::report) example: String,
}

impl Default for CauseCount {
    fn default() -> Self {
        Self {
            lines: 0,
            requests: 0,
            certain: 0,
            candidates: &[],
            first: None,
            last: None,
            endpoints: Top::new(PLACES),
            routes: Top::new(PLACES),
            example: String::new(),
        }
    }
}

/// One line that tells of a cause.
pub(in crate::report) struct Told<'a> {
    pub(in crate::report) at: Option<Moment>,
    /// The likeliest first; the first is counted.
    pub(in crate::report) candidates: &'static [Candidate],
    pub(in crate::report) endpoint: &'a [u8],
    pub(in crate::report) route: &'a [u8],
    pub(in crate::report) message: &'a [u8],
    /// No earlier line told the same of the same request.
    pub(in crate::report) is_new: bool,
}

/// Every cause that was told of.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Causes {
    counts: BTreeMap<Cause, CauseCount>,
}

impl Causes {
    /// Counts a line.
    pub(in crate::report) fn take(&mut self, told: &Told<'_>) {
        let Some(first) = told.candidates.first() else { return };
        let count = self.counts.entry(first.cause).or_default();
        if count.lines == 0 {
            count.candidates = told.candidates;
            let message = &told.message[..told.message.len().min(MAX_EXAMPLE)];
            count.example = String::from_utf8_lossy(message).into_owned();
        }
        count.lines += 1;
        count.requests += u64::from(told.is_new);
        count.certain += u64::from(first.likelihood == Likelihood::Said);
        count.span(told.at, told.at);
        if !told.route.is_empty() {
            count.routes.count(told.route);
        }
        if !told.endpoint.is_empty() {
            let runs = count.endpoints.count(told.endpoint);
            told.at.into_iter().for_each(|at| runs.add(at));
        }
    }

    /// The causes, in the order of their codes.
    pub(in crate::report) fn all(&self) -> impl Iterator<Item = (Cause, &CauseCount)> {
        self.counts.iter().map(|(cause, count)| (*cause, count))
    }

    pub(in crate::report) fn get(&self, cause: Cause) -> Option<&CauseCount> {
        self.counts.get(&cause)
    }

    pub(in crate::report) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

impl CauseCount {
    fn span(&mut self, first: Option<Moment>, last: Option<Moment>) {
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = self.last.max(last);
    }
}

impl Merge for Causes {
    fn merge(&mut self, other: Self) {
        for (cause, count) in other.counts {
            self.counts.entry(cause).or_default().merge(count);
        }
    }
}

impl Merge for CauseCount {
    fn merge(&mut self, other: Self) {
        if self.lines == 0 {
            self.candidates = other.candidates;
            self.example = other.example;
        }
        self.lines += other.lines;
        self.requests += other.requests;
        self.certain += other.certain;
        self.span(other.first, other.last);
        self.endpoints.merge(other.endpoints);
        self.routes.merge(other.routes);
    }
}
