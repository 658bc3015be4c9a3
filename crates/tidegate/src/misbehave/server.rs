//! A server with a mode: a thread with its own runtime, which ends with the handle. Not here: what a connection does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::account::{Account, Counts, Tally, count};
use super::mode::Mode;
use super::modes;
use super::parameters::Parameters;
use super::play::{Player, Plays};
use super::port::{Acceptor, Listen, Port};
use super::script::{Door, Script};

/// The most connections at a time; those beyond are closed at once.
const MAX_CONNECTIONS: usize = 4096;
/// The queue of a port that accepts.
const BACKLOG: u16 = 511;
/// How long accepting pauses when the process has no descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// What a server does.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Fails in one way.
    Mode(&'static Mode, Parameters),
    /// Fails as each request's path says.
    ByPath,
}

impl Act {
    /// The mode of this name, with its own parameters.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, String> {
        let mode = modes::find(name)?;
        mode.parameters(super::Words::default()).map(|parameters| Act::Mode(mode, parameters))
    }
}

/// A server that fails on purpose, until it is dropped.
pub struct Server {
    address: Listen,
    act: Option<watch::Sender<Act>>,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it. `hello` is the text of its good answers; `tell` hears of every connection that ends.
    ///
    /// # Errors
    /// The address is taken, not ours or not allowed, or the system has no more threads.
    pub fn start(
        listen: &Listen,
        act: Act,
        hello: &str,
        tell: Option<mpsc::UnboundedSender<Account>>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let _inside = runtime.enter();
        let port = Port::bind(listen)?;
        let address = port.listen.clone();
        let counts = Arc::<Counts>::default();
        let service = Service { hello: hello.into(), counts: counts.clone(), tell, accepted: AtomicU64::new(0) };
        let state = State::new(&port, act)?;
        let (act, acts) = watch::channel(act);
        let serve = move || runtime.block_on(service.serve(&port, state, acts));
        let thread = std::thread::Builder::new().name("misbehave".into()).spawn(serve)?;
        Ok(Self { address, act: Some(act), counts, thread: Some(thread) })
    }

    /// Where it listens, or would.
    pub fn address(&self) -> &Listen {
        &self.address
    }

    /// From now on does something else, as if another program had been started in its place: connections are closed.
    pub fn set(&self, act: Act) {
        if let Some(sender) = &self.act {
            sender.send_replace(act);
        }
    }

    /// What was counted so far.
    pub fn tally(&self) -> Tally {
        self.counts.tally()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its end is what the thread waits for.
        self.act = None;
        if let Some(thread) = self.thread.take() {
            // A panic of its was printed where it happened.
            let _ = thread.join();
        }
    }
}

/// What all connections share.
struct Service {
    hello: Arc<str>,
    counts: Arc<Counts>,
    tell: Option<mpsc::UnboundedSender<Account>>,
    accepted: AtomicU64,
}

/// The port as an act wants it.
enum State {
    Open(Acceptor, Cast),
    Refuses,
    /// Sockets that keep the queue full.
    Full {
        _held: (Acceptor, socket2::Socket),
    },
}

/// Who plays what.
enum Cast {
    All(Plays),
    /// Each so-many-th connection plays the first, the others the second.
    Each(u64, Plays, Plays),
}

impl State {
    fn new(port: &Port, act: Act) -> io::Result<Self> {
        let (mode, parameters) = match act {
            Act::ByPath => return Ok(State::Open(port.open(BACKLOG)?, Cast::All(Plays::Paths))),
            Act::Mode(mode, parameters) => (mode, parameters),
        };
        let script = mode.script(&parameters);
        match script.door {
            Door::Refuses => Ok(State::Refuses),
            Door::Full => {
                let acceptor = port.open(0)?;
                Ok(State::Full { _held: (acceptor, port.fill()?) })
            }
            Door::Open => {
                let fails = Plays::Mode(mode.name, Arc::new(script));
                let cast = if mode.flaps { Cast::Each(parameters.count, fails, well_once()) } else { Cast::All(fails) };
                Ok(State::Open(port.open(BACKLOG)?, cast))
            }
        }
    }
}

/// One good answer a connection, so that counting connections counts requests.
fn well_once() -> Plays {
    use super::script::{Answer, Step};
    let answer = Step::Answer(Answer::WELL.with("Connection: close\r\n"));
    Plays::Mode("well", Arc::new(Script::reply([answer])))
}

impl Cast {
    fn plays(&self, number: u64) -> Plays {
        match self {
            Cast::All(plays) => plays.clone(),
            Cast::Each(count, fails, _) if number.is_multiple_of((*count).max(1)) => fails.clone(),
            Cast::Each(_, _, well) => well.clone(),
        }
    }
}

impl Service {
    /// Serves until the handle is gone.
    async fn serve(&self, port: &Port, mut state: State, mut acts: watch::Receiver<Act>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                changed = acts.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    connections.abort_all();
                    drop(state);
                    let act = *acts.borrow_and_update();
                    // Without a socket left nobody is let in, which is how such a system fails.
                    state = State::new(port, act).unwrap_or(State::Refuses);
                }
                () = self.accept(&state, &mut connections) => {}
            }
        }
    }

    async fn accept(&self, state: &State, connections: &mut JoinSet<()>) {
        let State::Open(acceptor, cast) = state else { return std::future::pending().await };
        let Ok((stream, peer)) = acceptor.accept().await else { return tokio::time::sleep(EXHAUSTED_PAUSE).await };
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            return;
        }
        let number = count(&self.accepted);
        count(&self.counts.connections);
        let player = Player::new(stream, self.hello.clone(), self.counts.clone());
        let (plays, tell) = (cast.plays(number), self.tell.clone());
        connections.spawn(async move {
            let account = player.play(plays, peer).await;
            if let Some(tell) = tell {
                // Whoever asked may have gone.
                let _ = tell.send(account);
            }
        });
    }
}
