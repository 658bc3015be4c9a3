//! A worker: one thread, one runtime, and everything that its connections share without a lock.
//! Not here: what a connection does, and the main thread's side of starting and stopping (see `gateway`).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use config::model::Resolver;
use policy::failure::repeats::Repeats;
use tokio::sync::mpsc;

use crate::buffer::BufferPool;
use crate::listen::{self, Listener};
use crate::logs::clock::Clock;
use crate::record::Observer;
use crate::tables::Tables;
use crate::upstream::Upstream;
use crate::upstream::resolve::Names;

/// What the main thread tells a worker.
pub(crate) enum Command {
    /// Serve by these tables from now on, as this one of so many workers, accepting on these sockets.
    Serve(Arc<Tables>, Share, Vec<Listener>),
    /// Names resolve differently now.
    Renamed,
    /// Accept nothing more, finish what is asked, close what idles, and stay.
    StopAccepting,
    /// Accept nothing more, finish what is asked, close what idles, then end.
    Drain,
    /// End now.
    Stop,
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
    leashes: RefCell<BTreeMap<u64, Rc<LeashState>>>,
    draining: Cell<bool>,
    /// How often a connection began to idle.
    idled: Cell<u64>,
    /// Woken when the last connection is gone.
    emptied: tokio::sync::Notify,
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
        self.leashes.borrow().len() >= self.generation.borrow().tables.config.main.worker_connections
    }

    /// Takes a connection on; it counts until the leash is dropped.
    pub(crate) fn leash(self: &Rc<Self>, number: u64) -> Leash {
        let state = Rc::new(LeashState::default());
        self.leashes.borrow_mut().insert(number, state.clone());
        Leash { worker: self.clone(), number, state }
    }

    /// Lets connections go that have idled longest, to make room for a new one: as many at once as nginx does, an eighth
    /// of those that idle and 32 at most, so that looking for them is not done for each.
    pub(crate) fn release_idle(&self) -> bool {
        let leashes = self.leashes.borrow();
        let mut idle: Vec<&Rc<LeashState>> = leashes.values().filter(|state| state.is_idle()).collect();
        let count = (idle.len() / 8).clamp(1, 32).min(idle.len());
        idle.sort_unstable_by_key(|state| state.idle_since.get());
        idle[..count].iter().for_each(|state| state.release());
        count > 0
    }

    /// Frees descriptors: idle connections to endpoints go, and some to clients. False when there were none.
    pub(crate) async fn free_descriptors(&self) -> bool {
        let closed = self.generation().close_idle();
        let released = self.release_idle();
        // Connections close when their tasks have run.
        tokio::task::yield_now().await;
        closed || released
    }

    fn next_idle(&self) -> u64 {
        let next = self.idled.get() + 1;
        self.idled.set(next);
        next
    }

    /// What has not asked for anything yet is about to: as nginx does, its first request is waited for.
    fn drain(&self) {
        self.draining.set(true);
        for state in self.leashes.borrow().values().filter(|state| state.asked.get()) {
            state.release();
        }
    }

    /// Undoes [`Worker::drain`] for those that have not gone yet.
    fn keep_clients(&self) {
        if self.draining.replace(false) {
            self.leashes.borrow().values().for_each(|state| state.released.set(false));
        }
    }

    async fn wait_until_empty(&self) {
        while !self.leashes.borrow().is_empty() {
            self.emptied.notified().await;
        }
    }
}

#[derive(Default)]
struct LeashState {
    /// The connection has carried a request.
    asked: Cell<bool>,
    released: Cell<bool>,
    /// Set while the connection idles.
    waker: RefCell<Option<Waker>>,
    /// Which time it was that a connection of the worker began to idle.
    idle_since: Cell<u64>,
}

impl LeashState {
    fn is_idle(&self) -> bool {
        self.waker.borrow().is_some() && !self.released.get()
    }

    fn release(&self) {
        self.released.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// A connection's tie to its worker: counts it, and lets the worker end it while it idles.
pub(crate) struct Leash {
    worker: Rc<Worker>,
    number: u64,
    state: Rc<LeashState>,
}

impl Leash {
    /// Ready when the worker lets the connection go. To be polled only while it idles.
    pub(crate) fn poll_released(&self, cx: &Context<'_>) -> Poll<()> {
        if self.state.released.get() {
            return Poll::Ready(());
        }
        let mut waker = self.state.waker.borrow_mut();
        if waker.is_none() {
            self.state.idle_since.set(self.worker.next_idle());
        }
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Says that the connection works on a request now.
    pub(crate) fn busy(&self) {
        self.state.asked.set(true);
        self.state.waker.borrow_mut().take();
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let mut leashes = self.worker.leashes.borrow_mut();
        leashes.remove(&self.number);
        if leashes.is_empty() {
            self.worker.emptied.notify_one();
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
        leashes: RefCell::default(),
        draining: Cell::new(false),
        idled: Cell::new(0),
        emptied: tokio::sync::Notify::new(),
    });
    let mut accepting = listen::accept_all(&worker, listeners);
    tokio::task::spawn_local(sweep_pools(worker.clone()));
    while let Some(command) = commands.recv().await {
        match command {
            Command::Serve(tables, share, listeners) => {
                // By the tables that listen where they wait.
                accepting.take_waiting(&worker);
                worker.keep_clients();
                let generation = Generation::new(tables, &worker.names, share);
                generation.adopt(&worker.generation());
                worker.generation.replace(Rc::new(generation));
                accepting.replace(&worker, listeners);
            }
            Command::Renamed => worker.generation().rename(&worker.names),
            Command::StopAccepting => {
                accepting.stop();
                worker.drain();
            }
            Command::Drain => {
                accepting.take_waiting(&worker);
                accepting.stop();
                worker.drain();
                break;
            }
            Command::Stop => return,
        }
    }
    tokio::select! {
        () = worker.wait_until_empty() => {}
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
