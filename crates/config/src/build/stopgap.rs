//! STOPGAP, to be deleted with the arrival of lexer, parser, units, template and variables: the barest reader of text,
//! without includes and without faults of its own, so that the builder can be worked on and tested. Nothing but
//! `load.rs` and `text.rs` may use it.
#![allow(clippy::all, missing_docs, unreachable_pub)]

use crate::model::{Capture, Part, Template, Variable};
use crate::tree::*;
use std::time::Duration;

pub fn parse(text: &str) -> Tree {
    let mut p = P { s: text.as_bytes(), i: 0 };
    let directives = p.block();
    Tree { files: vec![SourceFile { path: "test.conf".into(), text: text.into() }], directives }
}
struct P<'a> {
    s: &'a [u8],
    i: usize,
}
impl P<'_> {
    fn ws(&mut self) {
        while self.i < self.s.len() {
            match self.s[self.i] {
                b' ' | b'\t' | b'\n' | b'\r' => self.i += 1,
                b'#' => {
                    while self.i < self.s.len() && self.s[self.i] != b'\n' {
                        self.i += 1
                    }
                }
                _ => return,
            }
        }
    }
    fn word(&mut self) -> Word {
        let start = self.i;
        let mut text = Vec::new();
        let q = self.s[self.i];
        let quoted = q == b'"' || q == b'\'';
        if quoted {
            self.i += 1;
        }
        while self.i < self.s.len() {
            let c = self.s[self.i];
            if c == b'\\' && self.i + 1 < self.s.len() {
                let n = self.s[self.i + 1];
                match n {
                    b'n' => text.push(b'\n'),
                    b't' => text.push(b'\t'),
                    b'r' => text.push(b'\r'),
                    b'"' | b'\'' | b'\\' => text.push(n),
                    _ => {
                        text.push(c);
                        text.push(n);
                    }
                }
                self.i += 2;
                continue;
            }
            if quoted {
                if c == q {
                    self.i += 1;
                    break;
                }
            } else if c == b'{' && text.last() == Some(&b'$') {
                text.push(c);
                self.i += 1;
                continue;
            } else if matches!(c, b' ' | b'\t' | b'\n' | b';' | b'{') {
                break;
            }
            text.push(c);
            self.i += 1;
        }
        Word {
            text: String::from_utf8_lossy(&text).into_owned(),
            quoted,
            span: Span { file: 0, start: start as u32, end: self.i as u32 },
        }
    }
    fn block(&mut self) -> Vec<Directive> {
        let mut out = Vec::new();
        loop {
            self.ws();
            if self.i >= self.s.len() {
                return out;
            }
            if self.s[self.i] == b'}' {
                self.i += 1;
                return out;
            }
            let name = self.word();
            let mut args = Vec::new();
            let block = loop {
                self.ws();
                if self.i >= self.s.len() {
                    break None;
                }
                match self.s[self.i] {
                    b';' => {
                        self.i += 1;
                        break None;
                    }
                    b'{' => {
                        self.i += 1;
                        break Some(self.block());
                    }
                    _ => args.push(self.word()),
                }
            };
            let span = Span { file: 0, start: name.span.start, end: self.i as u32 };
            out.push(Directive { name, args, block, span });
        }
    }
}

