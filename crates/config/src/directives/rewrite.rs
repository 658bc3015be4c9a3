//! The rewrite module's `return`. Not here: `rewrite`, `if`, `set`, `break`, which are not supported yet.

use super::shorthand::{Row, SERVER_LOCATION, between, custom};
use crate::build::{Build, Level, Line};
use crate::model::{Return, Template};
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
    ]
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

    #[test]
    fn a_url_alone_starts_with_a_scheme_or_its_variable() {
        assert!(is_url("$scheme://$host/"));
        assert!(!is_url("/path"));
        assert!(!is_url("${scheme}://$host/"));
    }
}
