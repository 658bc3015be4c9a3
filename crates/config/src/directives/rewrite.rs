//! The rewrite module's `return` and `set`. Not here: `rewrite`, `if`, `break`, which are not supported yet.

use super::shorthand::{LEVELS, Row, SERVER_LOCATION, between, custom, exactly, flag};
use crate::build::{Build, Level, Line};
use crate::model::{Return, Set, Template};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("return", SERVER_LOCATION, between(1, 2), return_)
            .repeats()
            .syntax("code [text] | code URL | URL")
            .help("Answers at once.")
            .manual(
                "With 301, 302, 303, 307 and 308 the second word is where to go; with other \
                 codes it is the body, of type default_type. A URL alone (http://, https:// or \
                 $scheme) is a 302. 444 closes the connection without an answer. In a server \
                 it answers before any location is looked for. Of several in a block the first \
                 counts.",
            ),
        custom("set", SERVER_LOCATION, exactly(2), set)
            .repeats()
            .syntax("$variable value")
            .help("Gives a variable of the file's own a value.")
            .manual(
                "Each line is done in the order written when a request comes to its block, up to a \
                 return: those of the server first, then those of the location, again after an \
                 internal redirect. The variable is known everywhere; read before it was set it \
                 is empty, which the error log says. $args may be set as well, and is what the \
                 request's arguments are from then on.",
            ),
        flag("uninitialized_variable_warn", LEVELS, |l: &mut Level| &mut l.settings.uninitialized_variable_warn)
            .default("on")
            .help("Says in the error log that a variable was read before a set.")
            .manual("The line is a warning that names the variable; the value is empty."),
    ]
}

fn set(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let (name, value) = (line.word(0), build.word_template(line.word(1)));
    let Some(known) = name.text.strip_prefix('$').filter(|name| !name.is_empty()) else {
        build.error(name.span, format!("invalid variable name \"{}\"", name.text));
        build.help("the first word names the variable: $name");
        return;
    };
    let Some(variable) = build.settable(known) else {
        build.error(name.span, format!("the duplicate \"{known}\" variable"));
        build.help("this name has a meaning already: choose another");
        return;
    };
    if level.own.answer.is_none() {
        level.own.sets.push(Set { variable, value });
    }
}

fn return_(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let Some(answer) = answer(build, line) else {
        return;
    };
    level.own.answer.get_or_insert(answer);
}

fn answer(build: &mut Build<'_>, line: &Line<'_>) -> Option<Return> {
    let (code, text) = (line.word(0), line.words().get(1));
    let Some(status) = status(code) else {
        if text.is_none() && is_url(&code.text) {
            let url = build.word_template(code);
            return Some(Return::Redirect(302, url));
        }
        build.error(code.span, format!("invalid return code \"{}\"", code.text));
        build.help("a code up to 999, perhaps with a text or a URL after it; or a URL alone that starts with http://, https:// or $scheme");
        return None;
    };
    Some(match text {
        None => Return::Status(status),
        Some(text) => with_text(status, build.word_template(text)),
    })
}

fn with_text(status: u16, text: Template) -> Return {
    match status {
        301 | 302 | 303 | 307 | 308 => Return::Redirect(status, text),
        _ => Return::Text(status, text),
    }
}

fn status(word: &Word) -> Option<u16> {
    let digits = !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_digit());
    let number = word.text.parse::<u16>().ok();
    number.filter(|&number| digits && number <= 999)
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{errors, first_location, in_server};

    #[test]
    fn a_name_that_nginx_does_not_have_may_be_set() {
        let location = first_location("location / { set $failure x; return 200 $failure; }");
        assert_eq!(location.sets.len(), 1);
    }

    #[test]
    fn a_set_behind_a_return_is_never_reached() {
        let location = first_location("location / { set $a 1; return 200 $a; set $a 2; }");
        assert_eq!(location.sets.len(), 1);
    }

    #[test]
    fn a_name_that_is_taken_cannot_be_set() {
        for (name, complaint) in [
            ("$uri", "the duplicate \"uri\" variable"),
            ("$", "invalid variable name \"$\""),
            ("a", "invalid variable name \"a\""),
        ] {
            assert_eq!(errors(&in_server(&format!("set {name} 1;"))), [complaint]);
        }
        let free = "location / { set $args x; set $http_own 1; return 200 $http_own; }";
        assert_eq!(errors(&in_server(free)), [""; 0]);
    }

    #[test]
    fn a_url_alone_starts_with_a_scheme_or_its_variable() {
        assert!(is_url("$scheme://$host/"));
        assert!(!is_url("/path"));
        assert!(!is_url("${scheme}://$host/"));
    }
}
