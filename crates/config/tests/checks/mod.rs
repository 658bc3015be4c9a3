//! What must hold for any text at all. The check takes bytes and panics where a promise is broken; it is called with the
//! committed corpus (`corpus.rs`) and by the fuzz target of `fuzz/`. Not here: what any text means, which is `golden.rs`'s.

pub(crate) mod config_text;
