//! The table's checks on a block's directives: known, allowed here, the right number of words, written once.
//! Not here: what the words are.

use std::collections::HashSet;

use super::apply::check_value;
use super::{Build, Line};
use crate::directives::{
    Arity, Context, Meaning, Row, Status, Unsupported, rows_of, table, unsupported, unsupported_names,
};
use crate::suggest::nearest;
use crate::tree::Directive;

/// The directives of a block that mean something, in the order written. Everything else was said.
pub(crate) fn lines<'t>(
    build: &mut Build<'_>,
    context: Context,
    block: impl IntoIterator<Item = &'t Directive>,
) -> Vec<Line<'t>> {
    let mut seen = HashSet::new();
    let mut lines = Vec::new();
    for directive in block {
        let Some(row) = row_for(build, context, directive) else {
            continue;
        };
        if !form_is_right(build, row, directive) {
            continue;
        }
        let first = seen.insert(row.name);
        let line = Line { directive, row, first };
        if !first && !row.repeats {
            build.directive_error(&line, line.span(), "is duplicate");
            continue;
        }
        if let Status::NoEffect(reason) = row.status() {
            build.note(line.span(), format!("\"{}\" has no effect here: {reason}", row.name));
        }
        match &row.meaning {
            Meaning::Nothing { value, .. } => check_value(build, &line, *value),
            _ => lines.push(line),
        }
    }
    lines
}

/// The row of a directive in this context, or what is wrong.
fn row_for(build: &mut Build<'_>, context: Context, directive: &Directive) -> Option<&'static Row> {
    let name = &directive.name;
    let found = rows_of(&name.text).find(|row| row.contexts.contains(&context));
    if found.is_none() {
        if rows_of(&name.text).next().is_some() {
            not_allowed_here(build, directive);
        } else if let Some(unsupported) = unsupported(&name.text) {
            not_supported(build, directive, &unsupported);
        } else {
            unknown(build, context, directive);
        }
    }
    found
}

fn not_allowed_here(build: &mut Build<'_>, directive: &Directive) {
    let name = &directive.name;
    build.error(name.span, format!("\"{}\" directive is not allowed here", name.text));
    build.help(format!("it may stand in: {}", places(&name.text)));
}

/// What asks for nothing (`autoindex off`) is what holds anyway; all else that is not supported is refused.
fn not_supported(build: &mut Build<'_>, directive: &Directive, unsupported: &Unsupported) {
    let name = &directive.name;
    let module = unsupported.module;
    let off = matches!(directive.args.as_slice(), [word] if word.text == "off");
    if unsupported.nginx && off {
        build.note(name.span, format!("\"{} off\" has no effect here: {module} is not supported yet", name.text));
    } else if unsupported.nginx {
        build.error(name.span, format!("directive \"{}\" of nginx's {module} is not supported yet", name.text));
    } else {
        build.error(
            name.span,
            format!(
                "directive \"{}\" belongs to {module}, which nginx itself does not have and Tidegate does not either",
                name.text
            ),
        );
    }
}

fn unknown(build: &mut Build<'_>, context: Context, directive: &Directive) {
    let name = &directive.name;
    build.error(name.span, format!("unknown directive \"{}\"", name.text));
    if build.said_enough() {
        return;
    }
    if let Some(help) = meant(&name.text, context) {
        build.help(help);
    }
}

/// What a name that nothing knows was meant to be: first what may stand here, then what may stand elsewhere, then what
/// nginx knows.
fn meant(name: &str, context: Context) -> Option<String> {
    let here = table().iter().filter(|row| row.contexts.contains(&context)).map(|row| row.name);
    let anywhere = table().iter().map(|row| row.name);
    let unsupported = unsupported_names().map(|(name, _)| name);
    nearest(name, here)
        .map(|meant| format!("did you mean \"{meant}\"?"))
        .or_else(|| {
            nearest(name, anywhere).map(|meant| format!("did you mean \"{meant}\"? It may stand in: {}", places(meant)))
        })
        .or_else(|| {
            nearest(name, unsupported).map(|meant| format!("did you mean nginx's \"{meant}\"? It is not supported yet"))
        })
}

/// The contexts of a directive, as nginx's documentation lists them.
fn places(name: &str) -> String {
    let mut places: Vec<&str> = Vec::new();
    for context in rows_of(name).flat_map(|row| row.contexts) {
        if !places.contains(&context.word()) {
            places.push(context.word());
        }
    }
    places.join(", ")
}

/// Whether a directive has its block, or none, and the right number of words.
fn form_is_right(build: &mut Build<'_>, row: &Row, directive: &Directive) -> bool {
    let name = &directive.name;
    if row.block != directive.block.is_some() {
        let message = if row.block {
            format!("directive \"{}\" has no opening \"{{\"", name.text)
        } else {
            format!("directive \"{}\" is not terminated by \";\"", name.text)
        };
        build.error(name.span, message);
        return false;
    }
    if !row.arity.allows(directive.args.len()) {
        build.error(name.span, format!("invalid number of arguments in \"{}\" directive", name.text));
        build.help(format!("{}: {}", expected(row.arity, directive.args.len()), usage(row)));
        return false;
    }
    true
}

fn expected(arity: Arity, given: usize) -> String {
    let wanted = match (arity.min, arity.max) {
        (0, 0) => "none".to_owned(),
        (min, max) if min == max => format!("{min}"),
        (min, usize::MAX) => format!("at least {min}"),
        (min, max) => format!("{min} to {max}"),
    };
    format!("it takes {wanted}, {given} given")
}

/// `name SYNTAX;` or `name SYNTAX { … }`.
fn usage(row: &Row) -> String {
    let space = if row.syntax.is_empty() { "" } else { " " };
    let end = if row.block { " { … }" } else { ";" };
    format!("{}{space}{}{end}", row.name, row.syntax)
}
