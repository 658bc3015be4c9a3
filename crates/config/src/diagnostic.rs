//! What is wrong with a configuration, or worth saying of it, and where. Not here: how it is found.

mod render;

pub use render::{Style, printable, shown};

use crate::tree::Span;

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in nginx's words where it has words for it: `unknown directive "prox_pass"`.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write instead, if that can be said: `did you mean "proxy_pass"?`.
    pub help: Option<String>,
    /// Another place that has to do with it, and what it is: the quote that is not closed.
    pub related: Option<(Span, String)>,
}

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, and probably does not do what was meant.
    Warning,
    /// A fact for `tidegate check`: a knob that changes nothing here.
    Note,
}

impl Severity {
    /// `error`, `warning`, `note`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl Diagnostic {
    /// Something to say, without help.
    pub fn new(severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self { severity, message: message.into(), span, help: None, related: None }
    }

    /// Something that is wrong.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message)
    }

    /// With what to write instead.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// With another place that has to do with it.
    pub fn related(self, span: Span, what: impl Into<String>) -> Self {
        Self { related: Some((span, what.into())), ..self }
    }
}
