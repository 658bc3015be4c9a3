//! Listening sockets that pass from an old binary to a new one. Not here: when (`upgrade`), and what they serve.
//!
//! The old process names their descriptors in an environment variable, `TIDEGATE=5;6;7;`. nginx's own `NGINX=5;6;`
//! is read too: a running nginx whose binary was replaced by this one hands over its sockets at USR2.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use config::model::ListenAddress;
use rustix::net::{SocketAddrUnix, sockopt};

/// The variable that names the descriptors.
pub(super) const VARIABLE: &str = "TIDEGATE";
const NGINX_VARIABLE: &str = "NGINX";

/// The most sockets that are taken over.
const MAX_SOCKETS: usize = 4096;

/// A listening socket that another process opened.
#[derive(Debug)]
pub struct InheritedListener {
    /// Where it listens.
    pub address: ListenAddress,
    /// The socket.
    pub socket: OwnedFd,
}

/// Takes over the sockets that the environment names: once in the life of the process, and before it opens anything,
/// so that a wrong number cannot be a descriptor of our own. What is no listening socket is left alone.
pub(super) fn from_environment() -> Vec<InheritedListener> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Vec::new();
    }
    let text = [VARIABLE, NGINX_VARIABLE].iter().find_map(|name| env::var(name).ok());
    let numbers = numbers(&text.unwrap_or_default());
    numbers.into_iter().filter(|number| is_socket(*number)).filter_map(take).collect()
}

/// The numbers up to the first word that is none, each once; never standard input, output and error.
fn numbers(text: &str) -> Vec<RawFd> {
    let words = text.split_terminator([';', ':']).map(|word| word.parse::<RawFd>());
    let mut numbers = Vec::new();
    for number in words.map_while(Result::ok).take(MAX_SOCKETS) {
        if number > 2 && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

fn is_socket(number: RawFd) -> bool {
    let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
    link.is_ok_and(|target| target.as_os_str().as_encoded_bytes().starts_with(b"socket:"))
}

fn take(number: RawFd) -> Option<InheritedListener> {
    let socket = own(number);
    let address = listening_address(socket.as_fd());
    if address.is_none() {
        // Not a listener, so not meant for us: whoever left it open goes on having it.
        std::mem::forget(socket);
        return None;
    }
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(InheritedListener { address: address?, socket })
}

#[allow(
    unsafe_code,
    reason = "a descriptor that crossed exec is known by number only, and the standard library has no safe way to own it"
)]
fn own(number: RawFd) -> OwnedFd {
    // SAFETY: `number` is an open socket (`is_socket`), above the standard three, taken once (`numbers`, `TAKEN`), and
    // nothing in this process has opened a socket yet, so no other owner can exist.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Where a socket listens; nothing if it does not.
fn listening_address(socket: BorrowedFd<'_>) -> Option<ListenAddress> {
    if !sockopt::socket_acceptconn(socket).ok()? {
        return None;
    }
    let address = rustix::net::getsockname(socket).ok()?;
    if let Ok(unix) = SocketAddrUnix::try_from(address.clone()) {
        let path = unix.path_bytes()?;
        return Some(ListenAddress::Unix(PathBuf::from(OsStr::from_bytes(path))));
    }
    SocketAddr::try_from(address).ok().map(ListenAddress::Socket)
}

/// Copies of listening sockets that live through an exec, and the variable's text that names them.
#[derive(Debug)]
pub(super) struct Legacy {
    copies: Vec<OwnedFd>,
}

impl Legacy {
    /// Copies the sockets. The copies close in this process when this value is dropped.
    ///
    /// # Errors
    /// No descriptors are left.
    pub(super) fn of<'a>(sockets: impl IntoIterator<Item = BorrowedFd<'a>>) -> io::Result<Self> {
        // dup(2) makes copies without CLOEXEC, which is what a child needs.
        let copies = sockets.into_iter().map(rustix::io::dup).collect::<Result<_, _>>()?;
        Ok(Self { copies })
    }

    /// The value of [`VARIABLE`].
    pub(super) fn text(&self) -> String {
        self.copies.iter().map(|copy| format!("{};", copy.as_raw_fd())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixListener;

    #[test]
    fn reads_numbers_as_nginx_writes_them() {
        assert_eq!(numbers("5;6;7;"), [5, 6, 7]);
        assert_eq!(numbers("5:6"), [5, 6]);
        assert_eq!(numbers(""), Vec::<i32>::new());
    }

    #[test]
    fn stops_at_what_is_no_number_and_skips_what_is_taken() {
        assert_eq!(numbers("5;x;6;"), [5]);
        assert_eq!(numbers("/usr/sbin/nginx"), Vec::<i32>::new());
        assert_eq!(numbers("0;1;2;3;3;-4;5;"), [3, 5]);
    }

    #[test]
    fn takes_a_listening_socket_and_knows_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let copy: OwnedFd = listener.try_clone().unwrap().into();
        let number = std::os::fd::IntoRawFd::into_raw_fd(copy);
        let taken = take(number).unwrap();
        assert_eq!(taken.address, ListenAddress::Socket(address));
        drop(listener);
        let listener = TcpListener::from(taken.socket);
        let _client = TcpStream::connect(address).unwrap();
        listener.accept().unwrap();
    }

    #[test]
    fn takes_a_unix_socket_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listening_address(listener.as_fd()), Some(ListenAddress::Unix(path)));
    }

    #[test]
    fn leaves_other_descriptors_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(listening_address(stream.as_fd()), None);
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(!is_socket(file.as_raw_fd()));
        assert!(!is_socket(999_999));
    }

    #[test]
    fn a_socket_that_does_not_listen_stays_open_for_whoever_left_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let number = std::os::fd::IntoRawFd::into_raw_fd(stream);
        assert!(take(number).is_none());
        assert!(is_socket(number));
        drop(own(number));
    }

    #[test]
    fn copies_keep_the_port_open_until_they_are_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let legacy = Legacy::of([listener.as_fd()]).unwrap();
        drop(listener);
        let flags = rustix::io::fcntl_getfd(&legacy.copies[0]).unwrap();
        assert!(!flags.contains(rustix::io::FdFlags::CLOEXEC));
        assert_eq!(numbers(&legacy.text()), [legacy.copies[0].as_raw_fd()]);
        TcpStream::connect(address).unwrap();
        drop(legacy);
        TcpStream::connect(address).unwrap_err();
    }
}
