//! The steps of a client's or an origin's script, read from their lines. Sections are `case_format`'s.
//!
//! Both sides: `send "…"`, `recv`, `recv bodiless`, `recv head`, `recv "…"`, `recv until "…"`, `recv eof`, `recv end`,
//! `drip "…"` (sent again and again until the peer ends the connection), `shutdown`, `close`, `reset`, `notify MOMENT`, `await MOMENT`, `expect …`.
//! The client: `get URI` (any method; `1.0` behind the URI; fields and a quoted body below), `repeat get URI until body "…"` (or what else `expect` or `FILE shows TEXT` say),
//! `connect [NAME] [to ADDRESS]`, `on NAME`, `crowd N` (as many connections, `/` asked on each), `crowd N again` (on the same ones), `kill HUP`, `write next config`, `rename A B`, `FILE shows TEXT`,
//! `server exits 0`, `memory below 64 MiB`.
//! An origin: `answer 200` (fields and a quoted body below), `echo`, `stall`.
//! `expect` is followed by a start line, `field NAME: VALUE`, `no field NAME`, `trailer NAME: VALUE`, `body "…"`, `body has "…"`,
//! `body size N`, `complete` or `truncated`. In start lines and values, `...` stands for anything, and `|` in start lines for or.

use crate::support::bytes::read_quoted;
use crate::support::case::{Act, ClientAct, Expect, OriginAct, Receive, Request, Signal, Step, Until, WireAct};
use crate::support::case_format::Line;

/// Whose script it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Origin,
}

pub(crate) fn read_steps(lines: &[Line], side: Side) -> Result<Vec<Step>, String> {
    let read = |line: &Line| match read_act(line, side) {
        Ok(act) => Ok(Step { line: line.number, act }),
        Err(why) => Err(format!("line {}: {why}", line.number)),
    };
    lines.iter().map(read).collect()
}

fn read_act(line: &Line, side: Side) -> Result<Act, String> {
    let (word, rest) = line.text.split_once(' ').unwrap_or((line.text.as_str(), ""));
    let rest = rest.trim();
    match word {
        "send" => Ok(Act::Wire(WireAct::Send(quoted(rest, &line.below)?))),
        "recv" => Ok(Act::Wire(WireAct::Receive(read_receive(rest)?))),
        "drip" => Ok(Act::Wire(WireAct::Drip(quoted(rest, &line.below)?))),
        "shutdown" => Ok(Act::Wire(WireAct::Shutdown)),
        "close" => Ok(Act::Wire(WireAct::Close)),
        "reset" => Ok(Act::Wire(WireAct::Reset)),
        "notify" => Ok(Act::Notify(rest.to_owned())),
        "await" => Ok(Act::Await(rest.to_owned())),
        "expect" => Ok(Act::Expect(read_expect(rest)?)),
        _ if side == Side::Client => Ok(Act::Client(read_client_act(word, rest, &line.below)?)),
        _ => Ok(Act::Origin(read_origin_act(word, rest, &line.below)?)),
    }
}

/// The quoted bytes of a line and of those below it.
fn quoted(rest: &str, below: &[Line]) -> Result<Vec<u8>, String> {
    let mut bytes = read_quoted(rest)?;
    for line in below {
        bytes.extend(read_quoted(&line.text)?);
    }
    Ok(bytes)
}

fn read_receive(rest: &str) -> Result<Receive, String> {
    match rest {
        "" => Ok(Receive::Message),
        "bodiless" => Ok(Receive::Bodiless),
        "head" => Ok(Receive::Head),
        "eof" => Ok(Receive::Eof),
        "end" => Ok(Receive::End),
        _ => match rest.strip_prefix("until ") {
            Some(text) => read_quoted(text).map(Receive::Until),
            None => read_quoted(rest).map(Receive::Exactly),
        },
    }
}

fn read_expect(rest: &str) -> Result<Expect, String> {
    let (word, what) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "complete" => Ok(Expect::Complete),
        "truncated" => Ok(Expect::Truncated),
        "field" => name_and_value(what).map(|(name, value)| Expect::Field(name, value)),
        "trailer" => name_and_value(what).map(|(name, value)| Expect::Trailer(name, value)),
        "no" => Ok(Expect::NoField(what.strip_prefix("field ").ok_or("expected `no field NAME`")?.to_owned())),
        "body" => read_body_expect(what),
        _ => Ok(Expect::Start(rest.to_owned())),
    }
}

