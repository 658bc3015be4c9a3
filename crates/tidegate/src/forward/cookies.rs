//! `proxy_cookie_domain` and `proxy_cookie_path`: attributes of an endpoint's cookies, rewritten. Not here: other fields.
//!
//! See <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cookie_domain>.

use config::model::{CookieRewrite, Regex, Template};
use http1::Fields;

use crate::request::Request;
use crate::variables;

/// Rewrites every `Set-Cookie` that a rule fits; others stay as they came.
pub(super) fn rewrite(request: &Request, fields: Fields) -> Fields {
    let proxy = &request.settings().proxy;
    if (proxy.cookie_domains.is_empty() && proxy.cookie_paths.is_empty()) || !fields.contains("set-cookie") {
        return fields;
    }
    let mut changed = Fields::new();
    for field in fields.iter() {
        let is_cookie = field.name.eq_ignore_ascii_case(b"set-cookie");
        match is_cookie.then(|| cookie(request, field.value)).flatten() {
            Some(value) => changed.push(field.name, &value),
            None => changed.push(field.name, field.value),
        }
    }
    changed
}

/// A cookie with rewritten attributes, in one spelling throughout as nginx has it; `None` if no rule fits.
fn cookie(request: &Request, value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len() + 32);
    let mut fitted = false;
    for (at, part) in value.split(|byte| *byte == b';').enumerate() {
        let (name, value) = attribute(part);
        if at == 0 && value.is_none() {
            return None;
        }
        let rewritten = value.filter(|_| at > 0).and_then(|value| attribute_value(request, name, value));
        fitted |= rewritten.is_some();
        if at > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(name);
        if let Some(value) = rewritten.as_deref().or(value) {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    fitted.then_some(out)
}

fn attribute(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    let part = part.trim_ascii();
    match memchr::memchr(b'=', part) {
        Some(equals) => (part[..equals].trim_ascii_end(), Some(part[equals + 1..].trim_ascii_start())),
        None => (part, None),
    }
}

fn attribute_value(request: &Request, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let proxy = &request.settings().proxy;
    if name.eq_ignore_ascii_case(b"domain") {
        return proxy.cookie_domains.iter().find_map(|rule| domain(request, rule, value));
    }
    if name.eq_ignore_ascii_case(b"path") {
        return proxy.cookie_paths.iter().find_map(|rule| path(request, rule, value));
    }
    None
}

/// Domains are compared whole; a leading dot stays.
fn domain(request: &Request, rule: &CookieRewrite, value: &[u8]) -> Option<Vec<u8>> {
    match rule {
        CookieRewrite::Literal { from, to } => {
            let (dot, bare) = value.split_at(usize::from(value.starts_with(b".")));
            let same = bare.eq_ignore_ascii_case(&variables::evaluate(from, request));
            same.then(|| [dot, &variables::field(to, request)].concat())
        }
        CookieRewrite::Regex { from, to } => by_regex(request, from, to, value),
    }
}

/// Paths are compared by their prefix; what follows it stays.
fn path(request: &Request, rule: &CookieRewrite, value: &[u8]) -> Option<Vec<u8>> {
    match rule {
        CookieRewrite::Literal { from, to } => {
            let rest = value.strip_prefix(variables::evaluate(from, request).as_slice())?;
            Some([&variables::field(to, request), rest].concat())
        }
        CookieRewrite::Regex { from, to } => by_regex(request, from, to, value),
    }
}

fn by_regex(request: &Request, from: &Regex, to: &Template, value: &[u8]) -> Option<Vec<u8>> {
    request.with_captures(from, value, |request| variables::field(to, request))
}
