//! The three endpoints behind every gateway, and what can befall them: they die, drain, come back, go silent, misbehave.
//! Not here: how one connection is served (`serve`), and which fault comes when (`rows`).

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::serve;

/// Connections that wait for `accept`.
const BACKLOG: u32 = 1024;
/// A port of ours that the kernel does not give back in this time is lost.
const BIND_TRIES: u32 = 100;
const BIND_PAUSE: Duration = Duration::from_millis(10);
/// Enough to fill a backlog of none.
const FILLERS: usize = 4;

/// What an endpoint does with requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Behaviour {
    /// It answers after a few milliseconds.
    Well,
    /// It reads, and answers nothing any more, checks neither.
    Hang,
    /// It breaks every second answer off in the body.
    Truncate,
    /// Every second answer has a head that is not HTTP.
    Malform,
    /// It closes the connection instead of every second answer.
    CloseEmpty,
    /// It takes this long.
    Slow(Duration),
    /// It does so much at once in this time, and ever less when it is asked for more.
    Collapse(u32, Duration),
}

/// When an endpoint closes connections without a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) idle: Option<Duration>,
    pub(super) requests: Option<u64>,
}

/// How often each POST was executed, by its id.
#[derive(Default)]
pub(super) struct Ledger(Mutex<HashMap<u64, u32>>);

impl Ledger {
    pub(super) fn executed(&self, id: u64) {
        *lock(&self.0).entry(id).or_default() += 1;
    }

    pub(super) fn was_executed(&self, id: u64) -> bool {
        lock(&self.0).contains_key(&id)
    }

    /// Executions beyond the first of each request.
    pub(super) fn duplicates(&self) -> u64 {
        lock(&self.0).values().map(|times| u64::from(times.saturating_sub(1))).sum()
    }
}

/// What happens to the connections of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Live,
    /// Idle ones are closed, the others after their answer.
    Drain,
    /// All are reset.
    Die,
}

/// One endpoint.
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) ledger: Arc<Ledger>,
    pub(super) closing: Closing,
    behaviour: Mutex<Behaviour>,
    fate: Mutex<watch::Sender<Fate>>,
    listener: Mutex<Option<JoinHandle<()>>>,
    /// Requests, to tell every second one.
    requests: AtomicU64,
    /// Requests under way.
    pub(super) active: AtomicU32,
}

impl Endpoint {
    async fn start(host: Ipv4Addr, ledger: Arc<Ledger>, closing: Closing) -> io::Result<Arc<Self>> {
        let listener = bind(SocketAddrV4::new(host, 0).into(), BACKLOG)?;
        let endpoint = Arc::new(Self {
            address: listener.local_addr()?,
            ledger,
            closing,
            behaviour: Mutex::new(Behaviour::Well),
            fate: Mutex::new(watch::Sender::new(Fate::Live)),
            listener: Mutex::new(None),
            requests: AtomicU64::new(0),
            active: AtomicU32::new(0),
        });
        endpoint.accept(listener);
        Ok(endpoint)
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        *lock(&self.behaviour)
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        *lock(&self.behaviour) = behaviour;
    }

    /// Whether it is the turn of a fault.
    pub(super) fn is_every_second(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) % 2 == 1
    }

    /// Which of several kinds of a fault comes next.
    pub(super) fn turn(&self, kinds: u64) -> u64 {
        self.requests.load(Ordering::Relaxed) / 2 % kinds
    }

    fn accept(self: &Arc<Self>, listener: TcpListener) {
        let endpoint = self.clone();
        let fate = lock(&self.fate).clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve::connection(stream, endpoint.clone(), fate.subscribe()));
            }
        });
        *lock(&self.listener) = Some(task);
    }

    async fn stop_listening(&self) {
        let task = lock(&self.listener).take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// It is gone as by SIGKILL: connections are reset, new ones refused.
    pub(super) async fn die(&self) {
        self.stop_listening().await;
        lock(&self.fate).send_replace(Fate::Die);
    }

    /// It ends as by SIGTERM: what it has read is answered, new connections are refused.
    pub(super) async fn drain(&self) {
        self.stop_listening().await;
        lock(&self.fate).send_replace(Fate::Drain);
    }

    /// It is back.
    pub(super) async fn come_back(self: &Arc<Self>) {
        *lock(&self.fate) = watch::Sender::new(Fate::Live);
        match rebind(self.address, BACKLOG).await {
            Ok(listener) => self.accept(listener),
            Err(error) => eprintln!("xtask: an endpoint does not come back: {error}"),
        }
    }

    /// Its machine is gone without a word: nothing is answered, and SYNs are dropped, until the guard is.
    pub(super) async fn vanish(&self) -> io::Result<Blackhole> {
        self.behave(Behaviour::Hang);
        self.stop_listening().await;
        let listener = rebind(self.address, 0).await?;
        let address = self.address;
        let fillers = (0..FILLERS).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
        Ok(Blackhole { _listener: listener, fillers })
    }
}

/// A listener whose backlog is full, and what fills it.
pub(super) struct Blackhole {
    _listener: TcpListener,
    fillers: Vec<JoinHandle<io::Result<TcpStream>>>,
}

impl Drop for Blackhole {
    fn drop(&mut self) {
        self.fillers.iter().for_each(JoinHandle::abort);
    }
}

/// The endpoints of one row.
#[derive(Clone)]
pub(super) struct Origins {
    pub(super) endpoints: [Arc<Endpoint>; 3],
    pub(super) ledger: Arc<Ledger>,
}

impl Origins {
    /// They have an address that no connection's other end has: a port that is down for a while is not taken by one.
    pub(super) async fn start(closing: Closing) -> io::Result<Self> {
        let ledger = Arc::<Ledger>::default();
        let start = |last| Endpoint::start(Ipv4Addr::new(127, 0, 7, last), ledger.clone(), closing);
        Ok(Self { endpoints: [start(1).await?, start(2).await?, start(3).await?], ledger })
    }

    /// The one that faults befall.
    pub(super) fn third(&self) -> &Arc<Endpoint> {
        &self.endpoints[2]
    }

    pub(super) async fn stop(&self) {
        for endpoint in &self.endpoints {
            endpoint.die().await;
        }
    }
}

fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

async fn rebind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    for _ in 1..BIND_TRIES {
        match bind(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(_) => tokio::time::sleep(BIND_PAUSE).await,
        }
    }
    bind(address, backlog)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_beyond_the_first_are_duplicates() {
        let ledger = Ledger::default();
        [1, 2, 2, 2].into_iter().for_each(|id| ledger.executed(id));
        assert_eq!(ledger.duplicates(), 2);
        assert!(ledger.was_executed(1) && !ledger.was_executed(3));
    }
}
