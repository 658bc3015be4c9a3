//! What an attempt needs of a client, whatever protocol the client speaks: the rest of its request, and whether it is still there.
//! Not here: how any protocol reads or writes (see `downstream`).

use std::borrow::Cow;
use std::task::{Context, Poll};

use policy::{Cause, Failure};

/// Why the client's side ended before the exchange did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientFailure {
    /// It closed its connection while it was waited for an endpoint (nginx's 499); the errno of a reset.
    Gone(Option<i32>),
    /// It closed its connection within its body (400).
    CutOff,
    /// It takes nothing more; the errno of the write that said so.
    Deaf(Option<i32>),
    /// Its side of a tunnel broke; the call that said so, and its errno.
    Broken(&'static str, Option<i32>),
    /// Its body broke the protocol (400).
    Malformed,
    /// Its chunks make a body larger than allowed (413): so many bytes before the chunk that went too far, and its size.
    TooLarge { before: u64, chunk: u64 },
    /// It sent nothing for too long (408).
    TimedOut,
    /// It took nothing for too long.
    Stalled,
    /// Its body could not be kept (500).
    Unkept,
}

/// The client's side of an exchange while its request is being forwarded.
pub(crate) trait Client {
    /// Appends the next bytes of the request's body to `stage`; `false` when the body is complete.
    fn poll_body(&mut self, cx: &mut Context<'_>, stage: &mut Vec<u8>) -> Poll<Result<bool, ClientFailure>>;

    /// Ready when the client has gone away, with the errno of a reset. Must not be called while the body is being read.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Option<i32>>;
}

impl ClientFailure {
    /// The same as a failure of the exchange.
    pub(crate) fn failure(self) -> Failure {
        let errno = match self {
            ClientFailure::Gone(errno) | ClientFailure::Deaf(errno) | ClientFailure::Broken(_, errno) => errno,
            _ => None,
        };
        Failure::new(self.cause()).errno(errno)
    }

    fn cause(self) -> Cause {
        match self {
            ClientFailure::Gone(_) | ClientFailure::Deaf(_) | ClientFailure::Broken(..) => Cause::ClientGone,
            ClientFailure::CutOff => Cause::ClientCutOff,
            ClientFailure::Malformed => Cause::ClientMalformed,
            ClientFailure::TooLarge { .. } => Cause::ClientBodyTooLarge,
            ClientFailure::TimedOut => Cause::ClientTimeout,
            ClientFailure::Stalled => Cause::ClientStalled,
            ClientFailure::Unkept => Cause::TempFileFailed,
        }
    }

    /// nginx's words for it in the error log, before ` while …`.
    pub(crate) fn nginx_phrase(self) -> Cow<'static, str> {
        let errno_text = |errno: Option<i32>| {
            errno.map_or(String::new(), |errno| format!(" ({})", policy::failure::errno_text(errno)))
        };
        match self {
            ClientFailure::Gone(errno) => format!(
                "epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too{}",
                errno_text(errno)
            )
            .into(),
            ClientFailure::CutOff => "client prematurely closed connection".into(),
            ClientFailure::Deaf(errno) => format!("writev() failed{}", errno_text(errno)).into(),
            ClientFailure::Broken(call, errno) => format!("{call}() failed{}", errno_text(errno)).into(),
            ClientFailure::Malformed => "client sent invalid chunked body".into(),
            ClientFailure::TooLarge { before, chunk } => {
                format!("client intended to send too large chunked body: {before}+{chunk} bytes").into()
            }
            ClientFailure::TimedOut | ClientFailure::Stalled => "client timed out (110: Connection timed out)".into(),
            ClientFailure::Unkept => "a request body cannot be kept".into(),
        }
    }
}
