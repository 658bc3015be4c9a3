//! Being built: see docs/ARCHITECTURE.md.

/// Placeholder until the balancers land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Balance {
    RoundRobin,
    LeastConn,
    IpHash,
    Hash { consistent: bool },
    Random { two: bool },
}
/// Placeholder until the retry rule lands.
#[derive(Debug, Clone)]
pub struct RetrySettings {}
