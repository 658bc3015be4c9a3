//! Links: to directives' pages, to nginx's documentation, and those that a page has. Not here: pages.

use config::directives::rows_of;

/// nginx's page of a directive; nothing for a module that nginx does not have.
pub(super) fn nginx(module: &str, directive: &str) -> Option<String> {
    Some(format!("{}#{directive}", nginx_module(module)?))
}

/// nginx's page of a module.
pub(super) fn nginx_module(module: &str) -> Option<String> {
    let folder = match module {
        "ngx_core_module" => "",
        _ if module.starts_with("ngx_http_") => "http/",
        _ => return None,
    };
    Some(format!("https://nginx.org/en/docs/{folder}{module}.html"))
}

/// The text with every name of a directive made a link, `before` standing in front of the page's name. A name without an
/// underscore counts in backticks only: `return` is a directive, return is a word.
pub(super) fn linked(text: &str, before: &str, own: &str) -> String {
    let mut linked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let (between, from_name) = rest.split_at(start);
        let (name, after) = from_name.split_at(from_name.find(|c| !is_name(c)).unwrap_or(from_name.len()));
        linked.push_str(between);
        let quoted = between.ends_with('`') && after.starts_with('`');
        let named = (name.contains('_') && !is_part(between, after)) || quoted;
        match rows_of(name).next() {
            Some(_) if named && name != own && quoted => {
                linked.pop();
                linked.push_str(&format!("[`{name}`]({before}{name}.md)"));
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            Some(_) if named && name != own => linked.push_str(&format!("[{name}]({before}{name}.md)")),
            _ => linked.push_str(name),
        }
        rest = after;
    }
    linked + rest
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// Whether a name is part of something longer: a variable, a line of configuration, a path.
fn is_part(before: &str, after: &str) -> bool {
    before.ends_with(['$', '`', '/', '-', '.'])
        || after.starts_with(['`', '/', '-'])
        || before.matches('`').count() % 2 == 1
}

/// What a page's links lead to.
#[cfg(test)]
pub(super) fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The path, below the manual's folder, that a link on a page leads to.
#[cfg(test)]
pub(super) fn resolve(page: &str, target: &str) -> String {
    let target = target.split('#').next().unwrap_or_default();
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_links_where_they_mean_directives() {
        let text = "See proxy_pass and `root`; the root, `proxy_pass /x;`, $proxy_host and error_page's.";
        let expected = "See [proxy_pass](proxy_pass.md) and [`root`](root.md); the root, `proxy_pass /x;`, $proxy_host and \
                        [error_page](error_page.md)'s.";
        assert_eq!(linked(text, "", "index"), expected);
    }

    #[test]
    fn a_page_does_not_link_to_itself() {
        assert_eq!(linked("More of error_page.", "", "error_page"), "More of error_page.");
    }

    #[test]
    fn nginx_has_pages_for_its_own_modules() {
        let page = nginx("ngx_http_core_module", "root").unwrap();
        assert_eq!(page, "https://nginx.org/en/docs/http/ngx_http_core_module.html#root");
        assert_eq!(nginx("tidegate", "x"), None);
    }

    #[test]
    fn links_are_found_and_resolved() {
        assert_eq!(targets("a [b](../c.md#d) and [e](f.md)").collect::<Vec<_>>(), ["../c.md#d", "f.md"]);
        assert_eq!(resolve("directives/root.md", "../README.md#x"), "README.md");
        assert_eq!(resolve("README.md", "../../crates/a.rs"), "../../crates/a.rs");
    }
}
