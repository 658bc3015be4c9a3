//! A simulated endpoint: so many requests at once, a backlog before them, and what faults do to it. It does not learn that a
//! client left, and works on: that is what makes a retry storm outlive its cause. Not here: who asks it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::faults::{Fault, Kind};

/// A connection is made, refused or reset within this time.
pub(super) const NETWORK: Duration = Duration::from_micros(500);

/// What an endpoint can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capacity {
    /// Requests that it works on at once.
    pub(super) concurrency: usize,
    /// How long one takes, on average.
    pub(super) service: Duration,
    /// Requests that wait for it; beyond them connections are not made.
    pub(super) backlog: usize,
}

impl Capacity {
    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.concurrency as f64 / self.service.as_secs_f64()
    }
}

/// What becomes of an attempt if everybody waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Refused(Duration),
    /// Its connection is not made.
    NoRoom,
    /// It dies with it.
    Reset(Duration),
    Answered(Duration),
}

/// One endpoint.
#[derive(Debug, Default)]
pub(super) struct Endpoint {
    /// When the requests end that it works on or will have worked on.
    ends: BinaryHeap<Reverse<Duration>>,
    /// When those begin that wait.
    begins: VecDeque<Duration>,
    /// Faults that meet it, without those of the load.
    faults: Vec<Fault>,
    /// The end of the last death that has emptied it.
    emptied: Duration,
}

impl Endpoint {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Whether it takes connections.
    pub(super) fn accepts(&self, at: Duration) -> bool {
        self.during(at, |kind| kind == Kind::Dead).is_none()
    }

    /// A request comes that takes `service` where nothing is slow. Its whole future is known: so are the faults.
    pub(super) fn ask(&mut self, at: Duration, service: Duration, capacity: &Capacity) -> Fate {
        if !self.accepts(at) {
            return Fate::Refused(at + NETWORK);
        }
        self.forget_the_dead(at);
        while self.begins.front().is_some_and(|begins| *begins <= at) {
            self.begins.pop_front();
        }
        if self.begins.len() >= capacity.backlog {
            return Fate::NoRoom;
        }
        let (begins, ends) = self.work(at, service, capacity);
        self.ends.push(Reverse(ends));
        if begins > at {
            self.begins.push_back(begins);
        }
        match self.dies_after(at).filter(|dies| *dies < ends) {
            Some(dies) => Fate::Reset(dies + NETWORK),
            None => Fate::Answered(ends + NETWORK),
        }
    }

    /// When the work begins and ends. Takes the place of the one that ends first.
    fn work(&mut self, at: Duration, service: Duration, capacity: &Capacity) -> (Duration, Duration) {
        let free = if self.ends.len() < capacity.concurrency { None } else { self.ends.pop() };
        let free = free.map_or(at, |Reverse(ends)| ends.max(at));
        let begins = self.during(free, |kind| kind == Kind::Hung).map_or(free, |hung| hung.to);
        let slow = self.during(begins, |kind| matches!(kind, Kind::Slow(_)));
        let factor = slow.map_or(1.0, |fault| if let Kind::Slow(factor) = fault.kind { factor } else { 1.0 });
        let ends = begins + service.mul_f64(factor);
        let hangs =
            self.faults.iter().filter(|fault| fault.kind == Kind::Hung && begins < fault.from && fault.from < ends);
        (begins, ends + hangs.map(|fault| fault.to - fault.from).sum::<Duration>())
    }

    fn during(&self, at: Duration, is: impl Fn(Kind) -> bool) -> Option<&Fault> {
        self.faults.iter().find(|fault| is(fault.kind) && fault.lasts_at(at))
    }

    fn dies_after(&self, at: Duration) -> Option<Duration> {
        self.faults.iter().filter(|fault| fault.kind == Kind::Dead && fault.from > at).map(|fault| fault.from).min()
    }

    /// What it worked on when it died is gone.
    fn forget_the_dead(&mut self, at: Duration) {
        let over = self.faults.iter().filter(|fault| fault.kind == Kind::Dead && fault.to <= at).map(|fault| fault.to);
        if let Some(last) = over.max().filter(|last| *last > self.emptied) {
            self.emptied = last;
            self.ends.clear();
            self.begins.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::faults;

    const CAPACITY: Capacity = Capacity { concurrency: 1, service: SECOND, backlog: 1 };
    const SECOND: Duration = Duration::from_secs(1);

    fn asked(fault: &str, seconds: &[u64]) -> Vec<Fate> {
        let mut endpoint = Endpoint::new(if fault.is_empty() { vec![] } else { faults::parse(fault).unwrap() });
        seconds.iter().map(|at| endpoint.ask(Duration::from_secs(*at), SECOND, &CAPACITY)).collect()
    }

    fn answered(seconds: u32) -> Fate {
        Fate::Answered(SECOND * seconds + NETWORK)
    }

    #[test]
    fn one_at_a_time_is_served_and_who_finds_the_backlog_full_has_no_connection() {
        assert_eq!(asked("", &[0, 0, 0, 1]), [answered(1), answered(2), Fate::NoRoom, answered(3)]);
    }

    #[test]
    fn a_death_resets_refuses_and_leaves_nothing_behind() {
        let reset = Fate::Reset(Duration::from_millis(500) + NETWORK);
        let fates = asked("kill@500ms..3s", &[0, 1, 3]);
        assert_eq!(fates, [reset, Fate::Refused(SECOND + NETWORK), answered(4)]);
    }

    #[test]
    fn a_hang_adds_its_time_and_slowness_multiplies() {
        assert_eq!(asked("hang@500ms..3s", &[0])[0], Fate::Answered(Duration::from_millis(3500) + NETWORK));
        assert_eq!(asked("slow=4x@0..3s", &[0])[0], answered(4));
    }
}
