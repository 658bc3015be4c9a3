//! Texts as trees: what is printed is read again, any bytes are read, and files are put together.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{MAX_BLOCK_DEPTH, Reader, Written};
use crate::build::testing::errors;
use crate::diagnostic::{Diagnostic, Severity};
use crate::files::{Files, NoFiles, Unreadable};
use crate::tree::{Directive, Origin, Span, Tree, Word};
use crate::{Loaded, Options, load};

/// Files in memory.
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| (path.into(), text.as_bytes().to_vec())).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, Unreadable> {
        self.0.get(path).cloned().map_or_else(|| NoFiles.read(path), Ok)
    }

    fn list(&self, folder: &Path) -> Result<Vec<OsString>, Unreadable> {
        let below = self.0.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(below.filter_map(|path| Some(path.components().next()?.as_os_str().to_owned())).collect())
    }
}

const MAIN: &str = "/etc/nginx/nginx.conf";

fn loaded(files: &[(&str, &str)]) -> Loaded {
    load(Path::new(MAIN), &Memory::of(files), &Options { prefix: "/prefix".into(), ..Options::default() })
}

/// `path: text` of what each diagnostic is about.
fn places(loaded: &Loaded) -> Vec<String> {
    let place = |said: &Diagnostic| match loaded.tree.file(said.span) {
        Some(file) => format!("{}: {}", file.path.display(), loaded.tree.source(said.span).unwrap_or("no place")),
        None => "nowhere".into(),
    };
    loaded.diagnostics.iter().map(place).collect()
}

#[test]
fn includes_stand_where_their_directive_does() {
    let loaded = loaded(&[
        (MAIN, "events {}\nhttp { include one.conf; server { listen 3; } include two/*.conf; }"),
        ("/etc/nginx/one.conf", "server { listen 1; include three.conf; }"),
        ("/etc/nginx/three.conf", "listen 2;"),
        ("/etc/nginx/two/b.conf", "server { listen 5; }"),
        ("/etc/nginx/two/a.conf", "server { listen 4; }"),
    ]);
    assert_eq!(errors(&loaded), [""; 0]);
    let config = loaded.config.expect("nothing is wrong");
    let listens =
        config.servers.iter().flat_map(|server| &server.listens).map(|listen| format!("{:?}", listen.address));
    let ports: Vec<_> = listens.map(|address| address.chars().rev().nth(1)).collect();
    assert_eq!(ports, ["1", "2", "3", "4", "5"].map(|port| port.chars().next()));
    let paths: Vec<_> = loaded.tree.files.iter().map(|file| file.path.display().to_string()).collect();
    let read = ["nginx.conf", "one.conf", "three.conf", "two/a.conf", "two/b.conf"];
    assert_eq!(paths, read.map(|name| format!("/etc/nginx/{name}")));
}

#[test]
fn spans_point_into_the_included_file() {
    let loaded =
        loaded(&[(MAIN, "events {} http { include a.conf; nonsense1; }"), ("/etc/nginx/a.conf", "# é\nnonsense2 b;")]);
    assert_eq!(places(&loaded), ["/etc/nginx/a.conf: nonsense2", "/etc/nginx/nginx.conf: nonsense1"]);
    let included_at = loaded.tree.files[1].included_at.and_then(|span| loaded.tree.source(span));
    assert_eq!(included_at, Some("a.conf"));
}

#[test]
fn a_missing_file_is_a_fault_and_an_empty_mask_is_not() {
    let loaded = loaded(&[(MAIN, "events {} http { include none.conf; include none/*.conf; include \"/x/[a\"; }")]);
    assert_eq!(errors(&loaded), ["open() \"/etc/nginx/none.conf\" failed (2: No such file or directory)"]);
    assert_eq!(places(&loaded), ["/etc/nginx/nginx.conf: none.conf"]);
}

#[test]
fn a_file_that_includes_itself_is_refused_wherever_it_does() {
    let direct = loaded(&[(MAIN, "events {} http { include nginx.conf; include ./nginx.conf; }")]);
    assert_eq!(
        errors(&direct),
        ["\"/etc/nginx/nginx.conf\" includes itself", "\"/etc/nginx/./nginx.conf\" includes itself"]
    );
    let round = loaded(&[
        (MAIN, "events {} http { include a.conf; }"),
        ("/etc/nginx/a.conf", "include b*;"),
        ("/etc/nginx/b.conf", "server { include a.conf; }"),
    ]);
    assert_eq!(errors(&round), ["\"/etc/nginx/a.conf\" includes itself"]);
    assert_eq!(places(&round), ["/etc/nginx/b.conf: a.conf"]);
}

#[test]
fn includes_in_one_another_have_a_bound() {
    let names: Vec<_> = (0..40).map(|n| (format!("/etc/nginx/{n}.conf"), format!("include {}.conf;", n + 1))).collect();
    let mut files: Vec<_> = names.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push((MAIN, "events {} http { include 0.conf; }"));
    assert_eq!(errors(&loaded(&files)), ["more than 32 includes in one another"]);
}

