//! What an attempt needs of a client, whatever protocol the client speaks: the rest of its request, and whether it is still there.
//! Not here: how any protocol reads or writes (see `downstream`).

use std::task::{Context, Poll};

/// Why the client's side ended before the exchange did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientFailure {
    /// It closed its connection (nginx's 499).
    Gone,
    /// Its body broke the protocol (400).
    Malformed,
    /// Its chunks make a body larger than allowed (413): so many bytes before the chunk that went too far, and its size.
    TooLarge { before: u64, chunk: u64 },
    /// It sent nothing, or took nothing, for too long (408).
    TimedOut,
    /// Its body could not be kept (500).
    Unkept,
}

/// The client's side of an exchange while its request is being forwarded.
pub(crate) trait Client {
    /// Appends the next bytes of the request's body to `stage`; `false` when the body is complete.
    fn poll_body(&mut self, cx: &mut Context<'_>, stage: &mut Vec<u8>) -> Poll<Result<bool, ClientFailure>>;

    /// Ready when the client has gone away. Must not be called while the body is being read.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}
