//! What one run of a case saw, with names in the place of what varies from run to run: addresses, dates, the server's
//! name. Nothing else is changed: two transcripts that differ differ for a reason.

use std::hash::{DefaultHasher, Hasher};
use std::sync::LazyLock;

use regex::Regex;

use crate::support::bytes::show;
use crate::support::message::{End, Message};
use crate::support::place::Place;

pub(crate) struct Transcript {
    /// What the client received, in order.
    pub(crate) responses: Vec<Seen>,
    /// What each origin received, in order.
    pub(crate) requests: Vec<(String, Vec<Seen>)>,
    pub(crate) access_log: Vec<String>,
    /// In nginx's form: what stands behind it of a failure is in `failures`.
    pub(crate) error_log: Vec<String>,
    /// The failures that the error log names: code, cause and what was seen.
    pub(crate) failures: Vec<String>,
    /// Lines of the error log that tell of an endpoint's failure and do not name its cause.
    pub(crate) unnamed: Vec<String>,
    /// What went otherwise than the case says.
    pub(crate) problems: Vec<String>,
}

/// A message as text that can be compared.
pub(crate) struct Seen {
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) end: End,
    /// The length of the body as received and as it is here, if names have changed it.
    pub(crate) renamed: Option<(usize, usize)>,
}

static SERVER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:nginx|tidegate)/[0-9][0-9.]*"));
static BARE_SERVER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(^|<center>)(?:nginx|tidegate)($|</center>)"));
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file compiles")
}

impl Seen {
    pub(crate) fn new(message: &Message, place: &Place) -> Seen {
        let boundary = message
            .field("Content-Type")
            .and_then(|kind| kind.split_once("boundary="))
            .map(|(_, boundary)| boundary.to_owned());
        let rename = |text: &str| {
            let text = place.unfill(text);
            let text = SERVER.replace_all(&text, "{{server}}/{{version}}");
            match &boundary {
                Some(boundary) => text.replace(boundary, "{{boundary}}"),
                None => text.into_owned(),
            }
        };
        let shown = show_body(&message.body);
        let body = BARE_SERVER.replace_all(&rename(&shown), "${1}{{server}}${2}").into_owned();
        let renamed = (body != shown && !message.start.is_empty()).then_some((message.body.len(), body.len()));
        let name_field = |(name, value): &(String, String)| (name.clone(), name_value(name, &rename(value), renamed));
        Seen {
            start: rename(&message.start),
            fields: message.fields.iter().map(name_field).collect(),
            trailers: message.trailers.iter().map(name_field).collect(),
            body,
            end: message.end,
            renamed,
        }
    }
}

/// A body as text; one of megabytes by its length and a hash, which tell just as well whether two are the same.
fn show_body(body: &[u8]) -> String {
    const WHOLE: usize = 1 << 20;
    if body.len() <= WHOLE {
        return show(body);
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("{} bytes with the hash {:x}", body.len(), hasher.finish())
}

fn name_value(name: &str, value: &str, renamed: Option<(usize, usize)>) -> String {
    match name.to_ascii_lowercase().as_str() {
        "date" => DATE.replace(value, "{{date}}").into_owned(),
        "server" => BARE_SERVER.replace(value, "{{server}}").into_owned(),
        "content-length" => match renamed {
            Some((from, to)) if value == from.to_string() => to.to_string(),
            _ => value.to_owned(),
        },
        _ => value.to_owned(),
    }
}

impl std::fmt::Display for Transcript {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, response) in self.responses.iter().enumerate() {
            writeln!(out, "  response {}: {response}", index + 1)?;
        }
        for (name, requests) in &self.requests {
            for (index, request) in requests.iter().enumerate() {
                writeln!(out, "  {name}, request {}: {request}", index + 1)?;
            }
        }
        writeln!(out, "  access log:\n    {}", self.access_log.join("\n    "))?;
        writeln!(out, "  error log:\n    {}", self.error_log.join("\n    "))?;
        write!(out, "  failures:\n    {}", self.failures.join("\n    "))
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 400;
        writeln!(out, "{}", self.start)?;
        for (name, value) in self.fields.iter().chain(&self.trailers) {
            writeln!(out, "    {name}: {value}")?;
        }
        let body: String = self.body.chars().take(SHOWN).collect();
        write!(out, "    {} bytes of body, end {:?}: {body:?}", self.body.len(), self.end)
    }
}
