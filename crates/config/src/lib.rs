//! The configuration language: nginx.conf text in, a typed [`Config`] or exact diagnostics out.
//!
//! What was written ([`tree`], with spans) → what it means ([`model`], typed, inherited, defaulted).
//! What runs (tables, sockets, resolved names) is the gateway's.
//!
//! Not here: any file system access but through `Files`, DNS, TLS, the wire.

mod build;
pub mod diagnostic;
pub mod directives;
mod files;
pub mod model;
pub mod suggest;
mod text;
pub mod tree;
pub mod variables;

pub use build::{Loaded, Options, load, load_text, load_text_with};
pub use diagnostic::{Diagnostic, Severity};
pub use files::{Files, NoFiles, Unreadable};
pub use model::Config;

/// Values with units, read as directives read them.
pub mod units {
    use std::time::Duration;

    use crate::text::units;

    /// `500ms`, `60`, `1h30m`: seconds where no unit is written.
    pub fn time(text: &str) -> Option<Duration> {
        units::time(text, units::Resolution::Milliseconds)
    }

    /// `512`, `8k`, `1m`: bytes.
    pub fn size(text: &str) -> Option<u64> {
        units::size(text)
    }
}
