//! Reads the requests of a misbehaving connection: it wants to know where they end, and little more.
//! Not here: what is answered.

use http1::{ChunkLimits, Decoder, Framing, RequestHead, RequestLimits};

use super::account::Ending;
use super::wire::Wire;

/// A head may be as large as this; what is larger, or no HTTP/1.1, counts as a request all the same.
const LIMITS: RequestLimits = RequestLimits {
    line: 32 << 10,
    field: 32 << 10,
    head: 64 << 10,
    fields: 1000,
    underscores: true,
    ignore_invalid: false,
};

const CHUNKS: ChunkLimits = ChunkLimits { line: 4096, excess: 64 << 10, trailer: 64 << 10, trailer_fields: 1000 };

/// A request whose head is there.
pub(super) struct Request {
    pub(super) head: RequestHead,
    /// The head as received.
    pub(super) bytes: Vec<u8>,
    body: Decoder,
    /// The bytes can be understood as a request.
    pub(super) is_http: bool,
}

impl Request {
    /// Waits for a head.
    pub(super) async fn read(wire: &mut Wire) -> Result<Self, Ending> {
        let mut head = RequestHead::default();
        loop {
            match http1::parse_request(&mut head, &wire.input, &LIMITS) {
                Ok(None) => wire.fill().await?,
                Ok(Some(length)) => return Ok(Self::new(head, wire.input.drain(..length).collect())),
                Err(_) => return Ok(Self::foreign(head, std::mem::take(&mut wire.input))),
            }
        }
    }

    fn new(head: RequestHead, bytes: Vec<u8>) -> Self {
        let framing = http1::request_framing(&head);
        let is_http = framing.is_ok();
        Self { head, bytes, body: Decoder::new(framing.unwrap_or(Framing::Empty), CHUNKS), is_http }
    }

    fn foreign(head: RequestHead, bytes: Vec<u8>) -> Self {
        Self { head, bytes, body: Decoder::new(Framing::Empty, CHUNKS), is_http: false }
    }

    /// Reads what is left of the body.
    pub(super) async fn read_body(&mut self, wire: &mut Wire) -> Result<(), Ending> {
        while !self.body.is_done() {
            match self.body.decode(&wire.input) {
                Ok(decoded) => drop(wire.input.drain(..decoded.consumed)),
                // Nobody can tell any more where it ends.
                Err(_) => return Ok(()),
            }
            if !self.body.is_done() && wire.input.is_empty() {
                wire.fill().await?;
            }
        }
        Ok(())
    }

    /// Whether there is nothing of it still to come.
    pub(super) fn is_whole(&self) -> bool {
        self.body.is_done()
    }

    /// Whether the client waits for a word before it sends the body.
    pub(super) fn waits_to_continue(&self, wire: &Wire) -> bool {
        !self.is_whole() && wire.input.is_empty() && self.head.fields.has_token("expect", "100-continue")
    }

    /// Whether another request may follow on the connection.
    pub(super) fn persists(&self) -> bool {
        self.is_http && http1::persistent(self.head.version, &self.head.fields)
    }

    /// `GET /x`, safe to print and not too long.
    pub(super) fn shown(&self) -> String {
        const MOST: usize = 60;
        if !self.is_http {
            return "no HTTP/1.1".into();
        }
        let target = String::from_utf8_lossy(self.head.target());
        let text: String = format!("{} {target}", self.head.method).escape_debug().collect();
        match text.char_indices().nth(MOST) {
            Some((end, _)) => text.chars().take(end - 1).chain(['…']).collect(),
            None => text,
        }
    }
}
