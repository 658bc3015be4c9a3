//! What the gateway tells of a request, for somebody who watches. Not here: records in full, and logs.

use std::time::Duration;

/// One request, told when it is over.
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
