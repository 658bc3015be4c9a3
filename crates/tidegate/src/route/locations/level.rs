//! Sibling locations, and the search among their names. Not here: regular expressions' matching, levels inside.
//!
//! Names are a sorted list in which each knows the next shorter one that starts it, so that a look-up is a binary search.

use std::cmp::Ordering;

use config::model::{Location, Pattern, Regex};

use super::{Found, LocationId};

/// Sibling locations.
#[derive(Debug, Default)]
pub(super) struct Level {
    entries: Vec<Entry>,
    /// In the order written.
    pub(super) regexes: Vec<(Regex, LocationId)>,
    /// Whether any entry redirects paths that lack its slash.
    redirects: bool,
}

/// The prefix and the exact location of one name.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    prefix: Option<LocationId>,
    /// The prefix is `^~`.
    no_regex: bool,
    exact: Option<LocationId>,
    redirects: bool,
    /// The longest other entry whose name starts this one's.
    shorter: Option<usize>,
}

/// What a level's exact and prefix locations say about a path.
pub(super) enum Static {
    Final(Found),
    /// The longest prefix, and whether it is `^~`.
    Prefix(LocationId, bool),
    None,
}

impl Level {
    pub(super) fn add(&mut self, location: &Location, id: LocationId) {
        let (name, exact, no_regex) = match &location.pattern {
            Pattern::Exact(name) => (name, true, false),
            Pattern::Prefix(name) => (name, false, false),
            Pattern::PrefixNoRegex(name) => (name, false, true),
            Pattern::Regex(regex) => {
                self.regexes.push((regex.clone(), id));
                return;
            }
            Pattern::Server | Pattern::Named(_) => return,
        };
        let entry = self.entry(name);
        let slot = if exact { &mut entry.exact } else { &mut entry.prefix };
        *slot = slot.or(Some(id));
        entry.no_regex |= no_regex;
        let redirects = name.ends_with('/') && location.settings.proxy_pass.is_some();
        entry.redirects |= redirects;
        self.redirects |= redirects;
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        let at = match self.entries.binary_search_by(|entry| (*entry.name).cmp(name)) {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, Entry::new(name));
                at
            }
        };
        &mut self.entries[at]
    }

    /// Sets every entry's [`Entry::shorter`], now that all are there.
    pub(super) fn link(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for at in 0..self.entries.len() {
            while let Some(&last) = open.last() {
                if self.entries[at].name.starts_with(&*self.entries[last].name) {
                    break;
                }
                open.pop();
            }
            self.entries[at].shorter = open.last().copied();
            open.push(at);
        }
    }

    pub(super) fn find_static(&self, path: &[u8]) -> Static {
        let after = self.entries.partition_point(|entry| entry.name.as_bytes() <= path);
        let mut at = after.checked_sub(1);
        if let Some(entry) = at.and_then(|at| self.entries.get(at))
            && entry.name.as_bytes() == path
        {
            return entry.whole_match();
        }
        if let Some(location) = self.find_redirect(path) {
            return Static::Final(Found { location, redirect: true });
        }
        while let Some(entry) = at.and_then(|at| self.entries.get(at)) {
            if let Some(prefix) = entry.prefix
                && path.starts_with(entry.name.as_bytes())
            {
                return Static::Prefix(prefix, entry.no_regex);
            }
            at = entry.shorter;
        }
        Static::None
    }

    /// The location whose name is the path and one slash.
    fn find_redirect(&self, path: &[u8]) -> Option<LocationId> {
        if !self.redirects {
            return None;
        }
        let at = self.entries.binary_search_by(|entry| compare_with_slash(entry.name.as_bytes(), path)).ok()?;
        let entry = self.entries.get(at)?;
        if entry.redirects { entry.exact.or(entry.prefix) } else { None }
    }
}

/// Compares a name with a path that has a slash appended.
fn compare_with_slash(name: &[u8], path: &[u8]) -> Ordering {
    name.iter().cmp(path.iter().chain(b"/"))
}

impl Entry {
    fn new(name: &str) -> Self {
        Self { name: name.into(), prefix: None, no_regex: false, exact: None, redirects: false, shorter: None }
    }

    fn whole_match(&self) -> Static {
        match (self.exact, self.prefix) {
            (Some(location), _) => Static::Final(Found { location, redirect: false }),
            (None, Some(prefix)) => Static::Prefix(prefix, self.no_regex),
            (None, None) => Static::None,
        }
    }
}
