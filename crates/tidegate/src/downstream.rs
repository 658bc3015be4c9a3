//! The client's side, one room a protocol. Not here: what is answered.

pub(crate) mod h1;
pub(crate) mod proxy_protocol;
