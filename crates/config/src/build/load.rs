//! The ways in: a file, or a text. Not here: what either means.

use super::{Loaded, Options, meaning_of};

/// Reads a configuration that is a text of its own, such as a test's or one made from a command line. Includes find
/// nothing.
pub fn load_text(text: &str) -> Loaded {
    let options = Options {
        prefix: "/etc/nginx".into(),
        ..Options::default()
    };
    meaning_of(super::stopgap::parse(text), Vec::new(), &options)
}
