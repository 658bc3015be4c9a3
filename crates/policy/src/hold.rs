//! Requests that wait for an endpoint to come back, in the order in which they came.
//!
//! They are let go with a ramp: the first one alone, then two for each one that was answered, so that an application that
//! has just started is not knocked over by all who waited for it.
//!
//! ```text
//! Open ──join──▶ Shut ──reopen──▶ Ramp ──passed, nobody waits──▶ Open
//!                  ▲               │
//!                  └─── rejoin ────┘
//! ```
//! Not here: how the waiting sleep and are woken, and how it is found out that an endpoint is back.

use std::collections::VecDeque;
use std::time::Duration;

/// How long and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldSettings {
    /// The longest that one request waits.
    pub time: Duration,
    /// The most requests that wait for one upstream, in one worker.
    pub max: usize,
}

impl Default for HoldSettings {
    /// Five seconds, a thousand requests.
    fn default() -> Self {
        Self { time: Duration::from_secs(5), max: 1000 }
    }
}

/// A place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Gate {
    /// Nobody needs to wait.
    #[default]
    Open,
    /// No endpoint answers.
    Shut,
    /// One does again: so many may be under way at once, and so many are.
    Ramp { allowed: u32, under_way: u32 },
}

/// The queue of one upstream.
#[derive(Debug, Default)]
pub struct Hold {
    waiting: VecDeque<Ticket>,
    next: u64,
    gate: Gate,
}

impl Hold {
    /// Whether a request that comes now has to wait behind others.
    pub fn is_open(&self) -> bool {
        self.gate == Gate::Open
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a place at the end; none when `max` wait already.
    pub fn join(&mut self, max: usize) -> Option<Ticket> {
        if self.waiting.len() >= max {
            return None;
        }
        if self.gate == Gate::Open {
            self.gate = Gate::Shut;
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back(ticket);
        Some(ticket)
    }

    /// Takes the old place again: the endpoint that seemed to be back is not.
    pub fn rejoin(&mut self, ticket: Ticket) {
        self.gate = Gate::Shut;
        let at = self.waiting.partition_point(|waiting| *waiting < ticket);
        self.waiting.insert(at, ticket);
    }

    /// Takes the old place again: endpoints are back and have no room for more. It goes on when one that is under way was
    /// answered; where none is, somebody has to look out again.
    pub fn rejoin_full(&mut self, ticket: Ticket) {
        let under_way = match self.gate {
            Gate::Ramp { under_way, .. } => under_way.saturating_sub(1),
            Gate::Open | Gate::Shut => 0,
        };
        self.rejoin(ticket);
        if under_way > 0 {
            self.gate = Gate::Ramp { allowed: under_way, under_way };
        }
    }

    /// Gives the place up.
    pub fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|waiting| *waiting != ticket);
        if self.waiting.is_empty() && self.gate == Gate::Shut {
            self.gate = Gate::Open;
        }
    }

    /// An endpoint is back; who may go.
    pub fn reopen(&mut self) -> Vec<Ticket> {
        if self.gate == Gate::Shut {
            self.gate = Gate::Ramp { allowed: 1, under_way: 0 };
        }
        self.release()
    }

    /// A request that was let go was answered; who else may go.
    pub fn passed(&mut self) -> Vec<Ticket> {
        if let Gate::Ramp { allowed, under_way } = self.gate {
            self.gate = Gate::Ramp { allowed: allowed.saturating_add(1), under_way: under_way.saturating_sub(1) };
        }
        self.release()
    }

    /// A request that was let go ended without an answer that says anything, such as by its client's leaving.
    pub fn abandoned(&mut self) -> Vec<Ticket> {
        if let Gate::Ramp { allowed, under_way } = self.gate {
            self.gate = Gate::Ramp { allowed, under_way: under_way.saturating_sub(1) };
        }
        self.release()
    }

