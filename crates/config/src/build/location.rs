//! `location` blocks: their patterns, how they may nest, which may not be there twice. Not here: the search among them.

use super::http::apply_level;
use super::{Build, Level, Line, check, finish, health_check};
use crate::directives::Context;
use crate::model::{Location, Pattern};

/// The locations among a block's lines, in the order written.
pub(crate) fn locations(build: &mut Build<'_>, lines: &[Line<'_>], parent: &Level) -> Vec<Location> {
    let mut known: Vec<Pattern> = Vec::new();
    let mut locations = Vec::new();
    for line in lines.iter().filter(|line| line.name() == "location") {
        let Some(pattern) = pattern(build, line) else {
            continue;
        };
        check_nesting(build, line, &parent.own.pattern, &pattern);
        check_duplicate(build, line, &known, &pattern);
        known.push(pattern.clone());
        locations.push(location(build, line, parent.child(pattern)));
    }
    locations
}

fn location(build: &mut Build<'_>, line: &Line<'_>, mut level: Level) -> Location {
    let lines = check::lines(build, Context::Location, line.block());
    apply_level(build, &lines, &mut level, None);
    let settings = finish::settings(&mut level);
    finish::check_buffers(build, &level);
    if let Some(draft) = level.own.health_check.take() {
        health_check::attach(build, draft, &settings);
    }
    Location {
        children: locations(build, &lines, &level),
        pattern: level.own.pattern,
        settings,
        sets: level.own.sets,
        answer: level.own.answer,
        internal: level.internal,
    }
}

/// Reads `[ = | ~ | ~* | ^~ ] URI`, `@NAME`, and the forms with the modifier glued to the URI.
fn pattern(build: &mut Build<'_>, line: &Line<'_>) -> Option<Pattern> {
    let (first, second) = (line.word(0), line.words().get(1));
    let (modifier, text) = match second {
        Some(second) => (first.text.as_str(), second.text.as_str()),
        None => split_modifier(&first.text),
    };
    let span = second.unwrap_or(first).span;
    match modifier {
        "" if text.starts_with('@') => Some(Pattern::Named(text.into())),
        "" => Some(Pattern::Prefix(text.into())),
        "=" => Some(Pattern::Exact(text.into())),
        "^~" => Some(Pattern::PrefixNoRegex(text.into())),
        "~" => build.regex(text, false, span).map(Pattern::Regex),
        "~*" => build.regex(text, true, span).map(Pattern::Regex),
        _ => {
            build.error(first.span, format!("invalid location modifier \"{modifier}\""));
            build.help("one of: = (exactly), ^~ (prefix, no regular expressions), ~ and ~* (regular expressions)");
            None
        }
    }
}

fn split_modifier(text: &str) -> (&str, &str) {
    for modifier in ["=", "^~", "~*", "~"] {
        if let Some(rest) = text.strip_prefix(modifier) {
            return (modifier, rest);
        }
    }
    ("", text)
}

/// The text of a pattern, without its modifier, as messages show it.
fn text(pattern: &Pattern) -> &str {
    match pattern {
        Pattern::Server => "",
        Pattern::Exact(text) | Pattern::Prefix(text) | Pattern::PrefixNoRegex(text) | Pattern::Named(text) => text,
        Pattern::Regex(regex) => regex.text(),
    }
}

fn check_nesting(build: &mut Build<'_>, line: &Line<'_>, outer: &Pattern, inner: &Pattern) {
    let (outer_text, inner_text) = (text(outer), text(inner));
    let message = match (outer, inner) {
        (Pattern::Server, _) => return,
        (Pattern::Exact(_), _) => {
            format!("location \"{inner_text}\" cannot be inside the exact location \"{outer_text}\"")
        }
        (Pattern::Named(_), _) => {
            format!("location \"{inner_text}\" cannot be inside the named location \"{outer_text}\"")
        }
        (_, Pattern::Named(_)) => {
            format!("named location \"{inner_text}\" can be on the server level only")
        }
        (_, Pattern::Regex(_)) => return,
        _ if inner_text.starts_with(outer_text) => return,
        _ => format!("location \"{inner_text}\" is outside location \"{outer_text}\""),
    };
    build.error(line.last().span, message);
}

fn check_duplicate(build: &mut Build<'_>, line: &Line<'_>, known: &[Pattern], new: &Pattern) {
    let kind = |pattern: &Pattern| match pattern {
        Pattern::Exact(_) => 1,
        Pattern::Prefix(_) | Pattern::PrefixNoRegex(_) => 2,
        Pattern::Named(_) => 3,
        Pattern::Server | Pattern::Regex(_) => 0,
    };
    let same = |other: &Pattern| kind(other) == kind(new) && text(other) == text(new);
    if kind(new) == 0 || !known.iter().any(same) {
        return;
    }
    let message = format!("duplicate location \"{}\"", text(new));
    if kind(new) == 3 {
        build.warn(line.last().span, format!("{message}, the first is used"));
    } else {
        build.error(line.last().span, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{errors, first_location, in_server};

    #[test]
    fn a_modifier_may_be_glued_to_its_uri() {
        assert_eq!(split_modifier("=/a"), ("=", "/a"));
        assert_eq!(split_modifier("~*\\.png$"), ("~*", "\\.png$"));
        assert_eq!(split_modifier("^~/a"), ("^~", "/a"));
        assert_eq!(split_modifier("/a"), ("", "/a"));
    }

    #[test]
    fn a_nested_prefix_lies_inside_its_parent() {
        let loaded = in_server("location /a/ { location /a/b { } location /c { } }");
        assert_eq!(errors(&loaded), ["location \"/c\" is outside location \"/a/\""]);
    }

    #[test]
    fn a_prefix_may_be_both_exact_and_open_but_only_once_each() {
        let loaded = in_server("location /a { } location = /a { } location ^~ /a { }");
        assert_eq!(errors(&loaded), ["duplicate location \"/a\""]);
    }

    #[test]
    fn internal_is_inherited_and_return_is_not() {
        let outer = first_location("location /a { internal; return 204; location /a/b { } }");
        let inner = outer.children.first().unwrap();
        assert!(inner.internal);
        assert_eq!(inner.answer, None);
    }
}