#[test]
fn a_file_may_be_included_many_times_and_is_read_once() {
    let loaded = loaded(&[
        (MAIN, "events {} http { server { listen 1; include p; } server { listen 2; include p; } }"),
        ("/etc/nginx/p", "proxy_set_header A b; nonsense;"),
    ]);
    assert_eq!(loaded.tree.files.len(), 2);
    assert_eq!(errors(&loaded), ["unknown directive \"nonsense\""], "and its faults are said once");
}

#[test]
fn all_text_together_has_a_bound() {
    let files = Memory::of(&[("/etc/nginx/a", "a; b; c; d; e;")]);
    let mut reader = Reader::new(Path::new(MAIN), &files);
    reader.left = 100;
    reader.main_text(Path::new(MAIN), "include a;".repeat(8).as_bytes());
    let Written { tree, said, .. } = reader.finish();
    assert_eq!(tree.directives.len(), 5, "there was room for one");
    assert!(said.iter().all(|said| said.message == "more than 64 MiB of configuration"));
}

#[test]
fn each_file_closes_its_own_blocks() {
    let loaded = loaded(&[
        (MAIN, "events {} http { include open.conf; include close.conf; }"),
        ("/etc/nginx/open.conf", "server {"),
        ("/etc/nginx/close.conf", "}"),
    ]);
    assert_eq!(errors(&loaded), ["unexpected end of file, expecting \"}\"", "unexpected \"}\""]);
}

#[test]
fn types_and_maps_include_too() {
    let loaded = loaded(&[
        (MAIN, "events {} http { types { include t; } map $uri $a { include m; } server { return 200 $a; } }"),
        ("/etc/nginx/t", "text/x x;"),
        ("/etc/nginx/m", "/a b;"),
    ]);
    assert_eq!(errors(&loaded), [""; 0]);
}

#[test]
fn a_missing_mime_types_is_built_in() {
    let loaded = loaded(&[(MAIN, "events {} http { include mime.types; include /x/mime.types; }")]);
    assert_eq!(errors(&loaded), [""; 0]);
    assert!(loaded.diagnostics.iter().any(|said| said.severity == Severity::Note && said.message.contains("built-in")));
    let types = &loaded.config.expect("nothing is wrong").http.types.by_extension;
    assert_eq!(types.get("svg").map(|media| &**media), Some("image/svg+xml"));
    assert_eq!(loaded.tree.files[1].origin, Origin::BuiltIn);
}

#[test]
fn a_missing_main_file_is_all_that_is_said() {
    let loaded = loaded(&[]);
    assert_eq!(errors(&loaded), ["open() \"/etc/nginx/nginx.conf\" failed (2: No such file or directory)"]);
    assert_eq!(places(&loaded), ["nowhere"]);
}

fn with_globals(globals: &str) -> Loaded {
    let options = Options { globals: Some(globals.into()), ..Options::default() };
    load(Path::new(MAIN), &Memory::of(&[(MAIN, "events {}")]), &options)
}

#[test]
fn the_command_line_is_a_text_of_its_own() {
    assert_eq!(with_globals("daemon off; pid /x;").config.map(|config| config.main.daemon), Some(false));
    let wrong = with_globals("daemon of; nonsense;");
    assert_eq!(places(&wrong), ["command line: of", "command line: nonsense"]);
    assert_eq!(errors(&with_globals("daemon off")), ["unexpected end of parameter, expecting \";\""]);
    assert_eq!(errors(&with_globals("daemon off; http {")), ["block directives are not supported in -g option"]);
    assert_eq!(errors(&with_globals("}")), ["unexpected \"}\""]);
    assert_eq!(errors(&with_globals("# nothing")), [""; 0]);
}

#[test]
fn blocks_in_one_another_have_a_bound() {
    let deep = format!("events {{}} http {{ server {{ {} {} }} }}", "location / {".repeat(500), "}".repeat(500));
    let loaded = loaded(&[(MAIN, &deep)]);
    assert!(errors(&loaded).contains(&format!("more than {MAX_BLOCK_DEPTH} blocks in one another").as_str()));
    assert!(loaded.diagnostics.len() < 100, "{}", loaded.diagnostics.len());
}

#[test]
fn bytes_that_are_not_utf8_are_said_once_for_each_file() {
    let files = Memory([(MAIN.into(), b"events {} # \xe9 \xff\nhttp {}".to_vec())].into());
    let loaded = load(Path::new(MAIN), &files, &Options::default());
    assert_eq!(errors(&loaded), [""; 0]);
    assert_eq!(loaded.diagnostics[0].message, "byte 0xE9 is not UTF-8, nor are 1 more");
    assert_eq!(&*loaded.tree.files[0].bytes(), b"events {} # \xe9 \xff\nhttp {}");
}

/// A text alone, without its meaning.
fn read(text: &[u8]) -> (Tree, Vec<Diagnostic>) {
    let mut reader = Reader::new(Path::new(MAIN), &NoFiles);
    reader.main_text(Path::new(MAIN), text);
    let written = reader.finish();
    (written.tree, written.said)
}

