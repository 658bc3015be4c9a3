//! A worker: one thread, one runtime, and everything that its connections share without a lock.
//! Not here: what a connection does and who lets it go (`leashes`), and the main thread's side of starting and stopping (see `gateway`).

pub(crate) mod leashes;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model::{Level, Resolver};
use policy::failure::repeats::Repeats;
use tokio::sync::mpsc;

use crate::buffer::BufferPool;
use crate::listen::{self, Listener, TOLD_AGAIN};
use crate::logs::clock::Clock;
use crate::record::Observer;
use crate::tables::Tables;
use crate::upstream::resolve::Names;
use crate::upstream::{Upstream, health_check};
use leashes::{Leash, Leashes};

/// What the main thread tells a worker.
pub(crate) enum Command {
    /// Serve by these tables from now on, as this one of so many workers, accepting on these sockets.
    Serve(Arc<Tables>, Share, Vec<Listener>),
    /// Names resolve differently now.
    Renamed,
    /// Accept nothing more, finish what is asked, close what goes on idling, and stay.
    StopAccepting,
    /// Accept what has begun to connect, finish what is asked, close what goes on idling, then end.
    Drain,
    /// End now.
    Stop,
    /// What no worker is ever told, and what a fault of this program may do to it.
    #[cfg(test)]
    Panic,
}

/// The tables in force, with this worker's own state for each upstream in them.
pub(crate) struct Generation {
    pub(crate) tables: Arc<Tables>,
    pub(crate) share: Share,
    /// In the order of `Config::upstreams`.
    upstreams: Vec<RefCell<Rc<Upstream>>>,
    /// Upstreams that a `proxy_pass` with variables named, by `host:port`.
    named_at_run_time: RefCell<HashMap<Box<str>, Named>>,
}

/// An upstream that variables named.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) upstream: Rc<Upstream>,
    /// Until when its addresses hold.
    pub(crate) until: Instant,
    /// Who gave them.
    pub(crate) resolver: Option<Arc<Resolver>>,
}

impl Named {
    /// Whether who asks for the name now would get the same addresses.
    pub(crate) fn holds(&self, resolver: Option<&Arc<Resolver>>) -> bool {
        Instant::now() < self.until && !self.upstream.is_suspect() && self.resolver.as_ref() == resolver
    }
}

/// The most upstreams that variables may create between two reloads; beyond it the oldest state is forgotten.
const NAMED_AT_RUN_TIME: usize = 1024;

impl Generation {
    fn new(tables: Arc<Tables>, names: &Names, share: Share) -> Self {
        let build = |upstream| RefCell::new(Rc::new(names.build(upstream, share)));
        let upstreams = tables.config.upstreams.iter().map(build).collect();
        Self { tables, share, upstreams, named_at_run_time: RefCell::default() }
    }

    /// Takes over what the generation before knew of the health of endpoints.
    fn adopt(&self, before: &Generation) {
        let names = before.tables.config.upstreams.iter().map(|upstream| &*upstream.name);
        let known: HashMap<&str, Rc<Upstream>> =
            names.zip(before.upstreams.iter().map(|state| state.borrow().clone())).collect();
        for (state, upstream) in self.upstreams.iter().zip(&self.tables.config.upstreams) {
            if let Some(before) = known.get(&*upstream.name) {
                state.borrow().adopt(before);
            }
        }
    }

    /// Probes endpoints from now on, where the configuration says so.
    fn start_probing(&self) {
        for (state, upstream) in self.upstreams.iter().zip(&self.tables.config.upstreams) {
            health_check::start(&state.borrow(), &self.tables, &upstream.name);
        }
    }

    /// Others probe in the place of these, or nobody has a use for it any more.
    fn stop_probing(&self) {
        self.upstreams.iter().for_each(|state| state.borrow().stop_probing());
    }

    /// The state of the upstream with this index in the configuration.
    pub(crate) fn upstream(&self, index: usize) -> Rc<Upstream> {
        self.upstreams[index].borrow().clone()
    }

    /// The state of an upstream that a variable named.
    pub(crate) fn upstream_named(&self, name: &str) -> Option<Named> {
        self.named_at_run_time.borrow().get(name).cloned()
    }

    /// Keeps the state of an upstream that a variable named.
    pub(crate) fn remember(&self, name: &str, named: Named) {
        let mut known = self.named_at_run_time.borrow_mut();
        if known.len() >= NAMED_AT_RUN_TIME {
            known.clear();
        }
        known.insert(name.into(), named);
    }

    /// Takes up what the names resolve to now; upstreams whose endpoints are the same keep their state.
    fn rename(&self, names: &Names) {
        for (state, upstream) in self.upstreams.iter().zip(&self.tables.config.upstreams) {
            if names.differs(upstream, &state.borrow().endpoints) {
                let renamed = Rc::new(names.build(upstream, self.share));
                renamed.adopt(&state.borrow());
                state.borrow().stop_probing();
                health_check::start(&renamed, &self.tables, &upstream.name);
                *state.borrow_mut() = renamed;
            }
        }
    }

    /// Closes every idle connection to an endpoint; false when there were none.
    fn close_idle(&self) -> bool {
        let close = |upstream: &Rc<Upstream>| upstream.pool.borrow_mut().close_all();
        let closed = self.upstreams.iter().map(|state| close(&state.borrow())).fold(false, |any, one| any | one);
        let named = self.named_at_run_time.borrow();
        named.values().map(|named| close(&named.upstream)).fold(closed, |any, one| any | one)
    }

