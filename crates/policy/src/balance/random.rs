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
    let mut first: Option<EndpointId> = None;
    for _ in 0..=DRAWS {
        let at = upstream.random.below(upstream.total_weight);
        let Some(id) = by_weight(upstream, group, at).filter(|id| upstream.is_usable(*id, pick)) else {
            continue;
        };
        match first {
            _ if !two => return Some(id),
            None => first = Some(id),
            Some(other) if other == id => {}
            Some(other) => return Some(less_loaded(upstream, other, id)),
        }
    }
    None
}

fn less_loaded(upstream: &Upstream, first: EndpointId, second: EndpointId) -> EndpointId {
    let [a, b] = [first, second].map(|id| &upstream.endpoints[id.index()]);
    let heavier =
        u64::from(b.active) * u64::from(a.settings.weight) > u64::from(a.active) * u64::from(b.settings.weight);
    if heavier { first } else { second }
}
