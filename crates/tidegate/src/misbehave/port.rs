//! The address of a misbehaving server: held all the time, listened on when the mode says so. Not here: connections.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::stream::Stream;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address; port 0 for any that is free.
    Tcp(SocketAddr),
    /// A unix socket's path.
    Unix(PathBuf),
}

impl Listen {
    /// Any free port of the loopback address.
    pub const ANYWHERE: Listen = Listen::Tcp(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0));

    /// The TCP address, if it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Listen::Tcp(address) => Some(*address),
            Listen::Unix(_) => None,
        }
    }

    /// `PORT` of the loopback address, `ADDRESS:PORT`, or `unix:PATH`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Listen::Unix(path.into()));
        }
        let port = text.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let address = port.or_else(|_| text.parse());
        address.map(Listen::Tcp).map_err(|_| format!("\"{text}\" is no address: write PORT, ADDRESS:PORT or unix:PATH"))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => address.fmt(f),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound address.
pub(super) struct Port {
    pub(super) listen: Listen,
    /// Never listens: while nobody else does, connections are refused, and the system gives the port to no other program.
    #[expect(dead_code, reason = "it is there to be there")]
    holder: Socket,
}

impl Port {
    /// Takes the address.
    ///
    /// # Errors
    /// It is taken, not ours, or not allowed.
    pub(super) fn bind(listen: &Listen) -> io::Result<Self> {
        let holder = bound(listen)?;
        let listen = match holder.local_addr()?.as_socket() {
            Some(address) => Listen::Tcp(address),
            None => listen.clone(),
        };
        Ok(Self { listen, holder })
    }

    /// Listens. The kernel's queue has `backlog` places and one more.
    ///
    /// # Errors
    /// The system has no more sockets.
    pub(super) fn open(&self, backlog: u16) -> io::Result<Acceptor> {
        let socket = match &self.listen {
            Listen::Tcp(_) => bound(&self.listen)?,
            Listen::Unix(path) => {
                std::fs::remove_file(path)?;
                bound(&self.listen)?
            }
        };
        socket.listen(backlog.into())?;
        socket.set_nonblocking(true)?;
        match &self.listen {
            Listen::Tcp(_) => TcpListener::from_std(socket.into()).map(Acceptor::Tcp),
            Listen::Unix(_) => UnixListener::from_std(socket.into()).map(Acceptor::Unix),
        }
    }

    /// Takes the one place that a queue of length 0 has.
    ///
    /// # Errors
    /// The system has no more sockets.
    pub(super) fn fill(&self) -> io::Result<Socket> {
        let address = address(&self.listen)?;
        let client = Socket::new(domain(&self.listen), Type::STREAM, None)?;
        client.connect(&address)?;
        Ok(client)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Listen::Unix(path) = &self.listen {
            // It may have been removed by hand.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn domain(listen: &Listen) -> Domain {
    match listen {
        Listen::Tcp(address) => Domain::for_address(*address),
        Listen::Unix(_) => Domain::UNIX,
    }
}

fn address(listen: &Listen) -> io::Result<SockAddr> {
    match listen {
        Listen::Tcp(address) => Ok((*address).into()),
        Listen::Unix(path) => SockAddr::unix(path),
    }
}

/// Two sockets can have one address as long as none of them listens when the other comes.
fn bound(listen: &Listen) -> io::Result<Socket> {
    let socket = Socket::new(domain(listen), Type::STREAM, None)?;
    if matches!(listen, Listen::Tcp(_)) {
        socket.set_reuse_address(true)?;
        socket.set_tcp_nodelay(true)?;
    }
    socket.bind(&address(listen)?)?;
    Ok(socket)
}

/// A listening socket.
pub(super) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Acceptor {
    /// The next connection, and who it is.
    pub(super) async fn accept(&self) -> io::Result<(Stream, String)> {
        match self {
            Acceptor::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), peer.to_string()))
            }
            Acceptor::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), "unix:".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn addresses_have_three_forms() {
        let read = |text: &str| Listen::parse(text).map(|listen| listen.to_string());
        assert_eq!(read("8099").unwrap(), "127.0.0.1:8099");
        assert_eq!(read("[::1]:80").unwrap(), "[::1]:80");
        assert_eq!(read("unix:/run/a.sock").unwrap(), "unix:/run/a.sock");
        assert_eq!(read("host").unwrap_err(), "\"host\" is no address: write PORT, ADDRESS:PORT or unix:PATH");
    }

    #[tokio::test]
    async fn a_held_port_refuses_listens_and_refuses_again() {
        let port = Port::bind(&Listen::ANYWHERE).unwrap();
        let Listen::Tcp(address) = port.listen else { unreachable!("it is TCP") };
        let refused = || TcpStream::connect(address).unwrap_err().kind() == io::ErrorKind::ConnectionRefused;
        for _ in 0..2 {
            assert!(refused());
            let acceptor = port.open(8).unwrap();
            let client = TcpStream::connect(address).unwrap();
            let (_, peer) = acceptor.accept().await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap().to_string());
            assert!(std::net::TcpListener::bind(address).is_err(), "another program takes the port");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_refuses_listens_and_is_gone_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let port = Port::bind(&Listen::Unix(path.clone())).unwrap();
        let connect = || std::os::unix::net::UnixStream::connect(&path);
        assert_eq!(connect().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let acceptor = port.open(8).unwrap();
        let _client = connect().unwrap();
        acceptor.accept().await.unwrap();
        drop((acceptor, port));
        assert_eq!(connect().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
