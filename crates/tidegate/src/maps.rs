//! A `map` as a table: literal keys by hash, masks and expressions in their order. Not here: its variable's value (`variables`).

use std::cell::RefCell;
use std::collections::HashMap;

use config::model::{Map, MapKey, Regex, Template};

use crate::route::Captures;

/// One `map`.
pub(crate) struct MapTable {
    /// What is looked up.
    pub(crate) source: Template,
    /// Lower case, since keys are compared without regard to case.
    literals: HashMap<Box<str>, Template>,
    /// With `hostnames`: masks in lower case, those that win first.
    masks: Vec<(Box<str>, Template)>,
    regexes: Vec<(Regex, Template)>,
    default: Template,
}

impl MapTable {
    /// Compiles it. Of two equal keys the first counts.
    pub(crate) fn new(map: &Map) -> Self {
        let mut table = Self {
            source: map.source.clone(),
            literals: HashMap::new(),
            masks: Vec::new(),
            regexes: Vec::new(),
            default: map.default.clone(),
        };
        for (key, value) in &map.entries {
            match key {
                MapKey::Regex(regex) => table.regexes.push((regex.clone(), value.clone())),
                MapKey::Literal(key) => table.add_literal(&key.to_ascii_lowercase(), value, map.hostnames),
            }
        }
        // The longest mask wins, and one of a beginning loses to any other.
        table.masks.sort_by_key(|(mask, _)| (mask.ends_with(".*"), std::cmp::Reverse(mask.len())));
        table
    }

    fn add_literal(&mut self, key: &str, value: &Template, hostnames: bool) {
        if hostnames && (key.starts_with(['.', '*']) || key.ends_with(".*")) {
            self.masks.push((key.into(), value.clone()));
        }
        self.literals.entry(key.into()).or_insert_with(|| value.clone());
    }

    /// The value for a source: literal keys first, then masks, then expressions in order.
    pub(crate) fn look_up(&self, source: &[u8], captures: &RefCell<Captures>) -> &Template {
        let text = String::from_utf8_lossy(source).to_ascii_lowercase();
        if let Some(value) = self.literals.get(&*text) {
            return value;
        }
        if let Some((_, value)) = self.masks.iter().find(|(mask, _)| mask_matches(mask, &text)) {
            return value;
        }
        let matches = |regex: &Regex| captures.borrow_mut().matches(regex, source).unwrap_or(false);
        self.regexes.iter().find(|(regex, _)| matches(regex)).map_or(&self.default, |(_, value)| value)
    }
}

/// `*.example.org`, `.example.org` and `www.example.*` against a host, all in lower case.
fn mask_matches(mask: &str, host: &str) -> bool {
    if let Some(suffix) = mask.strip_prefix('*') {
        return host.len() > suffix.len() && host.ends_with(suffix);
    }
    if let Some(domain) = mask.strip_prefix('.') {
        return host == domain || host.ends_with(mask);
    }
    mask.strip_suffix('*').is_some_and(|prefix| host.len() > prefix.len() && host.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(hostnames: bool, keys: &[&str]) -> MapTable {
        let entry = |key: &&str| (MapKey::Literal((*key).into()), Template::literal(key));
        MapTable::new(&Map {
            name: "x".into(),
            source: Template::default(),
            hostnames,
            entries: keys.iter().map(entry).collect(),
            default: Template::literal("default"),
        })
    }

    fn found(table: &MapTable, source: &str) -> String {
        table.look_up(source.as_bytes(), &RefCell::default()).source.to_string()
    }

    #[test]
    fn keys_are_compared_without_regard_to_case() {
        let table = table(false, &["/Old", "/b"]);
        assert_eq!(found(&table, "/oLD"), "/Old");
        assert_eq!(found(&table, "/older"), "default");
    }

    #[test]
    fn host_masks_match_as_server_names_do() {
        assert!(mask_matches("*.example.org", "a.example.org"));
        assert!(!mask_matches("*.example.org", "example.org"));
        assert!(mask_matches(".example.org", "example.org"));
        assert!(mask_matches("www.example.*", "www.example.net"));
    }

    #[test]
    fn the_longest_mask_wins_and_one_of_a_beginning_loses() {
        let table = table(true, &["www.a.*", "*.org", "*.a.org", "exact.a.org"]);
        assert_eq!(found(&table, "www.a.org"), "*.a.org");
        assert_eq!(found(&table, "exact.a.org"), "exact.a.org");
        assert_eq!(found(&table, "www.a.net"), "www.a.*");
    }

    #[test]
    fn masks_are_plain_keys_without_hostnames() {
        assert_eq!(found(&table(false, &["*.org"]), "a.org"), "default");
    }
}
