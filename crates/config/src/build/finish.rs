//! What derived values come to once a level's lines are read, and the checks of sizes against one another.
//! Not here: defaults that depend on nothing (see `level`).

use std::sync::Arc;
use std::time::Duration;

use super::level::Written;
use super::{Build, Level};
use crate::model::{Proxy, Resolver, Settings};

/// Fields of an upstream's answer that a client never sees unless `proxy_pass_header` says so.
const HIDDEN: &[&str] = &[
    "date",
    "server",
    "x-pad",
    "x-accel-expires",
    "x-accel-redirect",
    "x-accel-limit-rate",
    "x-accel-buffering",
    "x-accel-charset",
];

/// The settings in force at a level.
pub(crate) fn settings(level: &mut Level) -> Settings {
    crate::directives::default_redirect(level);
    let mut settings = level.settings.clone();
    settings.proxy = Arc::new(proxy(level));
    settings.resolver = resolver(level.written.resolver.clone(), level.written.resolver_timeout).map(Arc::new);
    settings
}

fn proxy(level: &Level) -> Proxy {
    let written = &level.written;
    let mut proxy = level.proxy.clone();
    proxy.busy_buffers_size = busy_buffers_size(level);
    proxy.hide_headers = hidden_headers(written);
    proxy.redirects = match (&written.redirects, written.redirect_off) {
        (Some(redirects), false) => redirects.clone(),
        _ => Vec::new(),
    };
    proxy
}

/// nginx's built-in list and `proxy_hide_header`, less `proxy_pass_header`.
fn hidden_headers(written: &Written) -> Vec<Box<str>> {
    let built_in = HIDDEN.iter().map(|name| Box::from(*name));
    let mut hidden: Vec<Box<str>> = Vec::new();
    for name in built_in.chain(written.hide_headers.iter().cloned()) {
        if !hidden.contains(&name) && !written.pass_headers.contains(&name) {
            hidden.push(name);
        }
    }
    hidden
}

/// `resolver` and `resolver_timeout`, whichever line came first.
pub(super) fn resolver(written: Option<Resolver>, timeout: Option<Duration>) -> Option<Resolver> {
    let mut resolver = written?;
    if let Some(timeout) = timeout {
        resolver.timeout = timeout;
    }
    Some(resolver)
}

/// The larger of the first buffer and one of the others.
fn largest_buffer(proxy: &Proxy) -> usize {
    proxy.buffer_size.max(proxy.buffers.1)
}

fn busy_buffers_size(level: &Level) -> usize {
    let twice = largest_buffer(&level.proxy).saturating_mul(2);
    level.written.busy_buffers_size.unwrap_or(twice)
}

/// nginx's rules for the proxy's buffers, at a server's or a location's level.
pub(crate) fn check_buffers(build: &mut Build<'_>, level: &Level) {
    let Some(span) = level.written.buffers_span else {
        return;
    };
    let proxy = &level.proxy;
    let (number, size) = proxy.buffers;
    let largest = largest_buffer(proxy);
    let busy = busy_buffers_size(level);
    let all_but_one = number.saturating_sub(1).saturating_mul(size);
    if number < 2 {
        build.error(span, "there must be at least 2 \"proxy_buffers\"");
        return;
    }
    if busy < largest {
        build.error(
            span,
            "\"proxy_busy_buffers_size\" must be equal to or greater than the maximum of the value of \
             \"proxy_buffer_size\" and one of the \"proxy_buffers\"",
        );
        build.help(format!("it is {busy} bytes here, the larger buffer {largest}"));
    }
    if busy > all_but_one {
        build.error(
            span,
            "\"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus one buffer",
        );
        build.help(format!(
            "it is {busy} bytes here (twice the larger buffer unless written), all buffers but one {all_but_one}: \
             raise proxy_buffers with proxy_buffer_size"
        ));
    }
    let temporary = proxy.max_temp_file_size;
    if temporary != 0 && temporary < largest as u64 {
        build.error(
            span,
            "\"proxy_max_temp_file_size\" must be equal to zero to disable temporary files usage or must be equal \
             to or greater than the maximum of the value of \"proxy_buffer_size\" and one of the \"proxy_buffers\"",
        );
    }
}

/// `resolver_timeout` where none is written.
pub(crate) const RESOLVER_TIMEOUT: Duration = Duration::from_secs(30);
