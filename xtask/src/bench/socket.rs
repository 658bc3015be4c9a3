//! Loopback sockets and the readiness list that the load generator, the origin and the forwarder
//! share.
//!
//! It moves no bytes and holds no connection: each of the three keeps its own table, indexed by
//! descriptor.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};

pub(crate) use rustix::event::epoll::EventFlags as Interest;

/// Loopback, at a port that the kernel chooses.
pub(crate) const ANY_PORT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
/// Connections that may wait for `accept`: above every case's number of connections that open at
/// once.
const BACKLOG: i32 = 4096;
/// A connection that loopback does not establish in this time never will.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How many loopback addresses clients come from, so that ports never run out.
const SOURCES: usize = 200;
/// Events taken from the kernel at once.
const EVENTS: usize = 512;

/// A non-blocking listener on `address`; port 0 lets the kernel choose.
pub(crate) fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// The next waiting connection, non-blocking and without Nagle's delay; `None` when there is none.
pub(crate) fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match net::accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(socket) => {
            sockopt::set_tcp_nodelay(&socket, true)?;
            Ok(Some(socket.into()))
        }
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::CONNABORTED) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A connection to `target` that is established before it becomes non-blocking: on loopback the
/// kernel does that within the call.
pub(crate) fn connect(target: SocketAddrV4) -> io::Result<TcpStream> {
    established(client_socket()?, target)
}

/// As [`connect`], from the `index`-th of a few loopback addresses.
pub(crate) fn connect_from(index: usize, target: SocketAddrV4) -> io::Result<TcpStream> {
    let host = u8::try_from(index % SOURCES).unwrap_or_default() + 1;
    let socket = client_socket()?;
    net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, host), 0))?;
    established(socket, target)
}

fn client_socket() -> io::Result<OwnedFd> {
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    Ok(socket)
}

fn established(socket: OwnedFd, target: SocketAddrV4) -> io::Result<TcpStream> {
    // Linux bounds `connect` by the send timeout.
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(CONNECT_TIMEOUT))?;
    net::connect(&socket, &target)?;
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A loopback address that nobody listens on now. Another process could take it before its user
/// does; the user then fails to start, and says so.
pub(crate) fn free_address() -> io::Result<SocketAddrV4> {
    local_address(&listen(ANY_PORT)?)
}

/// Where a listener on [`ANY_PORT`] listens.
pub(crate) fn local_address(listener: &TcpListener) -> io::Result<SocketAddrV4> {
    let port = listener.local_addr()?.port();
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// A level-triggered epoll whose events carry the descriptor.
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS) })
    }

    pub(crate) fn add(&self, source: &(impl AsFd + AsRawFd), interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, token(source.as_raw_fd()), interest)?)
    }

    pub(crate) fn modify(&self, source: &(impl AsFd + AsRawFd), interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, token(source.as_raw_fd()), interest)?)
    }

    pub(crate) fn delete(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Fills `ready` with the descriptors that are; it stays empty after `timeout` or a signal.
    pub(crate) fn wait(&mut self, ready: &mut Vec<RawFd>, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.drain(..).map(|event| event.data.u64() as RawFd));
        Ok(())
    }
}

fn token(descriptor: RawFd) -> epoll::EventData {
    epoll::EventData::new_u64(u64::from(descriptor.unsigned_abs()))
}

/// A table indexed by descriptor, for those who own a socket a row.
pub(crate) struct ByDescriptor<T> {
    rows: Vec<Option<T>>,
}

impl<T> ByDescriptor<T> {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub(crate) fn insert(&mut self, descriptor: RawFd, row: T) {
        let index = descriptor.unsigned_abs() as usize;
        if self.rows.len() <= index {
            self.rows.resize_with(index + 1, || None);
        }
        if let Some(place) = self.rows.get_mut(index) {
            *place = Some(row);
        }
    }

    pub(crate) fn get(&self, descriptor: RawFd) -> Option<&T> {
        self.rows.get(descriptor.unsigned_abs() as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, descriptor: RawFd) -> Option<&mut T> {
        self.rows.get_mut(descriptor.unsigned_abs() as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, descriptor: RawFd) -> Option<T> {
        self.rows.get_mut(descriptor.unsigned_abs() as usize)?.take()
    }
}
