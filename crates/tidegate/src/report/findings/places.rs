//! Routes, clients and endpoints as a report lists them. Not here: causes.

use crate::report::tally::{Flow, Tally};
use crate::report::top::{Count, Entry, Top};

/// One route, client or endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Place {
    pub(in crate::report) name: String,
    /// At most this many.
    pub(in crate::report) requests: u64,
    /// The number may be too high by this: the log has more places than are kept.
    pub(in crate::report) over: u64,
    pub(in crate::report) failures: u64,
    /// Microseconds.
    pub(in crate::report) p50: Option<u64>,
    pub(in crate::report) p99: Option<u64>,
    /// All its requests together.
    pub(in crate::report) took: u64,
}

fn place(entry: &Entry<Flow>) -> Place {
    let flow = &entry.value;
    Place {
        name: String::from_utf8_lossy(&entry.key).into_owned(),
        requests: entry.count,
        over: entry.over,
        failures: flow.failures,
        p50: flow.took.quantile(0.5),
        p99: flow.took.quantile(0.99),
        took: flow.took.sum(),
    }
}

/// Those with most failures.
pub(super) fn failing(failing: &Top<()>, all: &Top<Flow>, most: usize) -> Vec<Place> {
    let known = |entry: &&Entry<()>| {
        let name = String::from_utf8_lossy(&entry.key).into_owned();
        let name = if name.is_empty() { "(none)".to_owned() } else { name };
        match all.get(&entry.key) {
            Some(flow) => Place { failures: entry.count, name, ..place(flow) },
            None => Place {
                name,
                requests: entry.count,
                over: entry.over,
                failures: entry.count,
                p50: None,
                p99: None,
                took: 0,
            },
        }
    };
    failing.most().iter().take(most).map(known).collect()
}

/// Those with most failures, if any of them has far more than others; a long list of equals says nothing.
pub(super) fn outstanding(failing: &Top<()>, all: &Top<Flow>, most: usize) -> Vec<Place> {
    let (Count::Exactly(distinct) | Count::About(distinct)) = failing.distinct();
    let (total, usual) = (failing.total(), failing.total() / distinct.max(1));
    let stands_out = |place: &Place| place.failures * 20 >= total && place.failures >= 3 + usual * 3;
    self::failing(failing, all, most).into_iter().filter(stands_out).collect()
}

/// Those with most requests.
pub(super) fn busy(all: &Top<Flow>, most: usize) -> Vec<Place> {
    all.most().into_iter().take(most).map(place).collect()
}

/// Those that took most time together.
pub(super) fn slow(all: &Top<Flow>, most: usize) -> Vec<Place> {
    let slow = all.most_by(|entry| entry.value.took.sum());
    slow.into_iter().filter(|entry| entry.value.took.count() > 0).take(most).map(place).collect()
}

/// Endpoints with their failures; those of the error log if the access log names none.
pub(super) fn endpoints(tally: &Tally, most: usize) -> Vec<Place> {
    let all = &tally.access.endpoints;
    if all.total() > 0 {
        let by_failures = all.most_by(|entry| entry.value.failures.max(1) * 1_000 + entry.count.min(999));
        return by_failures.into_iter().take(most).map(place).collect();
    }
    let mut failures = std::collections::BTreeMap::<String, u64>::new();
    for (_, count) in tally.errors.causes.all() {
        for entry in count.endpoints.most() {
            *failures.entry(String::from_utf8_lossy(&entry.key).into_owned()).or_default() += entry.count;
        }
    }
    let place = |(name, failures)| Place { name, requests: 0, over: 0, failures, p50: None, p99: None, took: 0 };
    let mut places: Vec<Place> = failures.into_iter().map(place).collect();
    places.sort_by(|a, b| b.failures.cmp(&a.failures).then_with(|| a.name.cmp(&b.name)));
    places.truncate(most);
    places
}
