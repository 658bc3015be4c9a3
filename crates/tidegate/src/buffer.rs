//! Byte buffers that connections borrow while they have something to say, and the worker's pool they return to.
//! Not here: any idea of what the bytes mean.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::stream::Stream;

/// What a head or a small body needs: a request with a body of 16 KiB arrives in one read.
pub(crate) const SMALL: usize = 18 * 1024;
/// What a large body is read with: fewer system calls a megabyte.
pub(crate) const LARGE: usize = 64 * 1024;
/// The most free buffers of one size that a worker keeps.
const KEPT: usize = 128;

/// A window of received bytes over a fixed allocation: consumed at its start, filled at its end.
pub(crate) struct Buffer {
    data: Box<[u8]>,
    start: usize,
    end: usize,
    pool: Option<Rc<BufferPool>>,
}

impl Buffer {
    /// What was received and not consumed yet.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Room for more. Moves what is left to the front when the end was reached.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.end == self.data.len() && self.start > 0 {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.data[self.end..]
    }

    /// Says that `count` bytes of [`Buffer::space`] were written.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.data.len());
    }

    /// Drops `count` bytes from the start.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Nothing is waiting to be consumed.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// No room is left, even after moving.
    pub(crate) fn is_full(&self) -> bool {
        self.end - self.start == self.data.len()
    }

    /// The size of the allocation.
    pub(crate) fn capacity(&self) -> usize {
        self.data.len()
    }

    /// Replaces the allocation by one of at least `capacity` bytes, keeping what is in it.
    pub(crate) fn grow(&mut self, capacity: usize) {
        if capacity <= self.data.len() {
            return;
        }
        let mut larger = match &self.pool {
            Some(pool) => pool.take(capacity),
            None => Buffer::detached(capacity),
        };
        let kept = self.bytes().len();
        larger.data[..kept].copy_from_slice(self.bytes());
        larger.filled(kept);
        *self = larger;
    }

    fn detached(capacity: usize) -> Self {
        Self { data: vec![0; capacity].into(), start: 0, end: 0, pool: None }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give(std::mem::take(&mut self.data));
        }
    }
}

/// Received bytes; there is a buffer only while there are some, so that waiting costs none.
pub(crate) struct Inbox {
    buffer: Option<Buffer>,
    pool: Rc<BufferPool>,
}

impl Inbox {
    pub(crate) fn new(pool: Rc<BufferPool>) -> Self {
        Self { buffer: None, pool }
    }

    /// What was received and not consumed yet.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], Buffer::bytes)
    }

    /// Drops `count` bytes from the start.
    pub(crate) fn consume(&mut self, count: usize) {
        if let Some(buffer) = &mut self.buffer {
            buffer.consume(count);
        }
        self.release_empty();
    }

    /// Reads once, if anything is there to be read.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<usize>> {
        let buffer = self.buffer.get_or_insert_with(|| self.pool.take(SMALL));
        let read = stream.poll_read(cx, buffer);
        self.release_empty();
        read
    }

    /// Makes room for at least `capacity` bytes where there is none left.
    pub(crate) fn grow_if_full(&mut self, capacity: usize) {
        if let Some(buffer) = self.buffer.as_mut().filter(|buffer| buffer.is_full()) {
            buffer.grow(capacity);
        }
    }

    /// The buffer with what is left, which may be nothing.
    pub(crate) fn into_buffer(self) -> Buffer {
        self.buffer.unwrap_or_else(|| self.pool.take(SMALL))
    }

    fn release_empty(&mut self) {
        if self.buffer.as_ref().is_some_and(Buffer::is_empty) {
            self.buffer = None;
        }
    }
}

/// A worker's free buffers, by size class.
#[derive(Default)]
pub(crate) struct BufferPool {
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
}

impl BufferPool {
    /// A buffer of at least `capacity` bytes; odd sizes beyond [`LARGE`] are made and dropped as needed.
    pub(crate) fn take(self: &Rc<Self>, capacity: usize) -> Buffer {
        let sizes = [SMALL, LARGE];
        let Some(size) = sizes.into_iter().find(|size| capacity <= *size) else {
            return Buffer::detached(capacity);
        };
        let data = self.shelf(size).and_then(|shelf| shelf.borrow_mut().pop());
        let data = data.unwrap_or_else(|| vec![0; size].into());
        Buffer { data, start: 0, end: 0, pool: Some(self.clone()) }
    }

    fn give(&self, data: Box<[u8]>) {
        if let Some(shelf) = self.shelf(data.len()) {
            let mut shelf = shelf.borrow_mut();
            if shelf.len() < KEPT {
                shelf.push(data);
            }
        }
    }

    fn shelf(&self, size: usize) -> Option<&RefCell<Vec<Box<[u8]>>>> {
        match size {
            SMALL => Some(&self.small),
            LARGE => Some(&self.large),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pool: &Rc<BufferPool>, bytes: &[u8]) -> Buffer {
        let mut buffer = pool.take(SMALL);
        buffer.space()[..bytes.len()].copy_from_slice(bytes);
        buffer.filled(bytes.len());
        buffer
    }

    #[test]
    fn consumed_bytes_make_room_again() {
        let pool = Rc::new(BufferPool::default());
        let mut buffer = filled(&pool, &[7; SMALL]);
        assert!(buffer.is_full());
        buffer.consume(SMALL - 2);
        assert_eq!(buffer.bytes(), &[7, 7]);
        assert_eq!(buffer.space().len(), SMALL - 2);
        assert_eq!(buffer.bytes(), &[7, 7]);
    }

    #[test]
    fn growing_keeps_what_was_received() {
        let pool = Rc::new(BufferPool::default());
        let mut buffer = filled(&pool, b"abc");
        buffer.consume(1);
        buffer.grow(LARGE);
        assert_eq!((buffer.bytes(), buffer.capacity()), (b"bc".as_slice(), LARGE));
    }

    #[test]
    fn dropped_buffers_return_to_the_pool_up_to_its_bound() {
        let pool = Rc::new(BufferPool::default());
        let many: Vec<_> = (0..KEPT + 3).map(|_| pool.take(SMALL)).collect();
        drop(many);
        assert_eq!(pool.small.borrow().len(), KEPT);
    }
}
