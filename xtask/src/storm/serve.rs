//! One connection of an endpoint: reads requests, notes what it executes, answers or fails as its endpoint is told to.
//! Not here: what is told (`origins`).

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::origins::{Behaviour, Endpoint, Fate};
use super::work::{self, Request};

/// How long an answer takes, give or take.
const WORK: Duration = Duration::from_millis(5);
/// Between the moment from which an endpoint reads no more and the end of a connection that it closes without a word: what
/// a network's way would make of it.
const CROSSING: Duration = Duration::from_millis(2);
/// How fast an endpoint that is asked for too much gets slower.
const COLLAPSE: f64 = 1.5;
const LIMIT: usize = 64 * 1024;

/// Serves until the connection or the endpoint ends.
pub(super) async fn connection(mut stream: TcpStream, endpoint: Arc<Endpoint>, mut fate: watch::Receiver<Fate>) {
    let _ = stream.set_nodelay(true);
    let mut dying = fate.clone();
    tokio::select! {
        _ = dying.wait_for(|fate| *fate == Fate::Die) => {
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
        _ = requests(&mut stream, &endpoint, &mut fate) => {}
    }
}

async fn requests(stream: &mut TcpStream, endpoint: &Endpoint, fate: &mut watch::Receiver<Fate>) -> io::Result<()> {
    let mut buffer = Vec::new();
    for count in 1.. {
        let request = tokio::select! {
            biased;
            request = next(stream, &mut buffer, endpoint.closing.idle) => request?,
            _ = fate.wait_for(|fate| *fate == Fate::Drain), if buffer.is_empty() => return Ok(()),
        };
        let Some(request) = request else { break };
        if !answer(stream, endpoint, &request).await? || *fate.borrow() == Fate::Drain {
            return Ok(());
        }
        if endpoint.closing.requests.is_some_and(|limit| count >= limit) {
            break;
        }
    }
    sleep(CROSSING).await;
    Ok(())
}

/// The next request; none when the connection idles too long.
async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>, idle: Option<Duration>) -> io::Result<Option<Request>> {
    let limit = idle.filter(|_| buffer.is_empty());
    if let Some(limit) = limit
        && timeout(limit, stream.readable()).await.is_err()
    {
        return Ok(None);
    }
    loop {
        if let Some((request, length)) = work::read_request(buffer)? {
            buffer.drain(..length);
            return Ok(Some(request));
        }
        if stream.read_buf(buffer).await? == 0 || buffer.len() > LIMIT {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Answers, well or badly; false when the connection is at its end.
async fn answer(stream: &mut TcpStream, endpoint: &Endpoint, request: &Request) -> io::Result<bool> {
    let behaviour = endpoint.behaviour();
    if behaviour == Behaviour::Hang {
        note(endpoint, request);
        std::future::pending::<()>().await;
    }
    let Some(id) = request.id else {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").await?;
        return Ok(true);
    };
    note(endpoint, request);
    labour(endpoint, behaviour).await;
    let fails = endpoint.is_every_second();
    let whole = work::answer(id);
    match behaviour {
        Behaviour::Truncate if fails => {
            let broken = if endpoint.turn(3) == 2 { work::chunked(id) } else { whole };
            stream.write_all(&broken[..broken.len() * 2 / 3]).await?;
            Ok(false)
        }
        Behaviour::Malform if fails => {
            let heads: [&[u8]; 4] = [
                b"HTTP/1.1 two hundred OK\r\nContent-Length: 0\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP at all\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
                b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
            ];
            stream.write_all(heads[endpoint.turn(4) as usize]).await?;
            Ok(false)
        }
        Behaviour::CloseEmpty if fails => Ok(false),
        _ => stream.write_all(&whole).await.map(|()| true),
    }
}

fn note(endpoint: &Endpoint, request: &Request) {
    if let (Some(id), true) = (request.id, request.is_post) {
        endpoint.ledger.executed(id);
    }
}

/// The work of a request takes its time.
async fn labour(endpoint: &Endpoint, behaviour: Behaviour) {
    let under_way = UnderWay::begin(endpoint);
    let time = match behaviour {
        Behaviour::Slow(time) => time,
        Behaviour::Collapse(at_once, time) => {
            let excess = f64::from(under_way.count.max(at_once)) / f64::from(at_once);
            time.mul_f64(excess.powf(COLLAPSE))
        }
        _ => WORK,
    };
    sleep(time).await;
}

/// A request that is counted as long as it is worked on.
struct UnderWay<'a> {
    endpoint: &'a Endpoint,
    count: u32,
}

impl<'a> UnderWay<'a> {
    fn begin(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, count: endpoint.active.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.endpoint.active.fetch_sub(1, Ordering::Relaxed);
    }
}
