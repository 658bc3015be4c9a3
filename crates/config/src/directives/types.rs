//! Media types: nginx's three that need no file, and a full table for `include mime.types` where no file is.
//! Not here: the `types` directive.

use crate::model::Types;

/// The types that hold where no `types` block is written.
pub(crate) fn nginx_default_types() -> Types {
    let entry = |extension: &str, media_type: &str| (extension.into(), media_type.into());
    Types { by_extension: [entry("html", "text/html"), entry("gif", "image/gif"), entry("jpg", "image/jpeg")].into() }
}

/// The text of a `mime.types` file: what stands in for one that is not there.
pub fn built_in_mime_types() -> &'static str {
    include_str!("mime.types")
}
