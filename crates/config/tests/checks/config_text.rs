//! Any bytes taken for a configuration. A line `=== NAME` begins another file in the folder of the main one, so that
//! includes find something.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use config::diagnostic::{Style, shown};
use config::tree::{Directive, Span, Tree};
use config::{Diagnostic, Files, Options, Severity, Unreadable};

const FOLDER: &str = "/etc/nginx";

/// Checks every promise of reading on these bytes.
pub(crate) fn check(data: &[u8]) {
    let files = Written::new(data);
    let options = Options { prefix: FOLDER.into(), ..Options::default() };
    let loaded = config::load(&Path::new(FOLDER).join("nginx.conf"), &files, &options);
    let refused = loaded.diagnostics.iter().any(|said| said.severity == Severity::Error);
    assert_eq!(
        loaded.config.is_none(),
        refused,
        "a configuration is there unless something is wrong, and then it is said"
    );
    for file in &loaded.tree.files {
        if let Some(written) = files.get(&file.path) {
            assert_eq!(&*file.bytes(), written, "{}", file.path.display());
        }
    }
    loaded.tree.directives.iter().for_each(|directive| assert_lies_in_its_file(&loaded.tree, directive));
    loaded.diagnostics.iter().for_each(|said| assert_can_be_shown(&loaded.tree, said));
}

fn assert_lies_in_its_file(tree: &Tree, directive: &Directive) {
    assert_is_text(tree, directive.span);
    let mut at = directive.span.start;
    for word in std::iter::once(&directive.name).chain(&directive.args) {
        assert_is_text(tree, word.span);
        assert_eq!(word.span.file, directive.span.file);
        assert!(at <= word.span.start && word.span.end <= directive.span.end, "{directive:?}");
        at = word.span.end;
    }
    for inside in directive.block.iter().flatten() {
        let elsewhere = inside.span.file != directive.span.file;
        assert!(elsewhere || (at <= inside.span.start && inside.span.end <= directive.span.end), "{directive:?}");
        assert_lies_in_its_file(tree, inside);
    }
}

fn assert_can_be_shown(tree: &Tree, said: &Diagnostic) {
    for span in std::iter::once(said.span).chain(said.related.as_ref().map(|(span, _)| *span)) {
        if span != Span::NOWHERE {
            assert_is_text(tree, span);
            assert!(tree.position(span).is_some());
        }
    }
    let plain = shown(tree, said, Style::Plain);
    assert!(plain.ends_with('\n') && !plain.chars().any(|shown| shown.is_control() && shown != '\n'), "{plain:?}");
    assert!(shown(tree, said, Style::Coloured).ends_with('\n'));
}

/// Whole characters within the text of the file.
fn assert_is_text(tree: &Tree, span: Span) {
    assert!(tree.source(span).is_some(), "{span:?} in {:?}", tree.file(span).map(|file| &file.text));
}

/// Files that are written one behind the other.
struct Written<'a>(Vec<(PathBuf, &'a [u8])>);

impl<'a> Written<'a> {
    fn new(data: &'a [u8]) -> Self {
        const HEAD: &[u8] = b"=== ";
        let mut files = vec![(Path::new(FOLDER).join("nginx.conf"), 0, data.len())];
        let mut at = 0;
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            if let Some(name) = line.strip_prefix(HEAD) {
                files.last_mut().into_iter().for_each(|(_, _, end)| *end = at);
                let name = OsString::from_vec(name.trim_ascii().to_vec());
                files.push((Path::new(FOLDER).join(name), at + line.len(), data.len()));
            }
            at += line.len();
        }
        Self(files.into_iter().map(|(path, start, end)| (path, &data[start..end])).collect())
    }

    fn get(&self, path: &Path) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, bytes)| *bytes)
    }
}

impl Files for Written<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unreadable> {
        let missing = || Unreadable { cause: "2: No such file or directory".into(), missing: true };
        self.get(path).map(<[u8]>::to_vec).ok_or_else(missing)
    }

    fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable> {
        let inside = |path: &&PathBuf| path.parent() == Some(folder);
        Ok(self
            .0
            .iter()
            .map(|(path, _)| path)
            .filter(inside)
            .filter_map(|path| path.file_name())
            .map(Into::into)
            .collect())
    }
}
