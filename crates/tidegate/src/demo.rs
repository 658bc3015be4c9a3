//! The demonstration: a gateway in front of three origins of our own, one of which fails in a different way every few
//! seconds, and a live account of what failed and what the client got instead. Not here: the gateway.

mod mood;
mod show;
mod traffic;

use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use crate::logs::clock::Clock;
use crate::misbehave::{Act, Listen, Server};
use crate::record::{Observer, Summary};
use mood::Mood;
use show::{HEADING, Show, Tally};

/// The ports that are taken if they are free: the gateway's, then the origins'.
const PORTS: [u16; 4] = [8080, 8081, 8082, 8083];

/// The origins' names, in the order of their ports.
const ORIGINS: [&str; 3] = ["steady", "moody", "backup"];

/// The origins in place, nothing else started yet.
pub struct Demo {
    places: Places,
    origins: [Server; 3],
}

/// Where everything listens.
#[derive(Debug, Clone, Copy)]
struct Places {
    gateway: SocketAddr,
    origins: [SocketAddr; 3],
}

impl Demo {
    /// Starts the origins on ports of the loopback address, and finds one for the gateway.
    ///
    /// # Errors
    /// There is none.
    pub fn prepare() -> io::Result<Self> {
        let [gateway, steady, moody, backup] = PORTS;
        let [first, second, third] = ORIGINS;
        let origins = [origin(first, steady)?, origin(second, moody)?, origin(third, backup)?];
        let [steady, moody, backup] = &origins;
        let addresses = [address(steady)?, address(moody)?, address(backup)?];
        // Free again at the end of this line: the gateway listens itself.
        let gateway = on_port(gateway, |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?.local_addr()?;
        Ok(Self { places: Places { gateway, origins: addresses }, origins })
    }

    /// The configuration that it runs.
    pub fn configuration(&self) -> String {
        self.places.configuration()
    }

    /// The configuration that a demonstration runs where all its ports are free.
    pub fn usual_configuration() -> String {
        let [gateway, steady, moody, backup] = PORTS.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Places { gateway, origins: [steady, moody, backup] }.configuration()
    }

    /// Starts the client, the moods, and the account of what happens. Returns where the gateway tells it.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(self) -> io::Result<Running> {
        let program = std::env::args().next().unwrap_or_else(|| "tidegate".into());
        put(&self.places.introduction(&program));
        let Places { gateway, origins } = self.places;
        let names = origins.map(|address| address.to_string()).into_iter().zip(ORIGINS).collect();
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let (observer, summaries) = channel();
        let account = thread::Builder::new().name("account".into());
        let [steady, moody, backup] = self.origins;
        let account = account.spawn(move || {
            let tally = tell(&summaries, &Show { names, colours }, &moody);
            drop([steady, moody, backup]);
            tally
        })?;
        thread::Builder::new().name("client".into()).spawn(move || traffic::send_for_ever(gateway))?;
        Ok(Running { observer, account })
    }
}

impl Places {
    fn configuration(&self) -> String {
        let [steady, moody, backup] = self.origins;
        format!(
            "\
daemon off;
pid off;
error_log stderr crit;

events {{
}}

http {{
    access_log off;

    upstream all {{
        server {steady};
        server {moody} max_fails=0;
        server {backup} backup;
    }}

    upstream moody_alone {{
        server {moody} max_fails=0;
        server {backup} backup;
    }}

    server {{
        listen {gateway};

        proxy_connect_timeout 1s;
        proxy_read_timeout 1s;
        proxy_next_upstream error timeout invalid_header http_503;

        location / {{
            proxy_pass http://all;
        }}

        location /alone {{
            proxy_pass http://moody_alone;
        }}
    }}
}}
",
            gateway = self.gateway,
        )
    }

    fn introduction(&self, program: &str) -> String {
        let [steady, moody, backup] = self.origins;
        let (gateway, seconds) = (self.gateway, mood::LASTS.as_secs());
        let (all, alone) = (format!("curl -i http://{gateway}/"), format!("curl -i http://{gateway}/alone"));
        let (post, print) = (format!("curl -i -d x http://{gateway}/alone"), format!("{program} --print-config"));
        let empty = "";
        format!(
            "\
Tidegate in front of three origins, at http://{gateway}

  steady  {steady}  always answers
  moody   {moody}  fails in a different way every {seconds} seconds
  backup  {backup}  is asked when no other can answer

Try in another terminal:
  {all:<38}steady and moody take turns
  {alone:<38}moody, with only the backup behind it
  {post}
  {empty:<38}a POST: not repeated once it was sent
  {print}
  {empty:<38}the nginx.conf that runs here

The demonstration sends three requests a second itself, so that there is
something to see. Requests that go well are not shown. Ctrl-C ends it.

{HEADING}
",
        )
    }
}

/// A demonstration that runs.
pub struct Running {
    observer: Observer,
    account: JoinHandle<Tally>,
}

impl Running {
    /// Where the gateway tells what happens.
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Prints what happened in all, when the gateway has ended and every observer is gone.
    pub fn end(self) {
        drop(self.observer);
        put(&format!("\n{}\n", self.account.join().unwrap_or_default().text()));
    }
}

/// Starts an origin that is well.
fn origin(name: &str, port: u16) -> io::Result<Server> {
    let well = Act::named(mood::WELL).map_err(io::Error::other)?;
    let hello = format!("hello from {name}\n");
    on_port(port, |port| Server::start(&Listen::Tcp((Ipv4Addr::LOCALHOST, port).into()), well, &hello, None))
}

fn address(origin: &Server) -> io::Result<SocketAddr> {
    origin.address().tcp().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// On the port that is wanted, or else on any.
fn on_port<T>(wanted: u16, on: impl Fn(u16) -> io::Result<T>) -> io::Result<T> {
    on(wanted).or_else(|_| on(0))
}

/// Changes the moody origin's mood and prints what happens, until nobody tells any more.
fn tell(summaries: &Receiver<Summary>, show: &Show, moody: &Server) -> Tally {
    const LOOK: Duration = Duration::from_millis(100);
    let (clock, since, mut tally, mut mood) = (Clock::new(), Instant::now(), Tally::default(), None);
    loop {
        let now = Mood::at(since.elapsed());
        if mood.replace(now) != Some(now) {
            put(&show.mood(now.says));
            now.act().into_iter().for_each(|act| moody.set(act));
        }
        let news = summaries.recv_timeout(LOOK);
        match news {
            Ok(summary) => {
                tally.add(&summary);
                let stamp = clock.error_stamp();
                let time = stamp.rsplit(' ').next().unwrap_or_default();
                put(&show.lines(time, &summary));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return tally,
        }
    }
}

/// Prints it. Without a reader there is nothing to demonstrate: where the terminal or the pipe is gone, it ends.
fn put(text: &str) {
    if io::stdout().write_all(text.as_bytes()).is_err() {
        // It fails only for a process that has ended.
        let _ = kill_process(getpid(), Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_configuration_is_right() {
        for text in [Demo::prepare().unwrap().configuration(), Demo::usual_configuration()] {
            let loaded = config::load_text(&text);
            assert!(loaded.config.is_some(), "{:?}", loaded.diagnostics);
        }
    }

    #[test]
    fn its_introduction_fits_eighty_columns() {
        let text = Demo::prepare().unwrap().places.introduction("target/release/tidegate");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn the_account_ends_when_nobody_tells_any_more() {
        let (observer, summaries) = channel();
        let show = Show { names: vec![], colours: false };
        drop(observer);
        let moody = origin("moody", 0).unwrap();
        assert_eq!(tell(&summaries, &show, &moody), Tally::default());
    }
}
