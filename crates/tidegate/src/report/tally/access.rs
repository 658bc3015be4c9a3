//! Counts of access lines. Not here: error logs (`errors`).

use policy::Cause;

use super::causes::{Causes, Told};
use crate::explain::{Candidate, Seen, certainly, of_access, of_state};
use crate::report::histogram::Histogram;
use crate::report::matching::Sightings;
use crate::report::moment::Moment;
use crate::report::route::route;
use crate::report::row::{Row, each_endpoint};
use crate::report::timeline::Timeline;
use crate::report::top::{Merge, Top};

/// Routes, clients and endpoints that are kept: beyond them only the frequent ones.
const KEPT: usize = 4096;
/// Durations after which requests time out; there are a few.
const KEPT_DURATIONS: usize = 64;

/// Statuses that are counted one by one.
pub(in crate::report) const STATUSES: usize = 600;

/// What one route, client or endpoint saw.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Flow {
    /// Answers 5xx; of an endpoint also attempts that another endpoint made good.
    pub(in crate::report) failures: u64,
    pub(in crate::report) took: Histogram,
}

impl Merge for Flow {
    fn merge(&mut self, other: Self) {
        self.failures += other.failures;
        self.took.merge(other.took);
    }
}

/// What happened in one bucket of time.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Moved {
    pub(in crate::report) requests: u64,
    pub(in crate::report) client_errors: u64,
    /// 500 and others, 502, 503, 504.
    pub(in crate::report) failures: [u64; 4],
    pub(in crate::report) took: Histogram,
}

impl Moved {
    fn take(&mut self, row: &Row<'_>) {
        self.requests += 1;
        self.client_errors += u64::from((400..500).contains(&row.status));
        match row.status {
            502..=504 => self.failures[usize::from(row.status - 501)] += 1,
            500.. => self.failures[0] += 1,
            _ => {}
        }
        row.took.into_iter().for_each(|took| self.took.add(took));
    }
}

impl Merge for Moved {
    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.client_errors += other.client_errors;
        self.failures.iter_mut().zip(other.failures).for_each(|(own, other)| *own += other);
        self.took.merge(other.took);
    }
}

/// Everything counted of access lines.
#[derive(Debug)]
pub(in crate::report) struct Access {
    pub(in crate::report) requests: u64,
    pub(in crate::report) statuses: Box<[u64; STATUSES]>,
    pub(in crate::report) bytes: u64,
    pub(in crate::report) first: Option<Moment>,
    pub(in crate::report) last: Option<Moment>,
    pub(in crate::report) took: Histogram,
    /// How long those took that timed out, in tenths of a second.
    pub(in crate::report) timed_out_after: Top<()>,
    pub(in crate::report) timeline: Timeline<Moved>,
    pub(in crate::report) routes: Top<Flow>,
    pub(in crate::report) failing_routes: Top<()>,
    /// Routes with statuses that no gateway makes of itself: 500 and others.
    pub(in crate::report) own_routes: Top<()>,
    pub(in crate::report) clients: Top<Flow>,
    pub(in crate::report) failing_clients: Top<()>,
    pub(in crate::report) endpoints: Top<Flow>,
    /// Causes that lines name: our codes, others' letters.
    pub(in crate::report) causes: Causes,
    /// Causes that statuses and durations of lines without a name let one guess.
    pub(in crate::report) guesses: Causes,
    /// Answers 5xx, to be matched with the error log.
    pub(in crate::report) failed: Sightings<()>,
    /// Room for a folded route.
    folded: Vec<u8>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            requests: 0,
            statuses: Box::new([0; STATUSES]),
            bytes: 0,
            first: None,
            last: None,
            took: Histogram::default(),
            timed_out_after: Top::new(KEPT_DURATIONS),
            timeline: Timeline::default(),
            routes: Top::new(KEPT),
            failing_routes: Top::new(KEPT),
            own_routes: Top::new(KEPT / 4),
            clients: Top::new(KEPT),
            failing_clients: Top::new(KEPT),
            endpoints: Top::new(KEPT / 4),
            causes: Causes::default(),
            guesses: Causes::default(),
            failed: Sightings::default(),
            folded: Vec::new(),
        }
    }
}

