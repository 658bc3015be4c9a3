//! What a head asks for: its virtual host, its path, its body. Each fault has its status, and the message that logs show.
//! Not here: the syntax of heads (`http1`), and what is answered.

use config::model::Level;
use http::Method;
use http1::Version;

use crate::answer::Step;
use crate::downstream::h1::H1;
use crate::request::{Request, Uri};
use crate::route::Host;
use crate::uri::parse_target;

impl Request {
    /// Finds out what is asked; the step to begin with.
    pub(crate) fn begin(&mut self, client: &mut H1) -> Step {
        self.pipelined = client.has_input();
        match self.understand() {
            Ok(()) => {
                let settings = self.settings();
                let expects = self.head.version == Version::H11 && self.head.fields.has_token("expect", "100-continue");
                client.begin_body(self.framing, settings.client_max_body_size, settings.client_body_timeout, expects);
                Step::Route
            }
            Err((status, message)) => {
                self.log(Level::Info, &format!("{message} while reading client request headers"), None);
                self.keep_alive = false;
                Step::Status(status)
            }
        }
    }

    fn understand(&mut self) -> Result<(), (u16, &'static str)> {
        let target = self.head.target().to_vec();
        if self.head.method == Method::CONNECT {
            return Err((405, "client sent CONNECT method"));
        }
        let merge_slashes = self.server().settings.merge_slashes;
        let target = parse_target(&target, merge_slashes).map_err(|_| (400, "client sent invalid request"))?;
        self.uri = Uri::new(&target);
        self.find_server(target.authority)?;
        self.framing = http1::request_framing(&self.head).map_err(|error| (error.status(), framing_message(error)))?;
        if self.head.method == Method::TRACE {
            return Err((405, "client sent TRACE method"));
        }
        Ok(())
    }

    /// The authority of an absolute-form target wins over `Host` (RFC 9112 §3.2.2).
    fn find_server(&mut self, authority: Option<&[u8]>) -> Result<(), (u16, &'static str)> {
        const INVALID: (u16, &str) = (400, "client sent invalid host header");
        let field = self.head.fields.get("host");
        if field.is_none() && self.head.version == Version::H11 {
            return Err((400, "client sent HTTP/1.1 request without \"Host\" header"));
        }
        if let Some(field) = field {
            Host::parse(field).map_err(|_| INVALID)?;
        }
        let Some(text) = authority.or(field).filter(|text| !text.is_empty()) else {
            self.host = self.server_name().into_bytes();
            return Ok(());
        };
        let host = Host::parse(text).map_err(|_| INVALID)?.name.into_owned();
        let generation = self.generation.clone();
        let hosts = generation.tables.hosts(&self.connection.listen.address, self.connection.local);
        if let Some(hosts) = hosts {
            let found = hosts.names.find(&host, self.captures.get_mut());
            self.server = found.map_err(|_| (500, "a server_name expression could not be matched"))?;
        }
        self.host = host;
        Ok(())
    }
}

fn framing_message(error: http1::FramingError) -> &'static str {
    use http1::FramingError::{
        CodingInHttp10, DuplicateCoding, DuplicateLength, Length, LengthAndCoding, UnknownCoding,
    };
    match error {
        Length => "client sent invalid \"Content-Length\" header",
        DuplicateLength => "client sent duplicate header line: \"Content-Length\"",
        LengthAndCoding => "client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time",
        UnknownCoding => "client sent unknown \"Transfer-Encoding\"",
        DuplicateCoding => "client sent duplicate header line: \"Transfer-Encoding\"",
        CodingInHttp10 => "client sent HTTP/1.0 request with \"Transfer-Encoding\" header",
    }
}
