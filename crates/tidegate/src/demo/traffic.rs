//! The demonstration's own client: a few requests a second, so that there is something to see. Not here: the gateway.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(330);
/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends requests for as long as the process lives.
pub(super) fn send_for_ever(gateway: SocketAddr) {
    for path in ["/", "/", "/alone"].iter().cycle() {
        thread::sleep(PAUSE);
        // What came of it is told by the gateway; one that is not there yet, or any more, is no news.
        let _ = get(gateway, path);
    }
}

fn get(gateway: SocketAddr, path: &str) -> io::Result<u64> {
    let mut stream = TcpStream::connect_timeout(&gateway, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {gateway}\r\nUser-Agent: tidegate-demo\r\nConnection: close\r\n\r\n")?;
    io::copy(&mut stream.take(1 << 20), &mut io::sink())
}
