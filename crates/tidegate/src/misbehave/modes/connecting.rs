//! Who cannot be connected to, or only for a moment.

use super::Mode;
use crate::misbehave::script::{Door, Script, Step};

pub(super) const ROWS: &[Mode] = &[
    Mode::new(
        "refuse",
        "nobody listens on the port",
        "A service that is down, restarts, or listens elsewhere: connections are refused.",
        |_| Script::shut(Door::Refuses),
    ),
    Mode::new(
        "full-backlog",
        "the accept queue is full",
        "A service that is stuck: TCP connections are not answered until the client gives up, unix sockets say EAGAIN.",
        |_| Script::shut(Door::Full),
    ),
    Mode::new(
        "reset-on-accept",
        "resets each connection at once",
        "A proxy or a firewall on the way, or a service that is shutting down.",
        |_| Script::open(vec![Step::Reset]),
    ),
    Mode::new(
        "close-on-accept",
        "closes each connection at once",
        "A wrapper like inetd, or a port forwarder with nobody behind it.",
        |_| Script::open(vec![Step::Close]),
    ),
];
