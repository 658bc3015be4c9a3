//! The walls between the crates, and between the two sides of the gateway: what a manifest may name, and what a source may
//! reach for. The compiler keeps most of them once the manifests are right; this keeps the manifests right, and what no
//! manifest says: clocks, tasks, sockets and files of the standard library.
//!
//! Not here: what is behind the walls. Tests may climb them: only what ships is looked at.

use std::fs;
use std::path::{Path, PathBuf};

/// What one crate may do.
struct Wall {
    /// Its folder in `crates/`.
    folder: &'static str,
    dependencies: Dependencies,
    /// What its code never mentions, one list for each reason.
    unspoken: &'static [&'static [&'static str]],
}

enum Dependencies {
    /// No others.
    Only(&'static [&'static str]),
    /// Any but these.
    AllBut(&'static [&'static str]),
}

const CLOCKS: &[&str] = &["Instant::now", "SystemTime", ".elapsed()", "thread::sleep"];
const TASKS: &[&str] = &["async", ".await", "std::thread", "std::task", "std::future", "tokio"];
const SYSTEM: &[&str] = &["std::fs", "std::env", "std::process", "std::os::fd", "std::io", "println!", "eprintln!"];
const SOCKETS: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "ToSocketAddrs"];
const ADDRESSES: &[&str] = &["std::net"];

const WALLS: &[Wall] = &[
    Wall {
        folder: "policy",
        dependencies: Dependencies::Only(&["http"]),
        unspoken: &[CLOCKS, TASKS, SYSTEM, SOCKETS, ADDRESSES],
    },
    Wall {
        folder: "http1",
        dependencies: Dependencies::Only(&["http", "httparse", "bytes", "memchr"]),
        unspoken: &[CLOCKS, TASKS, SYSTEM, SOCKETS, ADDRESSES],
    },
    Wall {
        folder: "config",
        dependencies: Dependencies::Only(&["policy", "fancy-regex"]),
        unspoken: &[CLOCKS, TASKS, SYSTEM, SOCKETS],
    },
    Wall {
        folder: "tower",
        dependencies: Dependencies::AllBut(&["config", "http1", "tidegate"]),
        unspoken: &[SOCKETS],
    },
    Wall { folder: "tidegate", dependencies: Dependencies::AllBut(&["tower", "tidegate-tower"]), unspoken: &[] },
];

