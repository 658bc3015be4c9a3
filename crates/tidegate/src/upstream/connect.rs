//! Opens a connection to an endpoint, by whichever of its addresses answers first. Not here: which endpoint, and whether to
//! try another.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use config::model::Proxy;
use policy::Phase;
use policy::failure::{Failure, Fired};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::{Endpoint, Peer, Place, Twin};
use crate::stream::{Stream, Timer, within};

/// A connection that was made.
pub(crate) struct Opened {
    pub(crate) stream: Stream,
    /// What watched over it.
    pub(crate) timer: Timer,
    /// Where it goes.
    pub(crate) address: Arc<str>,
}

/// Connects within `proxy_connect_timeout`.
pub(crate) async fn connect(endpoint: &Endpoint, proxy: &Proxy) -> Result<Opened, Failure> {
    let mut timer = Timer::new();
    let mut connecting = pin!(open(endpoint, proxy));
    match within(&mut timer, proxy.connect_timeout, |cx| connecting.as_mut().poll(cx)).await {
        Ok(opened) => opened.map(|(stream, address)| Opened { stream, timer, address }),
        Err(_) => Err(timed_out(proxy.connect_timeout)),
    }
}

async fn open(endpoint: &Endpoint, proxy: &Proxy) -> Result<(Stream, Arc<str>), Failure> {
    match &endpoint.twin {
        None => Ok((to(&endpoint.place.peer, proxy).await?, endpoint.place.text.clone())),
        // Few have a twin: the others' futures stay small.
        Some(twin) => Box::pin(race(&endpoint.place, twin, proxy)).await,
    }
}

/// For so long the address that worked last is tried alone (RFC 8305 §8, Connection Attempt Delay).
const HEAD_START: Duration = Duration::from_millis(250);

/// Happy Eyeballs for a host with one address of each family: the one that worked last, and soon the other as well.
/// What the first met with is what is told when both fail.
async fn race(place: &Place, twin: &Twin, proxy: &Proxy) -> Result<(Stream, Arc<str>), Failure> {
    let (first, second) = if twin.preferred.get() { (&twin.place, place) } else { (place, &twin.place) };
    let second_won = |stream| {
        twin.preferred.set(!twin.preferred.get());
        Ok((stream, second.text.clone()))
    };
    let mut one = pin!(to(&first.peer, proxy));
    let refused = match tokio::time::timeout(HEAD_START, &mut one).await {
        Ok(Ok(stream)) => return Ok((stream, first.text.clone())),
        Ok(Err(failure)) => Some(failure),
        Err(_) => None,
    };
    let mut two = pin!(to(&second.peer, proxy));
    let Some(refused) = refused else {
        return tokio::select! {
            one = &mut one => match one {
                Ok(stream) => Ok((stream, first.text.clone())),
                Err(failure) => two.await.or(Err(failure)).and_then(second_won),
            },
            two = &mut two => match two {
                Ok(stream) => second_won(stream),
                Err(_) => one.await.map(|stream| (stream, first.text.clone())),
            },
        };
    };
    two.await.or(Err(refused)).and_then(second_won)
}

fn timed_out(after: Duration) -> Failure {
    let fired = Fired { directive: "proxy_connect_timeout", after };
    Failure::timed_out(Phase::Connect).with(|evidence| evidence.timer = Some(fired))
}

async fn to(peer: &Peer, proxy: &Proxy) -> Result<Stream, Failure> {
    match peer {
        Peer::Socket(address) => Ok(Stream::Tcp(tcp(*address, proxy).await?)),
        Peer::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await.map_err(|error| failed(&error, true))?)),
    }
}

async fn tcp(address: SocketAddr, proxy: &Proxy) -> Result<TcpStream, Failure> {
    let socket = prepare(address, proxy).map_err(|error| failed(&error, false))?;
    if let Some(source) = proxy.bind {
        let failed = |error: io::Error| Failure::from_bind_errno(errno(&error), source.to_string());
        socket.bind(source).map_err(failed)?;
    }
    socket.connect(address).await.map_err(|error| failed(&error, false))
}

fn prepare(address: SocketAddr, proxy: &Proxy) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if proxy.socket_keepalive {
        socket.set_keepalive(true)?;
    }
    Ok(socket)
}

fn failed(error: &io::Error, unix: bool) -> Failure {
    Failure::from_connect_errno(errno(error), unix)
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// How long [`accepts`] waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether an endpoint accepts connections now.
pub(crate) async fn accepts(endpoint: &Endpoint) -> bool {
    let twin = endpoint.twin.as_ref().map(|twin| &twin.place.peer);
    accepts_at(&endpoint.place.peer).await || matches!(twin, Some(twin) if accepts_at(twin).await)
}

async fn accepts_at(peer: &Peer) -> bool {
    let connecting = async {
        match peer {
            Peer::Socket(address) => TcpStream::connect(address).await.is_ok(),
            Peer::Unix(path) => UnixStream::connect(path).await.is_ok(),
        }
    };
    tokio::time::timeout(PATIENCE, connecting).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::{Ipv6Addr, TcpListener};

    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;
    use crate::fixture;

    /// A listener that accepts nobody, and whose queue is full: connections to it hang.
    fn deaf() -> (Socket, SocketAddr, Vec<Socket>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::from(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let fill = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // It is under way, as it is to be.
            let _ = socket.connect(&address.into());
            socket
        };
        let queue = (0..3).map(|_| fill()).collect();
        (listener, address, queue)
    }

    fn endpoint(place: SocketAddr, twin: SocketAddr) -> Endpoint {
        let twin = Twin { place: twin.into(), preferred: Cell::new(false) };
        Endpoint { place: place.into(), twin: Some(twin), name: None }
    }

    #[tokio::test]
    async fn an_address_that_hangs_leaves_the_host_reachable_by_its_other_one_and_is_not_asked_first_again() {
        let (_listener, hangs, _queue) = deaf();
        let works = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let endpoint = endpoint(hangs, works.local_addr().unwrap());
        for _ in 0..2 {
            let opened = connect(&endpoint, &fixture::proxy()).await.unwrap();
            assert_eq!(*opened.address, *works.local_addr().unwrap().to_string());
            assert!(endpoint.twin.as_ref().unwrap().preferred.get());
        }
        assert!(accepts(&endpoint).await);
    }

    #[tokio::test]
    async fn of_two_failures_that_of_the_address_that_worked_last_is_told() {
        let closed = |address: SocketAddr| TcpListener::bind(address).unwrap().local_addr().unwrap();
        let endpoint = endpoint(closed(([127, 0, 0, 1], 0).into()), closed((Ipv6Addr::LOCALHOST, 0).into()));
        let failure = connect(&endpoint, &fixture::proxy()).await.err().unwrap();
        assert_eq!(failure.cause, policy::Cause::ConnectRefused);
        assert!(!endpoint.twin.as_ref().unwrap().preferred.get());
    }
}
