//! Chance in proportion to weight, from a seeded generator, so that a run can be repeated.

use super::{DRAWS, by_weight};
use crate::upstream::{EndpointId, Pick, Upstream};

/// SplitMix64: small, fast, and good enough to spread load.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// One usable endpoint by chance, or the less loaded of two.
pub(super) fn choose(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>, two: bool) -> Option<EndpointId> {
    if two {
        return of_two(upstream, group, pick, less_loaded);
    }
    (0..=DRAWS).find_map(|_| draw(upstream, group, pick))
}

/// The better one of two that are drawn.
pub(super) fn of_two(
    upstream: &mut Upstream,
    group: &[EndpointId],
    pick: &Pick<'_>,
    better: impl Fn(&Upstream, EndpointId, EndpointId) -> EndpointId,
) -> Option<EndpointId> {
    let mut first: Option<EndpointId> = None;
    for _ in 0..=DRAWS {
        match (first, draw(upstream, group, pick)) {
            (None, drawn) => first = drawn,
            (Some(other), Some(drawn)) if other != drawn => return Some(better(upstream, other, drawn)),
            _ => {}
        }
    }
    None
}

fn draw(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    let at = upstream.random.below(upstream.total_weight);
    by_weight(upstream, group, at).filter(|id| upstream.is_usable(*id, pick))
}

fn less_loaded(upstream: &Upstream, first: EndpointId, second: EndpointId) -> EndpointId {
    let [a, b] = [first, second].map(|id| &upstream.endpoints[id.index()]);
    let heavier =
        u64::from(b.active) * u64::from(a.settings.weight) > u64::from(a.active) * u64::from(b.settings.weight);
    if heavier { first } else { second }
}
