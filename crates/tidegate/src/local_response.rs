//! The answer to a failure for one client: what policy says of it, in the form that this client reads.
//! Not here: the forms (`local::failed`), and nginx's pages.

use http::Method;
use policy::Failure;

use crate::local::failed::{self, Told, form};
use crate::request::Request;
use crate::response::Response;

/// The answer; nothing where nginx's page is wanted, or where this status does not tell of a failure.
pub(crate) fn answer(request: &Request, status: u16) -> Option<Response> {
    let failure = request.record.failure.as_ref().filter(|failure| failure.status().as_u16() == status)?;
    if !failure.phase.is_of_upstream() || !request.settings().local_response.is_own() {
        return None;
    }
    let told = told(request, failure);
    let body = failed::body(&told, form(&request.head.fields))?;
    let mut response = Response::with_bytes(status, body.content_type, body.bytes);
    response.fields.push(b"Cache-Control", b"no-store");
    Some(response)
}

fn told<'a>(request: &'a Request, failure: &Failure) -> Told<'a> {
    let row = failure.row();
    let id = request.id.get_or_init(crate::request_id::make);
    Told {
        status: failure.status().as_u16(),
        reason: failure.status().canonical_reason().unwrap_or_default(),
        code: row.code,
        name: row.name,
        user: row.treatment.user,
        repeatable: matches!(request.head.method, Method::GET | Method::HEAD),
        target: &request.uri.raw,
        request_id: str::from_utf8(id).unwrap_or_default(),
        details: request.tells_details().then(|| (format!("{} ({})", row.happened, failure.summary()), row.advice)),
    }
}
