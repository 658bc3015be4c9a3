//! The main thread's side of the gateway: sockets, tables and workers, started, replaced and ended.
//! Not here: signals and the process around it (`process`), and what a worker does.

use std::collections::HashMap;
use std::future::Future;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use config::Config;
use config::model::{Level, Listen, ListenAddress};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::listen::{self, Listener};
use crate::logs::Logs;
use crate::process::{Account, Engine, InheritedListener, Start};
use crate::record::Observer;
use crate::tables::Tables;
use crate::upstream::resolve::{self, Audience, Keeper, Names};
use crate::worker::{self, Command, Share};

/// A running gateway.
pub struct Gateway {
    tables: Arc<Tables>,
    logs: Logs,
    sockets: HashMap<ListenAddress, Vec<Listener>>,
    workers: Vec<Worker>,
    /// Workers that a reload left over: they finish what they have.
    leaving: Vec<Worker>,
    account: Option<Account>,
    died: Arc<Notify>,
    names: Arc<Names>,
    keeper: Keeper,
    /// Who is told when names resolve differently.
    renamed: Arc<Mutex<Vec<mpsc::UnboundedSender<Command>>>>,
    observer: Option<Observer>,
}

struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
    ended: Option<oneshot::Receiver<()>>,
    /// Its thread panicked.
    dead: Arc<AtomicBool>,
}

/// Tells the main thread when the worker's thread unwinds.
struct DeathNotice {
    dead: Arc<AtomicBool>,
    died: Arc<Notify>,
}

impl Drop for DeathNotice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.dead.store(true, Ordering::Release);
            self.died.notify_one();
        }
    }
}

impl Gateway {
    /// Opens everything and starts the workers. `observer` is told of every request.
    ///
    /// # Errors
    /// A socket or a log cannot be opened; in nginx's words.
    pub fn start(start: Start, observer: Option<Observer>) -> Result<Self, String> {
        let Start { config, logs, inherited, account, died } = start;
        let tables = Arc::new(Tables::new(config, &logs)?);
        let count = worker_count(&tables.config);
        let sockets = open_sockets(&tables, &adopt(inherited, &tables), count)?;
        let names = Arc::new(Names::default());
        let mut gateway = Self {
            keeper: Keeper::of_nothing(),
            renamed: Arc::default(),
            tables,
            logs,
            sockets,
            workers: Vec::new(),
            leaving: Vec::new(),
            account,
            died,
            names,
            observer,
        };
        gateway.keep_names();
        gateway.start_workers(count)?;
        Ok(gateway)
    }

    /// Starts those of `count` workers that are not there yet.
    fn start_workers(&mut self, count: usize) -> Result<(), String> {
        for at in self.workers.len()..count {
            let worker = self.start_worker(at, count)?;
            self.workers.push(worker);
        }
        Ok(())
    }

    fn start_worker(&self, at: usize, count: usize) -> Result<Worker, String> {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let start = worker::Start {
            share: Share { worker: at, workers: count },
            tables: self.tables.clone(),
            listeners: self.listeners_of(at, count),
            names: self.names.clone(),
            commands: receiver,
            observer: self.observer.clone(),
        };
        let account = self.account.clone();
        let tables = self.tables.clone();
        let dead = Arc::new(AtomicBool::new(false));
        let notice = DeathNotice { dead: dead.clone(), died: self.died.clone() };
        let thread = std::thread::Builder::new().name(format!("worker {at}")).spawn(move || {
            let _notice = notice;
            run_worker(start, account.as_ref(), &tables);
            // Whoever waits for the end may have gone already.
            let _ = end.send(());
        });
        let thread = thread.map_err(|error| format!("a worker thread cannot be started: {error}"))?;
        self.renamed.lock().unwrap_or_else(PoisonError::into_inner).push(commands.clone());
        Ok(Worker { commands, thread: Some(thread), ended: Some(ended), dead })
    }

