//! Files: `root`, `alias`, `index`, `try_files`, `types`. Not here: how they are opened and sent.

use std::sync::Arc;

use super::shorthand::{LEVELS, LOCATION, Row, SERVER_LOCATION, at_least, custom, exactly, flag};
use crate::build::{Build, Level, Line, no_types};
use crate::model::{Pattern, Root, TryCandidate, TryFiles, TryTarget};
use crate::tree::{Directive, Word};

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("root", LEVELS, exactly(1), root)
            .syntax("path")
            .default("html")
            .help("Names the directory that files are served from.")
            .manual(
                "The whole path of the request is looked for below it. Relative paths start at \
                 the prefix. Variables are allowed.",
            )
            .differs("A `..` that variables bring in is a 404: no client leads a root up."),
        custom("alias", LOCATION, exactly(1), alias)
            .syntax("path")
            .help("Names what the matched part of the path stands for.")
            .manual(
                "In `location /i/ { alias /data/w3/images/; }`, /i/top.gif is \
                 /data/w3/images/top.gif. In a regular expression's location the alias is the \
                 whole file name and should use captures. End it with a slash where the \
                 location does.",
            )
            .differs("/i../x of `location /i { alias /data/; }` is a 404 instead of /data/../x, and so is a `..` of variables."),
        custom("index", LEVELS, at_least(1), index)
            .repeats()
            .syntax("file …")
            .default("index.html")
            .help("Names the files to look for where a directory is asked for.")
            .manual(
                "The first that exists is served by an internal redirect. A name that starts \
                 with a slash is taken as it is.",
            ),
        custom("try_files", SERVER_LOCATION, at_least(2), try_files)
            .syntax("file … uri | =code | @name")
            .help("Looks for files in turn and goes elsewhere if there is none.")
            .manual(
                "Each name is looked for below root, or by alias; one that ends in a slash is \
                 a directory. The last word is where to go when nothing exists: a URI (an \
                 internal redirect), a named location, or a status. It is not inherited.",
            )
            .differs("A name in which variables bring a `..` is passed over."),
        custom("types", LEVELS, exactly(0), types)
            .repeats()
            .block()
            .syntax("")
            .default("{ text/html html; image/gif gif; image/jpeg jpg; }")
            .help("Maps file name extensions to media types.")
            .manual(
                "Each line is a type and its extensions. If a level has any types block, it \
                 inherits none. `include mime.types;` brings in a full table, which is built \
                 in for where no such file exists.",
            ),
        custom("default_type", LEVELS, exactly(1), default_type)
            .syntax("type")
            .default("text/plain")
            .help("Sets the media type of files whose extension is not known.")
            .manual("It is the type of `return`'s texts too."),
        flag("etag", LEVELS, |l: &mut Level| &mut l.settings.etag)
            .default("on")
            .help("Adds an ETag field to files.")
            .manual("It is made from a file's time of change and its length."),
        custom("max_ranges", LEVELS, exactly(1), max_ranges)
            .syntax("number")
            .help("Bounds the ranges that one request may ask for.")
            .manual(
                "A request with more of them gets the whole file. 0 turns ranges off; without \
                 the directive there is no bound of its own.",
            ),
        flag("log_not_found", LEVELS, |l: &mut Level| &mut l.settings.log_not_found)
            .default("on")
            .help("Logs files that do not exist as errors.")
            .manual("`off` keeps noise such as a missing favicon out of the error log."),
    ]
}

fn root(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if !claim_root(build, level, line) {
        return;
    }
    let word = line.word(0);
    let path = match word.text.strip_suffix('/') {
        Some(path) if !path.is_empty() => path,
        _ => &word.text,
    };
    level.settings.root = Root { path: build.absolute_template(path, word.span), alias: false, replaces: None };
}

fn alias(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if !claim_root(build, level, line) {
        return;
    }
    let replaces = match &level.own.pattern {
        Pattern::Named(_) => {
            build.error(line.span(), "the \"alias\" directive cannot be used inside the named location");
            return;
        }
        Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::PrefixNoRegex(text) => Some(text.len()),
        Pattern::Server | Pattern::Regex(_) => None,
    };
    let word = line.word(0);
    level.settings.root = Root { path: build.absolute_template(&word.text, word.span), alias: true, replaces };
}

/// Only one of `root` and `alias` may be written at a level, and neither may use what it defines.
fn claim_root(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) -> bool {
    let name = line.name();
    if let Some(earlier) = level.own.root.replace(name) {
        let message = format!("is duplicate, \"{earlier}\" directive was specified earlier");
        build.directive_error(line, line.span(), &message);
        return false;
    }
    for variable in ["document_root", "realpath_root"] {
        let text = &line.word(0).text;
        if text.contains(&format!("${variable}")) || text.contains(&format!("${{{variable}}}")) {
            build.error(
                line.word(0).span,
                format!("the ${variable} variable cannot be used in the \"{name}\" directive"),
            );
            return false;
        }
    }
    true
}

