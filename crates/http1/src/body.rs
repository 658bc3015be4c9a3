//! Decodes a body from whatever pieces arrive: by length, by chunks, or to the end of the connection (RFC 9112 §6, §7).
//! Strict: chunk lines end in CRLF, sizes are plain hexadecimal. Not here: the decision which framing holds, and what the
//! body is.

use std::ops::Range;

use crate::error::BodyError;
use crate::fields::Fields;
use crate::framing::Framing;
use crate::head::parse_field_line;
use crate::syntax;

/// Bounds on a chunked body's overhead.
#[derive(Debug, Clone, Copy)]
pub struct ChunkLimits {
    /// Bytes of a chunk-size line, extensions included.
    pub line: usize,
    /// Bytes of chunk-size lines beyond what sizes and data make reasonable (RFC 9112 §7.1.1): extensions are thrown away, so
    /// that a body of little else is only work. Each chunk makes up for its own size and [`USUAL_LINE`].
    pub excess: usize,
    /// Bytes of all trailers.
    pub trailer: usize,
    /// Number of trailers.
    pub trailer_fields: usize,
}

/// Bytes of a chunk-size line that need no data to make up for them.
pub const USUAL_LINE: usize = 16;

/// What one call found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the body, as a range of the input; may be empty.
    pub data: Range<usize>,
    /// Bytes of the input that are done with, the data included.
    pub consumed: usize,
    /// Whether the body ended.
    pub done: bool,
}

/// ```text
/// Size ─▶ Data ─▶ DataEnd ─▶ Size
///   └──▶ Trailer ─▶ Done        any ─▶ Broken
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    ToClose,
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
    Broken(BodyError),
}

/// The decoder of one body.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    limits: ChunkLimits,
    /// The size of the chunk that is being read.
    chunk: u64,
    /// What chunk-size lines have in excess, see [`ChunkLimits::excess`].
    excess: u64,
    /// A line of framing that has not ended yet, and the trailers.
    line: Vec<u8>,
    trailers: Option<Fields>,
}