    /// Lets workers go that are too many.
    fn dismiss_all_but(&mut self, count: usize) {
        // Those that were let go earlier and have finished since are forgotten.
        self.leaving.retain(|worker| worker.thread.as_ref().is_some_and(|thread| !thread.is_finished()));
        let surplus = self.workers.drain(count.min(self.workers.len())..);
        for worker in surplus {
            // A worker that has ended is gone already.
            let _ = worker.commands.send(Command::Drain);
            self.leaving.push(worker);
        }
    }

    fn everybody(&mut self) -> impl Iterator<Item = &mut Worker> {
        self.workers.iter_mut().chain(&mut self.leaving)
    }

    /// Resolves the names of the tables in force, and tells the workers of changes, those too that are started later.
    fn keep_names(&mut self) {
        let commands = self.workers.iter().map(|worker| worker.commands.clone()).collect();
        self.renamed = Arc::new(Mutex::new(commands));
        let renamed = self.renamed.clone();
        let tables = self.tables.clone();
        let say = move |level, message: &str| tables.log_main(level, message);
        let changed = move || {
            for worker in renamed.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                // A worker that has ended needs no names.
                let _ = worker.send(Command::Renamed);
            }
        };
        let audience = Audience { say: Box::new(say), changed: Box::new(changed) };
        let wanted = resolve::names_of(&self.tables.config.upstreams);
        self.keeper = resolve::keep(self.names.clone(), wanted, audience);
    }

    /// Its share of the sockets of each address. Every socket is somebody's, or what the kernel gives to it would wait for
    /// ever; where there are more workers than sockets, some share one.
    fn listeners_of(&self, worker: usize, workers: usize) -> Vec<Listener> {
        let share = |sockets: &Vec<Listener>| {
            let first = worker % sockets.len().max(1);
            sockets.iter().skip(first).step_by(workers).cloned().collect::<Vec<_>>()
        };
        self.sockets.values().flat_map(share).collect()
    }

    fn tell(&self, command: impl Fn(usize) -> Command) {
        for (at, worker) in self.workers.iter().enumerate() {
            // A worker that has ended does what it is told already.
            let _ = worker.commands.send(command(at));
        }
    }
}

fn run_worker(start: worker::Start, account: Option<&Account>, tables: &Tables) {
    if let Some(Err(error)) = account.map(Account::become_it) {
        return tables.log_main(Level::Emerg, &format!("a worker cannot take its account: {error}"));
    }
    if let Err(error) = worker::run(start) {
        tables.log_main(Level::Alert, &format!("a worker cannot run: {error}"));
    }
}

/// `worker_processes`; `auto` is what the machine lends us.
fn worker_count(config: &Config) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    config.main.worker_processes.unwrap_or_else(available).max(1)
}

/// Lets nobody new come to an address that is given up; the workers close its sockets when they have taken who is there.
fn leave_address((address, listeners): (&ListenAddress, &Vec<Listener>)) {
    listen::remove_file(address);
    listeners.iter().for_each(Listener::admit_nobody_new);
}

/// The sockets of an old binary that the tables still want.
fn adopt(inherited: Vec<InheritedListener>, tables: &Tables) -> HashMap<ListenAddress, Vec<Listener>> {
    let mut known: HashMap<ListenAddress, Vec<Listener>> = HashMap::new();
    for InheritedListener { address, socket } in inherited {
        if let Some(listen) = tables.sockets().find(|listen| listen.address == address) {
            known.entry(address).or_default().push(Listener::inherited(listen.clone(), socket));
        }
    }
    known
}

/// The sockets for every address: those at hand, since closing one would drop who waits in it, else one a worker.
fn open_sockets(
    tables: &Tables,
    known: &HashMap<ListenAddress, Vec<Listener>>,
    count: usize,
) -> Result<HashMap<ListenAddress, Vec<Listener>>, String> {
    let mut sockets = HashMap::new();
    for listen in tables.sockets() {
        let opened = match known.get(&listen.address).filter(|known| !known.is_empty()) {
            Some(known) => known.iter().map(|one| one.with_settings(listen.clone())).collect(),
            None => open_in_time(tables, listen, count)?,
        };
        sockets.insert(listen.address.clone(), opened);
    }
    Ok(sockets)
}

