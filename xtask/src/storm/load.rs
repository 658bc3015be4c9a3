//! The clients: requests that begin at their time whatever became of those before them (an open loop), GETs and POSTs, over
//! kept connections. Nothing is repeated: what fails is a failure.
//! Not here: what is made of the results (`measure`), and the bytes (`work`).

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::work;

/// How long a client waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Requests under way at once; those beyond it are failures.
const LIMIT: usize = 5000;
/// A kept connection that idled for longer is not used again.
const IDLE: Duration = Duration::from_secs(10);

/// When requests begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rhythm {
    /// So many a second.
    Steady(u32),
    /// So many at once, after each such pause, give or take a hundredth.
    Bursts(u32, Duration),
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) rhythm: Rhythm,
    pub(super) time: Duration,
    /// One in so many is a POST.
    pub(super) post_every: u64,
}

impl Plan {
    /// The moments at which requests begin.
    pub(super) fn moments(&self) -> Vec<Duration> {
        match self.rhythm {
            Rhythm::Steady(rate) => {
                let count = (self.time.as_secs_f64() * f64::from(rate)) as u32;
                (0..count).map(|number| Duration::from_secs(1) * number / rate).collect()
            }
            Rhythm::Bursts(size, pause) => {
                let bursts = (self.time.as_millis() / pause.as_millis()) as u32;
                // Each burst is spread over a fiftieth of the pause, around its end.
                let within = |number| pause / 50 * number / size;
                (0..=bursts).flat_map(|burst| (0..size).map(move |number| pause * burst + within(number))).collect()
            }
        }
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Right,
    Status(u16),
    /// An answer that is not the one to this request.
    Wrong,
    /// The connection ended without an answer, or within it.
    Cut,
    Refused,
    TimedOut,
    /// More was under way than a client may have.
    Crowded,
}

/// A request that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) id: u64,
    pub(super) is_post: bool,
    pub(super) end: End,
    /// From when it should have begun.
    pub(super) took: Duration,
}

/// Asks according to the plan and waits for every end.
pub(super) async fn run(target: SocketAddr, plan: Plan) -> Vec<Done> {
    let clients = Rc::new(Clients { target, idle: RefCell::default() });
    let (begin, mut under_way, mut done) = (Instant::now(), JoinSet::new(), Vec::new());
    for (id, moment) in (1..).zip(plan.moments()) {
        let due = begin + moment;
        sleep_until(due.into()).await;
        while let Some(Ok(over)) = under_way.try_join_next() {
            done.push(over);
        }
        let is_post = id % plan.post_every == 0;
        if under_way.len() >= LIMIT {
            done.push(Done { id, is_post, end: End::Crowded, took: Duration::ZERO });
            continue;
        }
        let clients = clients.clone();
        under_way.spawn_local(async move {
            let end = timeout(PATIENCE, clients.ask(id, is_post)).await.unwrap_or(End::TimedOut);
            Done { id, is_post, end, took: due.elapsed() }
        });
    }
    while let Some(over) = under_way.join_next().await {
        done.extend(over.ok());
    }
    done
}

struct Clients {
    target: SocketAddr,
    idle: RefCell<Vec<(TcpStream, Instant)>>,
}

impl Clients {
    async fn ask(&self, id: u64, is_post: bool) -> End {
        let stream = match self.kept() {
            Some(stream) => stream,
            None => match TcpStream::connect(self.target).await {
                Ok(stream) => stream,
                Err(_) => return End::Refused,
            },
        };
        match exchange(stream, &work::request(id, is_post)).await {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => End::Wrong,
            Err(_) => End::Cut,
            Ok((answer, stream)) => {
                if answer.keeps {
                    self.idle.borrow_mut().push((stream, Instant::now()));
                }
                match answer.status {
                    200 if answer.body == work::body(id) => End::Right,
                    200 => End::Wrong,
                    status => End::Status(status),
                }
            }
        }
    }

    /// A kept connection that is open, the one used last first.
    fn kept(&self) -> Option<TcpStream> {
        let mut idle = self.idle.borrow_mut();
        while let Some((stream, since)) = idle.pop() {
            let quiet = stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            if quiet && since.elapsed() < IDLE {
                return Some(stream);
            }
        }
        None
    }
}

async fn exchange(mut stream: TcpStream, request: &[u8]) -> io::Result<(work::Answer, TcpStream)> {
    stream.set_nodelay(true)?;
    stream.write_all(request).await?;
    let mut bytes = Vec::with_capacity(2 * work::BODY);
    loop {
        let ended = stream.read_buf(&mut bytes).await? == 0;
        if let Some(answer) = work::read_answer(&bytes, ended)? {
            return Ok((answer, stream));
        }
        if ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_begin_at_a_fixed_rate_or_in_bursts() {
        let plan = |rhythm| Plan { rhythm, time: Duration::from_secs(2), post_every: 4 };
        let steady = plan(Rhythm::Steady(10)).moments();
        assert_eq!((steady.len(), steady[10]), (20, Duration::from_secs(1)));
        let bursts = plan(Rhythm::Bursts(4, Duration::from_secs(1))).moments();
        assert_eq!((bursts.len(), bursts[4]), (12, Duration::from_secs(1)));
    }
}
