//! What is known of a cause: one row a cause, of which everything that is said or done about it is a function.
//! Not here: the rows (`causes`), and what is known of one failure only ([`super::Evidence`]).

use std::fmt;

use super::cause::Cause;
use super::words::{Blame, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

/// A cause's number, which never changes and is never given to another: `TG-2001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TG-{:04}", self.0)
    }
}

/// Everything that is the same for each failure of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The cause.
    pub cause: Cause,
    /// Its number. The first digit groups by phase: 1 route, resolve, select; 2 connect; 3 TLS; 4 send; 5 await the head;
    /// 6 the head; 7 the body; 8 tunnels and HTTP/2; 9 client and gateway.
    pub code: Code,
    /// The cause in snake case: `$failure`, and the label of metrics.
    pub name: &'static str,
    /// The error type of RFC 9209 §2.3.
    pub error_type: &'static str,
    /// What is made of it.
    pub treatment: Treatment,
    /// One sentence: what happened.
    pub happened: &'static str,
    /// What an operator can change, most likely first; directives and commands stand in backticks.
    pub advice: &'static str,
    /// How others call it.
    pub elsewhere: Elsewhere,
}

/// What a cause mostly has in common with its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// Where it happens; a failure may know better.
    pub phase: Phase,
    /// The status that a client gets while nothing was sent to it.
    pub status: u16,
    /// Whose fault it is.
    pub blame: Blame,
    /// What the endpoint may have done with the request.
    pub delivery: Delivery,
    /// The case of `proxy_next_upstream` that lets another endpoint be asked; none if no attempt can help.
    pub condition: Option<Condition>,
    /// Which requests may be repeated then.
    pub replay: Replay,
    /// How grave nginx holds it.
    pub level: Level,
    /// What to tell a user, without jargon.
    pub user: &'static str,
}

/// The names of a cause in other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// nginx's phrase in the error log, before ` while …`; ours where nginx has none. `{errno}` stands for an error number
    /// with its text, `{detail}` for what was seen.
    pub nginx: &'static str,
    /// HAProxy's termination states, the first two letters.
    pub haproxy: &'static str,
    /// Envoy's response flags.
    pub envoy: &'static str,
}

/// The names of a cause elsewhere; empty where there is none.
pub(super) const fn elsewhere(nginx: &'static str, haproxy: &'static str, envoy: &'static str) -> Elsewhere {
    Elsewhere { nginx, haproxy, envoy }
}

/// nginx's phrase for an orderly end of the connection; where an error number is known, that of the call is shown instead.
pub(super) const CLOSED: &str = "upstream prematurely closed connection";
