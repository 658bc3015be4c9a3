//! Smooth weighted round robin: with weights 5, 1, 1 the order is a a b a c a a.

use crate::upstream::{EndpointId, Pick, Upstream};

/// The usable endpoint with the highest current weight, after all have gained theirs.
pub(super) fn choose(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    choose_where(upstream, group, |upstream, id| upstream.is_usable(id, pick))
}

/// The same among those that `fits` lets through.
pub(super) fn choose_where(
    upstream: &mut Upstream,
    group: &[EndpointId],
    fits: impl Fn(&Upstream, EndpointId) -> bool,
) -> Option<EndpointId> {
    let mut best: Option<(EndpointId, i64)> = None;
    let mut total = 0;
    for id in group {
        if !fits(upstream, *id) {
            continue;
        }
        let endpoint = &mut upstream.endpoints[id.index()];
        endpoint.current_weight += endpoint.effective_weight;
        total += endpoint.effective_weight;
        if endpoint.effective_weight < i64::from(endpoint.settings.weight) {
            endpoint.effective_weight += 1;
        }
        if best.is_none_or(|(_, weight)| endpoint.current_weight > weight) {
            best = Some((*id, endpoint.current_weight));
        }
    }
    let (id, _) = best?;
    upstream.endpoints[id.index()].current_weight -= total;
    Some(id)
}
