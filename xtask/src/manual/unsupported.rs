//! The page of what nginx has and Tidegate does not. Not here: the list, which is `config`'s.

use std::collections::BTreeMap;

use config::directives::unsupported_names;

use super::links;

pub(super) fn page() -> String {
    let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, module) in unsupported_names() {
        modules.entry(module).or_default().push(name);
    }
    let sections: Vec<String> = modules.iter().map(|(module, names)| section(module, names)).collect();
    format!("{INTRODUCTION}\n{}", sections.join("\n"))
}

const INTRODUCTION: &str = "\
# What is not supported yet

A file with one of these is refused, and the message names the directive's module: a gateway that ignored `auth_basic` or
`ssl_verify_client` would be worse than none. What asks for something to be off is taken, since it is off.
";

fn section(module: &str, names: &[&str]) -> String {
    let title = links::nginx_module(module).map_or(module.to_owned(), |link| format!("[{module}]({link})"));
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("## {title}\n\n{}\n", names.join(" "))
}
