//! The locations of one server as a table, and the search among them. Not here: what a location does.
//!
//! The search, as nginx has it, at each level: an exact location wins at once; else the longest prefix is remembered and its
//! own level is searched; unless that prefix is `^~`, the level's regular expressions are then tried in the order written,
//! and the first that matches wins, and the expressions inside it are tried in turn. A prefix that ends in `/` and proxies
//! catches the same path without the slash and redirects.
//!
//! A level is a sorted list in which every prefix knows the next shorter one, so that a look-up is one binary search.

use std::cmp::Ordering;

use config::model::{Location, Pattern, Regex, Server};

use super::{Captures, RegexFailed};
use crate::uri::{Escape, escape_into};

/// A location of a [`LocationTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocationId(u32);

impl LocationId {
    /// The server's own level, which is in force where no location matches.
    pub const SERVER: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The location; [`LocationId::SERVER`] if none matches.
    pub location: LocationId,
    /// The path lacks the slash that the location ends in: answer 301 with [`LocationTable::slash_redirect`].
    pub redirect: bool,
}

/// All locations of a server, flattened.
#[derive(Debug)]
pub struct LocationTable {
    /// Locations by id, without their children, which have ids of their own.
    locations: Vec<Location>,
    /// For each location, the level inside it.
    levels: Vec<Level>,
    /// `@name` and its id.
    named: Vec<(Box<str>, LocationId)>,
}

/// Sibling locations.
#[derive(Debug, Default)]
struct Level {
    entries: Vec<Entry>,
    regexes: Vec<(Regex, LocationId)>,
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

/// How the search of one level ended.
enum Outcome {
    /// An exact location or a redirect: nothing more is searched.
    Final(Found),
    /// A prefix location, or none: a surrounding level goes on with its expressions.
    Open(LocationId),
}

impl LocationTable {
    /// Builds the table of a server. Locations are copied out of it; their settings are shared.
    pub fn new(server: &Server) -> Self {
        let mut table = Self {
            locations: Vec::new(),
            levels: Vec::new(),
            named: Vec::new(),
        };
        table.insert(&server.root);
        for location in &server.named {
            let id = table.insert(location);
            if let Pattern::Named(name) = &location.pattern {
                table.named.push((name.clone(), id));
            }
        }
        table
    }

    fn insert(&mut self, location: &Location) -> LocationId {
        let id = LocationId(u32::try_from(self.locations.len()).unwrap_or(u32::MAX));
        self.locations.push(Location {
            children: Vec::new(),
            ..location.clone()
        });
        self.levels.push(Level::default());
        let mut level = Level::default();
        for child in &location.children {
            let child_id = self.insert(child);
            level.add(child, child_id);
        }
        level.link();
        if let Some(slot) = self.levels.get_mut(id.index()) {
            *slot = level;
        }
        id
    }

    /// A location of this table.
    ///
    /// # Panics
    /// If the id is another table's.
    pub fn get(&self, id: LocationId) -> &Location {
        &self.locations[id.index()]
    }

    /// A named location, `@` included.
    pub fn named(&self, name: &str) -> Option<LocationId> {
        let (_, id) = self.named.iter().find(|(known, _)| &**known == name)?;
        Some(*id)
    }

    /// The location of a normalised path.
    ///
    /// # Errors
    /// [`RegexFailed`] if an expression needs too many steps: the answer is 500.
    pub fn find(&self, path: &[u8], captures: &mut Captures) -> Result<Found, RegexFailed> {
        Ok(match self.search(LocationId::SERVER, path, captures)? {
            Outcome::Final(found) => found,
            Outcome::Open(location) => Found {
                location,
                redirect: false,
            },
        })
    }

    fn search(
        &self,
        inside: LocationId,
        path: &[u8],
        captures: &mut Captures,
    ) -> Result<Outcome, RegexFailed> {
        let Some(level) = self.levels.get(inside.index()) else {
            return Ok(Outcome::Open(inside));
        };
        let mut best = inside;
        let mut no_regex = false;
        match level.find_static(path) {
            Static::Final(found) => return Ok(Outcome::Final(found)),
            Static::Prefix(id, stops) => {
                no_regex = stops;
                match self.search(id, path, captures)? {
                    Outcome::Open(id) => best = id,
                    done @ Outcome::Final(_) => return Ok(done),
                }
            }
            Static::None => {}
        }
        if !no_regex && let Some(location) = self.search_expressions(inside, path, captures)? {
            return Ok(Outcome::Final(Found {
                location,
                redirect: false,
            }));
        }
        Ok(Outcome::Open(best))
    }

