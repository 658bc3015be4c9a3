//! Reads messages for the tests: whole heads and whole bodies, with the gateway's usual bounds. It judges nothing.

use http1::{
    BodyError, ChunkLimits, Decoder, Fields, Framing, RequestError, RequestHead, RequestLimits, ResponseError,
    ResponseHead, ResponseLimits,
};

pub(crate) const REQUEST: RequestLimits =
    RequestLimits { line: 8192, field: 8192, head: 32768, fields: 100, underscores: false, ignore_invalid: true };
pub(crate) const RESPONSE: ResponseLimits = ResponseLimits { head: 8192, fields: 100 };
pub(crate) const CHUNKS: ChunkLimits = ChunkLimits { line: 1024, excess: 16384, trailer: 8192, trailer_fields: 100 };

/// A request's head that is complete.
pub(crate) fn request(text: impl AsRef<[u8]>) -> Result<RequestHead, RequestError> {
    request_within(&REQUEST, text)
}

pub(crate) fn request_within(limits: &RequestLimits, text: impl AsRef<[u8]>) -> Result<RequestHead, RequestError> {
    let mut head = RequestHead::default();
    let taken = http1::parse_request(&mut head, text.as_ref(), limits)?;
    assert!(taken.is_some(), "not complete: {}", text.as_ref().escape_ascii());
    Ok(head)
}

/// What becomes of a request with these field lines beside `Host`.
pub(crate) fn request_with(lines: &str) -> Result<RequestHead, RequestError> {
    request(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n"))
}

/// A response's head that is complete.
pub(crate) fn response(text: impl AsRef<[u8]>) -> Result<ResponseHead, ResponseError> {
    let mut head = ResponseHead::default();
    let taken = http1::parse_response(&mut head, text.as_ref(), &RESPONSE)?;
    assert!(taken.is_some(), "not complete: {}", text.as_ref().escape_ascii());
    Ok(head)
}

/// What becomes of a response with these field lines.
pub(crate) fn response_with(lines: &str) -> Result<ResponseHead, ResponseError> {
    response(format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n"))
}

/// A body as decoded, and whether it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) data: Vec<u8>,
    pub(crate) done: bool,
    /// Bytes behind its end.
    pub(crate) left: usize,
}

impl Body {
    pub(crate) fn whole(data: &str) -> Self {
        Self { data: data.into(), done: true, left: 0 }
    }
}

pub(crate) fn body(framing: Framing, input: impl AsRef<[u8]>) -> Result<Body, BodyError> {
    decode(&mut Decoder::new(framing, CHUNKS), input.as_ref())
}

pub(crate) fn chunked(input: impl AsRef<[u8]>) -> Result<Body, BodyError> {
    body(Framing::Chunked, input)
}

/// The trailers of a chunked body that ended.
pub(crate) fn trailers(input: &str) -> Option<Fields> {
    let mut decoder = Decoder::new(Framing::Chunked, CHUNKS);
    assert!(decode(&mut decoder, input.as_bytes()).expect("a body").done);
    decoder.take_trailers()
}

pub(crate) fn decode(decoder: &mut Decoder, input: &[u8]) -> Result<Body, BodyError> {
    let mut data = Vec::new();
    let mut at = 0;
    while at < input.len() && !decoder.is_done() {
        let found = decoder.decode(&input[at..])?;
        data.extend_from_slice(&input[at..][found.data]);
        at += found.consumed;
    }
    Ok(Body { data, done: decoder.is_done(), left: input.len() - at })
}

/// The lines of a head as text.
pub(crate) fn lines(fields: &Fields) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fields.iter().map(|field| format!("{}: {}", text(field.name), text(field.value))).collect()
}
