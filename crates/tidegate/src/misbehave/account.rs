//! What is told of a misbehaving connection, and what is counted of all. Not here: what happens on one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A connection that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The mode that it met.
    pub mode: &'static str,
    /// The other end; `unix:` for one that has no address.
    pub peer: String,
    /// The last request's method and target, if one came.
    pub request: Option<String>,
    /// How many requests came.
    pub requests: u64,
    /// Bytes received.
    pub received: u64,
    /// Bytes that the kernel took.
    pub sent: u64,
    /// How it ended.
    pub ending: Ending,
    /// From its acceptance to its end.
    pub took: Duration,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Closed by the mode.
    Closed,
    /// Reset by the mode.
    Reset,
    /// The peer closed first.
    PeerClosed,
    /// The peer reset it, or no longer takes anything.
    PeerReset,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Closed => "closed",
            Ending::Reset => "reset",
            Ending::PeerClosed => "the peer closed",
            Ending::PeerReset => "the peer reset",
        })
    }
}

/// One line: `close-in-head  127.0.0.1:40112  GET /  read 76 bytes, sent 20, closed after 0.001 s`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { mode, peer, received, sent, ending, .. } = self;
        let request = self.request.as_deref().unwrap_or("no request");
        let more = match self.requests {
            0 | 1 => String::new(),
            count => format!(", the last of {count}"),
        };
        let seconds = self.took.as_secs_f64();
        write!(
            f,
            "{mode:<21}  {peer}  {request}{more}: read {received} bytes, sent {sent}, {ending} after {seconds:.3} s"
        )
    }
}

/// What was counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests whose head was read.
    pub requests: u64,
    /// Requests that were read to their end: an application would have acted on them.
    pub whole: u64,
}

/// [`Tally`] where connections write it.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) whole: AtomicU64,
}

impl Counts {
    pub(super) fn tally(&self) -> Tally {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Tally { connections: read(&self.connections), requests: read(&self.requests), whole: read(&self.whole) }
    }
}

pub(super) fn count(what: &AtomicU64) -> u64 {
    what.fetch_add(1, Ordering::SeqCst) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_told_in_a_line() {
        let account = Account {
            mode: "close-in-head",
            peer: "127.0.0.1:1".into(),
            request: Some("GET /x".into()),
            requests: 1,
            received: 76,
            sent: 20,
            ending: Ending::Closed,
            took: Duration::from_millis(1),
        };
        let line = "close-in-head          127.0.0.1:1  GET /x: read 76 bytes, sent 20, closed after 0.001 s";
        assert_eq!(account.to_string(), line);
        let other = Account { request: None, requests: 0, ending: Ending::PeerClosed, ..account.clone() };
        assert!(other.to_string().contains("no request: read"));
        assert!(Account { requests: 3, ..account }.to_string().contains("GET /x, the last of 3: read"));
    }
}
