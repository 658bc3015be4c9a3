//! A `;` that is missing at the end of a line: the next line is then a part of the directive. Where the directive cannot
//! be right so, the line is given back its own meaning; where it could be, it is remembered, in case that its words turn
//! out to be wrong. Not here: one that is missing before a brace or the end of a file (`lexer`).

use super::place::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::directives::{Row, rows_of, unsupported};
use crate::tree::{Directive, Span, Word};

/// A line that was perhaps meant as a directive of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suspect {
    /// From the directive's first word to its last: what is before the line may be misread for what is in it.
    words: Span,
    /// Where the `;` would be missing.
    place: Span,
}

/// What became of a directive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// It stays as it is; perhaps a line of it was meant otherwise.
    Whole(Directive, Option<Suspect>),
    /// It was two: the second one is to be looked at in turn.
    Parted(Directive, Diagnostic, Directive),
}

/// Looks at a directive of this text that stands in this place.
pub(super) fn look(directive: Directive, place: Place, text: &str) -> Looked {
    let row = rows_of(&directive.name.text).find(|row| place.has(row));
    let Some((row, at)) = row.and_then(|row| Some((row, line_of_its_own(&directive, row, place, text)?))) else {
        return Looked::Whole(directive, None);
    };
    let message = if row.block != directive.block.is_some() {
        format!("directive \"{}\" is not terminated by \";\"", row.name)
    } else if !row.arity.allows(directive.args.len()) {
        format!("invalid number of arguments in \"{}\" directive", row.name)
    } else {
        let suspect = suspect(&directive, at);
        return Looked::Whole(directive, suspect);
    };
    part(directive, at, message)
}

/// The first word that could be a directive of its own: it opens a line, and what is before it could stand alone.
fn line_of_its_own(directive: &Directive, row: &Row, place: Place, text: &str) -> Option<usize> {
    let could_end = |count: &usize| !row.block && row.arity.allows(*count);
    let is_name = |word: &Word| {
        let known = place.names(&word.text) || unsupported(&word.text).is_some();
        known && !word.quoted && opens_line(word.span, text)
    };
    (0..directive.args.len()).filter(could_end).find(|at| directive.args.get(*at).is_some_and(is_name))
}

fn opens_line(span: Span, text: &str) -> bool {
    let before = usize::try_from(span.start).ok().and_then(|start| text.get(..start)).unwrap_or_default();
    before.trim_end_matches([' ', '\t']).ends_with('\n')
}

fn part(mut directive: Directive, at: usize, message: String) -> Looked {
    let after = after_word(&directive, at);
    let mut words = directive.args.split_off(at).into_iter();
    let Some(name) = words.next() else { return Looked::Whole(directive, None) };
    let span = Span { end: directive.span.end, ..name.span };
    let rest = Directive { name, args: words.collect(), block: directive.block.take(), span };
    directive.span.end = after.end;
    let fault = Diagnostic::error(directive.name.span, message).related(after, "a \";\" is missing here");
    Looked::Parted(directive, fault, rest)
}

fn suspect(directive: &Directive, at: usize) -> Option<Suspect> {
    let (first, last) = (directive.args.first()?.span, directive.args.last()?.span);
    Some(Suspect { words: Span { end: last.end, ..first }, place: after_word(directive, at) })
}

/// The place behind the words before this one.
fn after_word(directive: &Directive, at: usize) -> Span {
    let before = at.checked_sub(1).and_then(|before| directive.args.get(before)).unwrap_or(&directive.name).span;
    Span { start: before.end, ..before }
}

/// Says once what was found wrong with the words of a suspect, and where the `;` is probably missing.
pub(crate) fn judge(said: &mut Vec<Diagnostic>, suspects: &[Suspect]) {
    for suspect in suspects {
        let mut found = false;
        said.retain_mut(|said| {
            if said.severity != Severity::Error || !suspect.covers(said.span) {
                return true;
            }
            said.related = Some((suspect.place, "a \";\" is probably missing here".into()));
            !std::mem::replace(&mut found, true)
        });
    }
}

impl Suspect {
    fn covers(&self, span: Span) -> bool {
        self.words.file == span.file && (self.words.start..self.words.end).contains(&span.start)
    }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, errors, in_server, said};
    use crate::{Loaded, Severity, load_text};

    /// What is said, and the line at whose end a `;` is missing.
    fn missing(loaded: &Loaded) -> Vec<(&str, Option<usize>)> {
        let line = |said: &crate::Diagnostic| Some(loaded.tree.position(said.related.as_ref()?.0)?.line);
        loaded.diagnostics.iter().map(|said| (said.message.as_str(), line(said))).collect()
    }

    #[test]
    fn a_line_that_cannot_belong_to_the_one_before_is_its_own() {
        let loaded = in_server("root /a\nindex a b;\nlocation / {\n return 200;\n nonsense1;\n}\nnonsense2;");
        assert_eq!(
            missing(&loaded),
            [
                ("invalid number of arguments in \"root\" directive", Some(1)),
                ("unknown directive \"nonsense1\"", None),
                ("unknown directive \"nonsense2\"", None),
            ]
        );
        let loaded = in_server("root /a\n\n  # why not\n location / {\n nonsense;\n}");
        assert_eq!(
            missing(&loaded),
            [("directive \"root\" is not terminated by \";\"", Some(1)), ("unknown directive \"nonsense\"", None),]
        );
    }

    #[test]
    fn two_lines_without_an_end_are_two_faults() {
        let loaded = in_server("etag on\nroot /a\nautoindex on\nlocation / { }");
        assert_eq!(
            missing(&loaded),
            [
                ("directive \"etag\" is not terminated by \";\"", Some(1)),
                ("directive \"root\" is not terminated by \";\"", Some(2)),
                ("directive \"autoindex\" of nginx's ngx_http_autoindex_module is not supported yet", None),
            ]
        );
    }

    #[test]
    fn words_that_turn_out_wrong_are_one_fault() {
        let loaded = load_text("events {}\nhttp {\nserver {\nlisten 80\nserver_name a b c;\n}\n}\n");
        assert_eq!(missing(&loaded), [("invalid parameter \"server_name\"", Some(4))]);
    }

    #[test]
    fn words_before_the_line_may_be_misread_too() {
        let loaded = in_server("error_page 404 /404\nerror_page 502 503 /50x;");
        assert_eq!(missing(&loaded), [("invalid value \"/404\"", Some(1))]);
    }

    #[test]
    fn words_that_only_look_like_directives_are_words() {
        let loaded = in_server("server_name a\n  server\n  root;\nindex\n index.html\n index;");
        assert_eq!(errors(&loaded), [""; 0]);
        assert_eq!(config(loaded).servers[0].names.len(), 3);
        let quoted = in_server("root /a\n \"index\" b;");
        assert_eq!(missing(&quoted), [("invalid number of arguments in \"root\" directive", None)]);
    }

    #[test]
    fn an_include_that_was_swallowed_is_read() {
        let loaded = in_server("root /a\ninclude none.conf;");
        assert_eq!(
            said(&loaded, Severity::Error)[1],
            "open() \"/etc/nginx/none.conf\" failed (2: No such file or directory)"
        );
    }
}
