//! The page of variables. Not here: the table, which is `config`'s.

use config::variables::{FAMILIES, ROWS, unsupported_names};

use super::links;

pub(super) fn page() -> String {
    let mut rows: Vec<_> = ROWS.iter().map(|row| (row.name, row.help)).collect();
    rows.sort_unstable();
    let rows: String = rows.into_iter().map(|(name, help)| format!("| `${name}` | {help} |\n")).collect();
    let families: String =
        FAMILIES.iter().map(|of| format!("| `${}{}` | {} |\n", of.prefix, of.rest, of.help)).collect();
    let unsupported: String = unsupported_names().map(|(module, names)| line(module, names)).collect();
    format!("{INTRODUCTION}\n{HEAD}{rows}\n{FAMILY}\n{HEAD}{families}\n{UNSUPPORTED}\n{unsupported}")
}

fn line(module: &str, names: &str) -> String {
    let title = links::nginx_module(module).map_or(module.to_owned(), |link| format!("[{module}]({link})"));
    let names: Vec<String> = names.split_whitespace().map(|name| format!("`${name}`")).collect();
    format!("- {title}: {}\n", names.join(" "))
}

const HEAD: &str = "| variable | its value |\n|---|---|\n";

const INTRODUCTION: &str = "\
# Variables

`$name` and `${name}` stand for a value where a directive's page says so; `$1` to `$9` for the groups of the last regular
expression that matched. Names are letters, digits and underscores, and their case does not matter. A file defines more of its
own with [set](directives/set.md), [map](directives/map.md) and named groups, `(?<name>…)`. A name that nothing defines is an error.
";

const FAMILY: &str = "\
## Families

The rest of the name says which field, argument or cookie is meant, in lower case and with underscores for dashes.
";

const UNSUPPORTED: &str = "\
## Not supported yet

A file that uses one of these is refused with the name of its module. A star stands for the rest of a name.
";
