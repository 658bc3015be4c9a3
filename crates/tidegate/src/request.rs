//! A request under way: what was asked, by whom, which tables hold for it, and what is known of it so far.
//! Not here: what is done about it (`answer`), and how it came in (`downstream`).

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use config::model::{Level, Listen, ListenAddress, Location, Regex, Server, ServerName, Settings};
use http1::{ConnectionOptions, Fields, Framing, RequestHead};

use crate::body::Kept;
use crate::downstream::proxy_protocol::Ends;
use crate::failures::Addition;
use crate::logs::error_log::Context;
use crate::record::Record;
use crate::route::{Captures, LocationId};
use crate::uri;
use crate::worker::{Generation, Worker};

/// A client's connection, as far as its requests care.
pub(crate) struct Downstream {
    /// The number in log lines.
    pub(crate) number: u64,
    /// The other end; none over a unix socket.
    pub(crate) peer: Option<SocketAddr>,
    /// `$remote_addr`: nginx writes `unix:` for a peer without an address.
    pub(crate) client: Box<str>,
    /// Our end; none over a unix socket.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) listen: Arc<Listen>,
    /// What a PROXY header said.
    pub(crate) proxied: Option<Ends>,
    pub(crate) started: Instant,
    /// Requests served so far, the current one included.
    pub(crate) requests: Cell<u64>,
}

impl Downstream {
    /// `$server_addr` and `$server_port`.
    pub(crate) fn server(&self) -> (String, Option<u16>) {
        match (self.local, &self.listen.address) {
            (Some(local), _) => (local.ip().to_string(), Some(local.port())),
            (None, ListenAddress::Socket(local)) => (local.ip().to_string(), Some(local.port())),
            (None, ListenAddress::Unix(path)) => (format!("unix:{}", path.display()), None),
        }
    }
}

/// Path and arguments as they are now: internal redirects replace them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    /// `$uri`: decoded and normalised.
    pub(crate) path: Vec<u8>,
    /// `$args`; empty when there are none.
    pub(crate) args: Vec<u8>,
    /// `$request_uri`: as received, whatever became of it since.
    pub(crate) raw: Vec<u8>,
    /// The raw text still says what path and arguments say, and may be passed on as it is.
    pub(crate) raw_is_valid: bool,
    /// The path was received with escapes, so it is escaped again when it is written.
    pub(crate) quoted: bool,
}

impl Uri {
    /// Takes a parsed target over.
    pub(crate) fn new(target: &uri::Target<'_>) -> Self {
        Self {
            path: target.path.to_vec(),
            args: target.args.to_vec(),
            raw: target.raw.to_vec(),
            raw_is_valid: target.raw_is_valid,
            quoted: target.quoted,
        }
    }

    /// Replaces the arguments.
    pub(crate) fn set_args(&mut self, args: Vec<u8>) {
        self.args = args;
        self.raw_is_valid = false;
    }

    /// Goes elsewhere inside the gateway.
    pub(crate) fn redirect(&mut self, path: Vec<u8>, args: Vec<u8>) {
        self.path = path;
        self.args = args;
        self.raw_is_valid = false;
    }
}

/// The request's body, as far as it was read.
#[derive(Default)]
pub(crate) enum RequestBody {
    /// Nothing was read of it yet.
    #[default]
    Unread,
    /// Read whole and kept.
    Kept(Kept),
    /// Some of it went to an endpoint and is gone.
    Streamed,
}

/// The request.
pub(crate) struct Request {
    pub(crate) worker: Rc<Worker>,
    pub(crate) generation: Rc<Generation>,
    pub(crate) connection: Rc<Downstream>,
    pub(crate) head: RequestHead,
    pub(crate) framing: Framing,
    pub(crate) body: RequestBody,
    pub(crate) uri: Uri,
    /// The host that the client gave: lower case, without port; empty if it gave none.
    pub(crate) host: Vec<u8>,
    pub(crate) server: usize,
    pub(crate) location: LocationId,
    /// Groups of the last expression that matched, a server's name, a location or a map's key.
    pub(crate) captures: RefCell<Captures>,
    /// Set by internal redirects: only they reach `internal` locations.
    pub(crate) internal: bool,
    /// The location was found by the path, so that its prefix can be replaced in it; not so for named ones.
    pub(crate) located_by_path: bool,
    /// The last internal redirect came after the last attempt.
    pub(crate) redirected: bool,
    /// No `error_page` may be followed any more: one was where only one may be.
    pub(crate) error_page: bool,
    /// The status that an error gives the answer, whatever answers it.
    pub(crate) status_override: Option<u16>,
    /// Fields that the answer gets, whoever makes it in the end: an endpoint or an error said so on the way.
    pub(crate) kept: Fields,
    /// `try_files` chose the path below the `alias` of a regular expression's location.
    pub(crate) adds_uri_to_alias: bool,
    /// What the endpoint said of `proxy_buffering` for this answer (`X-Accel-Buffering`).
    pub(crate) buffering: Option<bool>,
    /// `Connection` names more than the usual options.
    pub(crate) connection_names_fields: bool,
    /// The connection may serve another request after this one.
    pub(crate) keep_alive: bool,
    /// It was here before the request before it was answered.
    pub(crate) pipelined: bool,
    pub(crate) record: Record,
    /// `$request_id`, made when first asked for.
    pub(crate) id: OnceCell<[u8; 32]>,
    /// Host and port that variables in `proxy_pass` gave.
    pub(crate) named_upstream: Option<(Box<str>, Box<str>)>,
    /// The head that endpoints were sent, once they were asked.
    pub(crate) upstream_head: Vec<u8>,
}

