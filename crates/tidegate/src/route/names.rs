//! The server names of one listening address. Not here: validation of the host ([`super::Host`]).

use std::collections::HashMap;

use config::model::{Regex, Server, ServerName};

use super::{Captures, RegexFailed};

/// A compiled table of server names.
///
/// See <https://nginx.org/en/docs/http/server_names.html>.
#[derive(Debug, Clone)]
pub struct Names {
    default: usize,
    exact: HashMap<Box<[u8]>, usize>,
    /// `*.example.org`, as `.example.org`.
    suffixes: HashMap<Box<[u8]>, usize>,
    /// `www.example.*`, as `www.example.`.
    prefixes: HashMap<Box<[u8]>, usize>,
    regexes: Vec<(Regex, usize)>,
}

impl Names {
    /// Compiles the names of the servers that listen on one address.
    ///
    /// `members` are their indices in the order written, `default` is the index of the default server. Where two servers
    /// have the same name the first one keeps it.
    pub fn new(servers: &[Server], members: &[usize], default: usize) -> Self {
        let mut names = Self {
            default,
            exact: HashMap::new(),
            suffixes: HashMap::new(),
            prefixes: HashMap::new(),
            regexes: Vec::new(),
        };
        for &index in members {
            for name in servers.get(index).into_iter().flat_map(|server| &server.names) {
                names.add(name, index);
            }
        }
        names
    }

    fn add(&mut self, name: &ServerName, server: usize) {
        let keep_first = |map: &mut HashMap<Box<[u8]>, usize>, key: &[u8]| {
            map.entry(key.into()).or_insert(server);
        };
        match name {
            ServerName::Exact(name) => keep_first(&mut self.exact, name.as_bytes()),
            ServerName::Suffix(suffix) => keep_first(&mut self.suffixes, suffix.as_bytes()),
            ServerName::Prefix(prefix) => keep_first(&mut self.prefixes, prefix.as_bytes()),
            ServerName::Domain(name) => {
                keep_first(&mut self.exact, name.as_bytes());
                keep_first(&mut self.suffixes, format!(".{name}").as_bytes());
            }
            ServerName::Regex(regex) => self.regexes.push((regex.clone(), server)),
        }
    }

    /// No host leads anywhere but to the default server.
    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.suffixes.is_empty() && self.prefixes.is_empty() && self.regexes.is_empty()
    }

    /// The index of the default server.
    pub fn default_server(&self) -> usize {
        self.default
    }

    /// The server for a host that [`super::Host::parse`] cleaned; empty for a request without one.
    ///
    /// The exact name wins, then the longest leading wildcard, the longest trailing wildcard, the first expression, the
    /// default server.
    ///
    /// # Errors
    /// [`RegexFailed`] if an expression needs too many steps.
    pub fn find(&self, host: &[u8], captures: &mut Captures) -> Result<usize, RegexFailed> {
        if self.is_empty() {
            return Ok(self.default);
        }
        if let Some(&server) = self.exact.get(host) {
            return Ok(server);
        }
        if let Some(server) = self.find_suffix(host).or_else(|| self.find_prefix(host)) {
            return Ok(server);
        }
        if host.is_empty() {
            return Ok(self.default);
        }
        for (regex, server) in &self.regexes {
            if captures.matches(regex, host)? {
                return Ok(*server);
            }
        }
        Ok(self.default)
    }

    fn find_suffix(&self, host: &[u8]) -> Option<usize> {
        if self.suffixes.is_empty() {
            return None;
        }
        dots(host).filter_map(|dot| host.get(dot..)).find_map(|suffix| self.suffixes.get(suffix).copied())
    }

    fn find_prefix(&self, host: &[u8]) -> Option<usize> {
        if self.prefixes.is_empty() {
            return None;
        }
        dots(host).rev().filter_map(|dot| host.get(..=dot)).find_map(|prefix| self.prefixes.get(prefix).copied())
    }
}

/// Where the dots are.
fn dots(host: &[u8]) -> impl DoubleEndedIterator<Item = usize> + '_ {
    host.iter().enumerate().filter(|&(_, &byte)| byte == b'.').map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::super::captures::tests::regex;
    use super::*;

    fn names(lists: Vec<Vec<ServerName>>) -> Names {
        let mut names = Names::new(&[], &[], 0);
        for (index, list) in lists.iter().enumerate() {
            for name in list {
                names.add(name, index);
            }
        }
        names
    }

    #[test]
    fn prefers_exact_then_longest_wildcards_then_the_first_expression() {
        let table = names(vec![
            vec![ServerName::Exact("default".into())],
            vec![ServerName::Exact("www.example.org".into())],
            vec![ServerName::Suffix(".example.org".into())],
            vec![ServerName::Suffix(".sub.example.org".into())],
            vec![ServerName::Prefix("www.example.".into())],
            vec![ServerName::Prefix("www.".into())],
            vec![ServerName::Domain("both.net".into())],
            vec![ServerName::Regex(regex("^(?<name>[a-z]+)\\d\\.test$"))],
            vec![ServerName::Regex(regex("test$"))],
        ]);
        for (host, expected) in [
            ("www.example.org", 1),
            ("a.example.org", 2),
            ("a.b.example.org", 2),
            (".example.org", 2),
            ("example.org", 0),
            ("a.sub.example.org", 3),
            ("sub.example.org", 2),
            ("www.example.com", 4),
            ("www.example.co.uk", 4),
            ("www.other", 5),
            ("www", 0),
            ("both.net", 6),
            ("x.both.net", 6),
            ("xboth.net", 0),
            ("abc1.test", 7),
            ("1.test", 8),
            ("", 0),
            ("elsewhere", 0),
        ] {
            let mut captures = Captures::default();
            assert_eq!(table.find(host.as_bytes(), &mut captures), Ok(expected), "{host}");
            let named = (expected == 7).then_some(b"abc".as_slice());
            assert_eq!(captures.named(0), named, "{host}");
        }
    }

    #[test]
    fn the_first_server_keeps_a_name() {
        let table = names(vec![
            vec![],
            vec![ServerName::Exact("a".into())],
            vec![ServerName::Exact("a".into()), ServerName::Exact("".into())],
        ]);
        let mut captures = Captures::default();
        assert_eq!(table.find(b"a", &mut captures), Ok(1));
        assert_eq!(table.find(b"", &mut captures), Ok(2));
    }
}
