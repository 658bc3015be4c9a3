//! Opens a connection to an endpoint. Not here: which endpoint, and whether to try another.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use config::model::Proxy;
use policy::{Failure, Phase};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use super::Peer;
use crate::stream::{Stream, Timer, within};

/// Connects within `proxy_connect_timeout`; the stream comes with the timer that watched over it.
pub(crate) async fn connect(peer: &Peer, proxy: &Proxy) -> Result<(Stream, Timer), Failure> {
    let mut timer = Timer::new();
    let mut connecting = pin!(open(peer, proxy));
    match within(&mut timer, proxy.connect_timeout, |cx| connecting.as_mut().poll(cx)).await {
        Ok(Ok(stream)) => Ok((stream, timer)),
        Ok(Err(error)) => Err(Failure::from_connect_errno(error.raw_os_error().unwrap_or(0))),
        Err(_) => Err(Failure::timed_out(Phase::Connect)),
    }
}

async fn open(peer: &Peer, proxy: &Proxy) -> io::Result<Stream> {
    match peer {
        Peer::Socket(address) => Ok(Stream::Tcp(tcp(*address, proxy).await?)),
        Peer::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
    }
}

async fn tcp(address: SocketAddr, proxy: &Proxy) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if proxy.socket_keepalive {
        socket.set_keepalive(true)?;
    }
    if let Some(source) = proxy.bind {
        socket.bind(source)?;
    }
    socket.connect(address).await
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
