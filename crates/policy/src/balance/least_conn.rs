//! Fewest attempts under way in proportion to weight; among equals, round robin.

use super::round_robin;
use crate::upstream::{EndpointId, Pick, Upstream};

/// The least loaded usable endpoint.
pub(super) fn choose(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    let load = |upstream: &Upstream, id: EndpointId| {
        let endpoint = &upstream.endpoints[id.index()];
        (u64::from(endpoint.active), u64::from(endpoint.settings.weight))
    };
    let lighter = |a: (u64, u64), b: (u64, u64)| a.0 * b.1 < b.0 * a.1;
    let usable = || group.iter().copied().filter(|id| upstream.is_usable(*id, pick));
    let least = usable().map(|id| load(upstream, id)).reduce(|a, b| if lighter(b, a) { b } else { a })?;
    let mut equals = usable().filter(|id| !lighter(least, load(upstream, *id)));
    // Turns are taken only where there is a choice: weights that failures lowered recover by them.
    if let (Some(only), None) = (equals.next(), equals.next()) {
        return Some(only);
    }
    round_robin::choose_where(upstream, group, |upstream, id| {
        upstream.is_usable(id, pick) && !lighter(least, load(upstream, id))
    })
}
