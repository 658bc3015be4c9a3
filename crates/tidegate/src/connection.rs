//! A client's connection from its acceptance to its close: requests one after the other, each answered before the next is read.
//! Not here: bytes and framing (`downstream`), and what is answered (`answer`).

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use config::model::{Level, Listen};
use http1::RequestError;

use crate::answer::{Step, answer};
use crate::downstream::h1::{Arrival, Fault, H1};
use crate::downstream::proxy_protocol::{self, Ends, Header};
use crate::finish::{After, finish};
use crate::logs::error_log::Context;
use crate::request::{Downstream, Request};
use crate::stream::Stream;
use crate::worker::{Leash, Worker};

/// Takes an accepted stream on, unless the worker holds as many connections as it may.
pub(crate) fn start(worker: &Rc<Worker>, listen: &Arc<Listen>, stream: Stream, peer: Option<SocketAddr>, number: u64) {
    let generation = worker.generation();
    let limit = generation.tables.config.main.worker_connections;
    if worker.connections() >= limit && !worker.release_one_idle() {
        // Nothing idles: the new connection is refused by closing it, as nginx does.
        return generation.tables.log_main(Level::Alert, &format!("{limit} worker_connections are not enough"));
    }
    let leash = worker.leash(number);
    tokio::task::spawn_local(run(worker.clone(), listen.clone(), stream, peer, number, leash));
}

async fn run(
    worker: Rc<Worker>,
    listen: Arc<Listen>,
    stream: Stream,
    peer: Option<SocketAddr>,
    number: u64,
    leash: Leash,
) {
    let started = Instant::now();
    let local = stream.local_address();
    let mut client = H1::new(stream, worker.buffers.clone());
    let requests = std::cell::Cell::new(0);
    let mut downstream =
        Downstream { number, peer, client: client_text(peer), local, listen, proxied: None, started, requests };
    if downstream.listen.proxy_protocol {
        match read_proxy_header(&worker, &mut client).await {
            Ok(ends) => downstream.proxied = ends,
            Err(unread) => return log_unread(&worker, &downstream, &unread),
        }
    }
    let downstream = Rc::new(downstream);
    let mut idle = None;
    loop {
        match serve(&worker, &mut client, &downstream, &leash, idle).await {
            After::Keep(timeout) => idle = Some(timeout),
            After::Close => return,
            After::Linger { time, timeout } => return client.linger(time, timeout).await,
        }
    }
}

/// Serves the next request. `idle` is how long to wait for it; `None` for the first one of a connection.
async fn serve(
    worker: &Rc<Worker>,
    client: &mut H1,
    connection: &Rc<Downstream>,
    leash: &Leash,
    idle: Option<Duration>,
) -> After {
    let generation = worker.generation();
    let Some(hosts) = generation.tables.hosts(&connection.listen.address, connection.local) else {
        // The address is no longer listened on.
        return After::Close;
    };
    let server = hosts.names.default_server();
    let settings = &generation.tables.config.servers[server].settings;
    let timeout = settings.client_header_timeout;
    let pipelined = idle.is_some() && client.has_input();
    let arrival = client.next_request(&hosts.limits, idle.unwrap_or(timeout), timeout, leash).await;
    leash.busy();
    connection.requests.set(connection.requests.get() + 1);
    match arrival {
        Arrival::Closed => After::Close,
        // The future of a request is large: it exists only while there is one.
        Arrival::Request(head, length) => {
            let mut request = Request::new(worker, generation.clone(), connection, server, head, length);
            request.pipelined = pipelined;
            Box::pin(respond(client, request)).await
        }
        Arrival::Faulty(fault, head) => {
            let request = Request::new(worker, generation.clone(), connection, server, head, 0);
            Box::pin(refuse(client, request, fault)).await
        }
    }
}

/// Answers one request.
async fn respond(client: &mut H1, mut request: Request) -> After {
    let first = request.begin(client);
    let answer = answer(client, &mut request, first).await;
    finish(client, &mut request, answer).await
}

/// Answers what became no request.
async fn refuse(client: &mut H1, mut request: Request, fault: Fault) -> After {
    request.keep_alive = false;
    request.begin_refusal();
    let (first, message) = match fault {
        Fault::CutOff => (Step::Silence(400), "client prematurely closed connection".into()),
        Fault::TimedOut => (Step::Status(408), "client timed out (110: Connection timed out)".into()),
        Fault::Refused(error) => (Step::Status(refused_status(&error)), error.to_string()),
    };
    request.log_refusal(&message);
    let answer = answer(client, &mut request, first).await;
    finish(client, &mut request, answer).await
}

/// nginx answers heads that are too large with its own 494, which clients see as a 400.
fn refused_status(error: &RequestError) -> u16 {
    if error.is_head_too_large() { 494 } else { error.status() }
}

/// Reads the PROXY header within the time for a request's head; what logs say of one that cannot be read.
async fn read_proxy_header(worker: &Rc<Worker>, client: &mut H1) -> Result<Option<Ends>, Unread> {
    let mut buffer = worker.buffers.take(proxy_protocol::V2_MAX + 16);
    let generation = worker.generation();
    let timeout = generation.tables.config.servers.first().map(|server| server.settings.client_header_timeout);
    let (stream, _, timer) = client.parts_mut();
    timer.arm(timeout.unwrap_or_default());
    loop {
        match proxy_protocol::parse(buffer.bytes()) {
            Header::Complete(length, ends) => {
                buffer.consume(length);
                client.unread(buffer);
                return Ok(ends);
            }
            Header::Broken => return Err(broken(buffer.bytes())),
            Header::Partial => {}
        }
        let read = std::future::poll_fn(|cx| match stream.poll_read(cx, &mut buffer) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending => timer.poll(cx).map(|()| None),
        });
        match read.await {
            Some(Ok(1..)) => {}
            Some(_) => return Err((Level::Info, "client closed connection".to_owned())),
            None => return Err((Level::Info, "client timed out (110: Connection timed out)".to_owned())),
        }
    }
}

/// The level and the message for a PROXY header that cannot be read.
type Unread = (Level, String);

fn broken(header: &[u8]) -> Unread {
    const SHOWN: usize = 200;
    let shown = String::from_utf8_lossy(&header[..header.len().min(SHOWN)]);
    (Level::Error, format!("broken header: \"{shown}\""))
}

/// Says why a connection was closed before it could ask for anything.
fn log_unread(worker: &Worker, connection: &Downstream, (level, message): &Unread) {
    let (address, port) = connection.server();
    let server = port.map_or(address.clone(), |port| format!("{address}:{port}"));
    let context = Context { client: Some(&connection.client), server: Some(&server), ..Context::default() };
    let message = format!("{message} while reading PROXY protocol");
    worker.generation().tables.log(*level, Some(connection.number), &message, &context);
}

/// `$remote_addr`.
fn client_text(peer: Option<SocketAddr>) -> Box<str> {
    peer.map_or_else(|| "unix:".into(), |peer| peer.ip().to_string().into())
}
