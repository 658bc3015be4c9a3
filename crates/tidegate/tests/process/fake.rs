//! A gateway that answers every connection with its name and process and holds it until the client closes.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use config::Config;
use config::model::{Level, ListenAddress};
use tidegate::process::{self, Engine, Invocation, Start};

/// Runs the process by this configuration file. Returns the exit code.
pub(crate) fn run(file: PathBuf) -> u8 {
    let mut words = std::env::args_os();
    let program = words.next().unwrap();
    let load = move || {
        let loaded = config::load_text(&std::fs::read_to_string(&file).unwrap());
        let faults = || {
            let said = loaded.diagnostics.iter();
            said.map(|said| (Level::Emerg, format!("{} in {}:1", said.message, file.display()))).collect()
        };
        loaded.config.clone().ok_or_else(faults)
    };
    let invocation = Invocation { program, arguments: words.collect(), load: Box::new(load) };
    match (invocation.load)() {
        Ok(config) => process::run(&invocation, config, Fake::start),
        Err(_) => 1,
    }
}

struct Fake {
    listener: Arc<TcpListener>,
    shared: Arc<Shared>,
    /// Dropped to end the thread that accepts.
    accepting: Arc<AtomicBool>,
}

#[derive(Default)]
struct Shared {
    name: Mutex<String>,
    held: AtomicUsize,
}

impl Fake {
    fn start(start: Start) -> Result<Self, String> {
        let address = address(&start.config);
        let left = start.inherited.into_iter().find(|left| left.address == ListenAddress::Socket(address));
        let listener = match left {
            Some(left) => TcpListener::from(left.socket),
            None => TcpListener::bind(address).map_err(|error| format!("bind() failed: {error}"))?,
        };
        listener.set_nonblocking(true).unwrap();
        let mut fake = Self { listener: Arc::new(listener), shared: Arc::default(), accepting: Arc::default() };
        fake.reload(start.config)?;
        Ok(fake)
    }

    fn accept(&self) {
        let (listener, shared, accepting) = (self.listener.clone(), self.shared.clone(), self.accepting.clone());
        thread::spawn(move || {
            while accepting.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        shared.held.fetch_add(1, Ordering::SeqCst);
                        let shared = shared.clone();
                        thread::spawn(move || shared.hold(stream));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
    }
}

impl Shared {
    fn hold(&self, mut stream: TcpStream) {
        stream.set_nonblocking(false).unwrap();
        let name = self.name.lock().unwrap().clone();
        let _ = writeln!(stream, "{name} {}", std::process::id());
        let _ = stream.read_to_end(&mut Vec::new());
        self.held.fetch_sub(1, Ordering::SeqCst);
    }
}

fn address(config: &Config) -> SocketAddr {
    match &config.servers[0].listens[0].address {
        ListenAddress::Socket(address) => *address,
        ListenAddress::Unix(_) => unreachable!("the scenes listen on TCP"),
    }
}

impl Engine for Fake {
    type Error = String;

    fn reload(&mut self, config: Config) -> Result<(), String> {
        *self.shared.name.lock().unwrap() = config.servers[0].names[0].text();
        if !self.accepting.swap(true, Ordering::SeqCst) {
            self.accept();
        }
        Ok(())
    }

    fn stop_accepting(&mut self) {
        self.accepting.store(false, Ordering::SeqCst);
        self.accepting = Arc::default();
    }

    fn drain(&mut self) -> Pin<Box<dyn Future<Output = ()>>> {
        self.stop_accepting();
        // The port closes with the last copy of the listener: the accepting thread's and this one.
        self.listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let shared = self.shared.clone();
        Box::pin(async move {
            poll_fn(|context| match shared.held.load(Ordering::SeqCst) {
                0 => Poll::Ready(()),
                _ => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            })
            .await;
        })
    }

    fn stop(&mut self) {}

    fn replace_dead_workers(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn close_listeners(&mut self, _: bool) {}

    fn listeners(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.listener.as_fd()]
    }
}
