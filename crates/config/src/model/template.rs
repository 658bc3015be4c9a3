//! Text with variables, parsed once when the configuration is read. Not here: values, which the gateway supplies for each request.

use std::hash::Hash;

use super::Regex;

/// A value such as `"$scheme://$host/x"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Template {
    /// What was written, for messages.
    pub source: Box<str>,
    /// Its parts in order; empty for the empty string. Adjacent texts are joined.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Literal bytes.
    Text(Box<[u8]>),
    /// A variable.
    Variable(Variable),
}

impl Template {
    /// A template without variables.
    pub fn literal(text: &str) -> Self {
        let parts = if text.is_empty() { vec![] } else { vec![Part::Text(text.as_bytes().into())] };
        Self { source: text.into(), parts }
    }

    /// The text, if it has no variables.
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// A group of the last regular expression that matched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Capture {
    /// `$1` … `$9`.
    Number(u8),
    /// `(?<name>…)`, perhaps `set` as well; indexes [`super::Config::own_names`].
    Named(usize),
}

/// Every variable that the language knows. Families carry the rest of the name: lower case, `_` for `-`, as written.
///
/// See <https://nginx.org/en/docs/varindex.html>.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is nginx's variable of the same name; the manual describes them from the variable table"
)]
pub enum Variable {
    // Families.
    Arg(Box<str>),
    Cookie(Box<str>),
    Http(Box<str>),
    SentHttp(Box<str>),
    SentTrailer(Box<str>),
    UpstreamHttp(Box<str>),
    UpstreamCookie(Box<str>),
    UpstreamTrailer(Box<str>),
    Capture(Capture),
    /// A variable that only `set` gives a value; indexes [`super::Config::own_names`].
    Set(usize),
    /// A `map`'s variable; indexes [`super::Config::maps`].
    Map(usize),
    // The request.
    Args,
    ContentLength,
    ContentType,
    DocumentRoot,
    DocumentUri,
    Host,
    IsArgs,
    QueryString,
    RealpathRoot,
    RemoteUser,
    Request,
    RequestBody,
    RequestBodyFile,
    RequestCompletion,
    RequestFilename,
    RequestId,
    RequestLength,
    RequestMethod,
    RequestTime,
    RequestUri,
    ServerProtocol,
    Uri,
    // The connection.
    BinaryRemoteAddr,
    Connection,
    ConnectionRequests,
    ConnectionTime,
    Https,
    Pipe,
    ProxyProtocolAddr,
    ProxyProtocolPort,
    ProxyProtocolServerAddr,
    ProxyProtocolServerPort,
    RemoteAddr,
    RemotePort,
    Scheme,
    ServerAddr,
    ServerName,
    ServerPort,
    // The response.
    BodyBytesSent,
    BytesSent,
    Status,
    // The process and the time.
    Hostname,
    Msec,
    NginxVersion,
    Pid,
    TimeIso8601,
    TimeLocal,
    // proxy and upstream.
    ProxyAddXForwardedFor,
    ProxyHost,
    ProxyPort,
    UpstreamAddr,
    UpstreamBytesReceived,
    UpstreamBytesSent,
    UpstreamConnectTime,
    UpstreamHeaderTime,
    UpstreamResponseLength,
    UpstreamResponseTime,
    UpstreamStatus,
    // Ours.
    Attempts,
    Failure,
    FailureBlame,
    FailureCode,
    FailurePhase,
    ProxyStatus,
    UpstreamFailure,
}

impl Variable {
    /// Whether nginx does not have it: a configuration may give its name another meaning.
    pub fn is_own(&self) -> bool {
        matches!(
            self,
            Variable::Attempts
                | Variable::Failure
                | Variable::FailureBlame
                | Variable::FailureCode
                | Variable::FailurePhase
                | Variable::ProxyStatus
                | Variable::UpstreamFailure
        )
    }

    /// Whether the value stands in the head or the trailers of a response.
    pub fn is_of_a_head(&self) -> bool {
        matches!(
            self,
            Variable::SentHttp(_)
                | Variable::SentTrailer(_)
                | Variable::UpstreamHttp(_)
                | Variable::UpstreamCookie(_)
                | Variable::UpstreamTrailer(_)
        )
    }
}

/// A `map SOURCE $variable { … }`.
#[derive(Debug, Clone)]
pub struct Map {
    /// The variable's name, without `$`.
    pub name: Box<str>,
    /// What is looked up.
    pub source: Template,
    /// `hostnames` was given: keys may be `.example.org`, `*.example.org`, `www.example.*`.
    pub hostnames: bool,
    /// Entries in the order written; literal keys win over patterns, and patterns are tried in order.
    pub entries: Vec<(MapKey, Template)>,
    /// `default`; empty when not written.
    pub default: Template,
}

/// The left side of a `map` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapKey {
    /// Compared without regard to case.
    Literal(Box<str>),
    /// `~` or `~*`.
    Regex(Regex),
}