pub fn variable(name: &str) -> Option<Variable> {
    let family: &[(&str, fn(Box<str>) -> Variable)] = &[
        ("arg_", Variable::Arg),
        ("cookie_", Variable::Cookie),
        ("http_", Variable::Http),
        ("sent_http_", Variable::SentHttp),
        ("sent_trailer_", Variable::SentTrailer),
        ("upstream_http_", Variable::UpstreamHttp),
        ("upstream_cookie_", Variable::UpstreamCookie),
        ("upstream_trailer_", Variable::UpstreamTrailer),
    ];
    for (start, make) in family {
        if let Some(rest) = name.strip_prefix(start) {
            return Some(make(rest.into()));
        }
    }
    Some(match name {
        "args" => Variable::Args,
        "content_length" => Variable::ContentLength,
        "content_type" => Variable::ContentType,
        "document_root" => Variable::DocumentRoot,
        "document_uri" => Variable::DocumentUri,
        "host" => Variable::Host,
        "is_args" => Variable::IsArgs,
        "query_string" => Variable::QueryString,
        "realpath_root" => Variable::RealpathRoot,
        "remote_user" => Variable::RemoteUser,
        "request" => Variable::Request,
        "request_body" => Variable::RequestBody,
        "request_body_file" => Variable::RequestBodyFile,
        "request_completion" => Variable::RequestCompletion,
        "request_filename" => Variable::RequestFilename,
        "request_id" => Variable::RequestId,
        "request_length" => Variable::RequestLength,
        "request_method" => Variable::RequestMethod,
        "request_time" => Variable::RequestTime,
        "request_uri" => Variable::RequestUri,
        "server_protocol" => Variable::ServerProtocol,
        "uri" => Variable::Uri,
        "binary_remote_addr" => Variable::BinaryRemoteAddr,
        "connection" => Variable::Connection,
        "connection_requests" => Variable::ConnectionRequests,
        "connection_time" => Variable::ConnectionTime,
        "https" => Variable::Https,
        "pipe" => Variable::Pipe,
        "proxy_protocol_addr" => Variable::ProxyProtocolAddr,
        "proxy_protocol_port" => Variable::ProxyProtocolPort,
        "proxy_protocol_server_addr" => Variable::ProxyProtocolServerAddr,
        "proxy_protocol_server_port" => Variable::ProxyProtocolServerPort,
        "remote_addr" => Variable::RemoteAddr,
        "remote_port" => Variable::RemotePort,
        "scheme" => Variable::Scheme,
        "server_addr" => Variable::ServerAddr,
        "server_name" => Variable::ServerName,
        "server_port" => Variable::ServerPort,
        "body_bytes_sent" => Variable::BodyBytesSent,
        "bytes_sent" => Variable::BytesSent,
        "status" => Variable::Status,
        "hostname" => Variable::Hostname,
        "msec" => Variable::Msec,
        "nginx_version" => Variable::NginxVersion,
        "pid" => Variable::Pid,
        "time_iso8601" => Variable::TimeIso8601,
        "time_local" => Variable::TimeLocal,
        "proxy_add_x_forwarded_for" => Variable::ProxyAddXForwardedFor,
        "proxy_host" => Variable::ProxyHost,
        "proxy_port" => Variable::ProxyPort,
        "upstream_addr" => Variable::UpstreamAddr,
        "upstream_bytes_received" => Variable::UpstreamBytesReceived,
        "upstream_bytes_sent" => Variable::UpstreamBytesSent,
        "upstream_connect_time" => Variable::UpstreamConnectTime,
        "upstream_header_time" => Variable::UpstreamHeaderTime,
        "upstream_response_length" => Variable::UpstreamResponseLength,
        "upstream_response_time" => Variable::UpstreamResponseTime,
        "upstream_status" => Variable::UpstreamStatus,
        digit if digit.len() == 1 && digit != "0" => Variable::Capture(Capture::Number(digit.parse().ok()?)),
        _ => return None,
    })
}

/// The template, and the names that nothing knows.
pub fn template(text: &str, find: impl Fn(&str) -> Option<Variable>) -> (Template, Vec<String>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut literal = String::new();
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        literal.push_str(&rest[..place]);
        let after = &rest[place + 1..];
        let (name, next) = if let Some(inner) = after.strip_prefix('{') {
            match inner.split_once('}') {
                Some(split) => split,
                None => ("", after),
            }
        } else if after.starts_with(|c: char| c.is_ascii_digit()) {
            after.split_at(1)
        } else {
            after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len()))
        };
        if name.is_empty() {
            unknown.push(String::new());
            literal.push('$');
            rest = after;
            continue;
        }
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal).into_bytes().into()));
        }
        match find(name) {
            Some(v) => parts.push(Part::Variable(v)),
            None => unknown.push(name.to_owned()),
        }
        rest = next;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal.into_bytes().into()));
    }
    (Template { source: text.into(), parts }, unknown)
}

pub fn time(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let millis: u64 = match &after[..unit] {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "M" => 2_592_000_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = &after[unit..];
    }
    Some(total)
}
