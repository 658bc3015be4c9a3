//! What a retrying layer tells whoever listens: for logs, traces and metrics. Not here: any of them.

use std::time::Duration;

use policy::Failure;
use policy::retry::Met;

/// Something that happened in an exchange.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An attempt begins; `number` counts from 1.
    Attempt {
        /// Which attempt of the exchange.
        number: u32,
        /// Whom it asks.
        origin: &'a str,
    },
    /// An attempt has its head, or will have none. There is one for each [`Event::Attempt`], whatever becomes of it.
    Ended {
        /// Which attempt of the exchange.
        number: u32,
        /// Whom it asked.
        origin: &'a str,
        /// How long it took.
        took: Duration,
        /// The status or the failure; nothing if it was given up: another attempt was quicker, or nobody waits any more.
        met: Option<Met<'a>>,
    },
    /// An attempt failed before there was an answer, or within an answer's body.
    Failed {
        /// Whom it asked.
        origin: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// An answer came whose status is tried again, or would be.
    Answered {
        /// Who answered.
        origin: &'a str,
        /// The status.
        status: u16,
    },
    /// Another attempt comes after this wait.
    Retry {
        /// Its number, from 2.
        number: u32,
        /// The wait.
        after: Duration,
    },
    /// An attempt is silent, and another one begins beside it.
    Hedge {
        /// Its number, from 2.
        number: u32,
        /// How long the silence was.
        after: Duration,
    },
    /// There would have been another attempt, but the budget is spent.
    BudgetSpent,
    /// Attempts at an origin are stopped for so long.
    BreakerOpened {
        /// The origin.
        origin: &'a str,
        /// How long.
        length: Duration,
    },
    /// An origin is well again.
    BreakerClosed {
        /// The origin.
        origin: &'a str,
    },
}

/// Who listens: any closure that takes an [`Event`]. It is called on the request's way and must not block.
pub trait Events: Send + Sync {
    /// Something happened.
    fn on(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Events for F {
    fn on(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Both listen.
impl<A: Events, B: Events> Events for (A, B) {
    fn on(&self, event: &Event<'_>) {
        self.0.on(event);
        self.1.on(event);
    }
}
