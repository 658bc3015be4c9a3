//! Requests of one worker that wait for an upstream: put to sleep, woken in their order, and the look-out that finds the
//! endpoint that is back. Not here: who may wait and who goes first (`policy::hold`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use policy::EndpointId;
use policy::hold::{Hold, Ticket};
use tokio::sync::oneshot;

use super::{Upstream, connect};
use crate::client::{Client, ClientFailure};

/// The pause between two rounds of the look-out: short at first, for the restart that takes a moment.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_millis(250);

/// The queue of one upstream.
#[derive(Default)]
pub(crate) struct Held {
    queue: RefCell<Hold>,
    sleepers: RefCell<HashMap<Ticket, oneshot::Sender<()>>>,
    /// How many endpoints are being looked out for.
    watched: Cell<usize>,
}

impl Held {
    /// Whether a request that comes now has to wait behind others.
    pub(crate) fn must_wait(&self) -> bool {
        !self.queue.borrow().is_open()
    }

    fn wake(&self, released: Vec<Ticket>) {
        let mut sleepers = self.sleepers.borrow_mut();
        for ticket in released {
            // One who has just left is still released: its place says so when it is dropped.
            let _ = sleepers.remove(&ticket).map(|sleeper| sleeper.send(()));
        }
    }
}

/// How a wait ended.
pub(crate) enum Wait {
    /// It is this request's turn.
    Turn(Turn),
    /// Nobody came back in time.
    InVain,
    /// Too many wait already.
    Full,
    /// The client left first.
    Client(ClientFailure),
}

/// The right to make attempts, until it is said how they went.
pub(crate) struct Turn {
    upstream: Rc<Upstream>,
    ticket: Ticket,
    over: bool,
}

impl Turn {
    /// An endpoint answered: more may follow.
    pub(crate) fn passed(mut self) {
        self.over = true;
        let released = self.upstream.held.queue.borrow_mut().passed();
        self.upstream.held.wake(released);
    }

    /// No endpoint was back after all.
    fn give_back(mut self) -> Ticket {
        self.over = true;
        self.ticket
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            let released = self.upstream.held.queue.borrow_mut().abandoned();
            self.upstream.held.wake(released);
        }
    }
}

/// A place in the queue, given up when it is dropped before the turn came.
struct Place {
    upstream: Rc<Upstream>,
    ticket: Ticket,
    turn_came: bool,
}

impl Place {
    fn turn(mut self) -> Turn {
        self.turn_came = true;
        Turn { upstream: self.upstream.clone(), ticket: self.ticket, over: false }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.turn_came {
            return;
        }
        let held = &self.upstream.held;
        let released = match held.sleepers.borrow_mut().remove(&self.ticket) {
            Some(_) => {
                held.queue.borrow_mut().leave(self.ticket);
                Vec::new()
            }
            None => held.queue.borrow_mut().abandoned(),
        };
        held.wake(released);
    }
}

/// Waits for a turn until `deadline`. `turn` is the one that led to nothing, since endpoints were `full` or not there: its
/// place is kept.
pub(crate) async fn wait(
    upstream: &Rc<Upstream>,
    turn: Option<Turn>,
    full: bool,
    max: usize,
    deadline: Instant,
    client: &mut dyn Client,
) -> Wait {
    let held = &upstream.held;
    let ticket = match turn.map(Turn::give_back) {
        Some(ticket) => {
            match full {
                true => held.queue.borrow_mut().rejoin_full(ticket),
                false => held.queue.borrow_mut().rejoin(ticket),
            }
            ticket
        }
        None => match held.queue.borrow_mut().join(max) {
            Some(ticket) => ticket,
            None => return Wait::Full,
        },
    };
    let (wake, mut woken) = oneshot::channel();
    held.sleepers.borrow_mut().insert(ticket, wake);
    let place = Place { upstream: upstream.clone(), ticket, turn_came: false };
    watch(upstream);
    let mut end = pin!(tokio::time::sleep_until(deadline.into()));
    let mut came = false;
    let gone = std::future::poll_fn(|cx| {
        if Pin::new(&mut woken).poll(cx).is_ready() {
            came = true;
            return Poll::Ready(None);
        }
        if let Poll::Ready(errno) = client.poll_gone(cx) {
            return Poll::Ready(Some(ClientFailure::Gone(errno)));
        }
        end.as_mut().poll(cx).map(|()| None)
    })
    .await;
    match gone {
        Some(failure) => Wait::Client(failure),
        None if came => Wait::Turn(place.turn()),
        None => Wait::InVain,
    }
}

/// Sees to it that somebody looks out for every endpoint while requests wait.
fn watch(upstream: &Rc<Upstream>) {
    if upstream.held.watched.get() > 0 {
        return;
    }
    for endpoint in (0..upstream.endpoints.len()).map(EndpointId::from_index) {
        if upstream.may_serve(endpoint) {
            upstream.held.watched.update(|watched| watched + 1);
            tokio::task::spawn_local(look_out(upstream.clone(), endpoint));
        }
    }
}

/// Tries to connect as long as anybody waits.
async fn look_out(upstream: Rc<Upstream>, endpoint: EndpointId) {
    let held = &upstream.held;
    let mut pause = FIRST_PAUSE;
    while !held.queue.borrow().is_empty() {
        if connect::accepts(&upstream.endpoints[endpoint.index()]).await {
            upstream.readmit(endpoint, Instant::now());
            let released = held.queue.borrow_mut().reopen();
            held.wake(released);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LAST_PAUSE);
    }
    held.watched.update(|watched| watched - 1);
}
