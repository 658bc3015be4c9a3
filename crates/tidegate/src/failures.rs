//! What is said of a request's failures: in the error log nginx's line, and behind it the cause, what was seen, and advice; in
//! the fields of an answer the type, and to trusted clients more.
//!
//! Every failure has its line; the advice is given once a minute for each cause and place.
//! Not here: what a cause means (`policy::failure`), and the answer's body (`local_response`).

use std::time::{Duration, Instant};

use config::model::{Level, ProxyStatus};
use http1::{Fields, Framing};
use policy::failure::proxy_status::{Disclosed, Member};
use policy::failure::repeats::Saying;
use policy::{Failure, Phase};

use crate::client::ClientFailure;
use crate::request::Request;

/// What this gateway calls itself in `Proxy-Status`.
const INTERMEDIARY: &str = "tidegate";

/// The fields of an error-log line that nginx does not have.
#[derive(Debug, Clone)]
pub(crate) struct Addition {
    pub(crate) failure: String,
    pub(crate) advice: Option<String>,
}

impl Request {
    /// Writes the error-log line of an attempt's failure.
    pub(crate) fn log_failure(&self, failure: &Failure, endpoint: &str, upstream: &str) {
        let phrase = failure.nginx_phrase_at(endpoint);
        let message = format!("{phrase} while {}", failure.phase.nginx_action());
        self.log_cause(level(failure), &message, Some(upstream), failure, endpoint);
    }

    /// Writes the error-log line of a failure in which no endpoint has a part, in nginx's words for it; it is the request's
    /// failure from now on.
    pub(crate) fn fail(&mut self, level: Level, message: &str, failure: Failure) {
        self.log_cause(level, message, None, &failure, "");
        self.record.failure = Some(failure);
    }

    /// Says that an attempt took its endpoint out of the rotation.
    pub(crate) fn log_disabled(&self, phase: Phase, upstream: &str) {
        let message = format!("upstream server temporarily disabled while {}", phase.nginx_action());
        self.log(Level::Warn, &message, Some(upstream));
    }

    /// Writes the error-log line of a failure of the client's side, with what was being done; it is the request's failure.
    pub(crate) fn log_client_failure(&mut self, failure: ClientFailure, phase: Option<Phase>, upstream: Option<&str>) {
        let told = failure.failure().at(phase.unwrap_or(Phase::Request));
        // What could not be kept was said where it happened, with the reason.
        if failure != ClientFailure::Unkept {
            let level = match failure {
                ClientFailure::Malformed | ClientFailure::TooLarge { .. } => Level::Error,
                _ => Level::Info,
            };
            let phrase = failure.nginx_phrase();
            let message = phase.map(|phase| format!("{phrase} while {}", phase.nginx_action()));
            self.log_cause(level, message.as_deref().unwrap_or(&phrase), upstream, &told, "");
        }
        self.record.failure = Some(told);
    }

    /// Whether the client may know of failures what operators know.
    pub(crate) fn tells_details(&self) -> bool {
        self.settings().failure_details.includes(self.connection.peer.map(|peer| peer.ip()))
    }

    /// The failure as a member of `Proxy-Status`.
    pub(crate) fn proxy_status<'a>(&'a self, failure: &'a Failure, details: bool) -> Member<'a> {
        let asked = self.record.attempts.iter().rev().find(|attempt| attempt.was_made());
        let next_hop = asked.map(|attempt| &*attempt.endpoint);
        Member { intermediary: INTERMEDIARY, failure, disclosed: details.then_some(Disclosed { next_hop }) }
    }

    /// Adds the fields by which an answer tells of the request's failure.
    pub(crate) fn add_failure_fields(&self, status: u16, fields: &mut Fields) {
        let Some(failure) = &self.record.failure else { return };
        if self.settings().proxy_status != ProxyStatus::Off {
            let member = self.proxy_status(failure, self.tells_details()).to_string();
            fields.push(b"Proxy-Status", member.as_bytes());
        }
        if let Some(seconds) = failure.retry_after().filter(|_| failure.status().as_u16() == status)
            && !fields.contains("retry-after")
        {
            fields.push(b"Retry-After", seconds.to_string().as_bytes());
        }
    }

    /// What a client is told behind chunks that broke off.
    pub(crate) fn failure_trailers(&self, failure: &Failure) -> Fields {
        let mut fields = Fields::default();
        fields.push(b"Proxy-Status", self.proxy_status(failure, self.tells_details()).to_string().as_bytes());
        fields
    }

    /// Puts a bare member into the head: one in a trailer must have its like there, which shows where it stands among those of
    /// other proxies (RFC 9209 §2).
    pub(crate) fn stand_for_trailer(&self, fields: &mut Fields) {
        if self.record.failure.is_none() {
            fields.push(b"Proxy-Status", INTERMEDIARY.as_bytes());
        }
    }

    /// Whether the client reads in a trailer why an answer broke off: it was asked for, and there are chunks to put it behind.
    pub(crate) fn tells_in_trailers(&self, framing: Framing) -> bool {
        self.settings().proxy_status == ProxyStatus::Trailers
            && framing == Framing::Chunked
            && self.head.fields.has_token("te", "trailers")
    }

    /// Writes a line with a failure's addition. `place` is the endpoint, by which repetitions are counted.
    fn log_cause(&self, level: Level, message: &str, upstream: Option<&str>, failure: &Failure, place: &str) {
        if self.logs(level) {
            let saying = self.worker.repeats.borrow_mut().saw(failure.cause, place, Instant::now());
            self.write_log(level, message, upstream, Some(&addition(failure, saying)));
        }
    }
}

fn level(failure: &Failure) -> Level {
    match failure.level() {
        policy::Level::Crit => Level::Crit,
        policy::Level::Error => Level::Error,
        policy::Level::Info => Level::Info,
    }
}

fn addition(failure: &Failure, saying: Saying) -> Addition {
    let mut text = failure.summary();
    if let Some((count, silent)) = saying.unadvised {
        text.push_str(&format!("; {count} more in the last {}", rounded(silent)));
    }
    Addition { failure: text, advice: saying.advise.then(|| failure.advice()) }
}

/// A span in the largest unit of which there are at least two.
fn rounded(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use policy::Cause;

    use super::*;

    #[test]
    fn advice_is_one_text_and_what_came_before_it_is_counted() {
        let failure = Failure::new(Cause::ConnectRefused);
        let silent = addition(&failure, Saying { advise: false, unadvised: None });
        assert_eq!((silent.failure.as_str(), silent.advice), ("TG-2001 connect_refused", None));
        let unadvised = Some((37, Duration::from_secs(61)));
        let told = addition(&failure, Saying { advise: true, unadvised });
        assert_eq!(told.failure, "TG-2001 connect_refused; 37 more in the last 61 s");
        assert!(told.advice.unwrap().starts_with("Nothing listens at the endpoint's address. Start the application"));
    }

    #[test]
    fn spans_are_rounded_to_what_is_worth_reading() {
        let shown = [1, 119, 120, 7199, 7200].map(|seconds| rounded(Duration::from_secs(seconds)));
        assert_eq!(shown, ["1 s", "119 s", "2 min", "119 min", "2 h"]);
    }
}
