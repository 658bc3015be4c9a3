//! An examination for scripts: one object of JSON. Not here: what is found.

use std::time::Duration;

use policy::Failure;
use serde_json::{Value, json};

use super::facts::{Body, Certificate, Facts, Idle, Listener, Listening, Reply, Reuse, Tls};
use super::steps::{Step, Told};
use super::target::Target;
use super::verdict::Finding;

/// Takes the steps' times, and says nothing meanwhile.
#[derive(Default)]
pub(super) struct Times(Vec<(Step, Duration)>);

impl Told for Times {
    fn begins(&mut self, _: Step) {}

    fn ended(&mut self, step: Step, _: &Facts, took: Duration) {
        self.0.push((step, took));
    }
}

/// One endpoint.
pub(super) fn endpoint(target: &Target, facts: &Facts, times: &Times, finding: Option<&Finding>) -> Value {
    let steps = times.0.iter().map(|(step, took)| (step.name().to_owned(), json!(took.as_secs_f64())));
    json!({
        "endpoint": target.name,
        "address": target.place.to_string(),
        "seconds": steps.collect::<serde_json::Map<_, _>>(),
        "resolved": facts.resolved.as_ref().map(|resolved| match resolved {
            Ok(addresses) => json!(addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>()),
            Err(failure) => failed(failure),
        }),
        "connects": facts.connects.iter().map(|connect| json!({
            "address": connect.address,
            "seconds": connect.result.as_ref().ok().map(Duration::as_secs_f64),
            "failure": connect.result.as_ref().err().map(failed),
        })).collect::<Vec<_>>(),
        "listens": facts.listening.as_ref().map(listening),
        "tls": facts.tls.as_ref().map(|tls| tls.as_ref().map_or_else(failed, secured)),
        "answer": facts.reply.as_ref().map(|reply| reply.as_ref().map_or_else(failed, answered)),
        "keep_alive": kept(facts),
        "h2c": facts.h2c,
        "healthy": finding.is_none(),
        "verdict": finding.map(|finding| json!({
            "fault": finding.name(),
            "code": finding.code().map(|code| code.to_string()),
            "happened": finding.happened(),
            "change": finding.change(),
        })),
    })
}

fn failed(failure: &Failure) -> Value {
    json!({
        "failure": failure.row().name,
        "code": failure.row().code.to_string(),
        "seen": failure.evidence().to_string(),
    })
}

fn listening(found: &Listening) -> Value {
    let elsewhere = found.elsewhere.iter().map(|(address, listener)| (address.to_string(), who(listener)));
    json!({
        "here": found.here.as_ref().map(who),
        "elsewhere": elsewhere.collect::<serde_json::Map<_, _>>(),
        "file": found.file,
    })
}

fn who(listener: &Listener) -> Value {
    let process = listener.process.as_ref();
    json!({
        "process": process.map(|process| &process.name),
        "pid": process.map(|process| process.id),
        "home": process.and_then(|process| process.home.as_ref()),
        "waiting": listener.waiting,
    })
}

fn secured(tls: &Tls) -> Value {
    let certificate = |certificate: &Certificate| {
        json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "names": certificate.names,
            "expires": certificate.expires,
        })
    };
    json!({
        "version": tls.version,
        "alpn": tls.alpn,
        "chain": tls.chain.iter().map(certificate).collect::<Vec<_>>(),
        "refused": tls.refused.as_ref().map(failed),
        "needs_name": tls.needs_name,
    })
}

fn answered(reply: &Reply) -> Value {
    let (bytes, failure) = match &reply.body {
        Body::Whole(bytes) | Body::Streams(bytes) => (Some(*bytes), None),
        Body::Broken(failure) => (None, Some(failed(failure))),
    };
    json!({
        "status": reply.status,
        "version": reply.version,
        "head_bytes": reply.head,
        "fields": reply.fields,
        "largest_field": reply.largest.as_ref().map(|(name, size)| json!({ "name": name, "bytes": size })),
        "body_bytes": bytes,
        "body_failure": failure,
        "surplus_bytes": reply.surplus,
        "persistent": reply.persistent,
        "first_byte_seconds": reply.first_byte.as_secs_f64(),
    })
}

fn kept(facts: &Facts) -> Value {
    let announces = facts.reply.as_ref().and_then(|reply| reply.as_ref().ok()?.announces);
    let second = facts.reuse.map(|reuse| match reuse {
        Reuse::Answered(status) => json!(status),
        Reuse::Ended => json!("none"),
    });
    let (closes, open) = match facts.idle {
        Some(Idle::Closed { after, .. }) => (Some(after.as_secs_f64()), None),
        Some(Idle::Open { after }) => (None, Some(after.as_secs_f64())),
        Some(Idle::Spoke { .. }) | None => (None, None),
    };
    json!({
        "announces_seconds": announces.map(|time| time.as_secs()),
        "second_answer": second,
        "closes_after_seconds": closes,
        "open_after_seconds": open,
    })
}
