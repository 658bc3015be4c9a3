//! A client's connection from its acceptance to its close: requests one after the other, each answered before the next is read.
//! Not here: bytes and framing (`downstream`), and what is answered (`answer`).

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use config::model::{Level, Listen};
use http1::RequestError;
use policy::Cause;

use crate::answer::{Step, answer};
use crate::downstream::h1::{Arrival, Fault, H1, Idle};
use crate::downstream::proxy_protocol::{self, Ends, Header};
use crate::finish::{After, finish};
use crate::logs::error_log::Context;
use crate::request::{Downstream, Request};
use crate::stream::Stream;
use crate::tables::Hosts;
use crate::worker::leashes::{Leash, Wait};
use crate::worker::{Generation, Worker};

/// Takes an accepted stream on, unless the worker holds as many connections as it may.
pub(crate) fn start(
    worker: &Rc<Worker>,
    generation: Rc<Generation>,
    listen: &Arc<Listen>,
    stream: Stream,
    peer: Option<SocketAddr>,
    number: u64,
) {
    let limit = generation.tables.config.main.worker_connections;
    if worker.is_full() && !worker.make_room() {
        // Nothing waits: the new connection is refused by closing it, as nginx does.
        return generation.tables.log_main(Level::Alert, &format!("{limit} worker_connections are not enough"));
    }
    let connection = Downstream {
        number,
        peer,
        client: peer.map_or_else(|| "unix:".into(), |peer| peer.ip().to_string().into()),
        local: stream.local_address(),
        listen: listen.clone(),
        proxied: None,
        started: Instant::now(),
        requests: Cell::new(0),
    };
    let service = Service {
        worker: worker.clone(),
        generation,
        client: H1::new(stream, worker.buffers.clone()),
        connection: Rc::new(connection),
        leash: worker.leash(number),
    };
    tokio::task::spawn_local(Box::new(service).run());
}

/// A connection being served. While it idles there is nothing but this: what a request needs comes and goes with it.
struct Service {
    worker: Rc<Worker>,
    /// The tables for the next request: the worker's, unless these listen on the connection's address no more.
    generation: Rc<Generation>,
    client: H1,
    connection: Rc<Downstream>,
    leash: Leash,
}

impl Service {
    async fn run(mut self: Box<Self>) {
        if self.connection.listen.proxy_protocol && !Box::pin(self.take_proxy_header()).await {
            return;
        }
        let mut idle = None;
        loop {
            let left = self.client.has_input();
            if !left && !self.wait(idle).await {
                return;
            }
            match Box::pin(self.serve(idle.is_some() && left)).await {
                After::Keep(waits) => idle = Some(waits),
                After::Close => return,
                After::Linger { time, timeout } => return Box::pin(self.client.linger(time, timeout)).await,
            }
        }
    }

    /// Waits for the next request to begin; for the first one as long as for a head.
    async fn wait(&mut self, idle: Option<Idle>) -> bool {
        let idle = idle.unwrap_or_else(|| Idle { most: self.head_timeout(), least: Duration::ZERO });
        self.client.wait_for_bytes(idle, &self.leash).await
    }

