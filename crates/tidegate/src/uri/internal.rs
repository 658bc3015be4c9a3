//! URIs for internal redirects: those of the configuration, and those that an upstream names in `X-Accel-Redirect`.
//! Not here: following them.

use super::escape::unescape;

/// Where an internal redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalUri {
    /// The path, decoded; it is used as it is, without normalisation.
    pub path: Vec<u8>,
    /// What follows the first `?`.
    pub args: Vec<u8>,
}

/// Cuts a URI at its first `?`: path and arguments. Nothing is decoded: so it is for `try_files`, `error_page` and `rewrite`.
pub fn split_args(uri: &[u8]) -> (&[u8], &[u8]) {
    match uri.iter().position(|&byte| byte == b'?') {
        Some(mark) => (uri.get(..mark).unwrap_or_default(), uri.get(mark + 1..).unwrap_or_default()),
        None => (uri, b""),
    }
}

/// Reads a URI that an upstream chose. `None` if it is empty, has no path, holds NUL, or has a `..` segment: nginx calls it
/// unsafe and logs `unsafe URI "…" was detected`.
pub fn parse_internal(uri: &[u8]) -> Option<InternalUri> {
    let (written, args) = split_args(uri);
    if !is_safe(written) {
        return None;
    }
    let path = if written.contains(&b'%') { unescape(written) } else { written.to_vec() };
    is_safe(&path).then(|| InternalUri { path, args: args.to_vec() })
}

fn is_safe(path: &[u8]) -> bool {
    !path.is_empty() && !path.contains(&0) && path.split(|&byte| byte == b'/').all(|name| name != b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_the_path_and_keeps_the_arguments() {
        let uri = parse_internal(b"/a%20b/..c?x=%20/../").unwrap();
        assert_eq!(uri.path, b"/a b/..c");
        assert_eq!(uri.args, b"x=%20/../");
    }

    #[test]
    fn refuses_unsafe_uris() {
        for uri in ["", "?x", "..", "../a", "/..", "/a/..", "/a/../b", "/%2e%2e/a", "/%00", "/a\0", "%2e%2e/a"] {
            assert_eq!(parse_internal(uri.as_bytes()), None, "{uri:?}");
        }
    }
}
