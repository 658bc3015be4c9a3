//! Which block a statement is in, as far as names alone can tell: enough to guess where a brace is missing. Not here: what
//! is right.

use crate::directives::{Context, EVERYWHERE, Row, rows_of};

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A block of the language.
    In(Context),
    /// The top of a file without an `http` block, which may be the inside of one.
    Bare,
    /// Something else, such as a map: anything may stand there.
    Elsewhere,
}

/// What is around a text or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    /// The innermost block.
    pub(super) place: Place,
    /// How many blocks.
    pub(super) depth: usize,
}

impl Around {
    /// Nothing is around it.
    pub(super) fn top(place: Place) -> Self {
        Self { place, depth: 0 }
    }

    /// Within a block that stands here.
    pub(super) fn within(self, name: &str) -> Self {
        Self { place: self.place.within(name), depth: self.depth + 1 }
    }
}

impl Place {
    /// Whether a directive may stand here, with a block or without. Nothing is known of unsupported ones: they may.
    pub(super) fn takes(self, name: &str, block: bool) -> bool {
        let mut known = rows_of(name).filter(|row| row.block == block).peekable();
        self == Place::Elsewhere || known.peek().is_none() || known.any(|row| self.has(row))
    }

    /// Whether a row is of a directive that may stand here.
    pub(super) fn has(self, row: &Row) -> bool {
        self.contexts().is_some_and(|contexts| row.contexts.iter().any(|context| contexts.contains(context)))
    }

    /// Whether something of this name may stand here.
    pub(super) fn names(self, name: &str) -> bool {
        rows_of(name).any(|row| self.has(row))
    }

    /// The place within a block that stands here.
    pub(super) fn within(self, name: &str) -> Place {
        let context = EVERYWHERE.iter().find(|context| context.word() == name);
        let here = rows_of(name).any(|row| row.block && self.has(row));
        context.filter(|_| here).map_or(Place::Elsewhere, |context| Place::In(*context))
    }

    fn contexts(self) -> Option<&'static [Context]> {
        match self {
            Place::In(wanted) => {
                EVERYWHERE.iter().position(|context| *context == wanted).and_then(|at| EVERYWHERE.get(at..=at))
            }
            Place::Bare => Some(&[Context::Main, Context::Http]),
            Place::Elsewhere => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_from_names() {
        let http = Place::In(Context::Main).within("http");
        assert_eq!(http, Place::In(Context::Http));
        assert_eq!(http.within("server").within("location").within("location"), Place::In(Context::Location));
        assert_eq!(Place::Bare.within("server"), Place::In(Context::Server));
        assert_eq!(http.within("map"), Place::Elsewhere);
        assert_eq!(Place::In(Context::Main).within("server"), Place::Elsewhere);
    }

    #[test]
    fn a_server_with_a_block_is_no_server_of_an_upstream() {
        let upstream = Place::In(Context::Upstream);
        assert!(upstream.takes("server", false));
        assert!(!upstream.takes("server", true));
        assert!(!Place::In(Context::Location).takes("listen", false));
        assert!(Place::In(Context::Location).takes("nonsense", false));
        assert!(Place::Elsewhere.takes("listen", false));
    }
}