    fn sweep(&self, now: Instant) {
        for state in &self.upstreams {
            state.borrow().pool.borrow_mut().sweep(now);
        }
        for named in self.named_at_run_time.borrow().values() {
            named.upstream.pool.borrow_mut().sweep(now);
        }
    }
}

/// Which of how many workers this is: limits that must be exact are divided by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) worker: usize,
    pub(crate) workers: usize,
}

/// What a worker is started with.
pub(crate) struct Start {
    pub(crate) share: Share,
    pub(crate) tables: Arc<Tables>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) names: Arc<Names>,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) observer: Option<Observer>,
}

/// What the tasks of a worker share.
pub(crate) struct Worker {
    pub(crate) buffers: Rc<BufferPool>,
    pub(crate) clock: Clock,
    pub(crate) names: Arc<Names>,
    pub(crate) observer: Option<Observer>,
    /// The failures that were said lately.
    pub(crate) repeats: RefCell<Repeats>,
    generation: RefCell<Rc<Generation>>,
    leashes: Rc<Leashes>,
    draining: Cell<bool>,
    /// When it was last said that there is no room.
    told_full: Cell<Option<Instant>>,
}

impl Worker {
    /// The tables in force now.
    pub(crate) fn generation(&self) -> Rc<Generation> {
        self.generation.borrow().clone()
    }

    /// Whether connections should be closed after the answer they are at.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Whether it holds as many connections as `worker_connections` allows.
    pub(crate) fn is_full(&self) -> bool {
        self.leashes.count() >= self.generation.borrow().tables.config.main.worker_connections
    }

    /// Takes a connection on; it counts until the leash is dropped.
    pub(crate) fn leash(&self, number: u64) -> Leash {
        self.leashes.tie(number)
    }

    /// Lets connections go that wait, so that a new one finds room; false when there were none.
    pub(crate) fn make_room(&self) -> bool {
        let found = self.leashes.make_room();
        let now = Instant::now();
        if found && self.told_full.get().is_none_or(|told| now - told >= TOLD_AGAIN) {
            self.told_full.set(Some(now));
            let tables = &self.generation.borrow().tables;
            let limit = tables.config.main.worker_connections;
            tables.log_main(Level::Warn, &format!("{limit} worker_connections are not enough, reusing connections"));
        }
        found
    }

    /// Frees descriptors: idle connections to endpoints go, and some to clients. False when there were none.
    pub(crate) async fn free_descriptors(&self) -> bool {
        let closed = self.generation().close_idle();
        let released = self.leashes.make_room();
        // Connections close when their tasks have run.
        tokio::task::yield_now().await;
        closed || released
    }

    fn drain(&self) {
        self.draining.set(true);
        self.leashes.drain();
        self.generation.borrow().tables.log_main(Level::Notice, "gracefully shutting down");
    }

    /// Undoes [`Worker::drain`] for those that have not gone yet.
    fn keep_clients(&self) {
        if self.draining.replace(false) {
            self.leashes.keep();
        }
    }
}

/// Runs a worker on the calling thread until it is told to end.
pub(crate) fn run(start: Start) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(61)
        .build_local(tokio::runtime::LocalOptions::default())?;
    runtime.block_on(serve(start));
    // Files being read and names being resolved may not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(())
}

async fn serve(start: Start) {
    let Start { share, tables, listeners, names, mut commands, observer } = start;
    let worker = Rc::new(Worker {
        buffers: Rc::new(BufferPool::default()),
        clock: Clock::new(),
        generation: RefCell::new(Rc::new(Generation::new(tables, &names, share))),
        names,
        observer,
        repeats: RefCell::default(),
        leashes: Rc::default(),
        draining: Cell::new(false),
        told_full: Cell::new(None),
    });
    worker.generation().start_probing();
    let mut accepting = listen::accept_all(&worker, listeners);
    tokio::task::spawn_local(sweep_pools(worker.clone()));
    while let Some(command) = commands.recv().await {
        match command {
            Command::Serve(tables, share, listeners) => {
                worker.keep_clients();
                let generation = Generation::new(tables, &worker.names, share);
                generation.adopt(&worker.generation());
                worker.generation().stop_probing();
                generation.start_probing();
                let old = worker.generation.replace(Rc::new(generation));
                accepting.replace(&worker, listeners, old);
            }
            Command::Renamed => worker.generation().rename(&worker.names),
            Command::StopAccepting => {
                drop(accepting.stop());
                worker.drain();
            }
            Command::Drain => {
                worker.generation().stop_probing();
                worker.drain();
                accepting.leave(&worker, worker.generation());
                break;
            }
            Command::Stop => return,
            #[cfg(test)]
            Command::Panic => panic!("as a test wants it"),
        }
    }
    tokio::select! {
        () = worker.leashes.wait_until_empty() => {}
        () = until_stop(&mut commands) => {}
    }
}

async fn until_stop(commands: &mut mpsc::UnboundedReceiver<Command>) {
    while let Some(command) = commands.recv().await {
        if matches!(command, Command::Stop) {
            return;
        }
    }
}

/// How often idle connections to endpoints are looked over.
const SWEEP: Duration = Duration::from_secs(1);

async fn sweep_pools(worker: Rc<Worker>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        worker.generation().sweep(Instant::now());
    }
}
