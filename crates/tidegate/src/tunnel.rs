//! Two streams joined after an upgrade: bytes go both ways, unread, until one side ends.
//! Not here: the handshake that leads here.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::buffer::Buffer;
use crate::stream::{Stream, Timer};

/// How a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Either side closed.
    Closed,
    /// Nothing moved for the timeout.
    TimedOut,
    /// A side broke.
    Broken(Broken),
}

/// What a read or write says of the side that it was of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) side: Side,
    /// The call that said so, as nginx names it.
    pub(crate) call: &'static str,
    pub(crate) errno: Option<i32>,
}

/// An end of the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Endpoint,
}

/// Bytes that went through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub(crate) to_client: u64,
    pub(crate) to_endpoint: u64,
}

/// One direction.
struct Flow {
    from: Side,
    to: Side,
    buffer: Buffer,
    /// The source has ended; what is buffered is still delivered.
    ended: bool,
    moved: u64,
}

impl Flow {
    /// Moves what can be moved now. Ready when this direction is over.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<Result<(), Broken>> {
        loop {
            while !self.buffer.is_empty() {
                let written = ready!(to.poll_write(cx, &[IoSlice::new(self.buffer.bytes())]));
                let count = written.map_err(|error| broken(self.to, "send", &error))?;
                self.buffer.consume(count);
                self.moved += count as u64;
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            let read = ready!(from.poll_read(cx, &mut self.buffer));
            self.ended = read.map_err(|error| broken(self.from, "recv", &error))? == 0;
        }
    }
}

fn broken(side: Side, call: &'static str, error: &io::Error) -> Broken {
    Broken { side, call, errno: error.raw_os_error() }
}

/// Runs the tunnel. `early` holds what either side sent behind the handshake: (from the client, from the endpoint).
pub(crate) async fn run(
    client: &mut Stream,
    endpoint: &mut Stream,
    early: (Buffer, Buffer),
    timeout: Duration,
    timer: &mut Timer,
) -> (End, Moved) {
    let mut up = Flow { from: Side::Client, to: Side::Endpoint, buffer: early.0, ended: false, moved: 0 };
    let mut down = Flow { from: Side::Endpoint, to: Side::Client, buffer: early.1, ended: false, moved: 0 };
    timer.arm(timeout);
    let end = std::future::poll_fn(|cx| {
        let before = up.moved + down.moved;
        let ends = [up.poll(cx, client, endpoint), down.poll(cx, endpoint, client)];
        for end in ends {
            match end {
                Poll::Ready(Ok(())) => return Poll::Ready(End::Closed),
                Poll::Ready(Err(broken)) => return Poll::Ready(End::Broken(broken)),
                Poll::Pending => {}
            }
        }
        if up.moved + down.moved > before {
            timer.arm(timeout);
        }
        timer.poll(cx).map(|()| End::TimedOut)
    })
    .await;
    (end, Moved { to_client: down.moved, to_endpoint: up.moved })
}
