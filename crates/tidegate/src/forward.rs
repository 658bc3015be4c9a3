//! Heads on their way through: the request's head as an endpoint gets it, and an endpoint's fields as the client gets them.
//! Not here: which endpoint, and how bytes move.

mod cookies;

use std::borrow::Cow;

use config::model::{Level, Pattern, Proxy, ProxyPass, Redirect, Template};
use http1::{Field, Fields, Framing, Names, Version, encode};

use crate::request::Request;
use crate::uri::{Escape, escape, escape_into};
use crate::variables;

/// What `proxy_set_header` and nginx's defaults make of a location's request fields, worked out once per generation.
pub(crate) struct Forwarding {
    /// Fields to write, in order; those that come out empty are left out.
    set: Vec<(Box<str>, Template)>,
    /// Names (lower case) of the client's fields that do not pass.
    withheld: Names<Vec<Box<str>>>,
    /// Names of the endpoint's fields that do not, `Upgrade` apart.
    hidden: Names<Vec<Box<str>>>,
}

/// Fields that belong to one connection or that the gateway writes itself.
const NEVER_PASSED: &[&str] =
    &["host", "connection", "content-length", "transfer-encoding", "te", "keep-alive", "expect", "upgrade"];

impl Forwarding {
    pub(crate) fn new(proxy: &Proxy) -> Self {
        let is_set = |name: &str| proxy.set_headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
        let mut set = proxy.set_headers.clone();
        if !is_set("host") {
            set.push(("Host".into(), proxy_host()));
        }
        if !is_set("connection") && !proxy.http11 {
            set.push(("Connection".into(), Template::literal("close")));
        }
        let mut withheld: Vec<Box<str>> = NEVER_PASSED.iter().map(|name| (*name).into()).collect();
        withheld.extend(proxy.set_headers.iter().map(|(name, _)| name.to_ascii_lowercase().into()));
        withheld.sort_unstable();
        withheld.dedup();
        let ends_here = ENDS_HERE.iter().map(|name| (*name).into());
        let hidden: Vec<Box<str>> = proxy.hide_headers.iter().cloned().chain(ends_here).collect();
        Self { set, withheld: withheld.into(), hidden: hidden.into() }
    }
}

fn proxy_host() -> Template {
    use config::model::{Part, Variable};
    Template { source: "$proxy_host".into(), parts: vec![Part::Variable(Variable::ProxyHost)] }
}

/// Room for most heads, in bytes. An allocator's quick ways often end at 1 KiB, its own part included.
const USUAL_HEAD: usize = 1000;

/// Encodes the head of the request for an endpoint.
pub(crate) fn request_head(
    request: &Request,
    pass: &ProxyPass,
    forwarding: &Forwarding,
    target_uri: Option<&[u8]>,
    body: Framing,
) -> Vec<u8> {
    let proxy = &request.settings().proxy;
    let mut head = Vec::with_capacity(USUAL_HEAD);
    let target = target_uri.map_or_else(|| target(request, pass), Cow::Borrowed);
    let version = if proxy.http11 { Version::H11 } else { Version::H10 };
    match &proxy.method {
        Some(method) => encode::request_line(
            &mut head,
            &escape(Escape::Word, &variables::evaluate(method, request)),
            &target,
            version,
        ),
        None => encode::request_line(&mut head, request.head.method.as_str().as_bytes(), &target, version),
    }
    for (name, template) in &forwarding.set {
        encode::field_of(&mut head, name.as_bytes(), |value| variables::append(template, request, value));
    }
    write_framing(&mut head, body);
    if proxy.pass_request_headers {
        let passes = |field: Field<'_>| !field.is_in(&forwarding.withheld) && !named_by_connection(request, field.name);
        request.head.fields.write(&mut head, passes);
    }
    encode::end(&mut head);
    head
}

/// Fields that the client's `Connection` names end here (RFC 9110 §7.6.1).
fn named_by_connection(request: &Request, name: &[u8]) -> bool {
    request.connection_names_fields && http1::is_named_by_connection(&request.head.fields, name)
}

fn write_framing(head: &mut Vec<u8>, body: Framing) {
    match body {
        Framing::Length(length) => encode::length(head, length),
        Framing::Chunked => encode::field(head, b"Transfer-Encoding", b"chunked"),
        Framing::Empty | Framing::Close => {}
    }
}

/// The target by nginx's rules: without a URI in `proxy_pass` the request's own as it came; with one, that URI in place of
/// the part that the location matched.
fn target<'a>(request: &'a Request, pass: &ProxyPass) -> Cow<'a, [u8]> {
    let uri = &request.uri;
    if pass.uri.is_none() && uri.raw_is_valid {
        return Cow::Borrowed(&uri.raw);
    }
    let mut out = Vec::with_capacity(uri.raw.len() + 16);
    match &pass.uri {
        None => escape_into(&mut out, Escape::Uri, &uri.path),
        Some(replacement) => {
            variables::append(replacement, request, &mut out);
            let rest = uri.path.get(matched_length(request)..).unwrap_or_default();
            if uri.quoted || request.internal {
                escape_into(&mut out, Escape::Uri, rest);
            } else {
                out.extend_from_slice(rest);
            }
        }
    }
    write_args(uri, &mut out);
    out.into()
}