impl Decoder {
    /// A decoder at the start of a body.
    pub fn new(framing: Framing, limits: ChunkLimits) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::Close => State::ToClose,
        };
        Self { state, limits, chunk: 0, excess: 0, line: Vec::new(), trailers: None }
    }

    /// Whether the body ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The size of the chunk that is being read, and how much of it is still to come.
    pub fn chunk(&self) -> Option<(u64, u64)> {
        match self.state {
            State::Data(left) => Some((self.chunk, left)),
            State::DataEnd => Some((self.chunk, 0)),
            _ => None,
        }
    }

    /// The trailers that came behind the last chunk.
    pub fn trailers(&self) -> Option<&Fields> {
        self.trailers.as_ref()
    }

    /// The same, for keeps: none the next time.
    pub fn take_trailers(&mut self) -> Option<Fields> {
        self.trailers.take()
    }

    /// Says that no more input comes.
    ///
    /// # Errors
    /// The body was not over.
    pub fn end_of_input(&mut self) -> Result<(), BodyError> {
        match self.state {
            State::ToClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            State::Broken(error) => Err(error),
            _ => Err(BodyError::Truncated),
        }
    }

    /// Looks at input. Call again with what is left until `done`, or until everything is consumed.
    ///
    /// # Errors
    /// The framing is broken; every later call says the same.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        self.step(input).inspect_err(|error| self.state = State::Broken(*error))
    }

    fn step(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            match self.state {
                State::Done => break,
                State::Broken(error) => return Err(error),
                State::ToClose => return Ok(self.data(at, input.len())),
                State::Length(left) | State::Data(left) => {
                    let taken = left.min(rest.len() as u64);
                    self.state = self.after_data(left - taken);
                    return Ok(self.data(at, at + taken as usize));
                }
                State::Size => at += self.size_line(rest)?,
                State::DataEnd => at += self.data_end(rest)?,
                State::Trailer => at += self.trailer(rest)?,
            }
        }
        Ok(Decoded { data: at..at, consumed: at, done: self.is_done() })
    }

    fn data(&self, from: usize, to: usize) -> Decoded {
        Decoded { data: from..to, consumed: to, done: self.is_done() }
    }

    fn after_data(&self, left: u64) -> State {
        match (self.state, left) {
            (State::Data(_), 0) => State::DataEnd,
            (State::Data(_), left) => State::Data(left),
            (_, 0) => State::Done,
            (_, left) => State::Length(left),
        }
    }

    /// Gathers a line that ends in CRLF; how much of `input` belongs to it, and whether it is complete.
    fn gather(&mut self, input: &[u8], limit: usize) -> Result<(usize, bool), BodyError> {
        let end = memchr::memchr(b'\n', input);
        let taken = end.map_or(input.len(), |end| end + 1);
        if self.line.len() + taken > limit + 2 {
            return Err(BodyError::LineTooLong);
        }
        self.line.extend_from_slice(&input[..taken]);
        Ok((taken, end.is_some()))
    }

    fn size_line(&mut self, input: &[u8]) -> Result<usize, BodyError> {
        // Most lines come whole, and need not be gathered.
        let end = memchr::memchr(b'\n', input).filter(|end| self.line.is_empty() && *end < self.limits.line + 2);
        if let Some(end) = end {
            self.chunk_begins(&input[..=end])?;
            return Ok(end + 1);
        }
        let (taken, complete) = self.gather(input, self.limits.line)?;
        if complete {
            let line = std::mem::take(&mut self.line);
            self.chunk_begins(&line)?;
        }
        Ok(taken)
    }

    fn chunk_begins(&mut self, line: &[u8]) -> Result<(), BodyError> {
        let size = chunk_size(line)?;
        self.count_excess(size, line.len())?;
        self.chunk = size;
        self.state = if size == 0 { State::Trailer } else { State::Data(size) };
        Ok(())
    }

    fn count_excess(&mut self, size: u64, line: usize) -> Result<(), BodyError> {
        let made_up_for = size.saturating_add(USUAL_LINE as u64);
        self.excess = self.excess.saturating_add(line as u64).saturating_sub(made_up_for);
        if self.excess > self.limits.excess as u64 { Err(BodyError::Excess) } else { Ok(()) }
    }

    fn data_end(&mut self, input: &[u8]) -> Result<usize, BodyError> {
        let wanted: &[u8] = if self.line.is_empty() { b"\r\n" } else { b"\n" };
        let taken = wanted.len().min(input.len());
        if input[..taken] != wanted[..taken] {
            return Err(BodyError::ChunkEnd);
        }
        if taken == wanted.len() {
            self.line.clear();
            self.state = State::Size;
        } else {
            self.line.push(b'\r');
        }
        Ok(taken)
    }

    fn trailer(&mut self, input: &[u8]) -> Result<usize, BodyError> {
        if self.line.is_empty() && input.starts_with(b"\r\n") {
            self.state = State::Done;
            return Ok(2);
        }
        let (taken, complete) = self.gather(input, self.limits.trailer).map_err(|_| BodyError::TrailerTooLong)?;
        if !complete {
            return Ok(taken);
        }
        let line = std::mem::take(&mut self.line);
        let content = line.strip_suffix(b"\r\n").ok_or(BodyError::Trailer)?;
        if content.is_empty() {
            self.state = State::Done;
            return Ok(taken);
        }
        let (name, value) = parse_field_line(content, 0, content.len()).ok_or(BodyError::Trailer)?;
        let trailers = self.trailers.get_or_insert_with(Fields::new);
        trailers.push(&content[name], &content[value]);
        if trailers.len() > self.limits.trailer_fields || trailers.bytes().len() > self.limits.trailer {
            return Err(BodyError::TrailersTooLarge);
        }
        Ok(taken)
    }
}

/// The most digits of a size that are not leading zeros.
const SIZE_DIGITS: usize = 15;

/// Hexadecimal digits, then perhaps white space, then perhaps extensions, which mean nothing to us; CRLF at the end.
/// Leading zeros and the white space are what some servers pad sizes with, and nginx takes them too.
fn chunk_size(line: &[u8]) -> Result<u64, BodyError> {
    let content = line.strip_suffix(b"\r\n").ok_or(BodyError::ChunkSize)?;
    let digits = content.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let zeros = content.iter().take_while(|byte| **byte == b'0').count();
    let rest = &content[syntax::trim(content, digits, content.len()).start..];
    let ends_well = rest.is_empty() || (rest[0] == b';' && syntax::is_value_text(rest));
    if digits == 0 || digits - zeros > SIZE_DIGITS || !ends_well {
        return Err(BodyError::ChunkSize);
    }
    let digit = |byte: &u8| u64::from(char::from(*byte).to_digit(16).unwrap_or_default());
    Ok(content[zeros..digits].iter().fold(0, |size, byte| size << 4 | digit(byte)))
}
