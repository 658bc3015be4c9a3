//! What is wrong with a configuration, or worth saying of it, and where. Not here: how it is found.

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
