//! Answers that the gateway makes itself: files, error pages, redirects. nginx's rules throughout.
//!
//! Everything here decides; the file system is touched in `disk` alone. A file's answer is a list of byte ranges and an open
//! file: sending is the engine's. Symbolic links are followed, as nginx follows them by default.
//!
//! Not here: `return` and `error_page` as a course of events (the exchange), answers from upstreams.

mod conditions;
pub mod date;
mod disk;
pub mod error_pages;
pub mod failed;
pub mod files;
mod index;
pub mod pages;
mod paths;
mod ranges;
pub mod redirect;
mod request;
pub mod try_files;

pub use request::{Eval, Fields, FileRequest, LogLine, Refusal};
