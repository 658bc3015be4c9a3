//! The gateway in front of an application that is down until it is started. Not here: the browser.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::driver::eventually;

pub(super) struct Site {
    folder: tempfile::TempDir,
    gateway: Child,
    address: SocketAddr,
    /// Holds the application's port, on which nothing listens yet.
    socket: socket2::Socket,
}

impl Site {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let application = socket.local_addr().unwrap().as_socket().unwrap();
        loop {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut gateway = start(&folder, address, application);
            // Somebody may have taken the port meanwhile: then the gateway ends, and another is tried.
            eventually("the gateway runs", || TcpStream::connect(address).is_ok() || ended(&mut gateway));
            if !ended(&mut gateway) {
                return Self { folder, gateway, address, socket };
            }
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Starts the application, which answers everything with this page.
    pub(super) fn start_application(&self, page: &'static str) -> Application {
        self.socket.listen(64).unwrap();
        let listener: TcpListener = self.socket.try_clone().unwrap().into();
        let posts = Arc::new(AtomicUsize::new(0));
        let counter = posts.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let counter = counter.clone();
                std::thread::spawn(move || answer(&stream, page, &counter));
            }
        });
        Application { posts }
    }
}

/// The fetch that pages load.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../clients/js/tidegate-fetch.js");

fn start(folder: &tempfile::TempDir, address: SocketAddr, application: SocketAddr) -> Child {
    let path = folder.path();
    let text = format!(
        "daemon off; worker_processes 1; pid {path}/pid; error_log {path}/error.log;\n\
         events {{}}\n\
         http {{ access_log off; server {{ listen {address};\n\
         location / {{ proxy_pass http://{application}; }}\n\
         location = /tidegate-fetch.js {{ alias {module}; types {{ text/javascript js; }} }}\n\
         location /strict/ {{ add_header Content-Security-Policy \"default-src 'self'\" always;\n\
         proxy_pass http://{application}; }} }} }}\n",
        path = path.display(),
        module = MODULE
    );
    let file = path.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

fn answer(stream: &TcpStream, page: &str, posts: &AtomicUsize) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if line.starts_with("POST") {
            posts.fetch_add(1, Ordering::SeqCst);
        }
        if line.is_empty() {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length";
            // A peer that has gone wants no answer.
            let _ = write!(&mut &*stream, "{head}: {}\r\n\r\n{page}", page.len());
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            eprintln!("the gateway's error log:\n{said}");
        }
    }
}

pub(super) struct Application {
    posts: Arc<AtomicUsize>,
}

impl Application {
    /// How many POSTs it got.
    pub(super) fn posts(&self) -> usize {
        self.posts.load(Ordering::SeqCst)
    }
}
