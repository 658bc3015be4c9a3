//! Names that a configuration defines itself, collected before anything is read: maps and named captures may be used
//! above the line that defines them. Not here: nginx's own variables.

use std::collections::{HashMap, HashSet};

use crate::tree::{Directive, Tree, Word};
use crate::variables::lower;

/// The variables that a configuration defines, all in lower case.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// A map's name and its place among the maps; the last of a name counts.
    pub maps: HashMap<Box<str>, usize>,
    /// Named captures and what `set` sets, in the order of their first use.
    pub own: Vec<Box<str>>,
    /// Those of them that an expression captures.
    pub captured: HashSet<Box<str>>,
    /// Names that directives not supported yet would define: no second complaint for their uses.
    pub unsupported: HashSet<Box<str>>,
    map_count: usize,
}

/// Directives not supported yet that define a variable, and which of their words names it.
const DEFINERS: &[(&str, usize)] = &[
    ("geo", usize::MAX),
    ("split_clients", 1),
    ("auth_request_set", 0),
    ("perl_set", 0),
    ("js_set", 0),
    ("js_var", 0),
    ("secure_link", 0),
    ("set_by_lua_block", 0),
    ("num_map", 1),
];

impl Names {
    pub(crate) fn collect(tree: &Tree) -> Self {
        let mut names = Self::default();
        names.walk(&tree.directives);
        names
    }

    /// The place of a name of the file's own, in lower case.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.own.iter().position(|known| &**known == name)
    }

    fn add_own(&mut self, name: &str) {
        if self.place(name).is_none() {
            self.own.push(name.into());
        }
    }

    fn walk(&mut self, directives: &[Directive]) {
        for directive in directives {
            self.read(directive);
            self.walk(directive.block.as_deref().unwrap_or_default());
        }
    }

    fn read(&mut self, directive: &Directive) {
        self.read_expression(&directive.name);
        for word in &directive.args {
            self.read_expression(word);
        }
        if directive.name.text == "map" && directive.block.is_some() {
            let name = directive.args.get(1).and_then(variable_name);
            if let Some(name) = name {
                self.maps.insert(lower(name).into(), self.map_count);
            }
            self.map_count += 1;
        }
        if directive.name.text == "set"
            && let Some(name) = directive.args.first().and_then(variable_name).map(lower)
            && name != "args"
        {
            self.add_own(&name);
        }
        self.read_unsupported(directive);
    }

    fn read_unsupported(&mut self, directive: &Directive) {
        let definer = DEFINERS.iter().find(|(name, _)| *name == directive.name.text);
        let Some(&(_, place)) = definer else { return };
        let word = match place {
            usize::MAX => directive.args.last(),
            place => directive.args.get(place),
        };
        if let Some(name) = word.and_then(variable_name) {
            self.unsupported.insert(lower(name).into());
        }
    }

    /// Collects `(?<name>`, `(?P<name>` and `(?'name'`.
    fn read_expression(&mut self, word: &Word) {
        for after in word.text.split("(?").skip(1) {
            let after = after.strip_prefix('P').unwrap_or(after);
            let (rest, close) = match (after.strip_prefix('<'), after.strip_prefix('\'')) {
                (Some(rest), _) => (rest, '>'),
                (_, Some(rest)) => (rest, '\''),
                _ => continue,
            };
            let Some((name, _)) = rest.split_once(close) else {
                continue;
            };
            let name = lower(name);
            if is_name(&name) {
                self.add_own(&name);
                self.captured.insert(name.into());
            }
        }
    }
}

fn variable_name(word: &Word) -> Option<&str> {
    word.text.strip_prefix('$')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, errors, in_http, in_server};

    #[test]
    fn a_named_capture_is_a_variable_wherever_it_was_captured() {
        let server = "server_name ~^(?<a>x)(?P<b>y)$; location ~ (?<c>z) { return 200 $a$b$c; }";
        let names = config(in_server(server)).own_names;
        assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_variable_of_an_unsupported_directive_is_complained_of_once() {
        let loaded = in_http("geo $a { default 1; } server { location / { return 200 $a; } }");
        assert_eq!(errors(&loaded).len(), 1);
    }

    #[test]
    fn an_unknown_variable_is_an_error() {
        let loaded = in_server("return 200 $nothing_of_the_kind;");
        assert_eq!(errors(&loaded), ["unknown \"nothing_of_the_kind\" variable"]);
    }
}
