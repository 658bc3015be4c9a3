//! What an answer says of its own failure: `Proxy-Status` (RFC 9209) of any gateway, or else its status.
//! Not here: failures of our own attempts ([`crate::classify`]).

use http::{HeaderMap, HeaderName, StatusCode, response};
use policy::{Cause, Failure};

pub(crate) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// The failure that an answer tells of: that of its `Proxy-Status` field, or of a status that gateways make (502, 503,
/// 504). Nothing for other answers.
///
/// ```
/// let (parts, ()) = http::Response::builder()
///     .status(502)
///     .header("Proxy-Status", "cdn.example; error=connection_refused")
///     .body(())?
///     .into_parts();
/// let failure = tidegate_tower::failure_of_response(&parts).unwrap();
/// assert_eq!(failure.row().happened, "Nothing listens at the endpoint's address.");
/// # Ok::<(), http::Error>(())
/// ```
pub fn failure_of_response(parts: &response::Parts) -> Option<Failure> {
    failure_of_head(parts.status, &parts.headers)
}

/// The same of an answer whose head is in another form, such as `reqwest`'s.
pub fn failure_of_head(status: StatusCode, headers: &HeaderMap) -> Option<Failure> {
    let said = said(headers);
    let of_status = match status {
        StatusCode::BAD_GATEWAY => Cause::ClosedBeforeReply,
        StatusCode::SERVICE_UNAVAILABLE => Cause::NoLiveEndpoints,
        StatusCode::GATEWAY_TIMEOUT => Cause::ReplyTimeout,
        _ => return said,
    };
    Some(said.unwrap_or_else(|| Failure::new(of_status).detail(format!("the answer was {status}"))))
}

/// The failure of the gateway nearest to the origin that names one: the first of the list.
fn said(headers: &HeaderMap) -> Option<Failure> {
    let fields = headers.get_all(PROXY_STATUS);
    fields.iter().filter_map(|field| field.to_str().ok()).flat_map(|field| split(field, ',')).find_map(member)
}

/// Whether an answer tells of a failure before anything was sent to the origin. Of a chain of gateways, one may have sent
/// what another refused, so that only a single one is believed.
pub(crate) fn says_never_sent(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(PROXY_STATUS).iter().filter_map(|field| field.to_str().ok());
    let mut members = fields.flat_map(|field| split(field, ','));
    let (Some(only), None) = (members.next(), members.next()) else { return false };
    let error = split(only, ';').find_map(|part| part.trim().strip_prefix("error="));
    error.is_some_and(is_before_sending)
}

/// The error types of RFC 9209 §2.3 that end an exchange before the request is written.
fn is_before_sending(error_type: &str) -> bool {
    let kinds = ["dns_", "destination_", "tls_certificate_", "tls_protocol_"];
    kinds.iter().any(|kind| error_type.starts_with(kind))
        || matches!(error_type, "connection_refused" | "connection_limit_reached")
}

/// One gateway's account: `name; error=…; details="…"`.
fn member(text: &str) -> Option<Failure> {
    let mut parts = split(text, ';').map(str::trim);
    let gateway = unquoted(parts.next()?);
    let parameters: Vec<(&str, String)> =
        parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (key, unquoted(value))).collect();
    let find = |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    let error_type = find("error")?;
    let details = find("details");
    // A gateway of this house says its exact cause.
    let exact = details.and_then(|details| details.split([' ', ',', ';', ':']).find_map(Cause::find));
    let cause = exact.filter(|cause| cause.row().error_type == error_type).or_else(|| of_type(error_type))?;
    let said = details.map_or_else(|| gateway.clone(), |details| format!("{gateway}: {details}"));
    Some(Failure::new(cause).detail(said))
}

/// The cause that stands for an error type of RFC 9209 §2.3: the first of its group that is not about this machine's own
/// configuration.
fn of_type(error_type: &str) -> Option<Cause> {
    Some(match error_type {
        "destination_unavailable" => Cause::NoLiveEndpoints,
        "connection_terminated" => Cause::ClosedBeforeReply,
        "connection_timeout" => Cause::ConnectTimeout,
        "connection_read_timeout" => Cause::ReplyTimeout,
        "http_response_incomplete" => Cause::BodyTruncated,
        "http_protocol_error" => Cause::MalformedStatusLine,
        "proxy_configuration_error" => Cause::ConfigurationError,
        "proxy_internal_error" => Cause::InternalError,
        "tls_certificate_error" => Cause::CertificateUntrusted,
        "tls_protocol_error" => Cause::TlsProtocolError,
        other => return Cause::ALL.iter().copied().find(|cause| cause.row().error_type == other),
    })
}

/// Splits outside of quoted strings.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            _ => {}
        }
        character == at && !quoted
    })
}

/// A structured field's string or token (RFC 8941 §3.3) as text.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, fields: &[&'static str]) -> Option<Failure> {
        let mut response = http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for field in fields {
            response.headers_mut().append(PROXY_STATUS, field.parse().unwrap());
        }
        failure_of_response(&response.into_parts().0)
    }

    #[test]
    fn a_502_of_any_gateway_explains_itself() {
        let cause = |field| failure(502, &[field]).unwrap().cause;
        assert_eq!(cause("ExampleCDN; error=connection_timeout"), Cause::ConnectTimeout);
        assert_eq!(cause("a.example, b.example; error=dns_timeout"), Cause::DnsTimeout);
        assert_eq!(cause("\"a; b, c\"; error=tls_alert_received; details=\"x\""), Cause::TlsAlert);
    }

    #[test]
    fn every_error_type_of_rfc_9209_is_a_cause_of_that_type() {
        for cause in Cause::ALL {
            let error_type = cause.row().error_type;
            assert_eq!(of_type(error_type).map(|cause| cause.row().error_type), Some(error_type));
        }
    }

    #[test]
    fn a_gateway_of_this_house_says_its_exact_cause() {
        let said = "tidegate; error=connection_refused; details=\"TG-2003 unix_socket_missing\"";
        assert_eq!(failure(502, &[said]).unwrap().cause, Cause::UnixSocketMissing);
        let contradiction = "x; error=dns_timeout; details=\"TG-2003\"";
        assert_eq!(failure(502, &[contradiction]).unwrap().cause, Cause::DnsTimeout);
    }

    #[test]
    fn whether_anything_was_sent_is_read_as_all_clients_do() {
        let table: serde_json::Value = serde_json::from_str(include_str!("../../../clients/vectors.json")).unwrap();
        for case in table["proxyStatus"].as_array().unwrap() {
            let value = case["value"].as_str().into_iter().map(|value| (PROXY_STATUS, value.parse().unwrap()));
            let headers = HeaderMap::from_iter(value);
            assert_eq!(says_never_sent(&headers), case["sent"] == false, "{case}");
        }
    }

    #[test]
    fn what_was_said_is_kept_for_the_log() {
        let failure = failure(502, &["cdn; error=connection_refused; details=\"say \\\"no\\\"\""]).unwrap();
        assert_eq!(failure.evidence().detail.as_deref(), Some("cdn: say \"no\""));
    }

    #[test]
    fn a_status_alone_says_something_and_success_says_nothing() {
        assert_eq!(failure(504, &[]).unwrap().cause, Cause::ReplyTimeout);
        assert_eq!(failure(200, &["cdn; hit"]), None);
        assert_eq!(failure(502, &["; error=nonsense"]).unwrap().cause, Cause::ClosedBeforeReply);
    }
}