impl Access {
    /// Counts a line.
    pub(in crate::report) fn take(&mut self, row: &Row<'_>) {
        self.requests += 1;
        self.bytes += row.bytes;
        self.statuses[usize::from(row.status).min(STATUSES - 1)] += 1;
        row.took.into_iter().for_each(|took| self.took.add(took));
        if let Some(at) = row.at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = self.last.max(Some(at));
            self.timeline.at(at).take(row);
        }
        let mut folded = std::mem::take(&mut self.folded);
        let route = route(row.target, &mut folded);
        self.count_places(row, route);
        if row.status >= 500 || !row.failure.is_empty() || row.status == 499 {
            self.count_failure(row, route);
        }
        self.folded = folded;
    }

    fn count_places(&mut self, row: &Row<'_>, route: &[u8]) {
        let failed = u64::from(row.status >= 500);
        let flow = |flow: &mut Flow| {
            flow.failures += failed;
            row.took.into_iter().for_each(|took| flow.took.add(took));
        };
        if !route.is_empty() {
            flow(self.routes.count(route));
        }
        if !row.client.is_empty() {
            self.clients.count(row.client).failures += failed;
        }
        if !row.endpoints.is_empty() {
            self.count_endpoints(row, failed);
        }
    }

    /// All endpoints but the last failed, or another would not have been asked.
    fn count_endpoints(&mut self, row: &Row<'_>, failed: u64) {
        let mut endpoints = each_endpoint(row.endpoints).peekable();
        while let Some(endpoint) = endpoints.next() {
            let is_last = endpoints.peek().is_none();
            let flow = self.endpoints.count(endpoint);
            flow.failures += if is_last { failed } else { 1 };
            row.took.into_iter().filter(|_| is_last).for_each(|took| flow.took.add(took));
        }
    }

    fn count_failure(&mut self, row: &Row<'_>, route: &[u8]) {
        if row.status >= 500 {
            self.failing_routes.count(route);
            if !(502..=504).contains(&row.status) {
                self.own_routes.count(route);
            }
            self.failing_clients.count(row.client);
            row.at.into_iter().for_each(|at| self.failed.add(row.client, row.target, at, ()));
        }
        if let (504, Some(took)) = (row.status, row.took) {
            self.timed_out_after.count(&((took + 50_000) / 100_000).to_be_bytes());
        }
        let endpoint = each_endpoint(row.endpoints).last().unwrap_or_default();
        let (causes, candidates) = match named(row) {
            [] => (&mut self.guesses, guessed(row)),
            candidates => (&mut self.causes, candidates),
        };
        causes.take(&Told { at: row.at, candidates, endpoint, route, message: b"", is_new: true });
    }
}

/// The cause that the line itself names.
fn named(row: &Row<'_>) -> &'static [Candidate] {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let word = text(row.failure).split([' ', ';', ',']).next().unwrap_or_default();
    match Cause::find(word) {
        Some(cause) => certainly(cause),
        None if row.state.is_empty() => &[],
        None => of_state(text(row.state), row.status, text(row.endpoints)),
    }
}

fn guessed(row: &Row<'_>) -> &'static [Candidate] {
    of_access(&Seen { status: row.status, took: row.took, answered: false })
}

impl Merge for Access {
    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.statuses.iter_mut().zip(other.statuses.iter()).for_each(|(own, other)| *own += other);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.took.merge(other.took);
        self.timed_out_after.merge(other.timed_out_after);
        self.timeline.merge(other.timeline);
        self.routes.merge(other.routes);
        self.failing_routes.merge(other.failing_routes);
        self.own_routes.merge(other.own_routes);
        self.clients.merge(other.clients);
        self.failing_clients.merge(other.failing_clients);
        self.endpoints.merge(other.endpoints);
        self.causes.merge(other.causes);
        self.guesses.merge(other.guesses);
        self.failed.merge(other.failed);
    }
}
