//! What to change first: causes in the order of the requests that would be saved. Not here: the advice itself (`policy`).

use policy::{Blame, Cause};

use super::causes::{Basis, CauseLine};
use crate::explain::Likelihood;
use crate::report::moment::Moment;
use crate::report::tally::Tally;
use crate::report::units::{grouped, plural};

/// A change that is worth making.
#[derive(Debug, Clone)]
pub(in crate::report) struct Change {
    /// None where the application itself answers with errors.
    pub(in crate::report) cause: Option<Cause>,
    /// What is wrong, in one sentence.
    pub(in crate::report) what: String,
    pub(in crate::report) advice: String,
    /// Requests that would be saved, at most.
    pub(in crate::report) saves: u64,
    /// Of all answers 5xx; none if they are not known.
    pub(in crate::report) share: Option<f64>,
    pub(in crate::report) since: Option<Moment>,
    pub(in crate::report) until: Option<Moment>,
    /// It still happened at the end of the log.
    pub(in crate::report) goes_on: bool,
    pub(in crate::report) endpoints: Vec<(String, u64)>,
    pub(in crate::report) routes: Vec<(String, u64)>,
    /// What was seen beside.
    pub(in crate::report) notes: Vec<String>,
}

/// What follows from other failures: its requests are saved by changing those.
const CONSEQUENCES: [Cause; 5] =
    [Cause::NoLiveEndpoints, Cause::HoldFull, Cause::HoldTimeout, Cause::RetryBudgetSpent, Cause::BreakerOpen];

/// The changes, the best first.
pub(super) fn ranked(tally: &Tally, causes: &[CauseLine], failed: u64, span: Option<(Moment, Moment)>) -> Vec<Change> {
    let ours = causes.iter().filter(|line| !line.is_clients());
    let (consequences, roots): (Vec<_>, Vec<_>) = ours.partition(|line| CONSEQUENCES.contains(&line.cause));
    let follows: u64 = consequences.iter().map(|line| line.requests).sum();
    let main =
        roots.iter().filter(|line| line.cause.row().treatment.blame == Blame::Endpoint).max_by_key(|line| line.lines);
    let main = main.map(|line| line.cause);
    let mut changes: Vec<Change> = Vec::new();
    for line in &roots {
        let mut change = change(line, tally, failed, span);
        if Some(line.cause) == main && follows > 0 {
            change.saves += follows;
            change.notes.push(format!("{} of these found no live endpoint because of it.", grouped(follows)));
        }
        changes.push(change);
    }
    if main.is_none() {
        changes.extend(consequences.iter().map(|line| change(line, tally, failed, span)));
    }
    changes.extend(own_answers(tally, causes, failed));
    changes.retain(|change| change.saves > 0);
    for change in &mut changes {
        change.share = (failed > 0).then(|| (change.saves as f64 / failed as f64).min(1.0));
    }
    changes.sort_by_key(|change| (std::cmp::Reverse(change.saves), change.cause));
    changes
}

fn change(line: &CauseLine, tally: &Tally, failed: u64, span: Option<(Moment, Moment)>) -> Change {
    let row = line.cause.row();
    Change {
        cause: Some(line.cause),
        what: what(line),
        advice: row.advice.to_owned(),
        saves: line.requests,
        share: None,
        since: line.first,
        until: line.last,
        goes_on: span
            .zip(line.last)
            .is_some_and(|((first, end), last)| end.0 - last.0 <= ((end.0 - first.0) / 20).min(3600)),
        endpoints: line.endpoints.clone(),
        routes: line.routes.clone(),
        notes: [made_good(line, failed), also_possible(line), timed_out_after(line, tally), only_ipv6(line)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// What happened, and how sure that is.
fn what(line: &CauseLine) -> String {
    let happened = line.cause.row().happened;
    let likelihood = line.candidates.first().map(|candidate| candidate.likelihood);
    match likelihood {
        Some(Likelihood::MostLikely) if line.basis == Basis::Guess => format!("Most likely: {happened}"),
        Some(Likelihood::Possible) => format!("Perhaps: {happened}"),
        _ => happened.to_owned(),
    }
}

/// What the error log has and no client was answered for.
fn made_good(line: &CauseLine, failed: u64) -> Option<String> {
    let good = line.met.saturating_sub(line.requests);
    (failed > 0 && line.basis != Basis::Guess && good > 0)
        .then(|| format!("{} more met with it and got their answer all the same.", plural(good, "request")))
}

fn also_possible(line: &CauseLine) -> Option<String> {
    let others = line.candidates.iter().filter(|candidate| candidate.cause != line.cause);
    let named: Vec<String> = others
        .map(|candidate| format!("{} {}, {}", candidate.cause.code(), candidate.cause.name(), candidate.why))
        .collect();
    let basis = if line.basis == Basis::Guess { "A guess; it may also be" } else { "It may also be" };
    (!named.is_empty()).then(|| format!("{basis} {}.", named.join("; or ")))
}

/// Most of what times out does so after the same time: the timer that fired.
fn timed_out_after(line: &CauseLine, tally: &Tally) -> Option<String> {
    if line.cause != Cause::ReplyTimeout {
        return None;
    }
    let durations = &tally.access.timed_out_after;
    let first = durations.most().first().copied()?;
    let tenths = u64::from_be_bytes(first.key[..].try_into().ok()?);
    let share = first.count * 100 / durations.total();
    let known = if tenths == 600 { ", the default of `proxy_read_timeout`" } else { "" };
    (share >= 50)
        .then(|| format!("{share} % of those that timed out did so after {}.{} s{known}.", tenths / 10, tenths % 10))
}

/// `localhost` that is two addresses, of which one is not listened on.
fn only_ipv6(line: &CauseLine) -> Option<String> {
    let all_v6 = !line.endpoints.is_empty() && line.endpoints.iter().all(|(name, _)| name.starts_with("[::1]"));
    (line.cause == Cause::ConnectRefused && all_v6)
        .then(|| "Only the IPv6 address of localhost refuses: write 127.0.0.1 in place of the name.".to_owned())
}

/// Answers 5xx that no cause explains: the application's own, as far as the logs say.
fn own_answers(tally: &Tally, causes: &[CauseLine], failed: u64) -> Option<Change> {
    let is_5xx = |line: &&CauseLine| line.cause.row().treatment.status >= 500 && !line.is_clients();
    let explained: u64 = causes.iter().filter(is_5xx).map(|line| line.requests).sum();
    let own = failed.saturating_sub(explained);
    let access = &tally.access;
    let routes = access.own_routes.most();
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    (own > 0).then(|| Change {
        cause: None,
        what: "The application itself answers with errors, as far as these logs tell.".to_owned(),
        advice: "Look in the application's own log for these routes. If they are the gateway's answers, its error log says why: give \
                 it to this report too."
            .to_owned(),
        saves: own,
        share: None,
        since: None,
        until: None,
        goes_on: false,
        endpoints: Vec::new(),
        routes: routes.iter().take(5).map(|entry| (text(&entry.key), entry.count)).collect(),
        notes: Vec::new(),
    })
}
