//! The joint with the text side: units, templates, expressions, suggestions. Not here: how any of them is read.

use std::time::Duration;

use super::Build;
use crate::directives::Context;
use crate::model::{Capture, Part, Regex, Template, Variable};
use crate::tree::Span;

pub(crate) fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text);
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        "h" => Duration::from_secs(number * 3600),
        "d" => Duration::from_secs(number * 86400),
        _ => return None,
    })
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let number: u64 = number.parse().ok()?;
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

pub(crate) fn count(text: &str) -> Option<u64> {
    text.parse().ok()
}

pub(crate) fn did_you_mean(_name: &str, _context: Context) -> Option<String> {
    None
}

impl Build<'_> {
    /// A text as a template; says what is wrong with its variables.
    pub(crate) fn template(&mut self, text: &str, _span: Span) -> Template {
        let mut t = Template::literal(text);
        if text.contains('$') {
            t.parts
                .push(Part::Variable(Variable::Capture(Capture::Number(1))));
        }
        t
    }

    /// An expression compiled; says what is wrong with it.
    pub(crate) fn regex(&mut self, expression: &str, caseless: bool, span: Span) -> Option<Regex> {
        let source = if caseless {
            format!("(?i){expression}")
        } else {
            expression.to_owned()
        };
        match fancy_regex::Regex::new(&source) {
            Ok(compiled) => {
                let names = compiled
                    .capture_names()
                    .map(|name| name.and_then(|name| self.names.capture(name)))
                    .collect();
                Some(Regex::new(expression, compiled, names))
            }
            Err(fault) => {
                self.error(span, format!("{fault}"));
                None
            }
        }
    }
}
