//! An embedded origin: a small HTTP server on a loopback port, with a mood. Not here: which mood, and when (`mood`).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_linger;

use super::mood::{LASTS, Mood};

/// How often an origin looks whether its mood has changed.
const LOOK: Duration = Duration::from_millis(50);
/// The most connections at a time, a thread each; more are closed at once.
const MAX_CONNECTIONS: usize = 128;
/// The most bytes of a request that are read.
const MAX_REQUEST: usize = 64 << 10;

/// Where and how an origin serves.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    /// When its moods began; none for one that is always well.
    pub(super) moody_since: Option<Instant>,
}

impl Origin {
    /// Serves in the background for as long as the process lives.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub(super) fn serve(self, listener: TcpListener) -> io::Result<()> {
        let connections = Arc::<AtomicUsize>::default();
        let run = move || self.accept_for_ever(listener, &connections);
        thread::Builder::new().name("origin".into()).spawn(run).map(drop)
    }

    fn mood(&self) -> Mood {
        self.moody_since.map_or(Mood::Well, |since| Mood::at(since.elapsed()))
    }

    fn accept_for_ever(&self, listener: TcpListener, connections: &Arc<AtomicUsize>) {
        let mut listener = Some(listener);
        loop {
            if self.mood() == Mood::Refuses {
                listener = None;
                thread::sleep(LOOK);
                continue;
            }
            // The port may be taken for a moment; the next look tries again.
            listener = listener.or_else(|| TcpListener::bind(self.address).ok());
            match &listener {
                Some(listener) if is_ready(listener) => self.accept(listener, connections),
                Some(_) => {}
                None => thread::sleep(LOOK),
            }
        }
    }

    fn accept(&self, listener: &TcpListener, connections: &Arc<AtomicUsize>) {
        let Ok((stream, _)) = listener.accept() else {
            return;
        };
        if connections.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            connections.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let (origin, connections) = (self.clone(), connections.clone());
        thread::spawn(move || {
            // A peer that goes away early is no concern of a demonstration.
            let _ = origin.converse(stream);
            connections.fetch_sub(1, Ordering::Relaxed);
        });
    }

    fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(LASTS))?;
        read_head(&mut stream)?;
        let mood = self.mood();
        match mood.answer(self.name) {
            Some(answer) => stream.write_all(&answer)?,
            None if mood == Mood::Stalls => thread::sleep(LASTS),
            None if mood == Mood::Resets => set_socket_linger(&stream, Some(Duration::ZERO))?,
            None => {}
        }
        Ok(())
    }
}

fn is_ready(listener: &TcpListener) -> bool {
    let mut looked = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
    let wait = Timespec::try_from(LOOK).ok();
    matches!(poll(&mut looked, wait.as_ref()), Ok(1))
}

/// Reads to the end of a request's head. Bodies stay unread: nobody sends one here.
fn read_head(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::<u8>::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < MAX_REQUEST {
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => head.extend(chunk.iter().take(length)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(moody_since: Option<Instant>) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let origin = Origin { name: "test", address, moody_since };
        let server = thread::spawn(move || origin.converse(listener.accept().unwrap().0));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        let result = stream.read_to_string(&mut answer);
        server.join().unwrap().unwrap();
        result.map(|_| answer)
    }

    fn in_mood(mood: Mood) -> Option<Instant> {
        let turn = (0..9).find(|turn| Mood::at(LASTS * *turn) == mood).unwrap();
        Instant::now().checked_sub(LASTS * turn)
    }

    #[test]
    fn a_steady_origin_answers() {
        assert!(ask(None).unwrap().ends_with("hello from test\n"));
    }

    #[test]
    fn moods_are_seen_on_the_wire() {
        assert!(ask(in_mood(Mood::Unavailable)).unwrap().starts_with("HTTP/1.1 503 "));
        assert_eq!(ask(in_mood(Mood::Closes)).unwrap(), "");
        assert!(ask(in_mood(Mood::Babbles)).unwrap().starts_with("what"));
        let reset = ask(in_mood(Mood::Resets)).unwrap_err();
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn an_origin_that_refuses_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // A tenth of a second before the end of its refusals.
        let since = Instant::now().checked_sub(LASTS - Duration::from_millis(100));
        Origin { name: "test", address, moody_since: since }.serve(listener).unwrap();
        let start = Instant::now();
        let mut refused = false;
        loop {
            match TcpStream::connect(address) {
                Err(_) => refused = true,
                Ok(_) if refused => break,
                Ok(_) => {}
            }
            assert!(start.elapsed() < Duration::from_secs(20), "refused: {refused}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
