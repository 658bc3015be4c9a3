//! The attempts, in nginx's list format: `, ` between attempts, ` : ` where an internal redirect lies between.

use config::model::Variable;

use super::request::Seconds;
use super::{bytes, number, show};
use crate::record::Attempted;
use crate::request::Request;

/// `None` when the variable is of another room.
pub(super) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> Option<bool> {
    let found = match variable {
        Variable::UpstreamAddr => list(request, out, |attempt, out| bytes(out, Some(attempt.endpoint.as_bytes()))),
        Variable::UpstreamStatus => {
            list(request, out, |attempt, out| attempt.status > 0 && number(out, attempt.status.into()))
        }
        Variable::UpstreamConnectTime => list(request, out, |attempt, out| seconds(attempt.connect_time, out)),
        Variable::UpstreamHeaderTime => list(request, out, |attempt, out| seconds(attempt.header_time, out)),
        Variable::UpstreamResponseTime => list(request, out, |attempt, out| seconds(attempt.response_time, out)),
        Variable::UpstreamResponseLength => list(request, out, |attempt, out| number(out, attempt.response_length)),
        Variable::UpstreamBytesSent => list(request, out, |attempt, out| number(out, attempt.bytes_sent)),
        Variable::UpstreamBytesReceived => list(request, out, |attempt, out| number(out, attempt.bytes_received)),
        Variable::UpstreamFailure => list(request, out, |attempt, out| {
            bytes(out, attempt.failure.as_ref().map(|failure| failure.row().name.as_bytes()))
        }),
        Variable::ProxyHost => bytes(out, request.proxied_to().map(|(host, _)| host.as_bytes())),
        Variable::ProxyPort => bytes(out, request.proxied_to().map(|(_, port)| port.as_bytes())),
        Variable::ProxyAddXForwardedFor => forwarded_for(request, out),
        _ => return None,
    };
    Some(found)
}

/// One entry an attempt; an attempt without the value shows `-`.
fn list(request: &Request, out: &mut Vec<u8>, show_one: impl Fn(&Attempted, &mut Vec<u8>) -> bool) -> bool {
    for (at, attempt) in request.record.attempts.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(if attempt.after_redirect { b" : " } else { b", " });
        }
        if !show_one(attempt, out) {
            out.push(b'-');
        }
    }
    !request.record.attempts.is_empty()
}

fn seconds(value: Option<std::time::Duration>, out: &mut Vec<u8>) -> bool {
    value.is_some_and(|value| show(out, Seconds(value)))
}

/// The client's `X-Forwarded-For`, and behind it the address of the client.
fn forwarded_for(request: &Request, out: &mut Vec<u8>) -> bool {
    for value in request.head.fields.get_all("x-forwarded-for") {
        out.extend_from_slice(value);
        out.extend_from_slice(b", ");
    }
    bytes(out, Some(request.connection.client.as_bytes()))
}
