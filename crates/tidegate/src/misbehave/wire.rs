//! The bytes of one misbehaving connection: what came and is not looked at yet, what was sent. Not here: what they mean.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::time::{Instant, sleep, timeout};

use super::account::Ending;
use crate::stream::Stream;

/// How often a connection that is not read is looked at, to see whether the peer is gone.
const LOOK: Duration = Duration::from_millis(50);

/// A connection and its counts.
pub(super) struct Wire {
    stream: Stream,
    /// Received, and not looked at yet.
    pub(super) input: Vec<u8>,
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, input: Vec::new(), received: 0, sent: 0 }
    }

    /// Waits until there is more input.
    pub(super) async fn fill(&mut self) -> Result<(), Ending> {
        let mut chunk = [0; 4096];
        loop {
            let ready = poll_fn(|cx| self.stream.poll_readable(cx)).await;
            match ready.and_then(|()| self.stream.try_read(&mut chunk)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Ending::PeerReset),
                Ok(0) => return Err(Ending::PeerClosed),
                Ok(count) => {
                    self.received += count as u64;
                    self.input.extend(chunk.iter().take(count));
                    return Ok(());
                }
            }
        }
    }

    /// Sends all of it.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) -> Result<(), Ending> {
        while !bytes.is_empty() {
            let written = poll_fn(|cx| self.stream.poll_write(cx, &[IoSlice::new(bytes)])).await;
            let count = written.map_err(|_| Ending::PeerReset)?;
            self.sent += count as u64;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits, unless the peer is gone before. What it sends meanwhile is thrown away.
    pub(super) async fn wait(&mut self, span: Duration) -> Result<(), Ending> {
        match timeout(span, self.silence()).await {
            Ok(ending) => Err(ending),
            Err(_) => Ok(()),
        }
    }

    /// Waits until the moment, unless the peer is gone before.
    pub(super) async fn wait_until(&mut self, moment: Instant) -> Result<(), Ending> {
        self.wait(moment.saturating_duration_since(Instant::now())).await
    }

    /// Reads on until the peer is gone.
    pub(super) async fn silence(&mut self) -> Ending {
        loop {
            self.input.clear();
            if let Err(ending) = self.fill().await {
                return ending;
            }
        }
    }

    /// Reads nothing until the peer is gone.
    pub(super) async fn deafness(&self) -> Ending {
        loop {
            if is_gone(self.stream.as_fd()) {
                return Ending::PeerClosed;
            }
            sleep(LOOK).await;
        }
    }

    /// Makes the close that follows a reset.
    pub(super) fn reset(&self) {
        self.stream.reset_on_close();
    }
}

/// Whether the other end has closed, whatever is still to be read.
fn is_gone(stream: BorrowedFd<'_>) -> bool {
    let mut looked = [PollFd::from_borrowed_fd(stream, PollFlags::RDHUP)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut looked, Some(&at_once)), Ok(1))
}
