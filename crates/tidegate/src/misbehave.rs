//! Origins that fail on purpose, exactly to the byte: to try a client or a gateway on, for tests, for the demonstration.
//!
//! A mode is a row of one table ([`modes`]): what it is called, what is said of it, and the [`script`] that a connection
//! plays. Not here: what a gateway makes of it.

mod account;
pub mod mode;
pub mod modes;
mod parameters;
mod path;
mod play;
mod port;
mod request;
pub mod script;
mod server;
pub mod trial;
mod wire;

pub use account::{Account, Ending, Tally};
pub use mode::Mode;
pub use parameters::{Parameters, Words};
pub use port::Listen;
pub use server::{Act, Server};

#[cfg(test)]
mod tests;
