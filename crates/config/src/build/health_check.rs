//! Gives a location's `health_check` to the upstream that the location passes requests to. Not here: reading its words.

use super::{Build, HealthCheckDraft};
use crate::model::{HealthCheck, ProxyTarget, Settings};

pub(super) fn attach(build: &mut Build<'_>, draft: HealthCheckDraft, settings: &Settings) {
    let Some(pass) = &settings.proxy_pass else {
        build.error(draft.span, "\"health_check\" needs a \"proxy_pass\" in its location");
        return;
    };
    let ProxyTarget::Upstream(index) = pass.target else {
        return build.error(draft.span, "\"health_check\" needs a \"proxy_pass\" without variables");
    };
    let HealthCheckDraft { settings: when, probe, port, .. } = draft;
    let check = HealthCheck { settings: when, probe, port, proxy: settings.proxy.clone(), host: pass.host.clone() };
    if let Some(upstream) = build.upstreams.get_mut(index) {
        upstream.health_checks.push(check);
    }
}
