//! The variable table: one row a variable or family, from which lookup, "did you mean" and the manual come. Not here:
//! values, which the gateway supplies for each request, and variables that a configuration defines itself.
//!
//! See <https://nginx.org/en/docs/varindex.html>.

mod rows;
mod unsupported;

use std::borrow::Cow;

pub use rows::{FAMILIES, ROWS};
pub use unsupported::{unsupported, unsupported_names};

use crate::model::Variable;

/// One variable.
#[derive(Debug)]
pub struct Row {
    /// Its name, without `$`.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    /// What it is.
    pub variable: Variable,
}

/// Variables that share the start of their names; the rest says which field, argument or cookie is meant.
#[derive(Debug)]
pub struct Family {
    /// How their names start, without `$`.
    pub prefix: &'static str,
    /// What the rest of the name is, as the manual shows it.
    pub rest: &'static str,
    /// One line.
    pub help: &'static str,
    pub(crate) make: fn(Box<str>) -> Variable,
}

/// The variable of a name without `$`, whose case does not matter.
pub fn find(name: &str) -> Option<Variable> {
    let name = lower(name);
    let row = ROWS.iter().find(|row| row.name == name);
    row.map(|row| row.variable.clone()).or_else(|| {
        let member = |family: &Family| Some((family.make)(name.strip_prefix(family.prefix)?.into()));
        FAMILIES.iter().find_map(member)
    })
}

/// Whether a name in lower case is of a family.
pub(crate) fn in_family(name: &str) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family.prefix))
}

/// A variable's name as nginx compares it.
pub(crate) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_and_family_is_found_by_its_name() {
        for row in ROWS {
            assert_eq!(find(row.name).as_ref(), Some(&row.variable), "{}", row.name);
        }
        for family in FAMILIES {
            assert_eq!(find(&format!("{}x", family.prefix)), Some((family.make)("x".into())));
        }
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(find("Host"), Some(Variable::Host));
        assert_eq!(find("HTTP_User_Agent"), Some(Variable::Http("user_agent".into())));
    }

    #[test]
    fn each_name_has_one_row_and_one_line_of_help() {
        let mut names = HashSet::new();
        for (name, help) in ROWS.iter().map(|row| (row.name, row.help)) {
            assert!(names.insert(name), "{name} is there twice");
            assert!(help.ends_with('.') && help.len() <= 100 && !help.contains('\n'), "{name}");
            assert_eq!(unsupported(name), None, "{name} is supported");
            assert!(FAMILIES.iter().all(|family| !name.starts_with(family.prefix)), "{name} is of a family");
        }
    }

    #[test]
    fn variables_of_other_modules_are_named() {
        assert_eq!(unsupported("ssl_protocol"), Some("ngx_http_ssl_module"));
        assert_eq!(unsupported("jwt_claim_sub"), Some("ngx_http_auth_jwt_module"));
        assert_eq!(unsupported("Gzip_Ratio"), Some("ngx_http_gzip_module"));
        assert_eq!(unsupported("nothing"), None);
    }
}