fn write_args(uri: &crate::request::Uri, out: &mut Vec<u8>) {
    if !uri.args.is_empty() {
        out.push(b'?');
        out.extend_from_slice(&uri.args);
    }
}

/// How much of the path the location's prefix covers.
fn matched_length(request: &Request) -> usize {
    match &request.location().pattern {
        Pattern::Exact(prefix) | Pattern::Prefix(prefix) | Pattern::PrefixNoRegex(prefix)
            if request.located_by_path =>
        {
            prefix.len()
        }
        _ => 0,
    }
}

/// Fields that end at the gateway whatever is configured: it frames and ends connections itself. `Upgrade` passes with a 101.
const ENDS_HERE: &[&str] = &["connection", "keep-alive", "transfer-encoding", "content-length", "proxy-connection"];

/// Makes an endpoint's fields the client's: hides, rewrites. True if `Location` was rewritten: nginx completes it only then.
pub(crate) fn response_fields(request: &Request, status: u16, mut fields: Fields) -> (Fields, bool) {
    let proxy = &request.settings().proxy;
    let is_upgrade = |name: &[u8]| name.eq_ignore_ascii_case(b"upgrade");
    if http1::connection_names_fields(&fields) {
        let whole = fields.clone();
        fields.retain(|field| is_upgrade(field.name) || !http1::is_named_by_connection(&whole, field.name));
    }
    drop_repeated(request, &mut fields);
    let hidden = &request.generation.tables.forwarding(proxy).hidden;
    fields.retain(|field| !field.is_in(hidden) && (status == 101 || !is_upgrade(field.name)));
    let mut moved = false;
    if !proxy.redirects.is_empty() {
        moved = rewrite(&mut fields, "location", |value| redirect(request, &proxy.redirects, value));
        rewrite(&mut fields, "refresh", |value| refresh(request, &proxy.redirects, value));
    }
    (cookies::rewrite(request, fields), moved)
}

/// Fields that an answer has once: nginx keeps the first since 1.23.0, lest two readers take two.
const ONCE: Names<&[&str]> = Names::known(&[
    "accept-ranges",
    "content-encoding",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "refresh",
    "server",
    "status",
]);

fn drop_repeated(request: &Request, fields: &mut Fields) {
    let mut seen = 0u32;
    let mut is_first = |field: Field<'_>| {
        let bit = field.place_in(&ONCE).map_or(0, |at| 1 << at);
        let first = seen & bit == 0;
        seen |= bit;
        first
    };
    if fields.iter().all(&mut is_first) {
        return;
    }
    let all = std::mem::take(fields);
    for field in all.iter() {
        let name = String::from_utf8_lossy(field.name);
        match field.place_in(&ONCE).and_then(|_| fields.get(&name)) {
            Some(first) => log_repeated(request, &name, field.value, first),
            None => fields.push(field.name, field.value),
        }
    }
}

fn log_repeated(request: &Request, name: &str, value: &[u8], first: &[u8]) {
    let (value, first) = (String::from_utf8_lossy(value), String::from_utf8_lossy(first));
    let message = format!(
        "upstream sent duplicate header line: \"{name}: {value}\", previous value: \"{name}: {first}\", ignored \
         while reading response header from upstream"
    );
    request.log(Level::Warn, &message, None);
}

/// What `X-Accel-Redirect` keeps of the answer that it came with, for the one that takes its place.
const KEPT: Names<&[&str]> =
    Names::known(&["content-type", "set-cookie", "content-disposition", "cache-control", "expires", "accept-ranges"]);

/// The fields of an endpoint's answer that outlive it when it names another.
pub(crate) fn kept_fields(request: &Request, fields: &Fields) -> Fields {
    let mut kept = fields.clone();
    kept.retain(|field| field.is_in(&KEPT) && !field.value.is_empty());
    cookies::rewrite(request, kept)
}

/// Whether there was something to change.
fn rewrite(fields: &mut Fields, name: &str, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
    let changed = fields.get(name).and_then(change);
    if let Some(changed) = &changed {
        fields.set(name.as_bytes(), changed);
    }
    changed.is_some()
}

/// The first `proxy_redirect` that fits.
fn redirect(request: &Request, rules: &[Redirect], value: &[u8]) -> Option<Vec<u8>> {
    rules.iter().find_map(|rule| match rule {
        Redirect::Prefix { from, to } => {
            let rest = value.strip_prefix(variables::evaluate(from, request).as_slice())?;
            let mut changed = variables::field(to, request);
            changed.extend_from_slice(rest);
            Some(changed)
        }
        Redirect::Regex { from, to } => request.with_captures(from, value, |request| variables::field(to, request)),
    })
}

/// `Refresh: 5; url=…`.
fn refresh(request: &Request, rules: &[Redirect], value: &[u8]) -> Option<Vec<u8>> {
    let lower = value.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"url=")? + 4;
    let mut changed = value[..at].to_vec();
    changed.append(&mut redirect(request, rules, &value[at..])?);
    Some(changed)
}
