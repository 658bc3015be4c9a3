//! Request targets: what a client wrote, what it means, and how it is written again.
//!
//! [`parse_target`] turns the target of a request line into the normalised path that locations match and files are found by.
//! The rules are nginx's, byte for byte, since configurations depend on them.
//!
//! Not here: the request line around the target (`http1`), the choice of a server or a location ([`crate::route`]).

mod escape;
mod internal;
mod normalise;
mod target;

pub use escape::{Escape, escape, escape_into, unescape};
pub use internal::{InternalUri, parse_internal, split_args};
pub use target::{Target, TargetError, parse_target};
