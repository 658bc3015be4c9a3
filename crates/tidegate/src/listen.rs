//! Listening sockets: made by the main thread, accepted on by each worker.
//! Not here: what happens on a connection.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use config::model::{Level, Listen, ListenAddress};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use socket2::{Domain, Protocol, SockAddr, SockFilter, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::connection;
use crate::logs::error_log::errno;
use crate::stream::Stream;
use crate::worker::leashes::Leash;
use crate::worker::{Generation, Worker};

/// nginx's default on Linux.
const BACKLOG: u32 = 511;
/// How long accepting pauses when the process has no descriptors left, and nothing idles that could make room.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);
/// How long after a failure to accept, or a lack of room, the next one is worth a line.
pub(crate) const TOLD_AGAIN: Duration = Duration::from_secs(1);

/// How long a socket that is to be closed stays for those who have begun to connect: their first bytes may be under way.
const SETTLE: Duration = Duration::from_millis(100);

/// One listening socket and what its `listen` says. Clones share the socket.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) listen: Arc<Listen>,
    socket: Arc<OwnedFd>,
}

impl Listener {
    /// A socket that another process made (binary upgrade).
    pub(crate) fn inherited(listen: Listen, socket: OwnedFd) -> Self {
        Self { listen: Arc::new(listen), socket: Arc::new(socket) }
    }

    /// The same socket under newly read settings.
    pub(crate) fn with_settings(&self, listen: Listen) -> Self {
        Self { listen: Arc::new(listen), socket: self.socket.clone() }
    }

    /// A connection that waits in the socket, if there is one.
    fn accept_waiting(&self) -> Option<(Stream, Option<SocketAddr>)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        loop {
            match rustix::net::accept_with(&self.socket, flags).map(|socket| self.stream_of(socket)) {
                Ok(Ok(taken)) => return Some(taken),
                // Who waits behind one that has gone meanwhile still waits.
                Ok(Err(_)) | Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }

    fn stream_of(&self, socket: OwnedFd) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self.listen.address {
            ListenAddress::Socket(_) => {
                let stream = std::net::TcpStream::from(socket);
                let peer = stream.peer_addr()?;
                Ok((Stream::Tcp(TcpStream::from_std(stream)?), Some(peer)))
            }
            ListenAddress::Unix(_) => Ok((Stream::Unix(UnixStream::from_std(socket.into())?), None)),
        }
    }

    /// Drops the packets with which TCP connections begin: they are sent again a second later, when the socket is closed or
    /// another process has the port. Who has begun already is not disturbed. The file of a unix-domain socket goes instead.
    pub(crate) fn admit_nobody_new(&self) {
        // struct tcphdr: the flags are its byte 13.
        const SYN: u32 = 0x02;
        const SYN_AND_ACK: u32 = 0x12;
        let program = [
            SockFilter::new(0x30, 0, 0, 13),          // A = packet[13]
            SockFilter::new(0x54, 0, 0, SYN_AND_ACK), // A &= SYN | ACK
            SockFilter::new(0x15, 0, 1, SYN),         // if A != SYN skip one
            SockFilter::new(0x06, 0, 0, 0),           // drop
            SockFilter::new(0x06, 0, 0, u32::MAX),    // keep
        ];
        if let ListenAddress::Socket(_) = self.listen.address {
            // Where that is not allowed, who begins to connect now may find the socket closed under him.
            let _ = SockRef::from(&*self.socket).attach_filter(&program);
        }
    }

    /// Takes on who waits in the socket.
    fn take_waiting(&self, worker: &Rc<Worker>, generation: &Rc<Generation>) {
        let waiting = std::iter::from_fn(|| self.accept_waiting());
        // No more than may wait: what comes meanwhile must not keep the worker from closing.
        for (stream, peer) in waiting.take(self.listen.backlog.unwrap_or(BACKLOG) as usize) {
            connection::start(worker, generation.clone(), &self.listen, stream, peer, next_number());
        }
    }

