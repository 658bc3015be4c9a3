//! What a head asks for: its virtual host, its path, its body. Each fault has its status, and the message that logs show.
//! Not here: the syntax of heads (`http1`), and what is answered.

use std::borrow::Cow;

use config::model::Level;
use http::Method;
use http1::{Names, Version};
use policy::Cause;

use crate::answer::Step;
use crate::downstream::h1::H1;
use crate::request::{Request, Uri};
use crate::route::Host;
use crate::uri::parse_target;

impl Request {
    /// Finds out what is asked; the step to begin with.
    pub(crate) fn begin(&mut self, client: &mut H1) -> Step {
        match self.understand() {
            Ok(()) => {
                let expects = self.head.version == Version::H11 && self.head.fields.has_token("expect", "100-continue");
                client.begin_body(self.framing, expects);
                Step::Route
            }
            Err((status, message)) => {
                self.refuse(&message, if status == 500 { Cause::ConfigurationError } else { Cause::ClientMalformed });
                self.keep_alive = false;
                Step::Status(status)
            }
        }
    }

    /// Finds out whose request it would have been that is refused.
    pub(crate) fn begin_refusal(&mut self) {
        if self.head.has_line() {
            let target = self.head.target().to_vec();
            let merge_slashes = self.server().settings.merge_slashes;
            if let Ok(target) = parse_target(&target, merge_slashes) {
                self.uri = Uri::new(&target);
            }
        }
        // A host that cannot be read belongs to the default server.
        let _ = self.find_server(None);
    }

    /// Says in the error log why a head is refused.
    pub(crate) fn refuse(&mut self, message: &str, cause: Cause) {
        self.fail(Level::Info, &self.while_reading(message), cause.into());
    }

    fn while_reading(&self, message: &str) -> String {
        let part = if self.head.has_line() { "headers" } else { "line" };
        format!("{message} while reading client request {part}")
    }

    fn understand(&mut self) -> Result<(), Refused> {
        if self.head.method == Method::CONNECT {
            return Err((405, "client sent CONNECT method".into()));
        }
        let merge_slashes = self.server().settings.merge_slashes;
        let Ok(target) = parse_target(self.head.target(), merge_slashes) else {
            self.head.forget_all_but_line();
            return Err((400, "client sent invalid request".into()));
        };
        self.uri = Uri::new(&target);
        let authority = target.authority.map(<[u8]>::to_vec);
        self.find_server(authority.as_deref())?;
        if let Some(name) = repeated(&self.head.fields) {
            return Err((400, format!("client sent {}", &self.head.fields.repetition(name)).into()));
        }
        self.framing = http1::request_framing(&self.head)
            .map_err(|error| (error.status(), framing_message(error, &self.head.fields)))?;
        if self.head.method == Method::TRACE {
            return Err((405, "client sent TRACE method".into()));
        }
        for line in self.head.ignored() {
            let line = String::from_utf8_lossy(line);
            let message = self.while_reading(&format!("client sent invalid header line: \"{line}\""));
            self.log(Level::Info, &message, None);
        }
        Ok(())
    }

    /// The authority of an absolute-form target wins over `Host` (RFC 9112 §3.2.2). One without a host is refused
    /// (RFC 9110 §4.2.1).
    fn find_server(&mut self, authority: Option<&[u8]>) -> Result<(), Refused> {
        const INVALID: Refused = (400, Cow::Borrowed("client sent invalid host header"));
        const INVALID_IN_LINE: Refused = (400, Cow::Borrowed("client sent invalid host in request line"));
        let field = self.head.fields.get("host");
        if field.is_none() && self.head.version == Version::H11 {
            return Err((400, "client sent HTTP/1.1 request without \"Host\" header".into()));
        }
        let written = field.map(Host::parse).transpose().map_err(|_| INVALID)?;
        let named = match authority {
            Some(text) => match Host::parse(text) {
                Ok(host) => Some(host),
                Err(_) => {
                    self.head.forget_all_but_line();
                    return Err(INVALID_IN_LINE);
                }
            },
            None => written,
        };
        let host = named.map(|host| host.name.into_owned()).unwrap_or_default();
        let generation = self.generation.clone();
        let hosts = generation.tables.hosts(&self.connection.listen.address, self.connection.local);
        if let Some(hosts) = hosts {
            let found = hosts.names.find(&host, self.captures.get_mut());
            self.server = found.map_err(|_| (500, "a server_name expression could not be matched".into()))?;
        }
        self.host = host;
        Ok(())
    }
}

/// The status of a head that is not served, and nginx's words for the reason.
type Refused = (u16, Cow<'static, str>);

fn framing_message(error: http1::FramingError, fields: &http1::Fields) -> Cow<'static, str> {
    match error {
        http1::FramingError::CodingInHttp10 => "client sent HTTP/1.0 request with \"Transfer-Encoding\" header".into(),
        error => format!("client sent {}", error.told(fields)).into(),
    }
}

/// Fields of which nginx takes one only; it is as strict with `Host` and with what frames a body.
const ONCE: Names<&[&str]> = Names::known(&[
    "authorization",
    "expect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
]);

/// A field that was sent twice and may not be.
fn repeated(fields: &http1::Fields) -> Option<&str> {
    let mut seen = 0u32;
    for field in fields.iter() {
        let Some(at) = field.place_in(&ONCE) else { continue };
        if seen & 1 << at != 0 {
            return str::from_utf8(field.name).ok();
        }
        seen |= 1 << at;
    }
    None
}