/// How often, and after which pause, an address that is in use is tried, as nginx does: who restarts a gateway may be
/// faster than the old one is at leaving.
const BIND_TRIES: usize = 5;
const BIND_PAUSE: Duration = Duration::from_millis(500);

fn open_in_time(tables: &Tables, listen: &Listen, count: usize) -> Result<Vec<Listener>, String> {
    for _ in 1..BIND_TRIES {
        match listen::open(listen, count) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                tables.log_main(Level::Emerg, &cannot_bind(&listen.address, &error));
                tables.log_main(Level::Notice, "try again to bind() after 500ms");
                std::thread::sleep(BIND_PAUSE);
            }
            opened => return opened.map_err(|error| cannot_bind(&listen.address, &error)),
        }
    }
    listen::open(listen, count).map_err(|error| cannot_bind(&listen.address, &error))
}

fn cannot_bind(address: &ListenAddress, error: &std::io::Error) -> String {
    let shown = match address {
        ListenAddress::Socket(address) => address.to_string(),
        ListenAddress::Unix(path) => format!("unix:{}", path.display()),
    };
    format!("bind() to {shown} failed ({})", crate::logs::error_log::errno(error))
}

impl Engine for Gateway {
    type Error = String;

    fn reload(&mut self, config: Config) -> Result<(), String> {
        let tables = Arc::new(Tables::new(config, &self.logs)?);
        let count = worker_count(&tables.config);
        let sockets = open_sockets(&tables, &self.sockets, count)?;
        let closed = std::mem::replace(&mut self.sockets, sockets);
        closed.iter().filter(|(address, _)| !self.sockets.contains_key(address)).for_each(leave_address);
        self.tables = tables;
        self.keep_names();
        self.dismiss_all_but(count);
        self.tell(|at| {
            let share = Share { worker: at, workers: count };
            Command::Serve(self.tables.clone(), share, self.listeners_of(at, count))
        });
        self.replace_dead_workers()?;
        self.start_workers(count)
    }

    fn replace_dead_workers(&mut self) -> Result<(), String> {
        for at in 0..self.workers.len() {
            if self.workers[at].dead.load(Ordering::Acquire) {
                self.workers[at] = self.start_worker(at, worker_count(&self.tables.config))?;
            }
        }
        Ok(())
    }

    fn stop_accepting(&mut self) {
        self.tell(|_| Command::StopAccepting);
    }

    fn drain(&mut self) -> Pin<Box<dyn Future<Output = ()>>> {
        self.tell(|_| Command::Drain);
        let ends: Vec<_> = self.everybody().filter_map(|worker| worker.ended.take()).collect();
        Box::pin(async move {
            for end in ends {
                // A worker that panicked has ended too.
                let _ = end.await;
            }
        })
    }

    fn stop(&mut self) {
        for worker in self.everybody() {
            // A worker that has ended needs no telling.
            let _ = worker.commands.send(Command::Stop);
        }
        for thread in self.everybody().filter_map(|worker| worker.thread.take()) {
            // Its panic was reported by the thread itself.
            let _ = thread.join();
        }
    }

    fn close_listeners(&mut self, shared: bool) {
        let sockets = std::mem::take(&mut self.sockets);
        sockets.iter().filter(|_| !shared).for_each(leave_address);
    }

    fn listeners(&self) -> Vec<BorrowedFd<'_>> {
        self.sockets.values().flatten().map(Listener::as_fd).collect()
    }
}

/// `$hostname`.
pub(crate) fn hostname() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_worker_that_died_is_replaced_and_who_waits_at_its_socket_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let text = format!(
            "worker_processes 1; error_log stderr; events {{}} http {{ access_log off; server {{ listen unix:{}; return 200 alive; }} }}",
            socket.display()
        );
        let config = config::load_text(&text).config.unwrap();
        let died = Arc::new(Notify::new());
        let start =
            Start { config, logs: Logs::start().unwrap(), inherited: Vec::new(), account: None, died: died.clone() };
        let mut gateway = Gateway::start(start, None).unwrap();
        gateway.tell(|_| Command::Panic);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(died.notified());
        let mut client = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        gateway.replace_dead_workers().unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nalive"), "{answer}");
        gateway.stop();
    }
}
