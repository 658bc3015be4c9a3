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
    /// A side broke; with its errno.
    Broken(Option<i32>),
}

/// Bytes that went through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub(crate) to_client: u64,
    pub(crate) to_endpoint: u64,
}

/// One direction.
struct Flow {
    buffer: Buffer,
    /// The source has ended; what is buffered is still delivered.
    ended: bool,
    moved: u64,
}

impl Flow {
    /// Moves what can be moved now. Ready when this direction is over.
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream) -> Poll<io::Result<()>> {
        loop {
            while !self.buffer.is_empty() {
                let count = ready!(to.poll_write(cx, &[IoSlice::new(self.buffer.bytes())]))?;
                self.buffer.consume(count);
                self.moved += count as u64;
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            self.ended = ready!(from.poll_read(cx, &mut self.buffer))? == 0;
        }
    }
}

/// Runs the tunnel. `early` holds what either side sent behind the handshake: (from the client, from the endpoint).
pub(crate) async fn run(
    client: &mut Stream,
    endpoint: &mut Stream,
    early: (Buffer, Buffer),
    timeout: Duration,
    timer: &mut Timer,
) -> (End, Moved) {
    let mut up = Flow { buffer: early.0, ended: false, moved: 0 };
    let mut down = Flow { buffer: early.1, ended: false, moved: 0 };
    timer.arm(timeout);
    let end = std::future::poll_fn(|cx| {
        let before = up.moved + down.moved;
        let ends = [up.poll(cx, client, endpoint), down.poll(cx, endpoint, client)];
        for end in ends {
            match end {
                Poll::Ready(Ok(())) => return Poll::Ready(End::Closed),
                Poll::Ready(Err(error)) => return Poll::Ready(End::Broken(error.raw_os_error())),
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
