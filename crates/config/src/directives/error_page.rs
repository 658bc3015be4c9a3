//! The http core module: `error_page` and the locations that only internal redirects reach. Not here: following them.

use super::shorthand::{LEVELS, LOCATION, Row, at_least, custom, exactly, flag};
use crate::build::{Build, Level, Line};
use crate::model::{ErrorPage, ErrorPageTarget};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("error_page", LEVELS, at_least(2), error_page)
            .repeats()
            .syntax("code … [=[response]] uri")
            .help("Answers an error with a page of one's own.")
            .manual(
                "The URI is fetched by an internal redirect, as GET, and the client sees the \
                 original status; `=200` answers with another, and a bare `=` with whatever \
                 the page answers. `@name` goes to a named location. A full URL makes a \
                 redirect, 302 unless 301, 303, 307 or 308 is given. Codes are 300 to 599. If \
                 a level has any error_page, it inherits none.",
            ),
        flag("recursive_error_pages", LEVELS, |l: &mut Level| &mut l.settings.recursive_error_pages)
            .default("off")
            .help("Lets an error page that fails lead to another one.")
            .manual("The number of internal redirects of a request is bounded either way."),
        custom("internal", LOCATION, exactly(0), internal).help("Hides the location from clients.").manual(
            "Only internal redirects reach it: error_page, try_files, index, \
                 X-Accel-Redirect. A client that asks for it gets 404. Nested locations \
                 inherit it.",
        ),
    ]
}

fn internal(_build: &mut Build<'_>, level: &mut Level, _line: &Line<'_>) {
    level.internal = true;
}

fn error_page(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let (target_word, before) = match line.words().split_last() {
        Some(split) => split,
        None => return,
    };
    let (codes, overwrite) = match before.split_last() {
        Some((word, codes)) if word.text.starts_with('=') => (codes, Some(word)),
        _ => (before, None),
    };
    if codes.is_empty() {
        return build.invalid_value(line.word(0));
    }
    let overwrite = match overwrite.map(|word| response_code(build, word)) {
        Some(None) => return,
        code => code.flatten(),
    };
    let target = error_page_target(build, target_word);
    let pages: Vec<ErrorPage> = codes
        .iter()
        .filter_map(|word| error_code(build, word))
        .map(|status| ErrorPage { status, overwrite: overwrite.or(default_overwrite(status)), target: target.clone() })
        .collect();
    let earlier = if line.first { &[][..] } else { &level.settings.error_pages[..] };
    level.settings.error_pages = earlier.iter().cloned().chain(pages).collect();
}

/// `=` is 0, "take the page's"; `=CODE` is that code.
fn response_code(build: &mut Build<'_>, word: &Word) -> Option<u16> {
    let code = word.text.get(1..).unwrap_or_default();
    if code.is_empty() {
        return Some(0);
    }
    let number = code.parse::<u16>().ok();
    if number.is_none() {
        build.invalid_value(word);
    }
    number
}

fn error_code(build: &mut Build<'_>, word: &Word) -> Option<u16> {
    match word.text.parse::<u16>() {
        Ok(499) => {
            build.invalid_value(word);
            build.help("499 means that the client is gone: there is nobody to show a page to");
            None
        }
        Ok(status @ 300..=599) => Some(status),
        Ok(_) => {
            build.error(word.span, format!("value \"{}\" must be between 300 and 599", word.text));
            None
        }
        Err(_) => {
            build.invalid_value(word);
            build.help("codes come first, then perhaps =CODE, and the page last");
            None
        }
    }
}

/// nginx's own codes for bad TLS and an oversized head are shown to clients as 400.
fn default_overwrite(status: u16) -> Option<u16> {
    matches!(status, 494..=497).then_some(400)
}

fn error_page_target(build: &mut Build<'_>, word: &Word) -> ErrorPageTarget {
    if word.text.starts_with('@') {
        return ErrorPageTarget::Named(word.text.as_str().into());
    }
    let template = build.word_template(word);
    if word.text.starts_with('/') { ErrorPageTarget::Uri(template) } else { ErrorPageTarget::Url(template) }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, in_http, server_settings};

    #[test]
    fn a_bare_equals_sign_takes_the_status_of_the_page() {
        let pages = server_settings("error_page 404 = /a;").error_pages;
        assert_eq!(pages.first().unwrap().overwrite, Some(0));
    }

    #[test]
    fn any_error_page_at_a_level_undoes_all_that_are_inherited() {
        let http = "error_page 500 /a; error_page 502 /b; server { error_page 404 /c; }";
        let config = config(in_http(http));
        assert_eq!(config.http.error_pages.len(), 2);
        let pages = &config.servers.first().unwrap().root.settings.error_pages;
        assert_eq!(pages.iter().map(|page| page.status).collect::<Vec<_>>(), [404]);
    }
}
