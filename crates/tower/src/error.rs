//! The error of an exchange. Not here: what it means (`policy::Failure`).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use policy::Failure;

use crate::{BoxError, failure_of_head};

/// An exchange without a usable answer.
#[derive(Debug)]
pub struct Error {
    failure: Failure,
    attempts: u32,
    retry_after: Option<Duration>,
    response: Option<Box<http::Response<Bytes>>>,
    source: Option<BoxError>,
}

impl Error {
    pub(crate) fn new(failure: impl Into<Failure>, attempts: u32) -> Self {
        let failure = failure.into().with(|evidence| evidence.attempts = attempts);
        Self { failure, attempts, retry_after: None, response: None, source: None }
    }

    pub(crate) fn after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn because(mut self, source: Option<BoxError>) -> Self {
        self.source = source;
        self
    }

    pub(crate) fn answered(mut self, response: http::Response<Bytes>) -> Self {
        self.response = Some(Box::new(response));
        self
    }

    /// Why: of the last attempt, or of the gateway that answered.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Attempts that were made, 0 if none was let.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When it may be of use to try again, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The gateway's answer, if there was one, with at most the first 64 KiB of its body.
    pub fn response(&self) -> Option<&http::Response<Bytes>> {
        self.response.as_deref()
    }

    /// The answer, where nothing but its status told of a failure.
    fn unexplained(&self) -> Option<&http::Response<Bytes>> {
        self.response().filter(|response| failure_of_head(http::StatusCode::OK, response.headers()).is_none())
    }

    /// The error of this crate within another one, such as that of a body or of `reqwest-middleware`.
    pub fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        crate::classify::chain(error).find_map(|error| error.downcast_ref())
    }

    /// What to tell a user: plain language, without jargon.
    pub fn user_message(&self) -> &'static str {
        self.failure.row().treatment.user
    }
}

/// For services that know why they fail, such as that a request was never sent.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure, 1)
    }
}

/// For a log: the code, what happened, what was seen and how often it was tried.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.failure.row();
        match self.unexplained() {
            Some(_) => write!(f, "no reason was given, most likely {} {}", row.code, row.name)?,
            None => write!(f, "{} {}: {}", row.code, row.name, row.happened)?,
        }
        match self.failure.evidence().to_string() {
            seen if seen.is_empty() => Ok(()),
            seen => write!(f, " ({seen})"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Cause;

    #[test]
    fn a_bare_502_is_not_said_to_be_more_than_that() {
        let response = http::Response::builder().status(502).body(Bytes::new()).unwrap();
        let failure = failure_of_head(response.status(), response.headers()).unwrap();
        assert_eq!(
            Error::new(failure, 2).answered(response).to_string(),
            "no reason was given, most likely TG-5002 closed_before_reply (the answer was 502 Bad Gateway; 2 attempts)"
        );
    }

    #[test]
    fn it_speaks_plainly_to_users_and_exactly_to_operators() {
        let error = Error::new(Cause::ConnectRefused, 3);
        assert_eq!(
            error.to_string(),
            "TG-2001 connect_refused: Nothing listens at the endpoint's address. (3 attempts)"
        );
        assert!(error.user_message().starts_with("The service behind this site is not running"));
    }
}
