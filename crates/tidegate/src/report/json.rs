//! A report as JSON for programs. Durations are in seconds, times as the log's own clock wrote them. Not here: what it says
//! (`findings`).

use serde_json::{Value, json};

use super::findings::{Basis, CauseLine, Change, Event, Findings, Kind, Latency, Place, Point};
use super::moment::Moment;
use super::tally::What;
use super::top::Count;
use super::wording::told;

/// The whole report.
pub(super) fn text(findings: &Findings) -> String {
    let value = json!({
        "sources": findings.sources.iter().map(|source| json!({
            "name": source.name,
            "form": source.form,
            "bytes": source.bytes,
        })).collect::<Vec<_>>(),
        "lines": findings.lines,
        "unread_lines": findings.unread,
        "from": findings.span.map(|(first, _)| first.to_string()),
        "to": findings.span.map(|(_, last)| last.to_string()),
        "requests": findings.requests,
        "bytes_sent": findings.bytes,
        "failed": findings.failed,
        "client_errors": findings.client_errors,
        "statuses": findings.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "distinct_routes": count(findings.routes),
        "distinct_clients": count(findings.clients),
        "latency": findings.latency.map(latency),
        "changes": findings.changes.iter().map(change).collect::<Vec<_>>(),
        "causes": findings.causes.iter().map(cause).collect::<Vec<_>>(),
        "events": findings.events.iter().map(event).collect::<Vec<_>>(),
        "endpoints": places(&findings.endpoints),
        "failing_routes": places(&findings.failing_routes),
        "busy_routes": places(&findings.busy_routes),
        "slow_routes": places(&findings.slow_routes),
        "failing_clients": places(&findings.failing_clients),
        "busy_clients": places(&findings.busy_clients),
        "series": {
            "seconds": findings.series.width,
            "causes": findings.series.causes.iter().map(|cause| cause.code().to_string()).collect::<Vec<_>>(),
            "points": findings.series.points.iter().map(point).collect::<Vec<_>>(),
        },
        "notes": findings.notes,
    });
    format!("{value:#}\n")
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn count(count: Count) -> Value {
    match count {
        Count::Exactly(count) => json!({ "count": count, "estimated": false }),
        Count::About(count) => json!({ "count": count, "estimated": true }),
    }
}

fn latency(latency: Latency) -> Value {
    json!({
        "p50": seconds(latency.p50),
        "p90": seconds(latency.p90),
        "p99": seconds(latency.p99),
        "p99.9": seconds(latency.p999),
        "max": seconds(latency.max),
    })
}

fn moment(at: Option<Moment>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn named(places: &[(String, u64)]) -> Vec<Value> {
    places.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect()
}

fn change(change: &Change) -> Value {
    json!({
        "code": change.cause.map(|cause| cause.code().to_string()),
        "what": change.what,
        "advice": change.advice,
        "saves_at_most": change.saves,
        "share_of_failed": change.share,
        "since": moment(change.since),
        "until": moment(change.until),
        "goes_on": change.goes_on,
        "endpoints": named(&change.endpoints),
        "routes": named(&change.routes),
        "notes": change.notes,
    })
}

fn cause(cause: &CauseLine) -> Value {
    let basis = match cause.basis {
        Basis::Codes => "access log",
        Basis::ErrorLog => "error log",
        Basis::Guess => "guess",
    };
    json!({
        "code": cause.cause.code().to_string(),
        "name": cause.cause.name(),
        "basis": basis,
        "requests": cause.requests,
        "lines": cause.lines,
        "since": moment(cause.first),
        "until": moment(cause.last),
        "endpoints": named(&cause.endpoints),
        "routes": named(&cause.routes),
        "example": cause.example,
        "may_also_be": cause.candidates.iter().filter(|other| other.cause != cause.cause).map(|other| other.cause.code().to_string()).collect::<Vec<_>>(),
    })
}

fn event(event: &Event) -> Value {
    let kind = match &event.kind {
        Kind::Program(What::Started) => "started",
        Kind::Program(What::Reloaded) => "reloaded",
        Kind::Program(What::Stopped) => "stopped",
        Kind::Program(What::WorkerDied) => "worker died",
        Kind::Restart { .. } => "restart",
        Kind::Outage { .. } => "outage",
        Kind::Deploy { .. } => "deploy",
        Kind::Burst => "burst",
    };
    let endpoints = match &event.kind {
        Kind::Restart { endpoint } | Kind::Outage { endpoint } => vec![endpoint.clone()],
        Kind::Deploy { endpoints } => endpoints.clone(),
        Kind::Program(_) | Kind::Burst => vec![],
    };
    json!({
        "kind": kind,
        "from": event.from.to_string(),
        "to": event.to.to_string(),
        "goes_on": event.goes_on,
        "count": event.count,
        "endpoints": endpoints,
        "failed_before": event.before,
        "failed_after": event.after,
        "text": told(event),
    })
}

fn places(places: &[Place]) -> Vec<Value> {
    let shown = places.iter().map(|place| {
        json!({
            "name": place.name,
            "requests": place.requests,
            "may_be_too_high_by": place.over,
            "failed": place.failures,
            "p50": place.p50.map(seconds),
            "p99": place.p99.map(seconds),
            "took": seconds(place.took),
        })
    });
    shown.collect()
}

fn point(point: &Point) -> Value {
    json!({
        "at": Moment(point.at).to_string(),
        "requests": point.requests,
        "client_errors": point.client_errors,
        "500": point.failures[0],
        "502": point.failures[1],
        "503": point.failures[2],
        "504": point.failures[3],
        "by_cause": point.by_cause,
        "p50": point.p50.map(seconds),
        "p99": point.p99.map(seconds),
    })
}