    /// The descriptor, for a process that takes over.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Opens the sockets of one `listen`: one for each of `count` workers, so that the kernel spreads connections over them.
///
/// # Errors
/// The address is in use, not ours, or not allowed.
pub(crate) fn open(listen: &Listen, count: usize) -> io::Result<Vec<Listener>> {
    let sockets = match &listen.address {
        ListenAddress::Unix(path) => {
            // One socket serves all workers: unix sockets cannot be shared by address.
            vec![Arc::new(OwnedFd::from(bind_unix(path, listen)?))]
        }
        ListenAddress::Socket(address) => {
            // SO_REUSEPORT would let a second gateway steal the port in silence: look first without it.
            drop(bind_tcp(*address, listen, false)?);
            let bind = |_| bind_tcp(*address, listen, true).map(|socket| Arc::new(OwnedFd::from(socket)));
            (0..count).map(bind).collect::<io::Result<_>>()?
        }
    };
    let listen = Arc::new(listen.clone());
    Ok(sockets.into_iter().map(|socket| Listener { listen: listen.clone(), socket }).collect())
}

fn bind_tcp(address: SocketAddr, listen: &Listen, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(listen.ipv6only)?;
    }
    if let Some(size) = listen.rcvbuf {
        socket.set_recv_buffer_size(size)?;
    }
    if let Some(size) = listen.sndbuf {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(on) = listen.so_keepalive {
        socket.set_keepalive(on)?;
    }
    // Accepted connections inherit it: one system call for all of them.
    socket.set_tcp_nodelay(true)?;
    socket.set_reuse_port(shared)?;
    socket.bind(&address.into())?;
    if shared {
        socket.listen(listen.backlog.unwrap_or(BACKLOG).cast_signed())?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bind_unix(path: &std::path::Path, listen: &Listen) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    if let Err(error) = socket.bind(&address) {
        // A file that nobody listens on is what a crash left behind.
        let abandoned = error.kind() == io::ErrorKind::AddrInUse
            && std::os::unix::net::UnixStream::connect(path)
                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if !abandoned {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    socket.listen(listen.backlog.unwrap_or(BACKLOG).cast_signed())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Removes the file of a unix-domain socket that is closed.
pub(crate) fn remove_file(address: &ListenAddress) {
    if let ListenAddress::Unix(path) = address {
        // A file that is gone already is as wanted; one that stays is taken over by the next start.
        let _ = std::fs::remove_file(path);
    }
}

enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Acceptor {
    /// A worker's own handle on the socket.
    fn new(listener: &Listener) -> io::Result<Self> {
        let socket = listener.socket.try_clone()?;
        Ok(match listener.listen.address {
            ListenAddress::Socket(_) => Acceptor::Tcp(TcpListener::from_std(socket.into())?),
            ListenAddress::Unix(_) => Acceptor::Unix(UnixListener::from_std(socket.into())?),
        })
    }

    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Acceptor::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Acceptor::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}

/// The accepting tasks of a worker.
pub(crate) struct Accepting {
    listeners: Vec<Listener>,
    tasks: Vec<JoinHandle<()>>,
}

impl Accepting {
    /// Accepts nothing more. Connections that wait in a socket stay there for whoever shares it.
    pub(crate) fn stop(&mut self) -> Vec<Listener> {
        for task in self.tasks.drain(..) {
            task.abort();
        }
        std::mem::take(&mut self.listeners)
    }

    /// Accepts nothing more but what has begun to connect, which is served by these tables; then gives the sockets up.
    pub(crate) fn leave(&mut self, worker: &Rc<Worker>, generation: Rc<Generation>) {
        tokio::task::spawn_local(leave(worker.clone(), generation, self.stop(), worker.leash(next_number())));
    }

    /// Accepts on these sockets instead; what waits in the old ones is served by `old`.
    pub(crate) fn replace(&mut self, worker: &Rc<Worker>, listeners: Vec<Listener>, old: Rc<Generation>) {
        self.leave(worker, old);
        *self = accept_all(worker, listeners);
    }
}

/// The leash keeps the worker until this is done. Closing a socket in which somebody waits would reset that connection, and
/// its request may have been sent.
async fn leave(worker: Rc<Worker>, generation: Rc<Generation>, listeners: Vec<Listener>, _leash: Leash) {
    listeners.iter().for_each(|listener| listener.take_waiting(&worker, &generation));
    tokio::time::sleep(SETTLE).await;
    listeners.iter().for_each(|listener| listener.take_waiting(&worker, &generation));
}

/// Starts accepting on every socket.
pub(crate) fn accept_all(worker: &Rc<Worker>, listeners: Vec<Listener>) -> Accepting {
    let start = |listener: &Listener| tokio::task::spawn_local(accept(worker.clone(), listener.clone()));
    Accepting { tasks: listeners.iter().map(start).collect(), listeners }
}

/// Numbers connections through the whole process, for the `*N` of log lines.
fn next_number() -> u64 {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    CONNECTIONS.fetch_add(1, Ordering::Relaxed)
}

async fn accept(worker: Rc<Worker>, listener: Listener) {
    let acceptor = match Acceptor::new(&listener) {
        Ok(acceptor) => acceptor,
        Err(error) => {
            return worker.generation().tables.log_main(Level::Alert, &format!("accept() setup failed: {error}"));
        }
    };
    let mut told: Option<Instant> = None;
    loop {
        match acceptor.accept().await {
            Ok((stream, peer)) => {
                if worker.is_full() {
                    // Those that were just accepted begin to wait, and those that were let go close.
                    tokio::task::yield_now().await;
                }
                connection::start(&worker, worker.generation(), &listener.listen, stream, peer, next_number());
            }
            Err(error) if is_transient(&error) => {}
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() > TOLD_AGAIN) {
                    let message = format!("accept() failed ({})", errno(&error));
                    worker.generation().tables.log_main(Level::Alert, &message);
                    told = Some(Instant::now());
                }
                if !worker.free_descriptors().await {
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }
}

/// The connection died before it was accepted; the socket is fine.
fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | InvalidInput | NotConnected)
}
