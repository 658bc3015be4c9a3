//! The balancing methods: which of the endpoints that may serve does. Each is nginx's of the same name, but for `ewma`.
//! Not here: who may serve at all ([`crate::upstream`]).

pub(crate) mod ewma;
mod hash;
mod least_conn;
pub(crate) mod random;
mod round_robin;

pub(crate) use hash::Ring;

use crate::upstream::{EndpointId, Pick, Upstream};

/// A balancing method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// Smooth weighted round robin.
    #[default]
    RoundRobin,
    /// Fewest attempts under way in proportion to weight (`least_conn`).
    LeastConn,
    /// The client's network (`ip_hash`).
    IpHash,
    /// A key (`hash`); on a ketama ring if consistent.
    Hash {
        /// `consistent`.
        consistent: bool,
    },
    /// Of two, the one that is expected to answer sooner (`ewma`).
    Ewma,
    /// Chance in proportion to weight (`random`); of two the one with fewer attempts under way, if so.
    Random {
        /// `two`.
        two: bool,
    },
}

/// After so many fruitless draws the methods that draw fall back to round robin.
const DRAWS: u32 = 20;

impl Balance {
    /// Chooses among `group`.
    pub(crate) fn choose(self, upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
        match self {
            Balance::RoundRobin => None,
            Balance::LeastConn => least_conn::choose(upstream, group, pick),
            Balance::IpHash => hash::by_address(upstream, group, pick),
            Balance::Hash { consistent: false } => hash::by_key(upstream, group, pick),
            Balance::Hash { consistent: true } => hash::on_ring(upstream, pick),
            Balance::Ewma => ewma::choose(upstream, group, pick),
            Balance::Random { two } => random::choose(upstream, group, pick, two),
        }
        .or_else(|| round_robin::choose(upstream, group, pick))
    }

    /// The method among backups: those that need the whole group fall back to round robin there.
    pub(crate) fn among_backups(self) -> Self {
        match self {
            Balance::LeastConn => Balance::LeastConn,
            _ => Balance::RoundRobin,
        }
    }
}

/// The endpoint that the point `at` of the group's weights falls on.
fn by_weight(upstream: &Upstream, group: &[EndpointId], mut at: u64) -> Option<EndpointId> {
    for id in group {
        let weight = u64::from(upstream.endpoints[id.index()].settings.weight);
        if at < weight {
            return Some(*id);
        }
        at -= weight;
    }
    None
}
