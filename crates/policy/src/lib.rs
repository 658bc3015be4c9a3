//! The policy that keeps 502s away: what a failure means, which endpoint serves, whether to try again.
//!
//! Everything here decides and nothing acts: time and randomness come in as arguments, endpoints are indices.
//! Not here: clocks, sockets, configuration text, logging.
#![forbid(unsafe_code)]

pub mod backoff;
pub mod balance;
pub mod breaker;
pub mod budget;
pub mod failure;
pub mod health;
pub mod hedge;
pub mod hold;
pub mod names;
pub mod patterns;
pub mod resilience;
pub mod resume;
pub mod retry;
pub mod retry_after;
pub mod reuse;
pub mod share;
pub mod upstream;
mod window;

pub use balance::Balance;
pub use failure::{Blame, Cause, Delivery, Evidence, Failure, Level, Phase};
pub use retry::{Condition, Conditions, RetrySettings};
pub use upstream::{EndpointId, EndpointSettings, Outcome, Pick, Refusal, Tried, Upstream, Watch};
