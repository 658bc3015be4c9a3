//! The map module. Not here: looking a value up.

use std::collections::HashSet;

use super::shorthand::{HTTP, Row, definition, exactly};
use crate::build::{Build, Line};
use crate::model::{Map, MapKey, Template};
use crate::tree::{Directive, Word};

pub(super) fn rows() -> Vec<Row> {
    vec![
        definition("map", HTTP, exactly(2), map)
            .repeats()
            .block()
            .syntax("string $variable")
            .help("Makes a variable whose value depends on another's.")
            .manual(
                "Each line is a key and a value. Keys are compared without regard to case; `~` \
                 and `~*` start a regular expression, with and without regard to case, whose \
                 captures the value may use. Plain keys win over expressions, which are tried \
                 in the order written. `default` is the value where nothing fits, empty unless \
                 written. `hostnames` lets keys be .example.org, *.example.org and \
                 www.example.*. `volatile` looks the value up at each use.",
            )
            .differs("A value is looked up at each use: `volatile` changes nothing."),
    ]
}

fn map(build: &mut Build<'_>, line: &Line<'_>) {
    let (source, variable) = (line.word(0), line.word(1));
    let name = variable.text.strip_prefix('$').unwrap_or_default();
    if name.is_empty() {
        build.error(variable.span, format!("invalid variable name \"{}\"", variable.text));
        build.help("the second word names the new variable: $name");
    }
    let mut map = Map {
        name: name.into(),
        source: build.word_template(source),
        hostnames: false,
        entries: Vec::new(),
        default: Template::default(),
    };
    let mut seen = Seen::default();
    for entry in line.block() {
        read_entry(build, &mut map, entry, &mut seen);
    }
    build.maps.push(map);
}

/// What a map had so far.
#[derive(Default)]
struct Seen {
    default: bool,
    keys: HashSet<String>,
}

fn read_entry(build: &mut Build<'_>, map: &mut Map, entry: &Directive, seen: &mut Seen) {
    let key = &entry.name;
    if entry.block.is_some() {
        return build.error(entry.span, "unexpected \"{\"");
    }
    match (key.text.as_str(), entry.args.as_slice()) {
        ("hostnames", []) => map.hostnames = true,
        ("volatile", []) => {}
        ("default", [value]) => {
            if std::mem::replace(&mut seen.default, true) {
                build.error(key.span, "duplicate default map parameter");
            }
            map.default = build.word_template(value);
        }
        (_, [value]) => {
            let value = build.word_template(value);
            if let Some(key) = map_key(build, seen, key) {
                map.entries.push((key, value));
            }
        }
        _ => {
            build.error(key.span, "invalid number of the map parameters");
            build.help("each line of a map is a key and a value: key value;");
        }
    }
}

fn map_key(build: &mut Build<'_>, seen: &mut Seen, word: &Word) -> Option<MapKey> {
    if let Some(expression) = word.text.strip_prefix('~') {
        let (expression, caseless) = match expression.strip_prefix('*') {
            Some(rest) => (rest, true),
            None => (expression, false),
        };
        return build.regex(expression, caseless, word.span).map(MapKey::Regex);
    }
    // A backslash lets a key be one of the special words, or start with a tilde.
    let text = word.text.strip_prefix('\\').unwrap_or(&word.text);
    let text = text.to_ascii_lowercase();
    let key = MapKey::Literal(text.as_str().into());
    if seen.keys.contains(&text) {
        build.error(word.span, format!("conflicting parameter \"{text}\""));
        return None;
    }
    seen.keys.insert(text);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{config, errors, in_http};

    #[test]
    fn a_backslash_makes_a_special_word_a_key() {
        let map = config(in_http(r"map $uri $a { \default 1; default 2; }")).maps.remove(0);
        assert_eq!(map.entries.len(), 1);
        assert_eq!(map.default, Template::literal("2"));
    }

    #[test]
    fn a_map_may_be_used_above_its_definition() {
        let loaded = in_http("map $b $a { x 1; } map $uri $b { x 1; }");
        assert_eq!(errors(&loaded), [""; 0]);
    }

    #[test]
    fn keys_that_differ_in_case_alone_conflict() {
        let loaded = in_http("map $uri $a { x 1; X 2; }");
        assert_eq!(errors(&loaded), ["conflicting parameter \"x\""]);
    }
}
