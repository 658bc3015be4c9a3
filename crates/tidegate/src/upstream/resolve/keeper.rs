//! Keeps a configuration's names resolved, beside the workers, on a thread of its own. Not here: what the names are used
//! for, and when each is due (`policy::names`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use config::model::Level;
use policy::names::Freshness;
use tokio::task::{JoinError, JoinSet};

use super::ask::{Found, Name, Unresolved, ask};
use super::{Learned, Names};

/// How long the start waits for names before it goes on without those that are missing.
const START_PATIENCE: Duration = Duration::from_secs(3);

/// Takes a line for the log.
type Say = dyn Fn(Level, &str) + Send;

/// Whom to tell what comes of the look-ups.
pub(crate) struct Audience {
    pub(crate) say: Box<Say>,
    /// Addresses are other than before.
    pub(crate) changed: Box<dyn Fn() + Send>,
}

/// Keeps names resolved for as long as the returned keeper lives. Returns when each was looked up once, or after [`START_PATIENCE`].
pub(crate) fn keep(names: Arc<Names>, wanted: Vec<Name>, audience: Audience) -> Keeper {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (ready, first_round) = std::sync::mpsc::channel();
    if !wanted.is_empty() {
        let run = move || run_until(Table::new(names, wanted, audience, ready), stopped);
        // Without the thread nothing is resolved: the wait below is over at once and the names are reported by use.
        let _ = std::thread::Builder::new().name("resolver".into()).spawn(run);
        let _ = first_round.recv_timeout(START_PATIENCE);
    }
    Keeper { _stop: stop }
}

/// Dropping it ends the resolving.
pub(crate) struct Keeper {
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Keeper {
    /// Keeps nothing.
    pub(crate) fn of_nothing() -> Self {
        Self { _stop: tokio::sync::oneshot::channel().0 }
    }
}

fn run_until(table: Table, stopped: tokio::sync::oneshot::Receiver<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        tokio::select! {
            () = table.run() => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

type Answer = (Name, Result<Found, Unresolved>);

struct Entry {
    freshness: Freshness,
    asking: bool,
    /// That it has no address was said.
    said: bool,
}

struct Table {
    names: Arc<Names>,
    entries: HashMap<Name, Entry>,
    audience: Audience,
    lookups: JoinSet<Answer>,
    /// Told when each name was looked up once; who waits may have gone on already.
    ready: Option<Sender<()>>,
}

impl Table {
    fn new(names: Arc<Names>, wanted: Vec<Name>, audience: Audience, ready: Sender<()>) -> Self {
        let entry = || Entry { freshness: Freshness::new(Instant::now()), asking: false, said: false };
        let entries = wanted.into_iter().map(|name| (name, entry())).collect();
        Self { names, entries, audience, lookups: JoinSet::new(), ready: Some(ready) }
    }

    async fn run(mut self) {
        loop {
            self.ask_what_is_due();
            if self.lookups.is_empty() {
                self.ready = None;
            }
            let next = self.next_due();
            tokio::select! {
                Some(done) = self.lookups.join_next() => self.answered(done),
                () = self.names.suspicion.notified() => self.suspect(),
                () = sleep_until(next) => {}
            }
        }
    }

    fn ask_what_is_due(&mut self) {
        let now = Instant::now();
        for (name, entry) in self.entries.iter_mut().filter(|(_, entry)| !entry.asking && entry.freshness.due() <= now)
        {
            entry.asking = true;
            let name = name.clone();
            self.lookups.spawn(async move {
                let answer = ask(&name).await;
                (name, answer)
            });
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.entries.values().filter(|entry| !entry.asking).map(|entry| entry.freshness.due()).min()
    }

    fn answered(&mut self, done: Result<Answer, JoinError>) {
        let Ok((name, answer)) = done else {
            // Which look-up panicked is not told: all that are under way are begun anew.
            return self.entries.values_mut().for_each(|entry| entry.asking = false);
        };
        let Some(entry) = self.entries.get_mut(&name) else { return };
        entry.asking = false;
        let now = Instant::now();
        match answer {
            Ok(found) => {
                entry.freshness.answered(found.ttl, now);
                entry.said = false;
                if self.names.learn(name, found.addresses) == Learned::Other {
                    (self.audience.changed)();
                }
            }
            Err(why) => {
                entry.freshness.failed(now);
                if !std::mem::replace(&mut entry.said, true) {
                    self.say_unresolved(&name, why);
                }
            }
        }
    }

    fn say_unresolved(&self, name: &Name, why: Unresolved) {
        let host = &name.host;
        if self.names.knows(name) {
            let message = format!("{host} could not be resolved ({why}), its last addresses stay in use");
            (self.audience.say)(Level::Warn, &message);
        } else {
            (self.audience.say)(Level::Error, &format!("host not found in upstream \"{host}\", it is tried again"));
        }
    }

    fn suspect(&mut self) {
        let now = Instant::now();
        for name in self.names.take_suspects() {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.freshness.suspected(now);
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