    /// The virtual hosts of the address that was connected to.
    fn hosts<'a>(&self, generation: &'a Generation) -> Option<&'a Hosts> {
        generation.tables.hosts(&self.connection.listen.address, self.connection.local)
    }

    /// The default server's `client_header_timeout`: which server is meant is not known before there is a head.
    fn head_timeout(&self) -> Duration {
        let server = self.hosts(&self.generation).map_or(0, |hosts| hosts.names.default_server());
        let servers = &self.generation.tables.config.servers;
        servers.get(server).map_or(Duration::ZERO, |server| server.settings.client_header_timeout)
    }

    /// Serves the request that begins. `pipelined`: bytes of it came with the one before.
    async fn serve(&mut self, pipelined: bool) -> After {
        let now = self.worker.generation();
        let listened = self.hosts(&now).is_some();
        if listened {
            self.generation = now;
        }
        let generation = self.generation.clone();
        let Some(hosts) = self.hosts(&generation) else { return After::Close };
        let server = hosts.names.default_server();
        let timeout = generation.tables.config.servers[server].settings.client_header_timeout;
        let arrival = self.client.next_request(&hosts.limits, timeout, &self.leash).await;
        self.connection.requests.set(self.connection.requests.get() + 1);
        let (head, length, fault) = match arrival {
            Arrival::Closed => return After::Close,
            Arrival::Request(head, length) => (head, length, None),
            Arrival::Faulty(fault, head) => (head, 0, Some(fault)),
        };
        let mut request = Request::new(&self.worker, generation, &self.connection, server, head, length);
        request.pipelined = pipelined;
        // Where nothing listens any more, what was asked is answered still, and that is the end.
        request.keep_alive &= listened;
        match fault {
            None => respond(&mut self.client, &mut request).await,
            Some(fault) => Box::pin(refuse(&mut self.client, &mut request, fault)).await,
        }
    }

    /// Takes the PROXY header off; false, and said in the log, when there is none that can be read.
    async fn take_proxy_header(&mut self) -> bool {
        let timeout = self.head_timeout();
        match read_proxy_header(&self.worker, &mut self.client, &self.leash, timeout).await {
            Ok(ends) => {
                if let Some(connection) = Rc::get_mut(&mut self.connection) {
                    connection.proxied = ends;
                }
                true
            }
            Err(unread) => {
                log_unread(&self.worker, &self.connection, &unread);
                false
            }
        }
    }
}

/// Answers one request.
async fn respond(client: &mut H1, request: &mut Request) -> After {
    let first = request.begin(client);
    let answer = answer(client, request, first).await;
    finish(client, request, answer).await
}

/// Said of a connection that made room for another one before its head was complete.
const DISPLACED: &str = "worker_connections are not enough, closing the connection that has sent at its head longest";

/// Answers what became no request.
async fn refuse(client: &mut H1, request: &mut Request, fault: Fault) -> After {
    request.keep_alive = false;
    request.begin_refusal();
    let (first, message, cause) = match fault {
        Fault::CutOff => (Step::Silence(400), "client prematurely closed connection".into(), Cause::ClientCutOff),
        Fault::TimedOut => {
            (Step::Status(408), "client timed out (110: Connection timed out)".into(), Cause::ClientTimeout)
        }
        Fault::Displaced => (Step::Silence(408), DISPLACED.into(), Cause::ClientTimeout),
        Fault::Refused(error) if error.is_head_too_large() || error == RequestError::LineTooLong => {
            (Step::Status(refused_status(&error)), error.to_string(), Cause::ClientHeadTooLarge)
        }
        Fault::Refused(error) => (Step::Status(error.status()), error.to_string(), Cause::ClientMalformed),
    };
    request.refuse(&message, cause);
    let answer = answer(client, request, first).await;
    finish(client, request, answer).await
}

/// nginx answers heads that are too large with its own 494, which clients see as a 400.
fn refused_status(error: &RequestError) -> u16 {
    if error.is_head_too_large() { 494 } else { error.status() }
}

/// Reads the PROXY header within the time for a request's head, and while nobody else needs the place; what logs say of one
/// that cannot be read.
async fn read_proxy_header(
    worker: &Worker,
    client: &mut H1,
    leash: &Leash,
    timeout: Duration,
) -> Result<Option<Ends>, Unread> {
    let mut buffer = worker.buffers.take(proxy_protocol::V2_MAX + 16);
    let (stream, _, timer) = client.parts_mut();
    timer.arm(timeout);
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
            Poll::Ready(Ok(1..)) => Poll::Ready(Ok(())),
            Poll::Ready(_) => Poll::Ready(Err("client closed connection")),
            Poll::Pending if leash.poll_displaced(cx, Wait::Head).is_ready() => Poll::Ready(Err(DISPLACED)),
            Poll::Pending => timer.poll(cx).map(|()| Err("client timed out (110: Connection timed out)")),
        });
        read.await.map_err(|message| (Level::Info, message.to_owned()))?;
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
