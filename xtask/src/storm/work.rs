//! What clients ask and endpoints answer, as bytes: a request has an id, and its answer repeats it. Not here: sockets.

use std::io;

/// The size of an answer's body, in bytes.
pub(super) const BODY: usize = 2048;
const FIELDS: usize = 64;

/// A request as an endpoint sees it; a check has no id.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) id: Option<u64>,
    pub(super) is_post: bool,
}

/// An answer as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether the connection can be used again.
    pub(super) keeps: bool,
}

/// The bytes of a request.
pub(super) fn request(id: u64, is_post: bool) -> Vec<u8> {
    let end = if is_post { "POST /work HTTP/1.1\r\nContent-Length: 5\r\n" } else { "GET /work HTTP/1.1\r\n" };
    let body = if is_post { "hello" } else { "" };
    format!("{end}Host: storm\r\nStorm-Id: {id}\r\n\r\n{body}").into_bytes()
}

/// The body that belongs to an id.
pub(super) fn body(id: u64) -> Vec<u8> {
    let mut body = format!("{id}\n").into_bytes();
    body.resize(BODY, b'x');
    body
}

/// The bytes of a good answer.
pub(super) fn answer(id: u64) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {BODY}\r\n\r\n").into_bytes();
    bytes.extend(body(id));
    bytes
}

/// The same with a body in one chunk.
pub(super) fn chunked(id: u64) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n{BODY:x}\r\n");
    [head.as_bytes(), &body(id), b"\r\n0\r\n\r\n"].concat()
}

/// The request at the beginning of the bytes, and its length; none while it is not all there.
pub(super) fn read_request(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(|_| wrong())? else {
        return Ok(None);
    };
    let is_post = head.method == Some("POST");
    let id = field(head.headers, "storm-id").and_then(|id| id.parse().ok());
    let framing = Framing::of(head.headers)?.unwrap_or(Framing::Length(0));
    let body = bytes.get(length..).unwrap_or_default();
    Ok(framing.read(body)?.map(|(_, taken)| (Request { id, is_post }, length + taken)))
}

/// The answer that the bytes are; `ended` says that no more will come. None while it is not all there.
pub(super) fn read_answer(bytes: &[u8], ended: bool) -> io::Result<Option<Answer>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(|_| wrong())? else {
        return Ok(None);
    };
    let status = head.code.unwrap_or_default();
    let closes = field(head.headers, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let rest = bytes.get(length..).unwrap_or_default();
    if status < 200 {
        return read_answer(rest, ended);
    }
    match Framing::of(head.headers)? {
        Some(framing) => Ok(framing.read(rest)?.map(|(body, taken)| {
            let keeps = !closes && !ended && length + taken == bytes.len();
            Answer { status, body, keeps }
        })),
        None => Ok(ended.then(|| Answer { status, body: rest.to_vec(), keeps: false })),
    }
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Framing {
    fn of(fields: &[httparse::Header<'_>]) -> io::Result<Option<Self>> {
        if field(fields, "transfer-encoding").is_some() {
            return Ok(Some(Self::Chunked));
        }
        let length = field(fields, "content-length").map(|length| length.parse().map_err(|_| wrong()));
        Ok(length.transpose()?.map(Self::Length))
    }

    /// The body, and how many bytes it took.
    fn read(&self, bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
        match self {
            Self::Length(length) => Ok(bytes.get(..*length).map(|body| (body.to_vec(), *length))),
            Self::Chunked => read_chunks(bytes),
        }
    }
}

fn read_chunks(bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let httparse::Status::Complete((line, size)) = httparse::parse_chunk_size(rest).map_err(|_| wrong())? else {
            return Ok(None);
        };
        let size = usize::try_from(size).map_err(|_| wrong())?;
        let Some(data) = rest.get(line..).and_then(|data| data.get(..size + 2)) else { return Ok(None) };
        body.extend_from_slice(&data[..size]);
        at += line + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

fn field<'a>(fields: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(field.value).ok()
}

fn wrong() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_read_once_they_are_whole() {
        let bytes = request(7, true);
        assert_eq!(read_request(&bytes[..bytes.len() - 1]).unwrap(), None);
        assert_eq!(read_request(&bytes).unwrap(), Some((Request { id: Some(7), is_post: true }, bytes.len())));
        for bytes in [answer(7), chunked(7)] {
            assert_eq!(read_answer(&bytes[..bytes.len() - 1], false).unwrap(), None);
            let whole = Answer { status: 200, body: body(7), keeps: true };
            assert_eq!(read_answer(&bytes, false).unwrap(), Some(whole));
        }
    }

    #[test]
    fn an_answer_that_ends_early_is_none() {
        let bytes = answer(7);
        assert_eq!(read_answer(&bytes[..100], true).unwrap(), None);
        assert!(read_answer(b"garbage\r\n\r\n", false).is_err());
    }
}
