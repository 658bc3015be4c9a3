//! A request's body that can be sent again: it streams, and what went by is kept up to a bound.
//! Not here: whether it is sent again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use policy::Phase;
use tokio::time::Instant;

use crate::BoxError;
use crate::body::longer;

/// The body of one attempt.
#[derive(Debug)]
pub struct ReplayBody<B> {
    tape: Arc<Mutex<Tape<B>>>,
    /// Frames of the tape that this attempt has sent.
    position: usize,
    turn: u64,
}

/// The one body of an exchange, from which each attempt has its own.
#[derive(Debug)]
pub(crate) struct Source<B>(Arc<Mutex<Tape<B>>>);

impl<B> Clone for Source<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Tape<B> {
    rest: Pin<Box<B>>,
    ended: bool,
    kept: Vec<Kept>,
    size: usize,
    limit: usize,
    /// Longer than the limit, or broken off: it cannot be sent again.
    spoilt: bool,
    /// The attempt whose turn it is: those before it may not read on.
    turn: u64,
    progress: Instant,
    /// Whoever sends this body to us owes the next frame.
    waiting: bool,
}

#[derive(Debug, Clone)]
enum Kept {
    Data(Bytes),
    Trailers(HeaderMap),
}

impl Kept {
    fn frame(self) -> Frame<Bytes> {
        match self {
            Kept::Data(data) => Frame::data(data),
            Kept::Trailers(trailers) => Frame::trailers(trailers),
        }
    }

    fn len(&self) -> usize {
        if let Kept::Data(data) = self { data.len() } else { 0 }
    }
}

fn locked<B>(tape: &Mutex<Tape<B>>) -> MutexGuard<'_, Tape<B>> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B: Body<Data = Bytes>> Source<B> {
    /// A body of which at most `limit` bytes are kept.
    pub(crate) fn new(body: B, limit: usize) -> Self {
        let spoilt = body.size_hint().lower() > limit as u64;
        let (rest, kept, progress) = (Box::pin(body), Vec::new(), Instant::now());
        let tape = Tape { rest, ended: false, kept, size: 0, limit, spoilt, turn: 0, progress, waiting: false };
        Self(Arc::new(Mutex::new(tape)))
    }

    /// The body for the next attempt; that of the one before ends with an error if it is still read.
    pub(crate) fn attempt(&self) -> ReplayBody<B> {
        let mut tape = locked(&self.0);
        tape.turn += 1;
        ReplayBody { tape: self.0.clone(), position: 0, turn: tape.turn }
    }

    /// The body for an attempt beside the one whose turn it is, if all of it is there and kept.
    pub(crate) fn beside(&self) -> Option<ReplayBody<B>> {
        let tape = locked(&self.0);
        tape.is_whole().then(|| ReplayBody { tape: self.0.clone(), position: 0, turn: tape.turn })
    }

    /// Whether another attempt can send all of it.
    pub(crate) fn is_replayable(&self) -> bool {
        let tape = locked(&self.0);
        !tape.spoilt || tape.is_untouched()
    }

    /// What a silence is about: the rest of the body, that nobody takes it, or the answer.
    pub(crate) fn silent_phase(&self) -> Phase {
        let tape = locked(&self.0);
        match tape.waiting {
            _ if tape.ended || tape.rest.is_end_stream() => Phase::AwaitHead,
            true => Phase::Request,
            false => Phase::Send,
        }
    }

    /// When its last frame was taken.
    pub(crate) fn progress(&self) -> Instant {
        locked(&self.0).progress
    }
}

impl<B: Body<Data = Bytes>> Tape<B> {
    /// Nothing was taken of it yet.
    fn is_untouched(&self) -> bool {
        self.size == 0 && self.kept.is_empty() && !self.ended
    }

    fn is_whole(&self) -> bool {
        !self.spoilt && (self.ended || self.rest.is_end_stream())
    }

