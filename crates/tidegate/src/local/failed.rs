//! What a client is told of a failure, in the form that it can read: a page that heals itself, problem details, a line.
//! Not here: what failed and how it is said (`policy::failure`), and nginx's own pages (`pages`).

mod form;
mod page;

use policy::failure::Code;
use serde_json::json;

pub use form::{Form, form};

/// Where the gateway's own paths begin.
pub const OWN: &str = "/.tidegate/";

/// The style and the script of the page.
pub const STYLE: &str = include_str!("failed/page.css");
/// The script: it asks whether the route is back, and loads the page again when it is.
pub const SCRIPT: &str = include_str!("failed/heal.js");
/// What the script asks with: the package `tidegate-fetch`, as it is.
pub const FETCH: &str = include_str!("../../../../clients/js/tidegate-fetch.js");

/// A failure, as a client may know it.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The status.
    pub status: u16,
    /// Its reason phrase.
    pub reason: &'a str,
    /// The cause's stable code.
    pub code: Code,
    /// The cause's name.
    pub name: &'a str,
    /// What to tell a user.
    pub user: &'a str,
    /// The request can be made again without harm: the page may load itself anew.
    pub repeatable: bool,
    /// The path that was asked for, as received.
    pub target: &'a [u8],
    /// The request's `$request_id`, by which operators find it in their logs.
    pub request_id: &'a str,
    /// For operators only: what happened, and what to change.
    pub details: Option<(String, &'a str)>,
}

/// A body and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The body in a form; nothing for nginx's own page.
pub fn body(told: &Told<'_>, form: Form) -> Option<Body> {
    let (content_type, text) = match form {
        Form::Nginx => return None,
        Form::Page => ("text/html; charset=utf-8", page::page(told)),
        Form::Problem => ("application/problem+json", problem(told)),
        Form::Line => ("text/plain; charset=utf-8", line(told)),
    };
    Some(Body { content_type, bytes: text.into_bytes() })
}

/// RFC 9457 problem details.
fn problem(told: &Told<'_>) -> String {
    let mut problem = json!({
        "type": "about:blank",
        "title": told.reason,
        "status": told.status,
        "detail": told.user,
        "code": told.code.to_string(),
        "cause": told.name,
        "request_id": told.request_id,
    });
    if let Some((happened, advice)) = &told.details {
        problem["happened"] = json!(happened);
        problem["advice"] = json!(advice);
    }
    format!("{problem}\n")
}

fn line(told: &Told<'_>) -> String {
    let Told { status, reason, code, user, request_id, .. } = told;
    let mut line = format!("{status} {reason}: {user} ({code}, request {request_id})\n");
    if let Some((happened, advice)) = &told.details {
        line.push_str(&format!("{happened}\n{advice}\n"));
    }
    line
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn told() -> Told<'static> {
        Told {
            status: 502,
            reason: "Bad Gateway",
            code: policy::Cause::ConnectRefused.code(),
            name: "connect_refused",
            user: "The site is being restarted.",
            repeatable: true,
            target: b"/a?b=<c>",
            request_id: "0123",
            details: None,
        }
    }

    #[test]
    fn a_line_says_what_who_and_where_to_look() {
        assert_eq!(line(&told()), "502 Bad Gateway: The site is being restarted. (TG-2001, request 0123)\n");
    }

    #[test]
    fn problem_details_are_json_with_the_cause() {
        let problem: serde_json::Value = serde_json::from_str(&problem(&told())).unwrap();
        assert_eq!(problem["status"], 502);
        assert_eq!(problem["cause"], "connect_refused");
        assert_eq!(problem.get("advice"), None);
    }

    #[test]
    fn operators_are_told_more() {
        let details = Some(("connect() failed (111)".to_owned(), "Start the application."));
        let told = Told { details, ..told() };
        assert!(problem(&told).contains("\"advice\":\"Start the application.\""));
        assert!(line(&told).ends_with("connect() failed (111)\nStart the application.\n"));
        assert!(page::page(&told).contains("Start the application."));
    }
}
