//! The only way to the file system, and masks: which files `include conf.d/*.conf` stands for. A mask means what glob(3)
//! makes of it, which nginx calls. Not here: the disk itself, which whoever reads a configuration supplies.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// A file system, as far as a configuration needs one.
pub trait Files {
    /// A whole file.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unreadable>;

    /// The names in a folder, in any order.
    ///
    /// # Errors
    /// It is no folder, or cannot be read.
    fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable>;
}

/// Why a file or folder cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The cause in nginx's form, with its number: `2: No such file or directory`.
    pub cause: String,
    /// There is nothing of that name.
    pub missing: bool,
}

/// A file system without files.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, Unreadable> {
        Err(Unreadable { cause: "2: No such file or directory".into(), missing: true })
    }

    fn list(&self, _: &Path) -> Result<Vec<OsString>, Unreadable> {
        self.read(Path::new("")).map(|_| Vec::new())
    }
}

/// Whether a path is a mask and not a name.
pub(crate) fn is_mask(path: &Path) -> bool {
    path.as_os_str().as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// What a mask stands for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// The paths, in the order of their bytes.
    pub(crate) paths: Vec<PathBuf>,
    /// Folders that are there and cannot be looked into; glob(3) passes over them in silence.
    pub(crate) closed: Vec<(PathBuf, Unreadable)>,
}

/// The paths that a mask stands for.
pub(crate) fn expand(files: &dyn Files, mask: &Path) -> Expanded {
    let mut expanded = Expanded { paths: vec![PathBuf::new()], closed: Vec::new() };
    let components: Vec<Component<'_>> = mask.components().collect();
    for (place, component) in components.iter().enumerate() {
        let is_last = place + 1 == components.len();
        match component {
            Component::Normal(name) if is_last || is_mask(Path::new(name)) => descend(files, name, &mut expanded),
            other => expanded.paths.iter_mut().for_each(|path| path.push(other)),
        }
    }
    expanded.paths.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    expanded
}

/// Goes from each folder to the names in it that fit.
fn descend(files: &dyn Files, mask: &OsStr, expanded: &mut Expanded) {
    for folder in std::mem::take(&mut expanded.paths) {
        match files.list(&folder) {
            Ok(names) => {
                let fitting = names.iter().filter(|name| fits(mask.as_bytes(), name.as_bytes()));
                expanded.paths.extend(fitting.map(|name| folder.join(name)));
            }
            Err(unreadable) if unreadable.missing => {}
            Err(unreadable) => expanded.closed.push((folder, unreadable)),
        }
    }
}

/// Whether a name fits a mask. Hidden names fit only a mask that starts with a dot.
fn fits(mask: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && mask.first() != Some(&b'.') {
        return false;
    }
    // Where to go on if what follows the last star does not fit: one byte more for the star.
    let mut star: Option<(&[u8], &[u8])> = None;
    let (mut mask, mut name) = (mask, name);
    loop {
        if let Some(rest) = mask.strip_prefix(b"*") {
            star = Some((rest, name));
            mask = rest;
        } else if let Some((rest_of_mask, rest_of_name)) = fits_one(mask, name) {
            (mask, name) = (rest_of_mask, rest_of_name);
        } else if mask.is_empty() && name.is_empty() {
            return true;
        } else {
            let Some((after, [_, rest @ ..])) = star else { return false };
            star = Some((after, rest));
            (mask, name) = (after, rest);
        }
    }
}

/// Takes one byte of the name and what fits it from the mask.
fn fits_one<'a>(mask: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (byte, rest_of_name) = name.split_first()?;
    let rest_of_mask = match mask {
        [b'?', rest @ ..] => rest,
        [b'\\', escaped, rest @ ..] if escaped == byte => rest,
        [b'\\', _, ..] => return None,
        [b'[', inside @ ..] => match set(inside, *byte) {
            Some((true, rest)) => rest,
            Some((false, _)) => return None,
            None if *byte == b'[' => inside,
            None => return None,
        },
        [same, rest @ ..] if same == byte => rest,
        _ => return None,
    };
    Some((rest_of_mask, rest_of_name))
}

