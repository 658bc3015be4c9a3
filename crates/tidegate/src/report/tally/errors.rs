//! Counts of error-log lines. Not here: access lines (`access`), and what a message means (`explain`).

use policy::Cause;

use super::causes::{Causes, Told};
use crate::explain::nginx::{ErrorLine, meant};
use crate::explain::{Candidate, certainly};
use crate::report::hash::hash;
use crate::report::matching::Sightings;
use crate::report::moment::Moment;
use crate::report::route::route;
use crate::report::row::target_of;
use crate::report::timeline::Timeline;
use crate::report::top::Merge;

/// Things that happen to the program itself are kept up to so many.
const MAX_HAPPENINGS: usize = 256;
/// Requests that are remembered, to know which lines speak of the same one.
const REMEMBERED: usize = 4096;
/// A request that fails twice does so within this many seconds.
const SAME_REQUEST: i64 = 300;

/// Something that happened to the program that wrote the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) struct Happening {
    pub(in crate::report) at: Moment,
    pub(in crate::report) what: What,
}

/// What may happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum What {
    Started,
    Reloaded,
    Stopped,
    WorkerDied,
}

/// Failures in one bucket of time, by cause.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Failed(pub(in crate::report) Vec<(Cause, u64)>);

impl Failed {
    fn add(&mut self, cause: Cause, count: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, known)) => *known += count,
            None => self.0.push((cause, count)),
        }
    }
}

impl Merge for Failed {
    fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(cause, count)| self.add(cause, count));
    }
}

/// Everything counted of error-log lines.
#[derive(Debug)]
pub(in crate::report) struct Errors {
    pub(in crate::report) lines: u64,
    pub(in crate::report) first: Option<Moment>,
    pub(in crate::report) last: Option<Moment>,
    pub(in crate::report) causes: Causes,
    pub(in crate::report) timeline: Timeline<Failed>,
    pub(in crate::report) happenings: Vec<Happening>,
    /// By a hash of cause, connection and request: when such a line was last there.
    remembered: Box<[(u64, i64)]>,
    /// Failures, to be matched with the access log.
    pub(in crate::report) failures: Sightings<Cause>,
    folded: Vec<u8>,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            lines: 0,
            first: None,
            last: None,
            causes: Causes::default(),
            timeline: Timeline::default(),
            happenings: Vec::new(),
            remembered: vec![(0, i64::MIN); REMEMBERED].into(),
            failures: Sightings::default(),
            folded: Vec::new(),
        }
    }
}

impl Errors {
    /// Counts a line.
    pub(in crate::report) fn take(&mut self, line: &ErrorLine<'_>) {
        self.lines += 1;
        let Some(at) = line.at else { return };
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = self.last.max(Some(at));
        if line.connection.is_empty()
            && let Some(what) = happening(line.message)
        {
            return self.happen(Happening { at, what });
        }
        let candidates = candidates(line);
        let Some(first) = candidates.first() else { return };
        self.timeline.at(at).add(first.cause, 1);
        let is_new = self.is_new(line, first.cause, at);
        let mut folded = std::mem::take(&mut self.folded);
        let target = target_of(line.request);
        self.failures.add(line.client, target, at, first.cause);
        let route = route(target, &mut folded);
        let endpoint = line.endpoint();
        self.causes.take(&Told { at: Some(at), candidates, endpoint, route, message: line.message, is_new });
        self.folded = folded;
    }

    fn happen(&mut self, happening: Happening) {
        // nginx and its workers say many things at one restart.
        let known = |other: &Happening| other.what == happening.what && (other.at.0 - happening.at.0).abs() <= 5;
        if self.happenings.len() < MAX_HAPPENINGS && !self.happenings.iter().any(known) {
            self.happenings.push(happening);
        }
    }

    /// Whether no earlier line told this cause of this request. Of two requests that are remembered in one place, the
    /// later counts, so that a few may be counted twice.
    fn is_new(&mut self, line: &ErrorLine<'_>, cause: Cause, at: Moment) -> bool {
        if line.connection.is_empty() {
            return true;
        }
        let id = hash(line.request, hash(line.connection, cause as u64));
        let place = &mut self.remembered[(id % REMEMBERED as u64) as usize];
        let (known, then) = std::mem::replace(place, (id, at.0));
        known != id || at.0.saturating_sub(then) > SAME_REQUEST
    }
}

/// Our own lines name the cause.
fn candidates(line: &ErrorLine<'_>) -> &'static [Candidate] {
    let word = line.failure.split(|byte| matches!(byte, b' ' | b';')).next().unwrap_or_default();
    match std::str::from_utf8(word).ok().and_then(Cause::find) {
        Some(cause) => certainly(cause),
        None => meant(line.message, line.action).map_or(&[], |meant| meant.candidates),
    }
}

/// What a line that belongs to no connection tells of the program.
fn happening(message: &[u8]) -> Option<What> {
    let starts = |words: &str| message.starts_with(words.as_bytes());
    let ends = |words: &str| message.ends_with(words.as_bytes());
    match message {
        _ if starts("nginx/") || starts("tidegate/") => Some(What::Started),
        _ if ends("reconfiguring") => Some(What::Reloaded),
        _ if starts("worker process") && memchr::memmem::find(message, b"exited on signal").is_some() => {
            Some(What::WorkerDied)
        }
        b"exit" => Some(What::Stopped),
        _ => None,
    }
}

impl Merge for Errors {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.causes.merge(other.causes);
        self.timeline.merge(other.timeline);
        self.failures.merge(other.failures);
        other.happenings.into_iter().for_each(|happening| self.happen(happening));
    }
}
