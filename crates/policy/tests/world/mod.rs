//! A group of endpoints in virtual time, for tests that tell a story: letters stand for endpoints, in the order of the group.

#![allow(dead_code, reason = "each test file uses its part")]

use std::time::{Duration, Instant};

use policy::{Balance, EndpointId, EndpointSettings, Outcome, Pick, Tried, Upstream};

/// An endpoint as nginx's `server ADDRESS;` makes it.
pub(crate) fn endpoint() -> EndpointSettings {
    EndpointSettings {
        weight: 1,
        max_conns: 0,
        max_fails: 1,
        max_fails_written: true,
        fail_timeout: Duration::from_secs(10),
        backup: false,
        down: false,
        name: "127.0.0.1:80".into(),
    }
}

pub(crate) fn weighing(weight: u32) -> EndpointSettings {
    EndpointSettings { weight, ..endpoint() }
}

pub(crate) fn named(name: &str) -> EndpointSettings {
    EndpointSettings { name: name.into(), ..endpoint() }
}

pub(crate) fn backup() -> EndpointSettings {
    EndpointSettings { backup: true, ..endpoint() }
}

pub(crate) fn down() -> EndpointSettings {
    EndpointSettings { down: true, ..endpoint() }
}

/// The group.
pub(crate) struct World {
    pub(crate) upstream: Upstream,
    now: Instant,
}

impl World {
    pub(crate) fn new(balance: Balance, endpoints: Vec<EndpointSettings>) -> Self {
        Self { upstream: Upstream::new(balance, endpoints, 1), now: Instant::now() }
    }

    pub(crate) fn turns(endpoints: Vec<EndpointSettings>) -> Self {
        Self::new(Balance::RoundRobin, endpoints)
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// Starts an attempt.
    pub(crate) fn begin(&mut self, key: &[u8], tried: &Tried) -> Option<EndpointId> {
        self.upstream.pick(&Pick { now: self.now, tried, key, watch: policy::Watch::Off }).ok()
    }

    /// An attempt has its answer.
    pub(crate) fn answered(&mut self, id: EndpointId, took: Duration) {
        self.upstream.answered(id, took, self.now);
    }

    pub(crate) fn finish(&mut self, id: EndpointId, outcome: Outcome) -> bool {
        self.upstream.finish(id, outcome, self.now)
    }

    /// Starts an attempt that goes on; its endpoint.
    pub(crate) fn hold(&mut self) -> Option<(char, EndpointId)> {
        self.begin(b"", &Tried::default()).map(|id| (letter(id), id))
    }

    /// One attempt from beginning to end; its endpoint, or `-` where there is none.
    pub(crate) fn attempt(&mut self, outcome: Outcome) -> char {
        let Some((letter, id)) = self.hold() else { return '-' };
        self.finish(id, outcome);
        letter
    }

    pub(crate) fn succeed(&mut self, times: usize) -> String {
        (0..times).map(|_| self.attempt(Outcome::Success)).collect()
    }

    /// Attempts of which those at `failing` fail.
    pub(crate) fn attempts(&mut self, times: usize, failing: char) -> String {
        let attempt = |world: &mut Self| {
            let Some((letter, id)) = world.hold() else { return '-' };
            world.finish(id, if letter == failing { Outcome::Failure } else { Outcome::Success });
            letter
        };
        (0..times).map(|_| attempt(self)).collect()
    }

    /// An exchange that asks one endpoint after another until there is none.
    pub(crate) fn fail_over(&mut self, key: &[u8]) -> String {
        let mut tried = Tried::default();
        let mut asked = String::new();
        while let Some(id) = self.begin(key, &tried) {
            self.finish(id, Outcome::Failure);
            tried.insert(id);
            asked.push(letter(id));
        }
        asked
    }

    /// Where a key lies.
    pub(crate) fn home(&mut self, key: &[u8]) -> char {
        let Some(id) = self.begin(key, &Tried::default()) else { return '-' };
        self.finish(id, Outcome::Success);
        letter(id)
    }
}

pub(crate) fn letter(id: EndpointId) -> char {
    char::from(b'a' + u8::try_from(id.index()).unwrap_or(25))
}
