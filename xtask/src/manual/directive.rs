//! The page of a directive. Not here: what it says, which is the directive's row in `crates/config/src/directives`.

use std::collections::BTreeMap;

use config::directives::{Arity, Row, Status, rows_of, table};

use super::links;

/// A page a name: a name that means one thing in one context and another elsewhere has both on its page.
pub(super) fn pages() -> BTreeMap<String, String> {
    table().iter().map(|row| (path(row.name), page(row.name))).collect()
}

/// Where a directive's page is, below the manual's folder.
pub(super) fn path(name: &str) -> String {
    format!("directives/{name}.md")
}

fn page(name: &str) -> String {
    let meanings: Vec<String> = rows_of(name).map(meaning).collect();
    format!("# {name}\n\n{}\n[All directives](../README.md)\n", meanings.join("\n---\n\n"))
}

fn meaning(row: &Row) -> String {
    let mut text = format!("{}\n\n{}", linked(row, row.help), facts(row));
    if row.status() == Status::Supported {
        text.push_str(&format!("\n{}\n", linked(row, row.manual)));
    }
    if let Some(differs) = row.differs.filter(|_| row.status() == Status::Supported) {
        text.push_str(&format!("\n**Differs from nginx:** {}\n", linked(row, differs)));
    }
    if let Some(link) = links::nginx(row.module, row.name) {
        text.push_str(&format!("\n[nginx's page]({link})\n"));
    }
    text
}

fn facts(row: &Row) -> String {
    let contexts: Vec<_> = row.contexts.iter().map(|context| context.word()).collect();
    let default = row.default.map_or("none".into(), |default| code(&line(row, default)));
    let mut facts = vec![
        ("Syntax", code(&line(row, row.syntax))),
        ("Default", default),
        ("Context", contexts.join(", ")),
        ("Takes", takes(row)),
        ("Module", row.module.to_owned()),
    ];
    if let Status::NoEffect(reason) = row.status() {
        facts.push(("Why", format!("{reason}; the value is checked all the same")));
    }
    let rows: Vec<_> = facts.iter().map(|(name, fact)| format!("| {name} | {fact} |\n")).collect();
    format!("| | |\n|---|---|\n{}", rows.concat())
}

/// The directive as it is written, with these words.
fn line(row: &Row, words: &str) -> String {
    let (space, end) = (if words.is_empty() { "" } else { " " }, if row.block { " { … }" } else { ";" });
    let end = if words.ends_with('}') { "" } else { end };
    format!("{}{space}{words}{end}", row.name)
}

/// In a table's cell a bar would end the cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn takes(row: &Row) -> String {
    let words = words(row.arity);
    let block = if row.block { " and a block" } else { "" };
    let repeats = if row.repeats { "; may be repeated" } else { "" };
    format!("{words}{block}{repeats}")
}

fn words(arity: Arity) -> String {
    match (arity.min, arity.max) {
        (0, 0) => "no word".into(),
        (1, 1) => "one word".into(),
        (1, 2) => "one or two words".into(),
        (0, usize::MAX) => "any number of words".into(),
        (min, usize::MAX) => format!("{min} words or more").replace("1 words", "one word"),
        (min, max) if min == max => format!("{min} words"),
        (min, max) => format!("{min} to {max} words"),
    }
}

fn linked(row: &Row, text: &str) -> String {
    links::linked(text, "", row.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> &'static Row {
        rows_of(name).next().unwrap()
    }

    #[test]
    fn a_page_shows_how_the_directive_is_written() {
        let page = page("client_max_body_size");
        assert!(page.starts_with("# client_max_body_size\n\n"));
        assert!(page.contains("| Syntax | `client_max_body_size size;` |\n"));
        assert!(page.contains("| Default | `client_max_body_size 1m;` |\n"));
        assert!(page.contains("| Context | http, server, location |\n"));
        assert!(page.contains("(https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size)"));
    }

    #[test]
    fn blocks_end_with_braces_and_bars_do_not_end_cells() {
        assert_eq!(line(row("server"), ""), "server { … }");
        assert_eq!(line(row("types"), "{ a b; }"), "types { a b; }");
        assert_eq!(code("on | off"), "`on \\| off`");
    }

    #[test]
    fn a_name_with_two_meanings_has_both_on_its_page() {
        let page = page("server");
        assert!(rows_of("server").all(|row| page.contains(row.help)));
    }

    #[test]
    fn a_knob_without_an_effect_says_why() {
        let page = page("sendfile");
        assert!(page.contains("| Why | "));
    }

    #[test]
    fn every_row_has_the_texts_of_a_good_page() {
        for row in table() {
            let supported = row.status() == Status::Supported;
            let words = |text: &str| text.split_whitespace().count();
            assert!(row.help.ends_with('.') && row.help.starts_with(char::is_uppercase), "{}: its line", row.name);
            assert!(!supported || words(row.manual) >= 6, "{}: its text says nearly nothing", row.name);
            assert!(!supported || row.manual.ends_with('.'), "{}: its text is cut", row.name);
            assert!(row.arity.max == 0 || !row.syntax.is_empty(), "{}: how is it written?", row.name);
            assert!(row.module == "tidegate" || links::nginx(row.module, row.name).is_some(), "{}", row.module);
        }
    }
}