    /// The first expression of a level that matches, then the first inside it, and so on: within a regular expression's
    /// location nginx searches expressions only.
    fn search_expressions(
        &self,
        inside: LocationId,
        path: &[u8],
        captures: &mut Captures,
    ) -> Result<Option<LocationId>, RegexFailed> {
        let Some(level) = self.levels.get(inside.index()) else {
            return Ok(None);
        };
        for (regex, id) in &level.regexes {
            if captures.matches(regex, path)? {
                let nested = self.search_expressions(*id, path, captures)?;
                return Ok(Some(nested.unwrap_or(*id)));
            }
        }
        Ok(None)
    }

    /// The `Location` of the redirect that adds the slash: the location's own name, escaped, and the request's arguments.
    pub fn slash_redirect(&self, id: LocationId, args: &[u8]) -> Vec<u8> {
        let name = match &self.get(id).pattern {
            Pattern::Exact(name) | Pattern::Prefix(name) | Pattern::PrefixNoRegex(name) => {
                name.as_bytes()
            }
            Pattern::Server | Pattern::Regex(_) | Pattern::Named(_) => b"/",
        };
        let mut target = Vec::with_capacity(name.len() + 1 + args.len());
        escape_into(&mut target, Escape::Uri, name);
        if !args.is_empty() {
            target.push(b'?');
            target.extend_from_slice(args);
        }
        target
    }
}

/// What a level's exact and prefix locations say about a path.
enum Static {
    Final(Found),
    /// The longest prefix, and whether it is `^~`.
    Prefix(LocationId, bool),
    None,
}

impl Level {
    fn add(&mut self, location: &Location, id: LocationId) {
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
        let slot = if exact {
            &mut entry.exact
        } else {
            &mut entry.prefix
        };
        *slot = slot.or(Some(id));
        entry.no_regex |= no_regex;
        let redirects = name.ends_with('/') && location.settings.proxy_pass.is_some();
        entry.redirects |= redirects;
        self.redirects |= redirects;
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        let at = match self
            .entries
            .binary_search_by(|entry| (*entry.name).cmp(name))
        {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, Entry::new(name));
                at
            }
        };
        &mut self.entries[at]
    }

    /// Sets every entry's [`Entry::shorter`], now that all are there.
    fn link(&mut self) {
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

    fn find_static(&self, path: &[u8]) -> Static {
        let after = self
            .entries
            .partition_point(|entry| entry.name.as_bytes() <= path);
        let mut at = after.checked_sub(1);
        if let Some(entry) = at.and_then(|at| self.entries.get(at))
            && entry.name.as_bytes() == path
        {
            return entry.whole_match();
        }
        if let Some(location) = self.find_redirect(path) {
            return Static::Final(Found {
                location,
                redirect: true,
            });
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
        let at = self
            .entries
            .binary_search_by(|entry| compare_with_slash(entry.name.as_bytes(), path))
            .ok()?;
        let entry = self.entries.get(at)?;
        if entry.redirects {
            entry.exact.or(entry.prefix)
        } else {
            None
        }
    }
}

/// Compares a name with a path that has a slash appended.
fn compare_with_slash(name: &[u8], path: &[u8]) -> Ordering {
    name.iter().cmp(path.iter().chain(b"/"))
}

impl Entry {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            prefix: None,
            no_regex: false,
            exact: None,
            redirects: false,
            shorter: None,
        }
    }

    fn whole_match(&self) -> Static {
        match (self.exact, self.prefix) {
            (Some(location), _) => Static::Final(Found {
                location,
                redirect: false,
            }),
            (None, Some(prefix)) => Static::Prefix(prefix, self.no_regex),
            (None, None) => Static::None,
        }
    }
}

#[cfg(test)]
mod tests;
