//! The proxy module's rewriting of answers: `proxy_redirect`, `proxy_cookie_domain`, `proxy_cookie_path`.
//! Not here: the rewriting itself.

use super::proxy_pass::redirect_of;
use super::shorthand::{LEVELS, Row, between, custom};
use crate::build::{Build, Level, Line};
use crate::model::{CookieRewrite, ProxyTarget, Redirect, Regex, Template};
use crate::tree::Word;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("proxy_redirect", LEVELS, between(1, 2), redirect)
            .repeats()
            .syntax("default | off | redirect replacement")
            .default("default")
            .help("Rewrites Location and Refresh of the upstream's answers.")
            .manual(
                "A field that starts with the first text gets the second in its place; `~` and \
                 `~*` start a regular expression. `default` replaces the URL of proxy_pass by \
                 the location's path; it comes after proxy_pass and cannot be used with \
                 variables there. The first that fits counts. If a level has any \
                 proxy_redirect, it inherits none.",
            ),
        custom("proxy_cookie_domain", LEVELS, between(1, 2), cookie_domain)
            .repeats()
            .syntax("off | domain replacement")
            .default("off")
            .help("Rewrites the domain of the upstream's cookies.")
            .manual(
                "A dot at the start of either word counts for nothing. `~` starts a regular \
                 expression. If a level has any, it inherits none.",
            ),
        custom("proxy_cookie_path", LEVELS, between(1, 2), cookie_path)
            .repeats()
            .syntax("off | path replacement")
            .default("off")
            .help("Rewrites the path of the upstream's cookies.")
            .manual(
                "A path that starts with the first text gets the second in its place; `~` and \
                 `~*` start a regular expression. If a level has any, it inherits none.",
            ),
    ]
}

/// How a text to be replaced is given.
enum Source {
    Text(Template),
    Regex(Regex),
}

fn redirect(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if line.first {
        level.written.redirects = Some(Vec::new());
        level.written.redirect_off = false;
    }
    let word = line.word(0);
    let redirect = match (word.text.as_str(), line.words().get(1)) {
        ("off", None) => {
            level.written.redirect_off = true;
            None
        }
        ("default", None) => explicit_default(build, level, word),
        (_, None) => {
            build.invalid_parameter(word);
            build.help("off, default, or two words: what to replace and what by");
            None
        }
        (_, Some(to)) => from(build, word).map(|from| {
            let to = build.word_template(to);
            match from {
                Source::Text(from) => Redirect::Prefix { from, to },
                Source::Regex(from) => Redirect::Regex { from, to },
            }
        }),
    };
    level.written.redirects.get_or_insert_default().extend(redirect);
}

fn explicit_default(build: &mut Build<'_>, level: &Level, word: &Word) -> Option<Redirect> {
    let pass = level.settings.proxy_pass.as_ref();
    match pass.map(|pass| &pass.target) {
        Some(ProxyTarget::Variable(_)) => build
            .error(word.span, "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables"),
        Some(ProxyTarget::Upstream(_)) => return redirect_of(level),
        None => {
            build.error(word.span, "\"proxy_redirect default\" should be placed after the \"proxy_pass\" directive")
        }
    }
    None
}

/// A word that is a text, or a regular expression after `~` or `~*`.
fn from(build: &mut Build<'_>, word: &Word) -> Option<Source> {
    let Some(expression) = word.text.strip_prefix('~') else {
        return Some(Source::Text(build.word_template(word)));
    };
    let (expression, caseless) = match expression.strip_prefix('*') {
        Some(expression) => (expression, true),
        None => (expression, false),
    };
    build.regex(expression, caseless, word.span).map(Source::Regex)
}

fn cookie_domain(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let without_dot =
        |word: &Word| Word { text: word.text.strip_prefix('.').unwrap_or(&word.text).to_owned(), ..word.clone() };
    let mut rewrites = std::mem::take(&mut level.proxy.cookie_domains);
    if cookie_off(build, &mut rewrites, line)
        && let Some(to) = line.words().get(1)
    {
        let word = line.word(0);
        let rewrite = match word.text.strip_prefix('~') {
            Some(expression) => build
                .regex(expression, true, word.span)
                .map(|from| CookieRewrite::Regex { from, to: build.word_template(to) }),
            None => Some(CookieRewrite::Literal {
                from: build.word_template(&without_dot(word)),
                to: build.word_template(&without_dot(to)),
            }),
        };
        rewrites.extend(rewrite);
    }
    level.proxy.cookie_domains = rewrites;
}

fn cookie_path(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let mut rewrites = std::mem::take(&mut level.proxy.cookie_paths);
    if cookie_off(build, &mut rewrites, line)
        && let Some(to) = line.words().get(1)
        && let Some(from) = from(build, line.word(0))
    {
        let to = build.word_template(to);
        rewrites.push(match from {
            Source::Text(from) => CookieRewrite::Literal { from, to },
            Source::Regex(from) => CookieRewrite::Regex { from, to },
        });
    }
    level.proxy.cookie_paths = rewrites;
}

/// Starts the list anew on a block's first line, empties it on `off`; true if a rewrite follows.
fn cookie_off(build: &mut Build<'_>, rewrites: &mut Vec<CookieRewrite>, line: &Line<'_>) -> bool {
    let word = line.word(0);
    if line.first {
        rewrites.clear();
    }
    if line.words().len() == 2 {
        return true;
    }
    if word.text == "off" {
        rewrites.clear();
    } else {
        build.invalid_parameter(word);
        build.help("off, or two words: what to replace and what by");
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::testing::{errors, first_location, in_server};

    #[test]
    fn the_default_turns_the_url_into_the_location() {
        let location = first_location("location /a/ { proxy_pass http://b/c/; }");
        let expected = Redirect::Prefix { from: Template::literal("http://b/c/"), to: Template::literal("/a/") };
        assert_eq!(location.settings.proxy.redirects, [expected]);
    }

    #[test]
    fn without_a_uri_the_default_turns_the_host_into_a_slash() {
        let location = first_location("location /a/ { proxy_pass http://b; }");
        let expected = Redirect::Prefix { from: Template::literal("http://b/"), to: Template::literal("/") };
        assert_eq!(location.settings.proxy.redirects, [expected]);
    }

    #[test]
    fn off_leaves_nothing_to_rewrite() {
        let location = first_location("location / { proxy_pass http://b; proxy_redirect off; }");
        assert_eq!(location.settings.proxy.redirects, []);
    }

    #[test]
    fn the_default_needs_a_url_without_variables() {
        let loaded = in_server("location / { proxy_pass http://$host; proxy_redirect default; }");
        assert_eq!(errors(&loaded).len(), 1);
    }

    #[test]
    fn a_dot_before_a_cookie_domain_counts_for_nothing() {
        let location = first_location("location / { proxy_cookie_domain .a .b; }");
        let expected = CookieRewrite::Literal { from: Template::literal("a"), to: Template::literal("b") };
        assert_eq!(location.settings.proxy.cookie_domains, [expected]);
    }
}