/// `a-z]`, `!ab]`, `[:digit:]x]`: whether a byte is in the set, and what follows it. Without a `]` it is none.
fn set(inside: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match inside {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, inside),
    };
    let mut found = false;
    let mut first = true;
    loop {
        rest = match rest {
            [b']', rest @ ..] if !first => return Some((found != negated, rest)),
            [b'[', b':', class @ ..] if class_end(class).is_some() => {
                let (name, rest) = class.split_at(class_end(class)?);
                found |= is_of_class(name, byte);
                rest.get(2..)?
            }
            [from, b'-', to, rest @ ..] if *to != b']' => {
                found |= (*from..=*to).contains(&byte);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == byte;
                rest
            }
            [] => return None,
        };
        first = false;
    }
}

fn class_end(class: &[u8]) -> Option<usize> {
    class.windows(2).position(|pair| pair == b":]")
}

fn is_of_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"lower" => byte.is_ascii_lowercase(),
        b"upper" => byte.is_ascii_uppercase(),
        b"punct" => byte.is_ascii_punctuation(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each path is a file.
    struct Paths(&'static [&'static str]);

    impl Files for Paths {
        fn read(&self, _: &Path) -> Result<Vec<u8>, Unreadable> {
            Ok(Vec::new())
        }

        fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable> {
            if folder == Path::new("/closed") {
                return Err(Unreadable { cause: "13: Permission denied".into(), missing: false });
            }
            let below = self.0.iter().filter_map(|path| Path::new(path).strip_prefix(folder).ok());
            let mut names: Vec<OsString> =
                below.filter_map(|rest| Some(rest.components().next()?.as_os_str().to_owned())).collect();
            names.dedup();
            if names.is_empty() { NoFiles.list(folder) } else { Ok(names) }
        }
    }

    fn expanded(mask: &str) -> Vec<String> {
        let files = Paths(&[
            "/c/b.conf",
            "/c/a.conf",
            "/c/.h.conf",
            "/c/t",
            "/v/y/n.conf",
            "/v/x/n.conf",
            "/v/x-1/n.conf",
            "/v/z/m",
        ]);
        let paths = expand(&files, Path::new(mask)).paths;
        paths.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn names_come_in_the_order_of_their_bytes() {
        assert_eq!(expanded("/c/*.conf"), ["/c/a.conf", "/c/b.conf"]);
        assert_eq!(expanded("/v/*/n.conf"), ["/v/x-1/n.conf", "/v/x/n.conf", "/v/y/n.conf"]);
    }

    #[test]
    fn a_mask_that_fits_nothing_stands_for_nothing() {
        assert_eq!(expanded("/c/*.none"), [""; 0]);
        assert_eq!(expanded("/none/*"), [""; 0]);
        assert_eq!(expanded("/v/*/none"), [""; 0]);
    }

    #[test]
    fn hidden_names_must_be_asked_for() {
        assert_eq!(expanded("/c/*"), ["/c/a.conf", "/c/b.conf", "/c/t"]);
        assert_eq!(expanded("/c/.*"), ["/c/.h.conf"]);
    }

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_said() {
        let expanded = expand(&Paths(&[]), Path::new("/closed/*"));
        assert!(expanded.paths.is_empty());
        assert_eq!(expanded.closed.len(), 1);
    }

    #[test]
    fn masks_are_those_of_glob() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("*", "abc", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcdef", false),
            ("**", "a", true),
            ("?", "a", true),
            ("?", "", false),
            ("?", "ab", false),
            ("[ab]", "b", true),
            ("[!ab]", "b", false),
            ("[^ab]", "c", true),
            ("[0-9][0-9]-*.conf", "10-a.conf", true),
            ("[0-9][0-9]-*.conf", "1x-a.conf", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", "y", false),
            ("[.conf", "[.conf", true),
            ("[.conf", "a.conf", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ];
        for (mask, name, wanted) in cases {
            assert_eq!(fits(mask.as_bytes(), name.as_bytes()), *wanted, "{mask} {name}");
        }
    }
}