/// Any word, without quotes where it may stand without.
fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        "[a-z/$.:=~^*_-][a-z0-9/$.:=\"'#}()-]{0,8}".prop_map(|text| made(text, false)),
        "[a-z]{1,4}\\$\\{[a-z]{1,4}\\}[a-z]{0,2}".prop_map(|text| made(text, false)),
        "[ -~\\t\\r\\né漢]{0,12}".prop_map(|text| made(text, true)),
    ]
}

fn made(text: String, quoted: bool) -> Word {
    Word { text, quoted, span: Span::default() }
}

fn directive() -> impl Strategy<Value = Directive> {
    let words = || proptest::collection::vec(word(), 1..4);
    let whole = |words: Vec<Word>, block| {
        let mut words = words.into_iter();
        let name = words.next().unwrap_or_else(|| made("a".into(), false));
        Directive { name, args: words.collect(), block, span: Span::default() }
    };
    let leaf = words().prop_map(move |words| whole(words, None));
    leaf.prop_recursive(4, 32, 5, move |inner| {
        (words(), proptest::collection::vec(inner, 0..5)).prop_map(move |(words, block)| whole(words, Some(block)))
    })
    .prop_filter("an include or Lua", |directive| {
        directive.name.text != "include" && !directive.name.text.ends_with("_by_lua_block")
    })
}

fn print(directives: &[Directive], out: &mut String) {
    for directive in directives {
        for word in std::iter::once(&directive.name).chain(&directive.args) {
            let escaped = word.text.replace('\\', "\\\\").replace('"', "\\\"");
            match word.quoted {
                true => *out += &format!("\"{escaped}\" "),
                false => *out += &format!("{} ", word.text),
            }
        }
        match &directive.block {
            None => *out += "; ",
            Some(block) => {
                *out += "{\n";
                print(block, out);
                *out += "} # done\n";
            }
        }
    }
}

fn without_places(directives: Vec<Directive>) -> Vec<Directive> {
    let nowhere = |word: Word| made(word.text, word.quoted);
    directives
        .into_iter()
        .map(|directive| Directive {
            name: nowhere(directive.name),
            args: directive.args.into_iter().map(nowhere).collect(),
            block: directive.block.map(without_places),
            span: Span::default(),
        })
        .collect()
}

/// Bytes that mean something to the lexer, and some that do not.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "server",
        " ",
        "\n",
        ";",
        "{",
        "}",
        "\"",
        "'",
        "\\",
        "#",
        "$",
        "${",
        "include",
        "a.conf",
        "http",
        "events",
        "é",
        "location",
        "/",
        "~",
        "_by_lua_block",
        "map",
        "$1",
        ")",
    ];
    let known = proptest::collection::vec(proptest::sample::select(pieces), 0..40);
    prop_oneof![known.prop_map(|pieces| pieces.concat().into_bytes()), proptest::collection::vec(any::<u8>(), 0..60),]
}

fn spans(directives: &[Directive]) -> Vec<Span> {
    let of = |directive: &Directive| {
        let words = std::iter::once(&directive.name).chain(&directive.args).map(|word| word.span);
        let inside = spans(directive.block.as_deref().unwrap_or_default());
        words.chain([directive.span]).chain(inside).collect::<Vec<_>>()
    };
    directives.iter().flat_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_read_again(directives in proptest::collection::vec(directive(), 0..6)) {
        let mut text = String::new();
        print(&directives, &mut text);
        let (tree, said) = read(text.as_bytes());
        prop_assert_eq!(&said, &[], "{}", text);
        prop_assert_eq!(without_places(tree.directives), directives, "{}", text);
    }

    #[test]
    fn any_bytes_are_read_and_every_span_is_in_its_file(text in text()) {
        let loaded = load(Path::new(MAIN), &Memory([(MAIN.into(), text)].into()), &Options::default());
        let related = loaded.diagnostics.iter().filter_map(|said| Some(said.related.as_ref()?.0));
        let said = loaded.diagnostics.iter().map(|said| said.span).chain(related);
        for span in said.filter(|span| *span != Span::NOWHERE).chain(spans(&loaded.tree.directives)) {
            prop_assert!(span.start <= span.end);
            prop_assert!(loaded.tree.source(span).is_some(), "{:?}", span);
            prop_assert!(loaded.tree.position(span).is_some());
        }
        let refused = loaded.diagnostics.iter().any(|said| said.severity == Severity::Error);
        prop_assert_eq!(loaded.config.is_none(), refused);
    }

    #[test]
    fn a_word_of_the_source_is_read_as_the_word(text in text()) {
        let (tree, _) = read(&text);
        for directive in &tree.directives {
            let source = tree.source(directive.name.span).unwrap_or_default();
            prop_assert!(!source.is_empty());
            prop_assert_eq!(directive.name.quoted, source.starts_with(['"', '\'']));
        }
    }
}