    fn release(&mut self) -> Vec<Ticket> {
        let mut released = Vec::new();
        if let Gate::Ramp { allowed, under_way } = &mut self.gate {
            while *under_way < *allowed
                && let Some(ticket) = self.waiting.pop_front()
            {
                *under_way += 1;
                released.push(ticket);
            }
        }
        if self.waiting.is_empty() && self.gate != Gate::Shut {
            self.gate = Gate::Open;
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn those_who_wait_go_in_order_and_with_a_ramp() {
        let mut hold = Hold::default();
        let tickets: Vec<_> = (0..6).filter_map(|_| hold.join(10)).collect();
        assert_eq!(hold.reopen(), tickets[..1]);
        assert_eq!(hold.passed(), tickets[1..3]);
        assert_eq!(hold.passed(), tickets[3..5]);
        assert_eq!(hold.passed(), tickets[5..]);
        assert!(hold.is_open());
    }

    #[test]
    fn no_more_wait_than_may() {
        let mut hold = Hold::default();
        assert_eq!((0..5).filter_map(|_| hold.join(3)).count(), 3);
    }

    #[test]
    fn an_endpoint_that_is_not_back_after_all_shuts_the_gate_and_keeps_the_order() {
        let mut hold = Hold::default();
        let tickets: Vec<_> = (0..3).filter_map(|_| hold.join(10)).collect();
        hold.reopen();
        hold.rejoin(tickets[0]);
        assert!(!hold.is_open());
        assert_eq!(hold.reopen(), tickets[..1]);
    }

    #[test]
    fn one_that_finds_no_room_waits_for_the_next_answer_and_keeps_its_place() {
        let mut hold = Hold::default();
        let tickets: Vec<_> = (0..6).filter_map(|_| hold.join(10)).collect();
        assert_eq!(hold.reopen(), tickets[..1]);
        assert_eq!(hold.passed(), tickets[1..3]);
        hold.rejoin_full(tickets[2]);
        assert_eq!(hold.reopen(), [], "a look-out lets nobody more in");
        assert_eq!(hold.passed(), tickets[2..4]);
        hold.rejoin_full(tickets[2]);
        hold.rejoin_full(tickets[3]);
        assert_eq!(hold.passed(), [], "nobody is under way");
        assert_eq!(hold.reopen(), tickets[2..3]);
    }

    #[test]
    fn the_last_one_to_leave_opens_the_gate() {
        let mut hold = Hold::default();
        let ticket = hold.join(1).unwrap();
        assert!(!hold.is_open());
        hold.leave(ticket);
        assert!(hold.is_open());
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Join,
        Leave(usize),
        Reopen,
        Passed,
        Abandoned,
        Rejoin(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Join),
            1 => any::<usize>().prop_map(Step::Leave),
            2 => Just(Step::Reopen),
            3 => Just(Step::Passed),
            1 => Just(Step::Abandoned),
            1 => any::<usize>().prop_map(Step::Rejoin),
        ]
    }

    proptest! {
        #[test]
        fn nobody_is_lost_overtaken_or_let_go_twice(steps in proptest::collection::vec(step(), 0..200)) {
            const MAX: usize = 8;
            let mut hold = Hold::default();
            let (mut waiting, mut out): (Vec<Ticket>, Vec<Ticket>) = (Vec::new(), Vec::new());
            for step in steps {
                let released = match step {
                    Step::Join => {
                        let ticket = hold.join(MAX);
                        prop_assert_eq!(ticket.is_none(), waiting.len() >= MAX);
                        waiting.extend(ticket);
                        vec![]
                    }
                    Step::Leave(at) if !waiting.is_empty() => {
                        hold.leave(waiting.remove(at % waiting.len()));
                        vec![]
                    }
                    Step::Reopen => hold.reopen(),
                    Step::Passed if !out.is_empty() => {
                        out.pop();
                        hold.passed()
                    }
                    Step::Abandoned if !out.is_empty() => {
                        out.pop();
                        hold.abandoned()
                    }
                    Step::Rejoin(at) if !out.is_empty() => {
                        let ticket = out.remove(at % out.len());
                        match at % 2 {
                            0 => hold.rejoin(ticket),
                            _ => hold.rejoin_full(ticket),
                        }
                        waiting.push(ticket);
                        waiting.sort();
                        vec![]
                    }
                    _ => vec![],
                };
                prop_assert_eq!(&waiting[..released.len()], &released[..]);
                waiting.drain(..released.len());
                out.extend(released);
                prop_assert_eq!(hold.len(), waiting.len());
                prop_assert!(!hold.is_open() || waiting.is_empty());
            }
        }
    }
}
