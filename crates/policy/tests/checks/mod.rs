//! Operations on an upstream beside a naive model of nginx's. The check takes bytes and panics where the two disagree; it is
//! called with drawn bytes (`properties.rs`), with the committed corpus (`corpus.rs`) and by the fuzz target of `fuzz/`.

pub(crate) mod model;
pub(crate) mod operations;
