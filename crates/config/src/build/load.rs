//! The ways in. Not here: what a text says or means.

use std::path::Path;

use super::{Loaded, Options, meaning_of};

/// Reads a configuration that is a text of its own, such as a test's or one made from a command line. Includes find
/// nothing; relative paths start at `/etc/nginx`.
pub fn load_text(text: &str) -> Loaded {
    let options = Options { prefix: "/etc/nginx".into(), ..Options::default() };
    load_text_with(Path::new("nginx.conf"), text, &options)
}

/// The same, with the name that messages show and the command line's options.
pub fn load_text_with(path: &Path, text: &str, options: &Options) -> Loaded {
    let mut tree = super::stopgap::parse(text);
    for file in &mut tree.files {
        file.path = path.to_owned();
    }
    meaning_of(tree, Vec::new(), options)
}
