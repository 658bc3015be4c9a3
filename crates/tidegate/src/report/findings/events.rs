//! What happened when: starts and reloads, endpoints that refused for a while, bursts of errors; and how answers were before
//! and after. Not here: how it was counted.

use policy::Cause;

use super::series::Series;
use crate::report::moment::Moment;
use crate::report::runs::Run;
use crate::report::tally::{Tally, What};

/// A restart takes no longer than this, in seconds; what does is an outage.
const RESTART: i64 = 120;
/// Endpoints that refuse one after another within this time are restarted together.
const DEPLOY: i64 = 120;
/// How far before and after an event is looked, in seconds, at least.
const AROUND: i64 = 300;
/// Fewer refusals than this are no event.
const LEAST: u64 = 3;
/// The most events that are shown.
const MOST_EVENTS: usize = 40;

/// What an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    /// Something that the program says of itself.
    Program(What),
    /// An endpoint refused for a while and came back.
    Restart { endpoint: String },
    /// An endpoint refused for long.
    Outage { endpoint: String },
    /// Several endpoints refused one after another.
    Deploy { endpoints: Vec<String> },
    /// Many answers 5xx, of which nothing more is known.
    Burst,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Event {
    pub(in crate::report) kind: Kind,
    pub(in crate::report) from: Moment,
    pub(in crate::report) to: Moment,
    /// Attempts that failed in it.
    pub(in crate::report) count: u64,
    /// It had not ended when the log did.
    pub(in crate::report) goes_on: bool,
    /// Shares of answers 5xx before and after; none where nothing was asked.
    pub(in crate::report) before: Option<f64>,
    pub(in crate::report) after: Option<f64>,
}

/// All of them, in the order of time; of too many, those with the most failures.
pub(super) fn all(tally: &Tally, series: &Series, span: Option<(Moment, Moment)>) -> Vec<Event> {
    let Some((_, end)) = span else { return Vec::new() };
    let mut events = away(tally, end);
    if events.is_empty() {
        events = bursts(series, end);
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.count));
    events.truncate(MOST_EVENTS);
    events.extend(tally.errors.happenings.iter().take(MOST_EVENTS).map(|happening| Event {
        kind: Kind::Program(happening.what),
        from: happening.at,
        to: happening.at,
        count: 0,
        goes_on: false,
        before: None,
        after: None,
    }));
    events.sort_by_key(|event| (event.from, event.to));
    for event in &mut events {
        event.before = share(series, event.from.0 - around(series), event.from.0);
        event.after = share(series, event.to.0 + series.width, event.to.0 + series.width + around(series));
    }
    events
}

/// What an endpoint says that is not there.
const AWAY: [Cause; 4] =
    [Cause::ConnectRefused, Cause::UnixSocketRefused, Cause::UnixSocketMissing, Cause::ConnectReset];

/// Times when endpoints were away, those that belong together joined.
fn away(tally: &Tally, end: Moment) -> Vec<Event> {
    let mut runs: Vec<(String, Run)> = Vec::new();
    for causes in [&tally.errors.causes, &tally.access.causes] {
        for count in AWAY.iter().filter_map(|cause| causes.get(*cause)) {
            for entry in count.endpoints.most() {
                let name = String::from_utf8_lossy(&entry.key).into_owned();
                runs.extend(entry.value.all().iter().map(|run| (name.clone(), *run)));
            }
        }
        if !runs.is_empty() {
            break;
        }
    }
    runs.sort_by_key(|(_, run)| (run.from, run.to));
    let mut groups: Vec<Vec<(String, Run)>> = Vec::new();
    for (name, run) in runs {
        match groups.last_mut() {
            Some(group) if run.from.0 <= latest(group).0 + DEPLOY => group.push((name, run)),
            _ => groups.push(vec![(name, run)]),
        }
    }
    groups.retain(|group| group.iter().map(|(_, run)| run.count).sum::<u64>() >= LEAST);
    groups.into_iter().flat_map(|group| told(group, end)).collect()
}

fn latest(group: &[(String, Run)]) -> Moment {
    group.iter().map(|(_, run)| run.to).max().unwrap_or(Moment(i64::MIN / 2))
}

/// A deploy, if several endpoints were away for a short time each; otherwise each alone.
fn told(group: Vec<(String, Run)>, end: Moment) -> Vec<Event> {
    let mut endpoints: Vec<String> = group.iter().map(|(name, _)| name.clone()).collect();
    endpoints.sort();
    endpoints.dedup();
    let short = group.iter().all(|(_, run)| run.to.0 - run.from.0 <= RESTART);
    if endpoints.len() > 1 && short {
        let (from, to) = (group[0].1.from, latest(&group));
        let count = group.iter().map(|(_, run)| run.count).sum();
        return vec![event(Kind::Deploy { endpoints }, Run { from, to, count }, end)];
    }
    let single = |(endpoint, run): (String, Run)| {
        let is_short = run.to.0 - run.from.0 <= RESTART && end.0 - run.to.0 > RESTART;
        event(if is_short { Kind::Restart { endpoint } } else { Kind::Outage { endpoint } }, run, end)
    };
    group.into_iter().map(single).collect()
}

fn event(kind: Kind, run: Run, end: Moment) -> Event {
    let goes_on = end.0 - run.to.0 <= 30 && !matches!(kind, Kind::Restart { .. });
    Event { kind, from: run.from, to: run.to, count: run.count, goes_on, before: None, after: None }
}

/// Stretches with far more answers 5xx than usual.
fn bursts(series: &Series, end: Moment) -> Vec<Event> {
    let (requests, failed) = totals(series, i64::MIN, i64::MAX);
    let usual = failed as f64 / requests.max(1) as f64;
    let is_high =
        |requests: u64, failed: u64| failed >= 10 && failed as f64 / requests.max(1) as f64 >= (usual * 3.0).min(0.5);
    let mut runs: Vec<Run> = Vec::new();
    for point in series.points.iter().filter(|point| is_high(point.requests, point.failed())) {
        let run = Run { from: Moment(point.at), to: Moment(point.at + series.width - 1), count: point.failed() };
        match runs.last_mut() {
            Some(last) if run.from.0 <= last.to.0 + 1 => (last.to, last.count) = (run.to, last.count + run.count),
            _ => runs.push(run),
        }
    }
    runs.into_iter().map(|run| event(Kind::Burst, run, end)).collect()
}

fn around(series: &Series) -> i64 {
    AROUND.max(series.width * 3)
}

fn share(series: &Series, from: i64, to: i64) -> Option<f64> {
    let (requests, failed) = totals(series, from, to);
    (requests > 0).then(|| failed as f64 / requests as f64)
}

/// Requests and answers 5xx of the points that start in a stretch of time.
fn totals(series: &Series, from: i64, to: i64) -> (u64, u64) {
    let within = series.points.iter().filter(|point| (from..to).contains(&point.at));
    within.fold((0, 0), |(requests, failed), point| (requests + point.requests, failed + point.failed()))
}
