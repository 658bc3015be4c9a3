//! The floor of a proxy that understands what it forwards: tokio's single-threaded runtime, both heads read by `http1` and
//! written anew, a pool of upstream connections.
//!
//! It has no log, no policy, no timeouts and next to no limits, and closes the connection where anything is out of the
//! ordinary: what it costs beyond the forwarder is what two parsed heads cost. It runs as a process of its own
//! (`cargo xtask minimal LISTEN UPSTREAM`), like the forwarder.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddrV4;
use std::process::ExitCode;
use std::rc::Rc;

use http1::{Fields, Framing, RequestHead, RequestLimits, ResponseHead, ResponseLimits, Version, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::{forwarder, socket};

/// Room for what is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest head, in bytes.
const HEAD: usize = 16 * 1024;
/// The most fields of a head.
const FIELDS: usize = 100;

const REQUEST: RequestLimits =
    RequestLimits { line: HEAD, field: HEAD, head: HEAD, fields: FIELDS, underscores: true, ignore_invalid: true };
const RESPONSE: ResponseLimits = ResponseLimits { head: HEAD, fields: FIELDS };

/// `minimal LISTEN UPSTREAM`, both `address:port`; runs until it is killed.
pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let (listen, upstream) = forwarder::addresses(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let served = runtime.and_then(|runtime| LocalSet::new().block_on(&runtime, run(listen, upstream)));
    served.map_err(|error| format!("minimal proxy on {listen}: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Where requests go, and the connections that wait there for the next one.
struct Origin {
    address: SocketAddrV4,
    idle: RefCell<Vec<TcpStream>>,
}

async fn run(listen: SocketAddrV4, upstream: SocketAddrV4) -> io::Result<()> {
    let listener = TcpListener::from_std(socket::listen(listen)?)?;
    let origin = Rc::new(Origin { address: upstream, idle: RefCell::default() });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let origin = origin.clone();
        // However a connection ends, the others go on.
        tokio::task::spawn_local(async move { serve(stream, &origin).await.is_ok() });
    }
}

async fn serve(stream: TcpStream, origin: &Origin) -> io::Result<()> {
    let mut client = Side::new(stream);
    let mut outgoing = Vec::new();
    while let Some(request) = client.request().await? {
        let idle = origin.idle.borrow_mut().pop();
        let stream = match idle {
            Some(stream) => stream,
            None => TcpStream::from_std(socket::connect(origin.address)?)?,
        };
        let mut upstream = Side::new(stream);
        let body = length(http1::request_framing(&request))?;
        encode::request_line(&mut outgoing, request.method.as_str().as_bytes(), request.target(), Version::H11);
        relay(&mut client, &mut upstream, &mut outgoing, &request.fields, body).await?;
        let response = upstream.response().await?;
        let body = length(http1::response_framing(&response, &request.method))?;
        encode::status_line(&mut outgoing, Version::H11, response.status, response.reason());
        relay(&mut upstream, &mut client, &mut outgoing, &response.fields, body).await?;
        if http1::persistent(response.version, &response.fields) {
            origin.idle.borrow_mut().push(upstream.stream);
        }
        if !http1::persistent(request.version, &request.fields) {
            break;
        }
    }
    Ok(())
}

/// The body's length; bodies without one are not for this proxy.
fn length<E>(framing: Result<Framing, E>) -> io::Result<u64> {
    match framing {
        Ok(Framing::Empty) => Ok(0),
        Ok(Framing::Length(length)) => Ok(length),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Sends a head that was begun in `outgoing`, with these fields, and `left` bytes of body behind it.
async fn relay(
    from: &mut Side,
    to: &mut Side,
    outgoing: &mut Vec<u8>,
    fields: &Fields,
    mut left: u64,
) -> io::Result<()> {
    fields.write(outgoing, |field| !field.name.eq_ignore_ascii_case(b"connection"));
    encode::end(outgoing);
    loop {
        left -= from.take(outgoing, left);
        to.stream.write_all(outgoing).await?;
        outgoing.clear();
        if left == 0 {
            return Ok(());
        }
        from.read().await?;
    }
}

/// One side's connection, and what was received on it and not used yet.
struct Side {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Side {
    fn new(stream: TcpStream) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// The next request; none when the client closes instead.
    async fn request(&mut self) -> io::Result<Option<RequestHead>> {
        let mut head = RequestHead::default();
        loop {
            if self.received.is_empty() && self.read().await.is_err() {
                return Ok(None);
            }
            match http1::parse_request(&mut head, &self.received, &REQUEST) {
                Ok(Some(count)) => {
                    self.received.drain(..count);
                    return Ok(Some(head));
                }
                Ok(None) => self.read().await?,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    async fn response(&mut self) -> io::Result<ResponseHead> {
        let mut head = ResponseHead::default();
        loop {
            self.read().await?;
            match http1::parse_response(&mut head, &self.received, &RESPONSE) {
                Ok(Some(count)) => {
                    self.received.drain(..count);
                    return Ok(head);
                }
                Ok(None) => {}
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Reads once; the end of the stream is an error.
    async fn read(&mut self) -> io::Result<()> {
        self.received.reserve(CHUNK);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Moves at most `most` received bytes to `out`; how many.
    fn take(&mut self, out: &mut Vec<u8>, most: u64) -> u64 {
        let count = usize::try_from(most).map_or(self.received.len(), |most| most.min(self.received.len()));
        out.extend(self.received.drain(..count));
        count as u64
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::thread;

    use super::*;

    /// A minimal proxy to `upstream` on a thread of its own, and where it listens.
    pub(crate) fn start(upstream: SocketAddrV4) -> SocketAddrV4 {
        let listen = socket::free_address().unwrap();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
            LocalSet::new().block_on(&runtime, run(listen, upstream)).unwrap();
        });
        while std::net::TcpStream::connect(listen).is_err() {
            thread::yield_now();
        }
        listen
    }
}
