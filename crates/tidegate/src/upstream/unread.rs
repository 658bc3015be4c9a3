//! Whether an endpoint's kernel took any byte of a request, from what TCP itself counted.
//! Not here: what follows from it.

use std::os::fd::{AsRawFd, BorrowedFd};

/// The offset of `tcpi_bytes_acked` in Linux's `struct tcp_info` (`include/uapi/linux/tcp.h`, since 4.1).
const BYTES_ACKED: usize = 120;

/// Bytes of ours that the peer's kernel acknowledged since the connection began; the SYN counts as one.
#[allow(unsafe_code, reason = "no safe interface reads TCP_INFO")]
pub(crate) fn bytes_acknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    let mut info = [0_u8; 256];
    let mut length = libc::socklen_t::try_from(info.len()).ok()?;
    // SAFETY: the kernel writes at most `length` bytes into `info`, which has that many and is plain bytes, and says in
    // `length` how many it wrote; the descriptor is open for as long as it is borrowed.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let written = info.get(..usize::try_from(length).ok()?)?;
    let field = written.get(BYTES_ACKED..BYTES_ACKED + 8).filter(|_| result == 0)?;
    Some(u64::from_ne_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    /// Sends what the other end reads and answers.
    fn exchange(ours: &mut TcpStream, theirs: &mut TcpStream, bytes: &[u8]) {
        ours.write_all(bytes).unwrap();
        theirs.read_exact(&mut vec![0; bytes.len()]).unwrap();
        theirs.write_all(b"ok").unwrap();
        ours.read_exact(&mut [0; 2]).unwrap();
    }

    #[test]
    fn what_was_answered_was_acknowledged() {
        let (mut ours, mut theirs) = pair();
        exchange(&mut ours, &mut theirs, b"12345");
        assert_eq!(bytes_acknowledged(ours.as_fd()), Some(1 + 5));
    }

    #[test]
    fn what_is_sent_to_a_closed_connection_never_is() {
        let (mut ours, mut theirs) = pair();
        exchange(&mut ours, &mut theirs, b"12345");
        drop(theirs);
        ours.write_all(b"678").unwrap();
        assert_eq!(ours.read(&mut [0; 1]).unwrap(), 0, "the end, which was sent before");
        assert_eq!(bytes_acknowledged(ours.as_fd()), Some(1 + 5));
    }

    #[test]
    fn an_answer_that_was_sent_before_acknowledges_nothing() {
        let (mut ours, mut theirs) = pair();
        exchange(&mut ours, &mut theirs, b"12345");
        theirs.write_all(b"408").unwrap();
        drop(theirs);
        ours.write_all(b"678").unwrap();
        ours.read_exact(&mut [0; 3]).unwrap();
        assert_eq!(bytes_acknowledged(ours.as_fd()), Some(1 + 5));
    }

    #[test]
    fn an_end_that_follows_what_was_read_acknowledges_it() {
        let (mut ours, mut theirs) = pair();
        exchange(&mut ours, &mut theirs, b"12345");
        ours.write_all(b"678").unwrap();
        theirs.read_exact(&mut [0; 3]).unwrap();
        theirs.shutdown(Shutdown::Both).unwrap();
        assert_eq!(ours.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(bytes_acknowledged(ours.as_fd()), Some(1 + 5 + 3));
    }

    /// Why a reset is no proof: nothing is acknowledged here, and yet everything was read.
    #[test]
    fn a_reset_may_hide_what_was_read() {
        let (mut ours, mut theirs) = pair();
        exchange(&mut ours, &mut theirs, b"12345");
        ours.write_all(b"678").unwrap();
        theirs.read_exact(&mut [0; 3]).unwrap();
        socket2::SockRef::from(&theirs).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(theirs);
        let error = ours.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert!(bytes_acknowledged(ours.as_fd()) <= Some(1 + 5 + 3));
    }
}