/// Of `http`, the policy needs two types: no head, no URI, no body.
const POLICYS_HTTP: [&str; 5] = ["Method", "StatusCode", "method", "status", "{"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder, in the order of their paths.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What ships of a source: no comments, and nothing behind `#[cfg(test)]`, which stands last in a file by custom.
fn shipped(source: &str) -> String {
    let tests = source.find("#[cfg(test)]\nmod tests {").unwrap_or(source.len());
    source[..tests].lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether code mentions `text`, not as a part of a longer word.
fn mentions(code: &str, text: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(text).any(|(at, _)| {
        let before = code[..at].chars().next_back().filter(|_| text.starts_with(is_word));
        let after = code[at + text.len()..].chars().next().filter(|_| text.ends_with(is_word));
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Names in the manifest's `[dependencies]`, those for some targets only included.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut names = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            if let Some((_, name)) = section.split_once("dependencies.").filter(|_| !section.starts_with("dev-")) {
                names.push(name.to_owned());
            }
        } else if section == "dependencies" || (section.starts_with("target.") && section.ends_with(".dependencies")) {
            names.push(line.split(['.', '=', ' ']).next().unwrap_or_default().trim_matches('"').to_owned());
        }
    }
    names
}

#[test]
fn every_crate_has_its_wall() {
    let entries = fs::read_dir(workspace().join("crates")).expect("crates/ can be read");
    for folder in entries.map(|entry| entry.expect("an entry").file_name()) {
        let name = folder.to_string_lossy();
        assert!(WALLS.iter().any(|wall| *wall.folder == *name), "crates/{name}: say here what it may not do");
    }
}

#[test]
fn no_crate_depends_on_what_is_behind_its_wall() {
    for wall in WALLS {
        let path = workspace().join("crates").join(wall.folder).join("Cargo.toml");
        if !path.exists() {
            continue;
        }
        for name in dependencies(&read(&path)) {
            let allowed = match wall.dependencies {
                Dependencies::Only(names) => names.contains(&&*name),
                Dependencies::AllBut(names) => !names.contains(&&*name),
            };
            assert!(allowed, "crates/{} must not depend on {name}", wall.folder);
        }
    }
}

#[test]
fn no_code_mentions_what_is_behind_its_wall() {
    for wall in WALLS {
        for path in sources(&workspace().join("crates").join(wall.folder).join("src")) {
            let code = shipped(&read(&path));
            for word in wall.unspoken.iter().copied().flatten() {
                assert!(!mentions(&code, word), "{}: {word} has no place in {}", path.display(), wall.folder);
            }
        }
    }
}

#[test]
fn policy_takes_only_methods_and_statuses_from_http() {
    for path in sources(&workspace().join("crates/policy/src")) {
        let code = shipped(&read(&path));
        for (at, _) in code.match_indices("http::") {
            let rest = &code[at + "http::".len()..];
            assert!(POLICYS_HTTP.iter().any(|name| rest.starts_with(name)), "{}: http::{rest:.20}", path.display());
            let listed = rest.strip_prefix('{').and_then(|list| list.split_once('}')).map_or("", |(list, _)| list);
            let strange =
                listed.split(',').map(str::trim).find(|name| !name.is_empty() && !POLICYS_HTTP.contains(name));
            assert_eq!(strange, None, "{}", path.display());
        }
    }
}

// Only the exchange joins the two sides.
#[test]
fn neither_side_of_the_gateway_imports_the_other() {
    let sides = [("upstream", "downstream"), ("downstream", "upstream")];
    for (side, other) in sides {
        let folder = workspace().join("crates/tidegate/src");
        let mut paths = sources(&folder.join(side));
        paths.push(folder.join(side).with_extension("rs"));
        assert!(paths.len() > 1, "nothing is in {side}/");
        for path in paths {
            let code = shipped(&read(&path));
            let imports = [format!("crate::{other}"), format!("super::{other}"), format!("{other}::")];
            assert!(!imports.iter().any(|import| mentions(&code, import)), "{} imports {other}", path.display());
        }
    }
}

#[test]
fn every_file_says_first_what_it_is() {
    let files = ["crates", "xtask", "fuzz", "examples"].map(|folder| sources(&workspace().join(folder))).concat();
    assert!(files.len() > 100);
    for path in files {
        assert!(read(&path).starts_with("//! "), "{}: open with //! what it is, and what it is not", path.display());
    }
}

#[test]
fn every_crate_takes_the_workspaces_lints() {
    let crates = WALLS.iter().map(|wall| format!("crates/{}", wall.folder)).chain(["xtask".to_owned()]);
    for folder in crates.filter(|folder| workspace().join(folder).exists()) {
        let manifest = read(&workspace().join(&folder).join("Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{folder}");
    }
}

#[test]
fn these_eyes_see() {
    assert!(mentions("use std::fs::File;", "std::fs") && !mentions("use std::fsx;", "std::fs"));
    assert!(mentions("a.await?", ".await") && !mentions("let asynchronous = 1;", "async"));
    assert!(mentions("async fn a()", "async") && !mentions("catalog::x", "log::x"));
    assert_eq!(shipped("a // std::fs\n#[cfg(test)]\nmod tests {\nb"), "a ");
    let manifest = "[dependencies]\na = \"1\"\nb.workspace = true\n[dev-dependencies]\nc = \"1\"\n[dependencies.d]\n\
                    path = \"x\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"";
    assert_eq!(dependencies(manifest), ["a", "b", "d", "e"]);
}

/// The name that the tests of a source begin with: `src/upstream/unread.rs` is `upstream::unread::`.
fn room(source: &Path) -> String {
    let inside =
        source.strip_prefix(workspace().join("crates/tidegate/src")).expect("only the gateway has unsafe code");
    format!("{}::", inside.with_extension("").display().to_string().replace('/', "::"))
}

#[test]
fn unsafe_code_is_run_under_valgrind() {
    // The workspace denies it: where it is, it was allowed by this name.
    let is_unsafe = |path: &PathBuf| mentions(&shipped(&read(path)).replace("forbid(unsafe_code)", ""), "unsafe_code");
    let rooms: Vec<_> = sources(&workspace().join("crates"))
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"))
        .filter(is_unsafe)
        .map(|path| room(&path))
        .collect();
    assert_eq!(format!("unsafe_rooms=({})", rooms.join(" ")), listed_rooms());
}

fn listed_rooms() -> String {
    let script = read(&workspace().join(".ci/run"));
    script.lines().find(|line| line.starts_with("unsafe_rooms=")).expect("a list in .ci/run").to_owned()
}
