//! The body of an answer: what was held back of it, then the rest, with a bound on its silence.
//! Not here: request bodies ([`crate::replay`]).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use policy::resilience::HoldBack;
use policy::{Failure, Outcome, Phase};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use crate::attempt::Attempt;
use crate::{BoxError, Error, failure_of_error};

/// The body of an answer.
#[derive(Debug)]
pub struct HeldBody<B> {
    held: VecDeque<Frame<Bytes>>,
    /// What is still to come; nothing once it has ended.
    rest: Option<Pin<Box<B>>>,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    is_silent: bool,
    longest: Duration,
    /// Counted until the body has ended.
    attempt: Option<Attempt>,
}

/// Waits for the whole of a small body: one that breaks off is then a failure like any other.
///
/// # Errors
/// It broke off.
pub(crate) async fn hold_back<B>(
    response: Response<B>,
    hold: Option<HoldBack>,
    longest: Duration,
) -> Result<Response<HeldBody<B>>, BoxError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (parts, body) = response.into_parts();
    let mut held = HeldBody::new(body, longest);
    let small = |hold: &HoldBack| held.size_hint().exact().is_some_and(|size| size > 0 && size <= hold.size);
    if let Some(hold) = hold.filter(small) {
        held.fill(Instant::now() + hold.time).await?;
    }
    Ok(Response::from_parts(parts, held))
}

impl<B> HeldBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    fn new(body: B, longest: Duration) -> Self {
        let rest = (!body.is_end_stream()).then(|| Box::pin(body));
        Self { held: VecDeque::new(), rest, silence: None, is_silent: false, longest, attempt: None }
    }

    /// Reads ahead until it ends, or the time is over.
    async fn fill(&mut self, until: Instant) -> Result<(), BoxError> {
        while let Some(rest) = &mut self.rest {
            match timeout_at(until, rest.frame()).await {
                Ok(Some(frame)) => self.held.push_back(frame.map_err(Into::into)?),
                Ok(None) => self.rest = None,
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Lets the attempt count until the body has ended.
    pub(crate) fn count(&mut self, attempt: Attempt) {
        self.attempt = Some(attempt);
        if self.rest.is_none() {
            self.end(Outcome::Success);
        }
    }

    /// Whether nothing has come for too long, since the first time that somebody waited in vain.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let longest = self.longest;
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(longest)));
        if !std::mem::replace(&mut self.is_silent, true) {
            silence.as_mut().reset(Instant::now() + longest);
        }
        silence.as_mut().poll(cx)
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut attempt) = self.attempt.take() {
            attempt.finish(outcome);
        }
    }

    fn fail(&mut self, failure: Failure, error: Option<BoxError>) -> BoxError {
        self.rest = None;
        if let Some(attempt) = &mut self.attempt {
            attempt.fails_late(&failure);
        }
        self.end(Outcome::Failure);
        Box::new(Error::new(failure, 1).because(error))
    }
}

/// The length of what is kept and what follows it.
pub(crate) fn longer(rest: &SizeHint, kept: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    if let Some(upper) = rest.upper().map(|upper| upper.saturating_add(kept)) {
        hint.set_upper(upper);
    }
    hint.set_lower(rest.lower().saturating_add(kept));
    hint
}

impl<B> Body for HeldBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(frame) = this.held.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let Some(rest) = &mut this.rest else { return Poll::Ready(None) };
        match rest.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.is_silent = false;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let error = error.into();
                let failure = failure_of_error(&*error, Phase::Body);
                Poll::Ready(Some(Err(this.fail(failure, Some(error)))))
            }
            Poll::Ready(None) => {
                this.rest = None;
                this.end(Outcome::Success);
                Poll::Ready(None)
            }
            Poll::Pending => match this.poll_silence(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(this.fail(Failure::timed_out(Phase::Body), None)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.rest.as_ref().is_none_or(|rest| rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let held: u64 = self.held.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.size_hint());
        longer(&rest, held)
    }
}
