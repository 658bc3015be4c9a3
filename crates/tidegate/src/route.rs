//! Which server and which location a request belongs to. Pure look-ups in tables that are built once for a configuration.
//!
//! Order of use: [`Host::parse`] checks and cleans the host, [`Names::find`] chooses the server of the listener,
//! [`LocationTable::find`] chooses the location by the normalised path, and both leave what their expressions captured in
//! [`Captures`].
//!
//! Not here: the path's normalisation ([`crate::uri`]), and what a location does.

mod captures;
mod host;
mod locations;
mod names;

pub use captures::{Captures, RegexFailed};
pub use host::{Host, HostError};
pub use locations::{Found, LocationId, LocationTable};
pub use names::Names;
