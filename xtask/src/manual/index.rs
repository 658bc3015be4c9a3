//! The manual's first page: what there is, and every directive by module. Not here: the directives' own pages.

use config::directives::{Row, Status, table};

use super::{directive, links};

pub(super) fn page() -> String {
    let modules: Vec<String> = modules().into_iter().map(module).collect();
    format!("{INTRODUCTION}\n{}", modules.join("\n"))
}

const INTRODUCTION: &str = "\
# The manual of Tidegate

Tidegate reads nginx's configuration language. A directive does here what nginx's documentation says, unless its page
names a difference; `tidegate check FILE` says of a file what is wrong with it and what has no effect.

- [The command line](command-line.md): options, commands, signals, exit codes
- [The language](language.md): words, quotes, blocks, includes, units; what is different when a file is read
- [Variables](variables.md): each in one line
- [Failures](failures.md): every cause of a 502 and its neighbours, with what to change
- [Limits](limits.md): every bound on what others can make grow, and what is answered beyond it
- [Failures on purpose](faults.md): the ways in which an endpoint can fail, and what the gateway says of each
- [What is not supported yet](not-supported.md): directives of nginx that are refused by name
- [The life of a request](../LIFE_OF_A_REQUEST.md) and [the architecture](../ARCHITECTURE.md), for those who read code

Directives marked ◦ are read and checked, and change nothing here.
";

/// In the order of the table, which groups as nginx's documentation does.
fn modules() -> Vec<&'static str> {
    let mut modules = Vec::new();
    for row in table() {
        if !modules.contains(&row.module) {
            modules.push(row.module);
        }
    }
    modules
}

fn module(name: &str) -> String {
    let title = links::nginx_module(name).map_or(name.to_owned(), |link| format!("[{name}]({link})"));
    let mut rows: Vec<_> = table().iter().filter(|row| row.module == name).collect();
    rows.sort_by_key(|row| (row.name, row.contexts.first().map(|context| context.word())));
    let lines: Vec<String> = rows.into_iter().map(line).collect();
    format!("## {title}\n\n| directive | where | |\n|---|---|---|\n{}", lines.concat())
}

fn line(row: &Row) -> String {
    let contexts: Vec<_> = row.contexts.iter().map(|context| context.word()).collect();
    let about = match row.status() {
        Status::Supported => row.help.to_owned(),
        Status::NoEffect(reason) => format!("◦ {reason}"),
    };
    format!("| [{}]({}) | {} | {about} |\n", row.name, directive::path(row.name), contexts.join(", "))
}