fn read_body_expect(what: &str) -> Result<Expect, String> {
    if let Some(text) = what.strip_prefix("has ") {
        return read_quoted(text).map(Expect::BodyHas);
    }
    if let Some(size) = what.strip_prefix("size ") {
        return size.parse().map(Expect::BodySize).map_err(|_| format!("`{size}` is no size"));
    }
    read_quoted(what).map(Expect::Body)
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn read_client_act(word: &str, rest: &str, below: &[Line]) -> Result<ClientAct, String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    match (word, words.as_slice()) {
        ("connect", []) => Ok(connect("main", "{{listen}}")),
        ("connect", ["to", to]) => Ok(connect("main", to)),
        ("connect", [name]) => Ok(connect(name, "{{listen}}")),
        ("connect", [name, "to", to]) => Ok(connect(name, to)),
        ("on", [name]) => Ok(ClientAct::On((*name).to_owned())),
        ("crowd", [count, again @ ..]) if matches!(again, [] | ["again"]) => {
            let count = count.parse().map_err(|_| "expected a number of connections".to_owned())?;
            Ok(ClientAct::Crowd { count, again: !again.is_empty() })
        }
        ("kill", [signal]) => read_signal(signal).map(ClientAct::Kill),
        ("write", ["next", "config"]) => Ok(ClientAct::WriteNextConfig),
        ("rename", [from, to]) => Ok(ClientAct::Rename { from: (*from).to_owned(), to: (*to).to_owned() }),
        ("server", ["exits", code]) => {
            code.parse().map(ClientAct::Exits).map_err(|_| "expected an exit code".to_owned())
        }
        ("memory", ["below", size, "MiB"]) => {
            size.parse().map(ClientAct::MemoryBelow).map_err(|_| "expected a size".to_owned())
        }
        ("repeat", _) => read_repeat(rest, below),
        (file, ["shows", ..]) => {
            let text = rest.strip_prefix("shows ").unwrap_or_default();
            Ok(ClientAct::FileShows { file: file.to_owned(), text: text.to_owned() })
        }
        (method, [uri]) => read_request(method, uri, "1.1", below).map(ClientAct::Request),
        (method, [uri, version @ ("1.0" | "1.1")]) => read_request(method, uri, version, below).map(ClientAct::Request),
        _ => Err(format!("unknown step `{word} {rest}`")),
    }
}

fn connect(name: &str, to: &str) -> ClientAct {
    ClientAct::Connect { name: name.to_owned(), to: to.to_owned() }
}

fn read_repeat(rest: &str, below: &[Line]) -> Result<ClientAct, String> {
    let (request, until) = rest.split_once(" until ").ok_or("expected `repeat get URI until …`")?;
    let (method, uri) = request.split_once(' ').ok_or("expected a method and a URI")?;
    let until = match until.split_once(" shows ") {
        Some((file, text)) => Until::FileShows { file: file.to_owned(), text: text.to_owned() },
        None => Until::Answer(read_expect(until)?),
    };
    Ok(ClientAct::Repeat(read_request(method, uri, "1.1", below)?, until))
}

/// A request; its Host is `example.com` unless a field below says another, its Content-Length follows from a quoted body.
fn read_request(method: &str, uri: &str, version: &str, below: &[Line]) -> Result<Request, String> {
    if !method.chars().all(|letter| letter.is_ascii_lowercase()) {
        return Err(format!("unknown step `{method}`"));
    }
    let method = method.to_ascii_uppercase();
    let mut head = format!("{method} {uri} HTTP/{version}\r\n");
    let (fields, body) = fields_and_body(below)?;
    if version == "1.1" && !fields.iter().any(|field| field.starts_with("Host:")) {
        head.push_str("Host: example.com\r\n");
    }
    for field in &fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    if let Some(body) = &body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    Ok(Request { head, body: body.unwrap_or_default(), bodiless_answer: method == "HEAD" })
}

fn fields_and_body(below: &[Line]) -> Result<(Vec<String>, Option<Vec<u8>>), String> {
    let mut fields = Vec::new();
    let mut body: Option<Vec<u8>> = None;
    for line in below {
        if line.text.starts_with(|first: char| first == '"' || first.is_ascii_digit()) {
            body.get_or_insert_default().extend(read_quoted(&line.text)?);
        } else if line.text.contains(':') {
            fields.push(line.text.clone());
        } else {
            return Err(format!("line {}: expected `Name: value` or a quoted body", line.number));
        }
    }
    Ok((fields, body))
}

fn read_signal(name: &str) -> Result<Signal, String> {
    match name {
        "HUP" => Ok(Signal::Hup),
        "QUIT" => Ok(Signal::Quit),
        "TERM" => Ok(Signal::Term),
        "INT" => Ok(Signal::Int),
        "USR1" => Ok(Signal::Usr1),
        "USR2" => Ok(Signal::Usr2),
        "WINCH" => Ok(Signal::Winch),
        other => Err(format!("unknown signal {other}")),
    }
}

fn read_origin_act(word: &str, rest: &str, below: &[Line]) -> Result<OriginAct, String> {
    match (word, rest) {
        ("echo", "") => Ok(OriginAct::Echo),
        ("stall", "") => Ok(OriginAct::Stall),
        ("answer", status) => {
            let (fields, body) = fields_and_body(below)?;
            let status = if status.contains(' ') { status.to_owned() } else { format!("{status} {}", reason(status)) };
            Ok(OriginAct::Answer { status, fields, body: body.unwrap_or_default() })
        }
        _ => Err(format!("unknown step `{word} {rest}`")),
    }
}

fn reason(status: &str) -> &'static str {
    match status {
        "200" => "OK",
        "204" => "No Content",
        "301" => "Moved Permanently",
        "302" => "Found",
        "304" => "Not Modified",
        "404" => "Not Found",
        "500" => "Internal Server Error",
        "502" => "Bad Gateway",
        "503" => "Service Unavailable",
        _ => "Status",
    }
}
