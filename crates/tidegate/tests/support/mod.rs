//! What the conformance cases and the scenarios share: the text format of a case, the scripted client and origins,
//! and the process under test. It knows nothing of any one case, and it judges nothing but what a case states.
//!
//! A case file is read (`case_format`) into a value (`case`); `run` plays it against one server binary: `place` gives it
//! a directory and ports, `server` the process, `origin` and `client` the peers on its two sides, `logs` what it wrote.
//! What came of it is a `transcript`.

pub(crate) mod bytes;
pub(crate) mod case;
pub(crate) mod case_format;
pub(crate) mod client;
pub(crate) mod failures;
pub(crate) mod logs;
pub(crate) mod message;
pub(crate) mod moments;
pub(crate) mod origin;
pub(crate) mod place;
pub(crate) mod run;
pub(crate) mod self_check;
pub(crate) mod server;
pub(crate) mod step_format;
pub(crate) mod suite;
pub(crate) mod transcript;
pub(crate) mod wire;