fn index(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut names = if line.first { Vec::new() } else { level.settings.index.to_vec() };
    for word in line.words() {
        if word.text.is_empty() {
            build.error(word.span, "index \"\" in \"index\" directive is invalid");
        }
        names.push(build.word_template(word));
    }
    level.settings.index = names.into();
}

fn try_files(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let Some((last, files)) = line.words().split_last() else {
        return;
    };
    let candidates = files.iter().map(|word| candidate(build, word)).collect();
    if let Some(last) = try_target(build, last) {
        level.settings.try_files = Some(TryFiles { candidates, last });
    }
}

fn candidate(build: &mut Build<'_>, word: &Word) -> TryCandidate {
    let (path, directory) = match word.text.strip_suffix('/') {
        Some(path) => (path, true),
        None => (word.text.as_str(), false),
    };
    TryCandidate { path: build.template(path, word.span), directory }
}

fn try_target(build: &mut Build<'_>, word: &Word) -> Option<TryTarget> {
    if let Some(code) = word.text.strip_prefix('=') {
        let code = code.parse::<u16>().ok().filter(|&code| code <= 999);
        if code.is_none() {
            build.error(word.span, format!("invalid code \"{}\"", word.text));
            build.help("a status to answer with, such as =404");
        }
        return code.map(TryTarget::Status);
    }
    if word.text.starts_with('@') {
        return Some(TryTarget::Named(word.text.as_str().into()));
    }
    Some(TryTarget::Uri(build.word_template(word)))
}

fn types(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut types = if line.first { no_types() } else { (*level.settings.types).clone() };
    for entry in line.block() {
        if entry.block.is_some() {
            build.error(entry.span, "unexpected \"{\"");
            continue;
        }
        for extension in &entry.args {
            add_type(build, &mut types, entry, extension);
        }
    }
    level.settings.types = Arc::new(types);
}

fn add_type(build: &mut Build<'_>, types: &mut crate::model::Types, entry: &Directive, extension: &Word) {
    let media_type = entry.name.text.as_str();
    let key = extension.text.to_ascii_lowercase().into();
    let earlier = types.by_extension.insert(key, media_type.into());
    if let Some(earlier) = earlier.filter(|earlier| **earlier != *media_type) {
        build.warn(
            extension.span,
            format!(
                "duplicate extension \"{}\", content type: \"{media_type}\", previous content type: \"{earlier}\"",
                extension.text
            ),
        );
    }
}

fn default_type(_build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    level.settings.default_type = line.word(0).text.as_str().into();
}

fn max_ranges(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let number = build.count(line, line.word(0));
    level.settings.max_ranges = number.and_then(|number| usize::try_from(number).ok());
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, first_location, in_server, server_settings};

    #[test]
    fn a_root_loses_its_last_slash_and_an_alias_keeps_it() {
        assert_eq!(&*server_settings("root /srv/;").root.path.source, "/srv");
        let location = first_location("location /a/ { alias /srv/; }");
        assert_eq!(&*location.settings.root.path.source, "/srv/");
    }

    #[test]
    fn a_nested_location_inherits_what_an_alias_replaces() {
        let outer = first_location("location /a/ { alias /srv/; location /a/b/ { } }");
        let inner = outer.children.first().unwrap();
        assert_eq!(inner.settings.root.replaces, Some("/a/".len()));
    }

    #[test]
    fn an_alias_in_a_regular_expression_replaces_the_whole_uri() {
        let location = first_location("location ~ ^/u/(.*) { alias /home/$1; }");
        assert_eq!(location.settings.root.replaces, None);
    }

    #[test]
    fn try_files_is_not_inherited() {
        let outer = first_location("location /a { try_files $uri =404; location /a/b { } }");
        assert!(outer.settings.try_files.is_some());
        assert_eq!(outer.children.first().unwrap().settings.try_files, None);
    }

    #[test]
    fn a_root_of_its_own_parent_is_refused() {
        let loaded = in_server("root ${document_root}/a;");
        assert_eq!(errors(&loaded).len(), 1);
    }

    #[test]
    fn extensions_are_kept_in_lower_case() {
        let types = server_settings("types { text/x-log LOG; }").types;
        let of_log: Option<&str> = types.by_extension.get("log").map(|found| &**found);
        assert_eq!(of_log, Some("text/x-log"));
    }
}
