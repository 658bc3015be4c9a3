//! The words that say where a failure happened, whose it is and how grave. Not here: the causes.

/// What the exchange was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Reading the request.
    Request,
    /// Finding out who answers.
    Route,
    /// Looking a name up.
    Resolve,
    /// Choosing an endpoint.
    Select,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the head of the reply.
    AwaitHead,
    /// Reading the body of the reply.
    Body,
    /// Passing bytes both ways after an upgrade.
    Tunnel,
    /// Sending the answer to the client.
    Deliver,
}

impl Phase {
    /// Every phase, in the order of an exchange.
    pub const ALL: [Phase; 11] = [
        Phase::Request,
        Phase::Route,
        Phase::Resolve,
        Phase::Select,
        Phase::Connect,
        Phase::Tls,
        Phase::Send,
        Phase::AwaitHead,
        Phase::Body,
        Phase::Tunnel,
        Phase::Deliver,
    ];

    /// `$failure_phase`, and the label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Request => "request",
            Phase::Route => "route",
            Phase::Resolve => "resolve",
            Phase::Select => "select",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Send => "send",
            Phase::AwaitHead => "await_head",
            Phase::Body => "body",
            Phase::Tunnel => "tunnel",
            Phase::Deliver => "deliver",
        }
    }

    /// Whether an upstream is being asked, or looked for.
    pub fn is_of_upstream(self) -> bool {
        !matches!(self, Phase::Request | Phase::Route | Phase::Deliver)
    }

    /// What nginx's error log calls it.
    pub fn nginx_action(self) -> &'static str {
        match self {
            Phase::Request => "reading client request body",
            Phase::Route | Phase::Resolve | Phase::Select | Phase::Connect => "connecting to upstream",
            Phase::Tls => "SSL handshaking to upstream",
            Phase::Send => "sending request to upstream",
            Phase::AwaitHead => "reading response header from upstream",
            Phase::Body => "reading upstream",
            Phase::Tunnel => "proxying upgraded connection",
            Phase::Deliver => "sending to client",
        }
    }
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The client's.
    Client,
    /// The endpoint's, or that of the way to it.
    Endpoint,
    /// Ours, or this machine's.
    Gateway,
}

impl Blame {
    /// `$failure_blame`, and the label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Blame::Client => "client",
            Blame::Endpoint => "endpoint",
            Blame::Gateway => "gateway",
        }
    }
}

/// What the endpoint may have done with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Nothing: no byte reached an application.
    NeverSent,
    /// It may have been acted upon.
    MaybeProcessed,
    /// It was: an answer, good or bad, came back.
    Answered,
}

/// Which requests another attempt may repeat, where `proxy_next_upstream` lets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replay {
    /// Any: no application saw the request.
    Any,
    /// Those of which none was sent, and those that may be sent twice (RFC 9110 §9.2.2).
    Idempotent,
    /// None: it would be of no use, or unsafe.
    Never,
}

/// Severity of a log line, in nginx's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// `crit`.
    Crit,
    /// `error`.
    Error,
    /// `info`.
    Info,
}
