//! The joint with the text side: units, templates, expressions, suggestions. Not here: how any of them is read.

use std::time::Duration;

use fancy_regex::{BytesMode, RegexBuilder};

use super::{Build, stopgap};
use crate::directives::Context;
use crate::model::{BACKTRACK_LIMIT, Capture, Regex, SetVariable, Template, Variable};
use crate::tree::Span;

/// `500ms`, `60`, `1h30m`.
pub(crate) fn time(text: &str) -> Option<Duration> {
    stopgap::time(text)
}

/// `512`, `8k`, `1m`, `2g`.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text.get(digits.len()..)? {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    };
    count(digits)?.checked_mul(factor)
}

/// Digits alone.
pub(crate) fn count(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The directive of this context that was probably meant.
pub(crate) fn did_you_mean(_name: &str, _context: Context) -> Option<String> {
    None
}

impl Build<'_> {
    /// A text as a template; says what is wrong with its variables.
    pub(crate) fn template(&mut self, text: &str, span: Span) -> Template {
        let (template, unknown) = stopgap::template(text, |name| self.variable(name));
        for name in unknown {
            match name.as_str() {
                "" => self.error(span, "invalid variable name"),
                name => self.error(span, format!("unknown \"{name}\" variable")),
            }
        }
        template
    }

    /// A variable: one that this configuration defines, or one of nginx's.
    fn variable(&self, name: &str) -> Option<Variable> {
        let map = self.names.maps.get(name).map(|&place| Variable::Map(place));
        let own = || {
            let place = self.names.place(name)?;
            let captured = self.names.captured.contains(name);
            Some(if captured { Variable::Capture(Capture::Named(place)) } else { Variable::Set(place) })
        };
        // The file is refused already for what would define it: any variable does.
        let unsupported = || self.names.unsupported.contains(name).then_some(Variable::Uri);
        map.or_else(own).or_else(|| stopgap::variable(name)).or_else(unsupported)
    }

    /// What `set` sets by this name; nothing where the name is taken.
    pub(crate) fn settable(&self, name: &str) -> Option<SetVariable> {
        if self.names.maps.contains_key(name) {
            return None;
        }
        match stopgap::variable(name) {
            Some(Variable::Args) => Some(SetVariable::Args),
            // A name of a family is the file's own where it says so.
            None
            | Some(
                Variable::Arg(_)
                | Variable::Cookie(_)
                | Variable::Http(_)
                | Variable::SentHttp(_)
                | Variable::SentTrailer(_)
                | Variable::UpstreamHttp(_)
                | Variable::UpstreamCookie(_)
                | Variable::UpstreamTrailer(_),
            ) => self.names.place(name).map(SetVariable::Own),
            Some(_) => None,
        }
    }

    /// An expression compiled; says what is wrong with it.
    pub(crate) fn regex(&mut self, expression: &str, caseless: bool, span: Span) -> Option<Regex> {
        let compiled = RegexBuilder::new(expression)
            .case_insensitive(caseless)
            .bytes_mode(BytesMode::Ascii)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build();
        match compiled {
            Ok(compiled) => {
                let place = |name: Option<&str>| name.and_then(|name| self.names.place(name));
                let names = compiled.capture_names().map(place).collect();
                Some(Regex::new(expression, compiled, names))
            }
            Err(fault) => {
                self.error(span, format!("invalid regular expression: {fault}"));
                None
            }
        }
    }
}
