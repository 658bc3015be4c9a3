//! A byte stream to a peer, TCP or unix, and a timer that costs nothing while it does not fire.
//! Not here: what the bytes mean, and who connects or accepts.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, Sleep};

use crate::buffer::Buffer;

/// A connected stream. TLS becomes a third variant here.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Reads once into the buffer's space. `Ok(0)` is the peer's end, or a full buffer: look before.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut Buffer) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(buffer.space());
        ready!(match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut space),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, &mut space),
        })?;
        let count = space.filled().len();
        buffer.filled(count);
        Poll::Ready(Ok(count))
    }

    /// Ready when a read would not block.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(cx),
            Stream::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    /// Whether bytes are here to be read, as the kernel knows it now.
    pub(crate) fn has_input(&self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit(); 1];
        let peeked = match self {
            Stream::Tcp(stream) => socket2::SockRef::from(stream).peek(&mut byte),
            Stream::Unix(stream) => socket2::SockRef::from(stream).peek(&mut byte),
        };
        peeked.is_ok_and(|count| count > 0)
    }

    /// Reads without waiting.
    pub(crate) fn try_read(&self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_read(space),
            Stream::Unix(stream) => stream.try_read(space),
        }
    }

    /// Asks the kernel whether nothing, not even an end, is there to be read: readiness may lag behind it.
    pub(crate) fn is_quiet_now(&self) -> bool {
        use rustix::net::{RecvFlags, recv};
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = match self {
            Stream::Tcp(stream) => recv(stream, &mut [0; 1], flags),
            Stream::Unix(stream) => recv(stream, &mut [0; 1], flags),
        };
        peeked.is_err_and(|error| error == rustix::io::Errno::AGAIN)
    }

    /// Bytes of ours that the peer's kernel has acknowledged, and one for the connection; nothing where it does not say.
    pub(crate) fn acknowledged(&self) -> Option<u64> {
        match self {
            Stream::Tcp(stream) => crate::upstream::unread::bytes_acknowledged(stream.as_fd()),
            Stream::Unix(_) => None,
        }
    }

    /// Our end's address; none for unix sockets.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => stream.local_addr().ok(),
            Stream::Unix(_) => None,
        }
    }

    /// Writes what it can of the slices, in order.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match (self, slices) {
            (Stream::Tcp(stream), [one]) => Pin::new(stream).poll_write(cx, one),
            (Stream::Tcp(stream), many) => Pin::new(stream).poll_write_vectored(cx, many),
            (Stream::Unix(stream), [one]) => Pin::new(stream).poll_write(cx, one),
            (Stream::Unix(stream), many) => Pin::new(stream).poll_write_vectored(cx, many),
        }
    }

    /// Ends our direction; the peer reads an end of file.
    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        })
        .await
    }

    /// Makes the close that follows a reset, so that a cut-off answer cannot be taken for a complete one.
    pub(crate) fn reset_on_close(&self) {
        if let Stream::Tcp(stream) = self {
            // A stream that cannot be told to reset is closed all the same.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

/// A deadline that a connection carries along.
///
/// Arming only stores the span: the clock is read by the first poll after it, when there turns out to be something to
/// wait for. The runtime's timer is left alone while it would fire earlier than needed: a busy connection sets it once a
/// minute, not once a request.
pub(crate) struct Timer {
    due: Due,
    sleep: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy)]
enum Due {
    Never,
    /// So long after the next poll.
    In(Duration),
    At(Instant),
}

impl Timer {
    pub(crate) const fn new() -> Self {
        Self { due: Due::Never, sleep: None }
    }

    /// Counts `span` from the next poll, which is to follow at once. Spans beyond the runtime's reach never fire.
    pub(crate) fn arm(&mut self, span: Duration) {
        self.due = Due::In(span);
    }

    /// Fires after `span`, if it would not fire earlier.
    pub(crate) fn shorten(&mut self, span: Duration) {
        let armed = self.deadline();
        self.arm(span);
        self.due = match (armed, self.deadline()) {
            (Some(armed), Some(sooner)) => Due::At(armed.min(sooner)),
            (Some(one), None) | (None, Some(one)) => Due::At(one),
            (None, None) => Due::Never,
        };
    }

    fn deadline(&mut self) -> Option<Instant> {
        if let Due::In(span) = self.due {
            self.due = Instant::now().checked_add(span).map_or(Due::Never, Due::At);
        }
        match self.due {
            Due::At(deadline) => Some(deadline),
            Due::Never | Due::In(_) => None,
        }
    }

    /// Ready once the deadline has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline() else { return Poll::Pending };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

/// The span is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimedOut;

/// Polls `operation`, and gives up when the timer fires first.
pub(crate) async fn within<T>(
    timer: &mut Timer,
    span: Duration,
    mut operation: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Result<T, TimedOut> {
    timer.arm(span);
    std::future::poll_fn(|cx| match operation(cx) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending => timer.poll(cx).map(|()| Err(TimedOut)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_fires_at_its_last_deadline_only() {
        let mut timer = Timer::new();
        timer.arm(Duration::from_secs(1));
        assert_eq!(std::future::poll_fn(|cx| Poll::Ready(timer.poll(cx))).await, Poll::Pending);
        timer.arm(Duration::from_secs(10));
        let started = Instant::now();
        std::future::poll_fn(|cx| timer.poll(cx)).await;
        assert_eq!(started.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_can_be_moved_forward() {
        let mut timer = Timer::new();
        timer.arm(Duration::from_secs(100));
        assert_eq!(std::future::poll_fn(|cx| Poll::Ready(timer.poll(cx))).await, Poll::Pending);
        timer.arm(Duration::from_secs(2));
        let started = Instant::now();
        std::future::poll_fn(|cx| timer.poll(cx)).await;
        assert_eq!(started.elapsed().as_secs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_shortened_timer_fires_no_later_than_before() {
        for (armed, shortened, fires) in [(9, 2, 2), (2, 9, 2)] {
            let mut timer = Timer::new();
            timer.arm(Duration::from_secs(armed));
            timer.shorten(Duration::from_secs(shortened));
            let started = Instant::now();
            std::future::poll_fn(|cx| timer.poll(cx)).await;
            assert_eq!(started.elapsed().as_secs(), fires);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn within_reports_the_operation_or_the_time() {
        let mut timer = Timer::new();
        assert_eq!(within(&mut timer, Duration::from_secs(1), |_| Poll::Ready(7)).await, Ok(7));
        assert_eq!(within::<()>(&mut timer, Duration::from_secs(1), |_| Poll::Pending).await, Err(TimedOut));
    }
}
