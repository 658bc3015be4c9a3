//! The gateway's own paths, below `/.tidegate/`: the style and the scripts of the page for failures, and whether a route
//! is back. They are there where `local_response` makes such pages. Not here: the page (`local::failed`).

use std::rc::Rc;

use config::model::ProxyTarget;

use crate::answer::Step;
use crate::local::failed::{FETCH, OWN, SCRIPT, STYLE};
use crate::request::Request;
use crate::response::Response;
use crate::route::Captures;
use crate::upstream::Upstream;
use crate::uri::parse_target;

/// Answers a request for one of the paths; nothing for any other.
pub(crate) async fn serve(request: &Request) -> Option<Step> {
    let name = request.uri.path.strip_prefix(OWN.as_bytes()).filter(|_| !request.internal)?;
    let server = request.server();
    if !server.root.settings.local_response.is_own() {
        return None;
    }
    Some(match name {
        b"page.css" => asset("text/css; charset=utf-8", STYLE),
        b"heal.js" => asset("text/javascript; charset=utf-8", SCRIPT),
        b"fetch.js" => asset("text/javascript; charset=utf-8", FETCH),
        b"ready" => ready(request).await,
        _ => Step::Status(404),
    })
}

fn asset(content_type: &str, text: &str) -> Step {
    let mut response = Response::with_bytes(200, content_type, text.into());
    response.fields.push(b"Cache-Control", b"public, max-age=3600");
    Step::Respond(Box::new(response))
}

/// 204 when a request for `?path=` would find an endpoint, 503 when it would not.
async fn ready(request: &Request) -> Step {
    let is_back = match upstream_of(request) {
        Some(upstream) => upstream.is_back().await,
        // It is not an upstream that this path depends on, or which one is known only when it is asked for.
        None => true,
    };
    let mut response = Response::with_bytes(if is_back { 204 } else { 503 }, "", Vec::new());
    response.fields.push(b"Cache-Control", b"no-store");
    Step::Respond(Box::new(response))
}

fn upstream_of(request: &Request) -> Option<Rc<Upstream>> {
    let path = request.uri.args.strip_prefix(b"path=")?;
    let target = parse_target(path, true).ok()?;
    let generation = &request.generation;
    let table = generation.tables.locations(request.server);
    let found = table.find(&target.path, &mut Captures::default()).ok()?;
    match table.get(found.location).settings.proxy_pass.as_ref()?.target {
        ProxyTarget::Upstream(index) => Some(generation.upstream(index)),
        ProxyTarget::Variable(_) => None,
    }
}
