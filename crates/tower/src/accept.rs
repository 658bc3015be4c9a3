//! What a client is told of a failure, as JSON or problem details. Not here: the words (`policy`).

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;
use policy::failure::proxy_status::Member;

use crate::Error;
use crate::proxy_status::PROXY_STATUS;

/// Whether the client asked for problem details (RFC 9457).
pub(crate) fn wants_problem(headers: &HeaderMap) -> bool {
    let ranges =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    ranges.map(|range| range.to_ascii_lowercase().replace(' ', "")).any(|range| {
        let mut parts = range.split(';');
        parts.next() == Some("application/problem+json") && !parts.any(|part| matches!(part, "q=0" | "q=0.0"))
    })
}

/// The answer to a request that has none.
pub(crate) fn answer(error: &Error, problem: bool) -> Response<Full<Bytes>> {
    let (status, row) = (error.failure().status(), error.failure().row());
    let reason = quoted(status.canonical_reason().unwrap_or("Error"));
    let (message, code) = (quoted(error.user_message()), row.code);
    let (content_type, body) = if problem {
        let text = format!(
            "{{\"type\":\"about:blank\",\"title\":{reason},\"status\":{},\"detail\":{message},\"code\":\"{code}\",\"cause\":\"{}\"}}\n",
            status.as_u16(),
            row.name
        );
        ("application/problem+json", text)
    } else {
        ("application/json", format!("{{\"error\":{reason},\"message\":{message},\"code\":\"{code}\"}}\n"))
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let member = Member { intermediary: "tidegate-tower", failure: error.failure(), disclosed: None };
    if let Ok(said) = HeaderValue::try_from(member.to_string()) {
        headers.insert(PROXY_STATUS, said);
    }
    if let Some(wait) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1000) as u64));
    }
    response
}

/// A JSON string (RFC 8259 §7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => drop(write!(quoted, "\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use policy::Cause;

    async fn json(error: &Error, problem: bool) -> serde_json::Value {
        let body = answer(error, problem).into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn both_forms_are_json_with_the_code_for_every_cause() {
        for cause in Cause::ALL {
            let error = Error::new(*cause, 1);
            let plain = json(&error, false).await;
            assert_eq!(plain["message"], error.user_message());
            assert_eq!(plain["code"], cause.code().to_string());
            let problem = json(&error, true).await;
            assert_eq!(problem["status"], error.failure().status().as_u16());
            assert_eq!(problem["cause"], cause.name());
        }
        assert_eq!(json(&Error::new(Cause::ConnectRefused, 1), false).await["error"], "Bad Gateway");
    }

    #[test]
    fn an_answer_of_ours_is_understood_by_our_client() {
        for cause in Cause::ALL {
            let (parts, _) = answer(&Error::new(*cause, 1), false).into_parts();
            let understood = crate::failure_of_response(&parts).unwrap();
            assert_eq!(understood.row().error_type, cause.row().error_type);
        }
    }

    #[test]
    fn problem_details_go_to_those_who_ask() {
        let wants = |accept: &'static str| wants_problem(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]));
        assert!(wants("application/problem+json"));
        assert!(wants("application/json, application/problem+json; q=0.5"));
        assert!(!wants("application/problem+json;q=0, */*"));
        assert!(!wants("application/json"));
    }

    #[test]
    fn strings_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"\\\n"), "\"a\\\"\\\\\\u000a\"");
    }
}