    fn keep(&mut self, frame: &Frame<Bytes>) {
        let kept = match (frame.data_ref(), frame.trailers_ref()) {
            (Some(data), _) => Kept::Data(data.clone()),
            (None, Some(trailers)) => Kept::Trailers(trailers.clone()),
            (None, None) => return,
        };
        self.size += kept.len();
        self.spoilt |= self.size > self.limit;
        if self.spoilt { self.kept.clear() } else { self.kept.push(kept) }
    }

    fn remembered(&self, position: usize) -> &[Kept] {
        self.kept.get(position..).unwrap_or_default()
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let mut tape = locked(&this.tape);
        if tape.turn != this.turn {
            return Poll::Ready(Some(Err("another attempt sends this body".into())));
        }
        if let Some(kept) = tape.remembered(this.position).first().cloned() {
            this.position += 1;
            return Poll::Ready(Some(Ok(kept.frame())));
        }
        if tape.ended {
            return Poll::Ready(None);
        }
        let polled = tape.rest.as_mut().poll_frame(cx);
        tape.waiting = polled.is_pending();
        let Poll::Ready(frame) = polled else { return Poll::Pending };
        tape.progress = Instant::now();
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                tape.keep(&frame);
                this.position += 1;
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                (tape.spoilt, tape.ended, tape.size) = (true, true, tape.size.max(1));
                Some(Err(error.into()))
            }
            None => {
                tape.ended = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        let tape = locked(&self.tape);
        tape.remembered(self.position).is_empty() && (tape.ended || tape.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let tape = locked(&self.tape);
        let kept = tape.remembered(self.position).iter().map(|kept| kept.len() as u64).sum::<u64>();
        let rest = tape.rest.size_hint();
        longer(&rest, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn source(text: &'static str, limit: usize) -> Source<Full<Bytes>> {
        Source::new(Full::from(text), limit)
    }

    #[tokio::test]
    async fn each_attempt_sends_the_whole_body_with_its_length() {
        let source = source("abc", 3);
        for _ in 0..3 {
            let body = source.attempt();
            assert_eq!(body.size_hint().exact(), Some(3));
            assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
            assert!(source.is_replayable());
        }
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_sent_once_and_not_kept() {
        let source = source("abcd", 3);
        assert!(source.is_replayable(), "nothing was taken of it yet");
        assert_eq!(source.attempt().collect().await.unwrap().to_bytes(), "abcd");
        assert!(!source.is_replayable());
        assert!(locked(&source.0).kept.is_empty());
    }

    #[tokio::test]
    async fn an_attempt_after_one_that_stopped_halfway_begins_at_the_start() {
        let parts = ["a", "b", "c"].map(|part| Ok::<_, BoxError>(Frame::data(Bytes::from(part))));
        let body = http_body_util::StreamBody::new(Parts(parts.into_iter().collect()));
        let source = Source::new(body, 100);
        let mut first = source.attempt();
        assert_eq!(first.frame().await.unwrap().unwrap().into_data().unwrap(), "a");
        assert_eq!(source.attempt().collect().await.unwrap().to_bytes(), "abc");
        assert!(first.frame().await.unwrap().is_err(), "it is no longer its turn");
    }

    #[tokio::test]
    async fn attempts_beside_each_other_both_send_what_is_whole() {
        let source = source("abc", 3);
        let mut first = source.attempt();
        assert!(source.beside().is_none(), "it may still be streaming");
        assert_eq!(first.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert_eq!(source.beside().unwrap().collect().await.unwrap().to_bytes(), "abc");
        assert!(first.frame().await.is_none(), "the first is not disturbed");
    }

    /// A stream of frames that are all there.
    struct Parts(std::collections::VecDeque<Result<Frame<Bytes>, BoxError>>);

    impl futures_core::Stream for Parts {
        type Item = Result<Frame<Bytes>, BoxError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop_front())
        }
    }
}