impl Request {
    /// A request of which only the head is known; [`Request::begin`] finds out what it asks for.
    pub(crate) fn new(
        worker: &Rc<Worker>,
        generation: Rc<Generation>,
        connection: &Rc<Downstream>,
        default_server: usize,
        head: RequestHead,
        length: usize,
    ) -> Self {
        let options = ConnectionOptions::of(&head.fields);
        Self {
            worker: worker.clone(),
            generation,
            connection: connection.clone(),
            keep_alive: options.persist(head.version, &head.fields),
            connection_names_fields: options.fields,
            head,
            framing: Framing::Empty,
            body: RequestBody::Unread,
            uri: Uri::default(),
            host: Vec::new(),
            server: default_server,
            location: LocationId::SERVER,
            captures: RefCell::default(),
            internal: false,
            located_by_path: true,
            redirected: false,
            error_page: false,
            status_override: None,
            kept: Fields::new(),
            adds_uri_to_alias: false,
            buffering: None,
            pipelined: false,
            record: Record::new(Instant::now(), length as u64),
            id: OnceCell::new(),
            named_upstream: None,
            upstream_head: Vec::new(),
        }
    }

    /// The virtual host.
    pub(crate) fn server(&self) -> &Server {
        &self.generation.tables.config.servers[self.server]
    }

    /// The location in force.
    pub(crate) fn location(&self) -> &Location {
        self.generation.tables.location(self.server, self.location)
    }

    /// What is in force at the location.
    pub(crate) fn settings(&self) -> &Settings {
        &self.location().settings
    }

    /// `$server_name`.
    pub(crate) fn server_name(&self) -> String {
        self.server().names.first().map(ServerName::shown).unwrap_or_default()
    }

    /// `$status`: that of the answer or of the error whose place it takes; 0 while there is none.
    pub(crate) fn status(&self) -> u16 {
        self.status_override.unwrap_or(self.record.status)
    }

    /// The request line as received.
    pub(crate) fn line(&self) -> &[u8] {
        self.head.line()
    }

    /// Evaluates something with the groups of `regex` on `subject` as captures; `None` when it does not match.
    pub(crate) fn with_captures<T>(
        &self,
        regex: &Regex,
        subject: &[u8],
        evaluate: impl FnOnce(&Self) -> T,
    ) -> Option<T> {
        let mut captures = self.captures.borrow().clone();
        if !captures.matches(regex, subject).unwrap_or(false) {
            return None;
        }
        let before = self.captures.replace(captures);
        let value = evaluate(self);
        self.captures.replace(before);
        Some(value)
    }

    /// Whether a head that goes to an endpoint asks for an upgrade.
    pub(crate) fn asks_for_upgrade(&self, head: &[u8]) -> bool {
        let lower = head.to_ascii_lowercase();
        memchr::memmem::find(&lower, b"\r\nupgrade:").is_some()
    }

    /// `$proxy_host` and `$proxy_port` of the `proxy_pass` in use.
    pub(crate) fn proxied_to(&self) -> Option<(&str, &str)> {
        let named = self.named_upstream.as_ref().map(|(host, port)| (&**host, &**port));
        named.or_else(|| self.settings().proxy_pass.as_ref().map(|pass| (&*pass.host, &*pass.port)))
    }

    /// Writes an error-log line of this request. Once an endpoint was asked, every line names one: the last, if no other.
    pub(crate) fn log(&self, level: Level, message: &str, upstream: Option<&str>) {
        if self.logs(level) {
            self.write_log(level, message, upstream, None);
        }
    }

    /// Whether a line of this level would be written.
    pub(crate) fn logs(&self, level: Level) -> bool {
        self.generation.tables.error_logs(&self.settings().error_logs).enabled(level)
    }

    /// [`Request::log`] of what [`Request::logs`] was asked about before, and what a failure adds.
    pub(crate) fn write_log(&self, level: Level, message: &str, upstream: Option<&str>, addition: Option<&Addition>) {
        let logs = self.generation.tables.error_logs(&self.settings().error_logs);
        let last = self.record.attempts.last();
        let last_upstream = || last.map(|attempt| upstream_url(&attempt.endpoint, &self.upstream_head).into());
        let upstream = upstream.map(Cow::Borrowed).or_else(last_upstream);
        let server = self.server_name();
        let line = String::from_utf8_lossy(self.line());
        let host = self.head.fields.get("host").map(String::from_utf8_lossy);
        let referrer = self.head.fields.get("referer").map(String::from_utf8_lossy);
        let context = Context {
            client: Some(&self.connection.client),
            server: Some(&server),
            request: Some(&*line).filter(|line| !line.is_empty()),
            upstream: upstream.as_deref(),
            host: host.as_deref(),
            referrer: referrer.as_deref(),
            failure: addition.map(|addition| &*addition.failure),
            advice: addition.and_then(|addition| addition.advice.as_deref()),
        };
        logs.write(level, Some(self.connection.number), message, &context);
    }
}

/// The `upstream:` of log lines for an endpoint: the target is the second word of the head that it was sent.
pub(crate) fn upstream_url(endpoint: &str, head: &[u8]) -> String {
    let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or(b"/");
    let separator = if endpoint.starts_with("unix:") { ":" } else { "" };
    format!("http://{endpoint}{separator}{}", String::from_utf8_lossy(target))
}
