//! What happened to one request, as values: what logs, metrics and the demonstration tell is told from here.
//! Not here: how any of them is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{Failure, Phase};

/// Everything worth telling of one exchange, filled in as it goes.
pub(crate) struct Record {
    pub(crate) started: Instant,
    /// Bytes of the request, head and body as received.
    pub(crate) request_length: u64,
    /// The status that the client got, or the one that logs show when it got none (499, 408).
    pub(crate) status: u16,
    /// Bytes of the response's head.
    pub(crate) head_length: u64,
    /// The response's head as sent, kept where some template reads `$sent_http_*`.
    pub(crate) sent_head: Vec<u8>,
    /// Bytes written to the client, heads included.
    pub(crate) bytes_sent: u64,
    /// The response was delivered whole.
    pub(crate) complete: bool,
    pub(crate) attempts: Vec<Attempted>,
    /// The last failure of the request that no other attempt has mended.
    pub(crate) failure: Option<Failure>,
    /// The fields of the last endpoint's answer, kept where some template reads `$upstream_http_*`.
    pub(crate) upstream_fields: Option<http1::Fields>,
    /// Trailers of the last endpoint's answer.
    pub(crate) upstream_trailers: Option<http1::Fields>,
    /// They went on to the client.
    pub(crate) sent_trailers: bool,
}

/// One attempt, or the fact that none could be made.
pub(crate) struct Attempted {
    /// The endpoint; the upstream's name when there was none to pick.
    pub(crate) endpoint: Arc<str>,
    /// True when an internal redirect lies between this attempt and the one before.
    pub(crate) after_redirect: bool,
    /// The endpoint's status, or the one that its failure stands for.
    pub(crate) status: u16,
    pub(crate) started: Instant,
    pub(crate) connect_time: Option<Duration>,
    pub(crate) header_time: Option<Duration>,
    pub(crate) response_time: Option<Duration>,
    /// Bytes of the response's body.
    pub(crate) response_length: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    /// The endpoint had closed the connection before anything of the request arrived there.
    pub(crate) unread: bool,
    pub(crate) failure: Option<Failure>,
}

impl Attempted {
    pub(crate) fn new(endpoint: Arc<str>, after_redirect: bool, started: Instant) -> Self {
        Self {
            endpoint,
            after_redirect,
            status: 0,
            started,
            connect_time: None,
            header_time: None,
            response_time: None,
            response_length: 0,
            bytes_sent: 0,
            bytes_received: 0,
            unread: false,
            failure: None,
        }
    }

    /// Whether an endpoint was asked: that there was none to ask has an entry too.
    pub(crate) fn was_made(&self) -> bool {
        self.failure.as_ref().is_none_or(|failure| failure.phase != Phase::Select)
    }

    /// Ends it with a failure.
    pub(crate) fn failed(&mut self, failure: Failure) {
        self.status = failure.status().as_u16();
        self.failure = Some(failure);
        self.response_time = Some(self.started.elapsed());
    }
}

impl Record {
    pub(crate) fn new(started: Instant, request_length: u64) -> Self {
        Self {
            started,
            request_length,
            status: 0,
            head_length: 0,
            sent_head: Vec::new(),
            bytes_sent: 0,
            complete: false,
            attempts: Vec::new(),
            failure: None,
            upstream_fields: None,
            upstream_trailers: None,
            sent_trailers: false,
        }
    }

    /// Bytes of the response's body that were written, framing included, as nginx counts them.
    pub(crate) fn body_bytes_sent(&self) -> u64 {
        self.bytes_sent.saturating_sub(self.head_length)
    }
}

/// What the demonstration shows of a request.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The method.
    pub method: String,
    /// The request's target as received.
    pub target: String,
    /// The status that the client got.
    pub status: u16,
    /// Each attempt: the endpoint, and its status or nginx's phrase for its failure.
    pub attempts: Vec<(String, Result<u16, String>)>,
    /// From the request's first byte to the answer's last.
    pub took: Duration,
}

/// Where summaries go.
pub type Observer = std::sync::mpsc::Sender<Summary>;
