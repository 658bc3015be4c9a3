//! Plays a script on one connection. Not here: the scripts, and who accepts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::account::{Account, Counts, Ending, count};
use super::path;
use super::request::Request;
use super::script::{Answer, Script, Step};
use super::wire::Wire;
use crate::stream::Stream;

/// What a connection plays.
#[derive(Debug, Clone)]
pub(super) enum Plays {
    /// One mode from its start.
    Mode(&'static str, Arc<Script>),
    /// What each request's path names.
    Paths,
}

/// A connection under way.
pub(super) struct Player {
    wire: Wire,
    born: Instant,
    /// The text of good answers.
    hello: Arc<str>,
    counts: Arc<Counts>,
    /// The last request.
    request: Option<Request>,
    /// It was read to choose the script, and no step has taken it yet.
    is_new: bool,
    requests: u64,
}

/// Why a script is over.
enum Over {
    /// The next request begins at its start.
    Again,
    Ended(Ending),
}

impl From<Ending> for Over {
    fn from(ending: Ending) -> Self {
        Over::Ended(ending)
    }
}

impl Player {
    pub(super) fn new(stream: Stream, hello: Arc<str>, counts: Arc<Counts>) -> Self {
        let wire = Wire::new(stream);
        Self { wire, born: Instant::now(), hello, counts, request: None, is_new: false, requests: 0 }
    }

    /// Plays to the end, and tells how it went. The connection is closed when it returns.
    pub(super) async fn play(mut self, plays: Plays, peer: String) -> Account {
        let (mode, ending) = match plays {
            Plays::Mode(mode, script) => (mode, self.play_again_and_again(&script).await),
            Plays::Paths => self.play_paths().await,
        };
        if ending == Ending::Reset {
            self.wire.reset();
        }
        Account {
            mode,
            peer,
            request: self.request.as_ref().map(Request::shown),
            requests: self.requests,
            received: self.wire.received,
            sent: self.wire.sent,
            ending,
            took: self.born.elapsed(),
        }
    }

    async fn play_again_and_again(&mut self, script: &Script) -> Ending {
        loop {
            if let Over::Ended(ending) = self.play_once(script).await {
                return ending;
            }
        }
    }

    async fn play_paths(&mut self) -> (&'static str, Ending) {
        let mut mode = "path";
        loop {
            if let Err(ending) = self.read_head().await {
                return (mode, ending);
            }
            self.is_new = true;
            let target =
                self.request.as_ref().map(|request| String::from_utf8_lossy(request.head.target()).into_owned());
            let (chosen, script) = path::chosen(&target.unwrap_or_default());
            mode = chosen;
            if let Over::Ended(ending) = self.play_once(&script).await {
                return (mode, ending);
            }
        }
    }

    async fn play_once(&mut self, script: &Script) -> Over {
        let mut at = 0;
        while let Some(step) = script.steps.get(at) {
            at += 1;
            match step {
                Step::From(_) if !self.persists() => break,
                Step::From(0) => return Over::Again,
                Step::From(step) => at = *step,
                step => {
                    if let Err(ending) = self.step(step).await {
                        return ending.into();
                    }
                }
            }
        }
        Ending::Closed.into()
    }

    fn persists(&self) -> bool {
        self.request.as_ref().is_some_and(Request::persists)
    }

    /// Does one thing; an error is the end of the connection.
    async fn step(&mut self, step: &Step) -> Result<(), Ending> {
        match step {
            Step::Head => self.take_head(None).await,
            Step::Request(within) => self.take_request(*within, true).await,
            Step::Uninvited => self.take_request(None, false).await,
            Step::BodyBegins => self.body_begins().await,
            Step::Send(bytes) => self.wire.send(bytes).await,
            Step::Drip(bytes, pause) => self.drip(bytes, *pause).await,
            Step::Endless(bytes) => loop {
                self.wire.send(bytes).await?;
            },
            Step::Echo => {
                let head = self.request.as_ref().map(|request| request.bytes.clone());
                self.wire.send(&head.unwrap_or_default()).await
            }
            Step::Answer(answer) => self.answer(answer).await,
            Step::Wait(span) => self.wire.wait(*span).await,
            Step::Age(age) => self.wire.wait_until(self.born + *age).await,
            Step::Silence => Err(self.wire.silence().await),
            Step::Deafness => Err(self.wire.deafness().await),
            Step::CloseAfter(requests) if self.requests >= *requests => Err(Ending::Closed),
            Step::CloseAfter(_) | Step::From(_) => Ok(()),
            Step::Close => Err(Ending::Closed),
            Step::Reset => Err(Ending::Reset),
        }
    }

    /// Waits for the next head, behind what is left of the last request.
    async fn take_head(&mut self, within: Option<Duration>) -> Result<(), Ending> {
        if std::mem::take(&mut self.is_new) {
            return Ok(());
        }
        if let Some(within) = within.filter(|_| self.wire.input.is_empty()) {
            timeout(within, self.wire.fill()).await.map_err(|_| Ending::Closed)??;
        }
        self.read_head().await
    }

    async fn read_head(&mut self) -> Result<(), Ending> {
        if let Some(mut last) = self.request.take() {
            let read = last.read_body(&mut self.wire).await;
            self.request = Some(last);
            read?;
        }
        self.request = Some(Request::read(&mut self.wire).await?);
        self.requests += 1;
        count(&self.counts.requests);
        Ok(())
    }

    async fn take_request(&mut self, within: Option<Duration>, invites: bool) -> Result<(), Ending> {
        self.take_head(within).await?;
        let Some(request) = &mut self.request else { return Ok(()) };
        if invites && request.waits_to_continue(&self.wire) {
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.read_body(&mut self.wire).await?;
        if request.is_whole() && request.is_http {
            count(&self.counts.whole);
        }
        Ok(())
    }

    /// Bytes of a body are there, or none will come.
    async fn body_begins(&mut self) -> Result<(), Ending> {
        let comes = self.request.as_ref().is_some_and(|request| !request.is_whole());
        if comes && self.wire.input.is_empty() { self.wire.fill().await } else { Ok(()) }
    }

    async fn drip(&mut self, bytes: &[u8], pause: Duration) -> Result<(), Ending> {
        for byte in bytes {
            self.wire.send(&[*byte]).await?;
            sleep(pause).await;
        }
        Ok(())
    }

    async fn answer(&mut self, answer: &Answer) -> Result<(), Ending> {
        let to_head = self.request.as_ref().is_some_and(|request| request.head.method == http::Method::HEAD);
        self.wire.send(&answer.bytes(&self.hello, to_head)).await?;
        if self.persists() { Ok(()) } else { Err(Ending::Closed) }
    }
}
