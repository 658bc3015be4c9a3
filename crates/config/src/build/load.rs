//! The ways in. Not here: what a text says or means.

use std::path::Path;

use super::{Loaded, Options, meaning_of};
use crate::files::{Files, NoFiles};
use crate::text::Reader;

/// Reads a configuration: its main file, what that includes, and the command line's part. Relative includes start at
/// the main file's folder, all other relative paths at the prefix.
pub fn load(path: &Path, files: &dyn Files, options: &Options) -> Loaded {
    let mut reader = Reader::new(path, files);
    read_globals(&mut reader, options);
    let found = reader.main_file(path);
    let written = reader.finish();
    if found {
        meaning_of(written, options)
    } else {
        Loaded { config: None, tree: written.tree, diagnostics: written.said }
    }
}

/// Reads a configuration that is a text of its own, such as a test's or one made from a command line. Includes find
/// nothing; relative paths start at `/etc/nginx`.
pub fn load_text(text: &str) -> Loaded {
    load_bytes(text.as_bytes())
}

/// The same, of bytes.
pub(crate) fn load_bytes(text: &[u8]) -> Loaded {
    let options = Options { prefix: "/etc/nginx".into(), ..Options::default() };
    load_with(Path::new("/etc/nginx/nginx.conf"), text, &options)
}

/// The same, with the name that messages show and the command line's options.
pub fn load_text_with(path: &Path, text: &str, options: &Options) -> Loaded {
    load_with(path, text.as_bytes(), options)
}

fn load_with(path: &Path, text: &[u8], options: &Options) -> Loaded {
    let mut reader = Reader::new(path, &NoFiles);
    read_globals(&mut reader, options);
    reader.main_text(path, text);
    meaning_of(reader.finish(), options)
}

fn read_globals(reader: &mut Reader<'_>, options: &Options) {
    if let Some(globals) = &options.globals {
        reader.command_line(globals);
    }
}
