//! A connection to an endpoint, plain or in TLS, with a limit on each wait. Not here: what is said over it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use policy::Failure;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, SockAddr, Socket, Type};

/// The first bytes that are kept of what a peer sends.
const FIRST: usize = 256;

/// Where to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Endpoint {
    /// As a configuration has it.
    pub(super) fn shown(&self) -> String {
        match self {
            Endpoint::Tcp(address) => address.to_string(),
            Endpoint::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// Connects within the time.
    ///
    /// # Errors
    /// What `connect()` said, or that the time was over.
    pub(super) fn connect(&self, within: Duration) -> Result<Plain, Failure> {
        let connected = match self {
            Endpoint::Tcp(address) => TcpStream::connect_timeout(address, within).map(Stream::Tcp),
            Endpoint::Unix(path) => connect_unix(path).map(Stream::Unix),
        };
        let is_unix = matches!(self, Endpoint::Unix(_));
        connected.map(Plain::new).map_err(|error| match error.raw_os_error() {
            Some(errno) => Failure::from_connect_errno(errno, is_unix),
            None => Failure::timed_out(policy::Phase::Connect),
        })
    }
}

/// A queue that is full says so at once to a socket that does not wait.
fn connect_unix(path: &std::path::Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(socket.into())
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection without TLS, that remembers the first bytes received.
pub(super) struct Plain {
    stream: Stream,
    pub(super) first: Vec<u8>,
    pub(super) born: Instant,
}

impl Plain {
    fn new(stream: Stream) -> Self {
        Self { stream, first: Vec::new(), born: Instant::now() }
    }

    /// Bounds each read and write from now on.
    pub(super) fn limit(&self, within: Duration) -> io::Result<()> {
        // Zero would be no limit.
        let within = Some(within.max(Duration::from_millis(1)));
        match &self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(within).and_then(|()| stream.set_write_timeout(within)),
            Stream::Unix(stream) => stream.set_read_timeout(within).and_then(|()| stream.set_write_timeout(within)),
        }
    }
}

impl Read for Plain {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.stream {
            Stream::Tcp(stream) => stream.read(space),
            Stream::Unix(stream) => stream.read(space),
        }?;
        let room = FIRST.saturating_sub(self.first.len());
        self.first.extend(space.iter().take(count.min(room)));
        Ok(count)
    }
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection over which requests go.
pub(super) enum Link {
    Plain(Plain),
    Tls(Box<StreamOwned<ClientConnection, Plain>>),
}

impl Link {
    pub(super) fn limit(&self, within: Duration) -> io::Result<()> {
        self.plain().limit(within)
    }

    /// When it was connected.
    pub(super) fn born(&self) -> Instant {
        self.plain().born
    }

    fn plain(&self) -> &Plain {
        match self {
            Link::Plain(plain) => plain,
            Link::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Link {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Link::Plain(plain) => plain.read(space),
            Link::Tls(stream) => match stream.read(space) {
                // Many close the connection without TLS's own end, which is no matter where HTTP has one.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Link::Plain(plain) => plain.write(bytes),
            Link::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Link::Plain(plain) => plain.flush(),
            Link::Tls(stream) => stream.flush(),
        }
    }
}

/// Whether a read or write ended because its time was over.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
