//! The gateway's policy inside a program: a client that retries, and a gateway that a server mounts.
//!
//! - [`Client`] asks one or several base URLs and fails over between them; [`Retry`] is the same as a [`tower::Layer`]
//!   over any HTTP service.
//! - With the feature `reqwest`, `RetryMiddleware` is the same below a `reqwest-middleware` client.
//! - [`Gateway`] is a [`tower::Service`] that axum, or any hyper server, mounts below a path.
//!
//! All of them decide by the same policy as the gateway, so that layers agree on what may be sent twice; the field
//! [`RETRY_ATTEMPT`] keeps them from multiplying each other's retries.
//!
//! Features, none of which is on unless asked for: `tls` and `http2` for [`Http`], `reqwest`, and `tracing` for `Tracing`, which
//! tells what happens.
//!
//! Not here: what decides (`policy`), nginx's configuration.
#![forbid(unsafe_code)]

mod accept;
mod attempt;
mod body;
mod classify;
mod client;
mod error;
mod event;
mod exchange;
mod forward;
mod gateway;
mod http_client;
mod idempotency;
mod layer;
mod proxy_status;
mod replay;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry_after;
mod settings;
mod shared;
#[cfg(feature = "tracing")]
mod trace;
mod upgrade;

pub use body::HeldBody;
pub use classify::failure_of_error;
pub use client::{Client, ClientBuilder, InvalidBase, Response};
pub use error::Error;
pub use event::{Event, Events};
pub use gateway::{ClientAddress, Gateway, GatewayBody, Host};
pub use http_client::{Http, HttpBody, HttpBuilder};
pub use idempotency::{IDEMPOTENCY_KEY, IdempotencyKeys};
pub use layer::{Retry, RetryService};
pub use policy;
pub use proxy_status::{failure_of_head, failure_of_response};
pub use replay::ReplayBody;
#[cfg(feature = "reqwest")]
pub use reqwest::RetryMiddleware;
pub use settings::Settings;
#[cfg(feature = "tracing")]
pub use trace::Tracing;

/// What errors of services and bodies are turned into.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How many retries of this exchange were made before this attempt, by whoever stands in front: a decimal number.
///
/// A request that has it with 1 or more is itself a retry. Whoever receives it makes one attempt only, except where no
/// application saw the request, and passes it on with its own retries added. Layers therefore add up: with tries of `a` in
/// front and `b` behind, an application sees at most `a + b - 1` attempts, not `a * b`.
pub const RETRY_ATTEMPT: http::HeaderName = http::HeaderName::from_static("retry-attempt");
