//! What `tracing` is told. Not here: when it happens (`retry.rs`).

#![allow(clippy::unwrap_used, reason = "a line that cannot be written fails the test")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tidegate_tower::policy::{Cause, Failure};
use tidegate_tower::{Client, Error, ReplayBody, Tracing};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps every event as a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if !matches!(field.name(), "took" | "after") {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "tidegate_tower"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn attempts_failures_and_retries_are_told() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let asked = Arc::new(Mutex::new(0));
    let service = tower::service_fn(move |_: Request<ReplayBody<Full<Bytes>>>| {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        let reply = match *asked {
            1 => Err(Error::from(Failure::new(Cause::ConnectRefused))),
            2 => Ok(Response::builder().status(503).body(Full::<Bytes>::default()).unwrap()),
            _ => Ok(Response::new(Full::default())),
        };
        std::future::ready(reply)
    });
    let heard = Arc::new(Mutex::new(0));
    let count = heard.clone();
    let both = (Tracing, move |_: &tidegate_tower::Event<'_>| *count.lock().unwrap() += 1);
    let client = Client::builder().base("http://a").on_event(both).over(service).unwrap();
    assert!(client.get("/").await.is_ok());
    let lines = lines.0.lock().unwrap();
    let expected = [
        "DEBUG message=attempt attempt=1 origin=\"http://a\"",
        "DEBUG message=failed attempt=1 origin=\"http://a\" cause=\"connect_refused\"",
        "WARN message=Nothing listens at the endpoint's address. origin=\"http://a\" code=TG-2001 cause=\"connect_refused\" seen=",
        "INFO message=retry attempt=2",
        "DEBUG message=attempt attempt=2 origin=\"http://a\"",
        "DEBUG message=answered attempt=2 origin=\"http://a\" status=503",
        "WARN message=answered with a failure origin=\"http://a\" status=503",
        "INFO message=retry attempt=3",
        "DEBUG message=attempt attempt=3 origin=\"http://a\"",
        "DEBUG message=answered attempt=3 origin=\"http://a\" status=200",
    ];
    assert_eq!(lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    assert_eq!(*heard.lock().unwrap(), expected.len());
}
