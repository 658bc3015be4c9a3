//! What follows from the counts: the values that a report shows, in the order in which it shows them. Not here: how they are
//! counted (`tally`) and how they look (`terminal`, `json`, `html`).

mod causes;
mod changes;
mod events;
mod places;
mod series;

use super::histogram::Histogram;
use super::matching::{self, Matched};
use super::moment::Moment;
use super::tally::{Access, Tally};
use super::top::Count;

pub(super) use causes::{Basis, CauseLine};
pub(super) use changes::Change;
pub(super) use events::{Event, Kind};
pub(super) use places::Place;
pub(super) use series::{Point, Series};

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    /// What its lines were read as; empty if they could not be.
    pub(super) form: String,
    pub(super) bytes: u64,
}

/// How long requests took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    pub(super) max: u64,
}

impl Latency {
    /// None if nothing was measured.
    fn of(took: &Histogram) -> Option<Self> {
        let at = |share| took.quantile(share);
        Some(Self { p50: at(0.5)?, p90: at(0.9)?, p99: at(0.99)?, p999: at(0.999)?, max: took.max() })
    }
}

/// Everything that a report shows.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) sources: Vec<Source>,
    pub(super) lines: u64,
    pub(super) unread: u64,
    /// The first and the last moment of any line.
    pub(super) span: Option<(Moment, Moment)>,
    pub(super) requests: u64,
    pub(super) bytes: u64,
    /// Statuses that were answered, in order; 0 stands for no answer.
    pub(super) statuses: Vec<(u16, u64)>,
    /// Answers 5xx.
    pub(super) failed: u64,
    /// Answers 4xx.
    pub(super) client_errors: u64,
    pub(super) routes: Count,
    pub(super) clients: Count,
    pub(super) latency: Option<Latency>,
    /// Bounds in microseconds, and how many requests took so long.
    pub(super) latency_shape: Vec<((u64, u64), u64)>,
    pub(super) changes: Vec<Change>,
    pub(super) causes: Vec<CauseLine>,
    pub(super) events: Vec<Event>,
    pub(super) failing_routes: Vec<Place>,
    pub(super) busy_routes: Vec<Place>,
    pub(super) slow_routes: Vec<Place>,
    pub(super) endpoints: Vec<Place>,
    pub(super) failing_clients: Vec<Place>,
    pub(super) busy_clients: Vec<Place>,
    pub(super) series: Series,
    /// What a reader has to know about the figures.
    pub(super) notes: Vec<String>,
}

impl Findings {
    /// What follows from a tally. `most` places are shown in each list.
    pub(super) fn of(mut tally: Tally, sources: Vec<Source>, most: usize) -> Self {
        let span = span(&tally);
        let series = Series::of(&mut tally, span);
        let matched = matching::matched(&tally.access.failed, &tally.errors.failures);
        let causes = causes::lines(&tally, matched.as_ref());
        let access = &tally.access;
        let failed = by_class(access, 500..600);
        Self {
            changes: changes::ranked(&tally, &causes, failed, span),
            events: events::all(&tally, &series, span),
            failing_routes: places::failing(&access.failing_routes, &access.routes, most),
            busy_routes: places::busy(&access.routes, most),
            slow_routes: places::slow(&access.routes, most),
            endpoints: places::endpoints(&tally, most),
            failing_clients: places::outstanding(&access.failing_clients, &access.clients, most),
            busy_clients: places::busy(&access.clients, most.div_ceil(2)),
            notes: notes(&tally, &causes, matched.as_ref()),
            lines: tally.lines,
            unread: tally.unread,
            requests: access.requests,
            bytes: access.bytes,
            statuses: statuses(access),
            client_errors: by_class(access, 400..500),
            routes: access.routes.distinct(),
            clients: access.clients.distinct(),
            latency: Latency::of(&access.took),
            latency_shape: access.took.filled().collect(),
            sources,
            span,
            failed,
            causes,
            series,
        }
    }
}

fn span(tally: &Tally) -> Option<(Moment, Moment)> {
    let (access, errors) = (&tally.access, &tally.errors);
    let first = [access.first, errors.first].into_iter().flatten().min()?;
    Some((first, access.last.max(errors.last)?))
}

fn statuses(access: &Access) -> Vec<(u16, u64)> {
    let counted = access.statuses.iter().enumerate().filter(|(_, count)| **count > 0);
    counted.map(|(status, count)| (status as u16, *count)).collect()
}

fn by_class(access: &Access, class: std::ops::Range<usize>) -> u64 {
    access.statuses.get(class).unwrap_or_default().iter().sum()
}

fn notes(tally: &Tally, causes: &[CauseLine], matched: Option<&Matched>) -> Vec<String> {
    let access = &tally.access;
    let mut notes = Vec::new();
    let failed = by_class(access, 500..600);
    let basis = causes.first().map(|cause| cause.basis);
    if failed > 0 && basis.is_none_or(|basis| basis == Basis::Guess) {
        notes.push(
            "Causes are guessed from statuses and times. The error log names them: give it too, or log `$failure_code`."
                .to_owned(),
        );
    }
    if basis == Some(Basis::ErrorLog) && matched.is_none() {
        let other =
            if access.requests == 0 { "Give the access log too" } else { "No answer 5xx of the access log matches it" };
        notes.push(format!(
            "Requests are counted in the error log, where an attempt that another endpoint made good has a line too. {other}."
        ));
    }
    if failed >= 20 && places::outstanding(&access.failing_clients, &access.clients, 1).is_empty() {
        notes.push("Answers 5xx are spread over many clients: none of them stands out.".to_owned());
    }
    if access.requests > 0 && access.took.count() == 0 {
        notes.push("The access log has no times: add `$request_time` to its log_format.".to_owned());
    }
    if tally.unread > 0 {
        notes.push(format!("{} of {} lines could not be read.", tally.unread, tally.lines));
    }
    match tally.cut_short {
        0 => {}
        1 => notes.push("A compressed log is cut short: what it holds up to there is counted.".to_owned()),
        many => notes.push(format!("{many} compressed logs are cut short: what they hold up to there is counted.")),
    }
    notes
}
