//! The floor of the comparison: one epoll loop that forwards bytes both ways, each client
//! connection with an upstream connection of its own.
//!
//! It knows no HTTP, has no pool, no log and no timeout: what it costs is what the kernel costs. It
//! runs as a process of its own (`cargo xtask forwarder LISTEN UPSTREAM`), so that it is pinned and
//! measured like the others.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::process::ExitCode;

use super::socket::{self, ByDescriptor, Interest, Poller};

/// Bytes read at once, which is also the most that waits for a slow receiver in one direction.
const CHUNK: usize = 64 * 1024;

/// `forwarder LISTEN UPSTREAM`, both `address:port`; runs until it is killed.
pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let (listen, upstream) = addresses(arguments)?;
    let listener = socket::listen(listen);
    let forwarding =
        listener.and_then(|listener| Forwarder::new(listener, upstream)).and_then(|mut forwarder| forwarder.run());
    forwarding.map_err(|error| format!("forwarder on {listen}: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Where to listen, and where to send to.
pub(super) fn addresses(mut arguments: lexopt::Parser) -> Result<(SocketAddrV4, SocketAddrV4), String> {
    let mut words = arguments.raw_args().map_err(|error| error.to_string())?;
    let mut address = || -> Result<SocketAddrV4, String> {
        let word = words.next().unwrap_or_default();
        word.to_string_lossy().parse().map_err(|_| format!("{word:?} is not an IPv4 address with a port"))
    };
    Ok((address()?, address()?))
}

struct Forwarder {
    upstream: SocketAddrV4,
    listener: TcpListener,
    poller: Poller,
    sides: ByDescriptor<Side>,
    chunk: Vec<u8>,
}

/// One end of a forwarded connection.
struct Side {
    stream: TcpStream,
    /// The descriptor of the other end.
    other: RawFd,
    /// Read from the other end, not yet taken by this one.
    pending: Vec<u8>,
    /// This end will send no more.
    ended: bool,
    watched: Interest,
}

impl Side {
    fn new(stream: TcpStream, other: RawFd) -> Self {
        Self { stream, other, pending: Vec::new(), ended: false, watched: Interest::IN }
    }
}

impl Forwarder {
    fn new(listener: TcpListener, upstream: SocketAddrV4) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&listener, Interest::IN)?;
        Ok(Self { upstream, listener, poller, sides: ByDescriptor::new(), chunk: vec![0; CHUNK] })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.poller.wait(&mut ready, None)?;
            for descriptor in ready.drain(..) {
                if descriptor == self.listener.as_raw_fd() {
                    self.accept()?;
                } else if self.serve(descriptor).is_err() {
                    self.close(descriptor);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        let Some(client) = socket::accept(&self.listener)? else {
            return Ok(());
        };
        // Without an upstream the client is dropped: it sees its connection close.
        let Ok(upstream) = socket::connect(self.upstream) else {
            return Ok(());
        };
        let (client_id, upstream_id) = (client.as_raw_fd(), upstream.as_raw_fd());
        self.poller.add(&client, Interest::IN)?;
        self.poller.add(&upstream, Interest::IN)?;
        self.sides.insert(client_id, Side::new(client, upstream_id));
        self.sides.insert(upstream_id, Side::new(upstream, client_id));
        Ok(())
    }

    /// Moves what can be moved from and to the side that became ready.
    fn serve(&mut self, id: RawFd) -> io::Result<()> {
        let Some(side) = self.sides.get_mut(id) else {
            return Ok(());
        };
        let other = side.other;
        if !side.pending.is_empty() {
            flush(side)?;
        }
        if side.watched.contains(Interest::IN) {
            self.forward(id, other)?;
        }
        self.settle(id, other)?;
        self.settle(other, id)?;
        self.finish(id, other);
        Ok(())
    }

    /// One read from `id` and one write to `other`; what does not fit stays pending there.
    fn forward(&mut self, id: RawFd, other: RawFd) -> io::Result<()> {
        let Some(from) = self.sides.get_mut(id) else {
            return Ok(());
        };
        let length = match from.stream.read(&mut self.chunk) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        from.ended = length == 0;
        let Some(to) = self.sides.get_mut(other) else {
            return Ok(());
        };
        let read = self.chunk.get(..length).unwrap_or_default();
        let written = write_some(&mut to.stream, read)?;
        to.pending.extend_from_slice(read.get(written..).unwrap_or_default());
        Ok(())
    }

    /// Watches `id` for what it now waits for: room for its pending bytes, and bytes when the other
    /// end has room.
    fn settle(&mut self, id: RawFd, other: RawFd) -> io::Result<()> {
        let other_has_room = self.sides.get(other).is_some_and(|side| side.pending.is_empty());
        let Some(side) = self.sides.get_mut(id) else {
            return Ok(());
        };
        let mut wanted = Interest::empty();
        wanted.set(Interest::IN, other_has_room && !side.ended);
        wanted.set(Interest::OUT, !side.pending.is_empty());
        if wanted == side.watched {
            return Ok(());
        }
        // A descriptor watched for nothing would still report hang-ups, over and over.
        match (side.watched.is_empty(), wanted.is_empty()) {
            (true, _) => self.poller.add(&side.stream, wanted)?,
            (_, true) => self.poller.delete(&side.stream)?,
            _ => self.poller.modify(&side.stream, wanted)?,
        }
        side.watched = wanted;
        Ok(())
    }

    /// Passes an end of stream on once everything before it was delivered, and closes the pair
    /// after both.
    fn finish(&mut self, id: RawFd, other: RawFd) {
        let delivered = |from: RawFd, to: RawFd| {
            let to = self.sides.get(to)?;
            (self.sides.get(from)?.ended && to.pending.is_empty()).then(|| {
                // Fails only when the peer is gone already.
                let _ = to.stream.shutdown(Shutdown::Write);
            })
        };
        if delivered(id, other).is_some() & delivered(other, id).is_some() {
            self.close(id);
        }
    }

    fn close(&mut self, id: RawFd) {
        if let Some(side) = self.sides.remove(id) {
            self.sides.remove(side.other);
        }
    }
}

fn flush(side: &mut Side) -> io::Result<()> {
    let written = write_some(&mut side.stream, &side.pending)?;
    side.pending.drain(..written);
    Ok(())
}

/// One write; nothing is written when there is no room.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match stream.write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::thread;

    use super::*;

    /// A forwarder to `upstream` on a thread of its own, and where it listens.
    pub(crate) fn start(upstream: SocketAddrV4) -> SocketAddrV4 {
        let listener = socket::listen(socket::ANY_PORT).unwrap();
        let address = socket::local_address(&listener).unwrap();
        thread::spawn(move || Forwarder::new(listener, upstream).unwrap().run().unwrap());
        address
    }

    /// Sends back what it receives on one connection, and the end of the stream too.
    fn start_echo() -> SocketAddrV4 {
        let listener = TcpListener::bind(socket::ANY_PORT).unwrap();
        let address = socket::local_address(&listener).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            io::copy(&mut stream.try_clone().unwrap(), &mut stream).unwrap();
        });
        address
    }

    #[test]
    fn megabytes_and_the_end_of_the_stream_go_both_ways() {
        let mut client = TcpStream::connect(start(start_echo())).unwrap();
        let sent: Vec<u8> = (0..16_u32 << 20).map(|position| (position % 251) as u8).collect();
        let (mut writer, bytes) = (client.try_clone().unwrap(), sent.clone());
        let writing = thread::spawn(move || {
            writer.write_all(&bytes).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        writing.join().unwrap();
        assert!(received == sent, "received {} of {} bytes, or others", received.len(), sent.len());
    }

    #[test]
    fn without_an_upstream_the_client_sees_its_connection_close() {
        let nobody = socket::free_address().unwrap();
        let mut client = TcpStream::connect(start(nobody)).unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert!(received.is_empty());
    }
}
