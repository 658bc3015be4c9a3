//! The connections of a worker, each on a leash: they are counted, and let go when another one needs the place or the worker
//! drains. Not here: what a connection does then (`downstream`, `connection`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Why the worker lets a connection go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Another one needs its place.
    Room,
    /// The worker drains.
    Drain,
}

/// What a connection waits for that may be let go. What costs its client least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// Its next request, or its first one.
    Request,
    /// The rest of a request's head, or of what stands before it.
    Head,
}

/// All connections of a worker.
#[derive(Default)]
pub(crate) struct Leashes {
    all: RefCell<BTreeMap<u64, Rc<State>>>,
    /// How often a connection began to wait: tells who has waited longest, without a clock.
    waits: Cell<u64>,
    /// Woken when the last connection is gone.
    emptied: tokio::sync::Notify,
}

impl Leashes {
    /// Takes a connection on; it counts until the leash is dropped.
    pub(crate) fn tie(self: &Rc<Self>, number: u64) -> Leash {
        let state = Rc::new(State::default());
        self.all.borrow_mut().insert(number, state.clone());
        Leash { all: self.clone(), number, state }
    }

    pub(crate) fn count(&self) -> usize {
        self.all.borrow().len()
    }

    /// Lets connections go that have waited longest: those that idle, and only where none does, those whose head is
    /// incomplete. As many at once as nginx does, an eighth of them and 32 at most, so that looking for them is not done for
    /// each newcomer. False when there were none.
    pub(crate) fn make_room(&self) -> bool {
        self.release(Wait::Request) || self.release(Wait::Head)
    }

    fn release(&self, wait: Wait) -> bool {
        let all = self.all.borrow();
        let mut waiting: Vec<&Rc<State>> = all.values().filter(|state| state.can_be_let_go(wait)).collect();
        let count = (waiting.len() / 8).clamp(1, 32).min(waiting.len());
        waiting.sort_unstable_by_key(|state| state.since.get());
        waiting[..count].iter().for_each(|state| state.release(Reason::Room));
        count > 0
    }

    /// Lets all go that have asked before. What has not asked for anything yet is about to: as nginx does, its first request
    /// is waited for.
    pub(crate) fn drain(&self) {
        let all = self.all.borrow();
        let asked = all.values().filter(|state| state.asked.get() && state.released.get().is_none());
        asked.for_each(|state| state.release(Reason::Drain));
    }

    /// Undoes [`Leashes::drain`] for those that have not gone yet.
    pub(crate) fn keep(&self) {
        let all = self.all.borrow();
        let drained = all.values().filter(|state| state.released.get() == Some(Reason::Drain));
        drained.for_each(|state| state.released.set(None));
    }

    pub(crate) async fn wait_until_empty(&self) {
        while self.count() > 0 {
            self.emptied.notified().await;
        }
    }

    fn next_wait(&self) -> u64 {
        let next = self.waits.get() + 1;
        self.waits.set(next);
        next
    }
}

#[derive(Default)]
struct State {
    /// The connection has carried a request.
    asked: Cell<bool>,
    released: Cell<Option<Reason>>,
    /// None while it works on a request.
    wait: Cell<Option<Wait>>,
    /// Which wait of the worker's it is.
    since: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl State {
    fn can_be_let_go(&self, wait: Wait) -> bool {
        self.wait.get() == Some(wait) && self.released.get() != Some(Reason::Room)
    }

    fn release(&self, reason: Reason) {
        self.released.set(Some(reason));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// A connection's tie to its worker.
pub(crate) struct Leash {
    all: Rc<Leashes>,
    number: u64,
    state: Rc<State>,
}

impl Leash {
    /// Ready when the worker lets the connection go. From now on it may, until [`Leash::busy`].
    pub(crate) fn poll_released(&self, cx: &Context<'_>, wait: Wait) -> Poll<Reason> {
        if let Some(reason) = self.state.released.get() {
            return Poll::Ready(reason);
        }
        self.expose(cx, wait);
        Poll::Pending
    }

    /// The same where a drain ends nothing.
    pub(crate) fn poll_displaced(&self, cx: &Context<'_>, wait: Wait) -> Poll<()> {
        if self.state.released.get() == Some(Reason::Room) {
            return Poll::Ready(());
        }
        self.expose(cx, wait);
        Poll::Pending
    }

    fn expose(&self, cx: &Context<'_>, wait: Wait) {
        if self.state.wait.replace(Some(wait)) != Some(wait) {
            self.state.since.set(self.all.next_wait());
        }
        let mut waker = self.state.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    /// Says that the connection works on a request now.
    pub(crate) fn busy(&self) {
        self.state.asked.set(true);
        self.state.wait.set(None);
        self.state.waker.borrow_mut().take();
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let mut all = self.all.all.borrow_mut();
        all.remove(&self.number);
        if all.is_empty() {
            self.all.emptied.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    fn tied(all: &Rc<Leashes>, waits: &[Option<Wait>]) -> Vec<Leash> {
        let tie = |(number, wait): (usize, &Option<Wait>)| {
            let leash = all.tie(number as u64);
            if let Some(wait) = wait {
                assert!(leash.poll_released(&context(), *wait).is_pending());
            }
            leash
        };
        waits.iter().enumerate().map(tie).collect()
    }

    fn displaced(leashes: &[Leash]) -> Vec<usize> {
        let gone = |leash: &&Leash| leash.state.released.get() == Some(Reason::Room);
        leashes.iter().filter(gone).map(|leash| leash.number as usize).collect()
    }

    #[test]
    fn who_idles_makes_room_before_who_sends_a_head_and_who_works_never() {
        let all = Rc::new(Leashes::default());
        let leashes = tied(&all, &[Some(Wait::Head), None, Some(Wait::Request), Some(Wait::Head), Some(Wait::Request)]);
        let gone: Vec<_> = (0..4).map(|_| (all.make_room(), displaced(&leashes))).collect();
        assert_eq!(gone, [(true, vec![2]), (true, vec![2, 4]), (true, vec![0, 2, 4]), (true, vec![0, 2, 3, 4])]);
        assert!(!all.make_room(), "who works stays");
    }

    #[test]
    fn a_head_that_goes_on_dripping_stays_the_oldest() {
        let all = Rc::new(Leashes::default());
        let leashes = tied(&all, &[Some(Wait::Head), Some(Wait::Head)]);
        assert!(leashes[0].poll_displaced(&context(), Wait::Head).is_pending());
        all.make_room();
        assert_eq!(displaced(&leashes), [0]);
    }

    #[test]
    fn a_drain_lets_go_who_has_asked_and_room_is_made_among_them_first() {
        let all = Rc::new(Leashes::default());
        let leashes = tied(&all, &[None, None]);
        leashes[0].busy();
        all.drain();
        assert_eq!(leashes[0].poll_released(&context(), Wait::Request), Poll::Ready(Reason::Drain));
        assert!(leashes[0].poll_displaced(&context(), Wait::Request).is_pending(), "it may stay for a while");
        assert!(leashes[1].poll_released(&context(), Wait::Request).is_pending(), "it has not asked yet");
        all.make_room();
        assert!(leashes[0].poll_displaced(&context(), Wait::Request).is_ready());
    }

    #[test]
    fn a_drain_that_is_called_off_keeps_who_is_still_there() {
        let all = Rc::new(Leashes::default());
        let leashes = tied(&all, &[None]);
        leashes[0].busy();
        all.drain();
        all.keep();
        assert!(leashes[0].poll_released(&context(), Wait::Request).is_pending());
    }
}
