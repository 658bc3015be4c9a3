//! Opens a connection to an endpoint. Not here: which endpoint, and whether to try another.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use config::model::Proxy;
use policy::Phase;
use policy::failure::{Failure, Fired};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::Peer;
use crate::stream::{Stream, Timer, within};

/// Connects within `proxy_connect_timeout`; the stream comes with the timer that watched over it.
pub(crate) async fn connect(peer: &Peer, proxy: &Proxy) -> Result<(Stream, Timer), Failure> {
    let mut timer = Timer::new();
    let mut connecting = pin!(open(peer, proxy));
    match within(&mut timer, proxy.connect_timeout, |cx| connecting.as_mut().poll(cx)).await {
        Ok(opened) => opened.map(|stream| (stream, timer)),
        Err(_) => Err(timed_out(proxy.connect_timeout)),
    }
}

fn timed_out(after: Duration) -> Failure {
    let fired = Fired { directive: "proxy_connect_timeout", after };
    Failure::timed_out(Phase::Connect).with(|evidence| evidence.timer = Some(fired))
}

async fn open(peer: &Peer, proxy: &Proxy) -> Result<Stream, Failure> {
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
pub(crate) async fn accepts(peer: &Peer) -> bool {
    let connecting = async {
        match peer {
            Peer::Socket(address) => TcpStream::connect(address).await.is_ok(),
            Peer::Unix(path) => UnixStream::connect(path).await.is_ok(),
        }
    };
    tokio::time::timeout(PATIENCE, connecting).await.unwrap_or(false)
}
