//! `cargo xtask manual`: writes `docs/manual/`, or checks that what is committed is what it would write.
//! Not here: what the pages say (the modules below), and the rows that they are made from (`config::directives`).

mod command_line;
mod directive;
mod failures;
mod index;
mod language;
mod limits;
mod links;
#[cfg(test)]
mod prose;
mod unsupported;
mod variables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Arg::{Long, Short};

pub(crate) const HELP: &str = "\
cargo xtask manual [--check]
    Writes docs/manual/ from the directive table, the limits in the code and the program's own help.

    --check  writes nothing; fails if what is there differs
";

/// Pages by their path below `docs/manual/`, with `/` between folders.
type Pages = BTreeMap<String, String>;

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let Some(check) = read(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let root = root();
    let pages = pages(&root, &command_line::Program::build(&root)?)?;
    let folder = root.join("docs/manual");
    let differences = differences(&folder, &pages)?;
    if check {
        return Ok(report(&differences));
    }
    differences.iter().try_for_each(|path| bring_up_to_date(&folder, path, pages.get(path)))?;
    println!("docs/manual: {} pages, {} of them changed", pages.len(), differences.len());
    Ok(ExitCode::SUCCESS)
}

fn read(mut arguments: lexopt::Parser) -> Result<Option<bool>, String> {
    let mut check = false;
    while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
        match argument {
            Long("check") => check = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Some(check))
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).unwrap_or(Path::new(".")).to_owned()
}

fn pages(root: &Path, says: &impl command_line::Says) -> Result<Pages, String> {
    let mut pages = directive::pages();
    pages.append(&mut failures::pages());
    pages.insert("failures.md".into(), failures::index());
    pages.insert("README.md".into(), index::page());
    pages.insert("not-supported.md".into(), unsupported::page());
    pages.insert("language.md".into(), language::page());
    pages.insert("variables.md".into(), variables::page());
    pages.insert("limits.md".into(), limits::page(root)?);
    pages.insert("command-line.md".into(), command_line::page(says)?);
    Ok(pages.into_iter().map(|(path, text)| (path, format!("{MARK}\n\n{text}"))).collect())
}

const MARK: &str = "<!-- Written by `cargo xtask manual`: change its sources and run it again. -->";

/// Pages that other tasks write, from what they measure: `faults`.
const OTHERS: [&str; 1] = ["faults.md"];

/// The paths at which the folder and the pages differ: changed, missing, or no longer wanted.
fn differences(folder: &Path, pages: &Pages) -> Result<Vec<String>, String> {
    let there = read_all(folder, "")?;
    let wanted = pages.iter().filter(|(path, text)| there.get(*path) != Some(text)).map(|(path, _)| path);
    let unwanted = there.keys().filter(|path| !pages.contains_key(*path) && !OTHERS.contains(&path.as_str()));
    Ok(wanted.chain(unwanted).cloned().collect())
}

fn read_all(folder: &Path, prefix: &str) -> Result<Pages, String> {
    let mut pages = Pages::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(pages) };
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            pages.append(&mut read_all(&path, &format!("{prefix}{name}/"))?);
        } else {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            pages.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(pages)
}

fn bring_up_to_date(folder: &Path, path: &str, text: Option<&String>) -> Result<(), String> {
    let place = folder.join(path);
    let parent = place.parent().unwrap_or(folder);
    let done = match text {
        Some(text) => fs::create_dir_all(parent).and_then(|()| fs::write(&place, text)),
        None => fs::remove_file(&place),
    };
    done.map_err(|error| format!("{}: {error}", place.display()))
}

fn report(differences: &[String]) -> ExitCode {
    if differences.is_empty() {
        println!("docs/manual is what `cargo xtask manual` writes");
        return ExitCode::SUCCESS;
    }
    for path in differences {
        eprintln!("docs/manual/{path} is not what `cargo xtask manual` writes");
    }
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program says is not the matter here.
    struct Silent;

    impl command_line::Says for Silent {
        fn says(&self, _: &[&str]) -> Result<String, String> {
            Ok("Usage: tidegate\n".into())
        }
    }

    fn all() -> Pages {
        pages(&root(), &Silent).unwrap()
    }

    #[test]
    fn every_link_leads_to_a_page() {
        let pages = all();
        for (path, text) in &pages {
            for target in links::targets(text).filter(|target| !target.starts_with("https://")) {
                let reached = links::resolve(path, target);
                let outside = root().join("docs/manual").join(&reached).exists();
                assert!(pages.contains_key(&reached) || outside, "{path} links to {target}, which is not there");
            }
        }
    }

    #[test]
    fn every_directive_has_a_page_that_the_index_names() {
        let pages = all();
        for row in config::directives::table() {
            let path = format!("directives/{}.md", row.name);
            let page = pages.get(&path).unwrap();
            assert!(page.contains(&format!("# {}\n\n", row.name)), "{path}");
            assert!(page.contains(&links::linked(row.help, "", row.name)), "{path}");
            assert!(pages["README.md"].contains(&format!("({path})")), "the index does not name {path}");
        }
    }

    #[test]
    fn changed_missing_and_unwanted_pages_are_differences() {
        let folder = std::env::temp_dir().join(format!("tidegate-manual-{}", std::process::id()));
        let pages: Pages = [("a.md", "a"), ("b/c.md", "c"), ("d.md", "d")].map(|(p, t)| (p.into(), t.into())).into();
        for path in ["a.md", "b/c.md"] {
            bring_up_to_date(&folder, path, Some(&"a".to_owned())).unwrap();
        }
        for path in ["old.md", OTHERS[0]] {
            bring_up_to_date(&folder, path, Some(&"a".to_owned())).unwrap();
        }
        let found = differences(&folder, &pages).unwrap();
        assert_eq!(found, ["b/c.md", "d.md", "old.md"]);
        found.iter().for_each(|path| bring_up_to_date(&folder, path, pages.get(path)).unwrap());
        assert_eq!(differences(&folder, &pages).unwrap(), [""; 0]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
