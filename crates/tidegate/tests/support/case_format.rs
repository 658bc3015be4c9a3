//! The text of a case file, read into a `Case`: its sections. Steps of scripts are `step_format`'s.
//!
//! A file opens with a `#` comment that says the behaviour. Sections follow, each a header at the left edge with its
//! lines indented below; one-line sections may stand behind the colon:
//!
//! | section | what it says |
//! |---|---|
//! | `server:` `http:` `config:` | the configuration: what stands in the server block, in the http block, or the whole file; with `next` before it, what `write next config` puts there |
//! | `file PATH:` | a file with this content (`size N` makes N bytes) |
//! | `directory PATH` | an empty directory |
//! | `link PATH: TARGET` | a symbolic link |
//! | `origin NAME DOOR:` | a server behind the gateway; DOOR is `ipv6`, `unix`, `refused` or `late` (refused until the moment `open`), else TCP; its script is `echo`, or blocks `on request`, `on every request`, `on connection`, `on every connection` |
//! | `client:` | the client's script |
//! | `access log:` | every line of the access log |
//! | `error log:` | lines of the error log; one of level `warn` or above that is not listed fails |
//! | `failures:` | every failure that the gateway's error log names, in order: code, cause, and what was seen |
//! | `differ:` | `PLACE: reason`, a difference to nginx that is accepted; PLACE as a failed comparison prints it, `*` for anything |
//! | `needs:` | `ipv6`: the case is skipped where there is none |
//!
//! `{{listen}}`, `{{listen2}}`, … are listening addresses, `{{NAME}}` the address of an origin, `{{dir}}` the case's directory.

use crate::support::case::{Blocks, Case, Config, Content, Difference, Door, File, Origin, Scope, Script};
use crate::support::step_format::{Side, read_steps};

/// A line of a section, with the deeper-indented lines under it.
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) below: Vec<Line>,
}

struct Section {
    line: usize,
    name: String,
    /// What stands behind the colon.
    inline: String,
    /// The lines below, with their indentation cut.
    body: String,
}

/// Reads a case file; the error names the line.
pub(crate) fn read_case(text: &str) -> Result<Case, String> {
    let mut case = Case {
        title: read_title(text),
        needs: Vec::new(),
        config: Config { scope: Scope::File, text: String::new() },
        next: None,
        files: Vec::new(),
        origins: Vec::new(),
        client: Vec::new(),
        access_log: None,
        error_log: None,
        failures: None,
        differ: Vec::new(),
    };
    if case.title.is_empty() {
        return Err("line 1: open with a comment that says the behaviour: # …".to_owned());
    }
    for section in read_sections(text)? {
        let line = section.line;
        add_section(&mut case, section)
            .map_err(|why| if why.starts_with("line ") { why } else { format!("line {line}: {why}") })?;
    }
    if case.config.text.is_empty() || case.client.is_empty() {
        return Err("a case needs a configuration (server:, http: or config:) and a client:".to_owned());
    }
    Ok(case)
}

fn read_title(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix('#'));
    comment.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn read_sections(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let at_edge = !line.starts_with(' ') && !line.is_empty();
        match sections.last_mut() {
            _ if line.starts_with('#') => {}
            _ if at_edge => sections.push(read_header(index + 1, line)?),
            Some(section) => {
                section.body.push_str(line.strip_prefix("    ").unwrap_or(line.trim_start()));
                section.body.push('\n');
            }
            None if line.trim().is_empty() => {}
            None => {
                return Err(format!("line {}: expected a section such as `server:`", index + 1));
            }
        }
    }
    for section in &mut sections {
        section.body.truncate(section.body.trim_end().len());
        section.body.push('\n');
    }
    Ok(sections)
}

/// `NAME:`, `NAME: INLINE`, or `directory PATH`, below which nothing stands.
fn read_header(line: usize, text: &str) -> Result<Section, String> {
    let (name, inline) = match text.split_once(':') {
        Some(parts) => parts,
        None if text.starts_with("directory ") => (text, ""),
        None => return Err(format!("line {line}: a section header ends with a colon")),
    };
    Ok(Section { line, name: name.trim().to_owned(), inline: inline.trim().to_owned(), body: String::new() })
}

fn add_section(case: &mut Case, section: Section) -> Result<(), String> {
    let words: Vec<&str> = section.name.split_whitespace().collect();
    match words.as_slice() {
        ["next", scope] => case.next = Some(Config { scope: read_scope(scope)?, text: section.text() }),
        [scope @ ("server" | "http" | "config")] => {
            case.config = Config { scope: read_scope(scope)?, text: section.text() }
        }
        ["file", path @ ..] => case.add_file(path, Content::Bytes(section.content()?)),
        ["directory", path @ ..] => case.add_file(path, Content::Directory),
        ["link", path @ ..] => case.add_file(path, Content::Link(section.inline)),
        ["origin", about @ ..] => case.origins.push(read_origin(about, &section)?),
        ["client"] => case.client = read_steps(&section.lines()?, Side::Client)?,
        ["access", "log"] => case.access_log = Some(section.texts()),
        ["error", "log"] => case.error_log = Some(section.texts()),
        ["failures"] => case.failures = Some(section.texts()),
        ["differ"] => {
            case.differ = section.texts().iter().map(|text| read_difference(text)).collect::<Result<_, _>>()?
        }
        ["needs"] => case.needs.push(section.inline),
        _ => return Err(format!("unknown section `{}`", section.name)),
    }
    Ok(())
}

impl Case {
    fn add_file(&mut self, path: &[&str], content: Content) {
        self.files.push(File { path: path.join(" "), content });
    }
}

fn read_scope(word: &str) -> Result<Scope, String> {
    match word {
        "server" => Ok(Scope::Server),
        "http" => Ok(Scope::Http),
        "config" => Ok(Scope::File),
        other => Err(format!("expected server, http or config, found `{other}`")),
    }
}

fn read_difference(text: &str) -> Result<Difference, String> {
    let (place, reason) = text.split_once(": ").ok_or("a difference reads PLACE: reason")?;
    Ok(Difference { place: place.to_owned(), reason: reason.to_owned() })
}

fn read_origin(about: &[&str], section: &Section) -> Result<Origin, String> {
    let mut origin = Origin { name: "origin".to_owned(), door: Door::Tcp, script: Script::Echo };
    for word in about {
        match *word {
            "ipv6" => origin.door = Door::Ipv6,
            "unix" => origin.door = Door::Unix,
            "refused" => origin.door = Door::Refused,
            "late" => origin.door = Door::Late,
            name => origin.name = name.to_owned(),
        }
    }
    match section.inline.as_str() {
        "echo" => {}
        "" if origin.door == Door::Refused => {}
        "" => origin.script = read_script(&section.lines()?)?,
        other => return Err(format!("expected `echo` or blocks below, found `{other}`")),
    }
    Ok(origin)
}

fn read_script(lines: &[Line]) -> Result<Script, String> {
    let mut blocks = Blocks { first: Vec::new(), every: None };
    let mut by_request = None;
    for line in lines {
        let wrong = || {
            format!(
                "line {}: expected `on [every] request` or `on [every] connection`, one of the two in an origin",
                line.number
            )
        };
        let words: Vec<&str> = line.text.split_whitespace().collect();
        let (every, what) = match words.as_slice() {
            ["on", "every", what] => (true, *what),
            ["on", what] => (false, *what),
            _ => return Err(wrong()),
        };
        if !matches!(what, "request" | "connection") || by_request.is_some_and(|by| by != (what == "request")) {
            return Err(wrong());
        }
        by_request = Some(what == "request");
        let steps = read_steps(&line.below, Side::Origin)?;
        if every { blocks.every = Some(steps) } else { blocks.first.push(steps) }
    }
    Ok(if by_request == Some(true) { Script::Requests(blocks) } else { Script::Connections(blocks) })
}

impl Section {
    /// The whole text: what stands behind the colon, or below.
    fn text(&self) -> String {
        if self.inline.is_empty() { self.body.clone() } else { self.inline.clone() }
    }

    /// A file's content. `size N` counts up in digits, so that a range of it is recognised.
    fn content(&self) -> Result<Vec<u8>, String> {
        if let Some(size) = self.inline.strip_prefix("size ") {
            let size = size.parse().map_err(|_| format!("`{size}` is no size"))?;
            return Ok(b"0123456789".iter().copied().cycle().take(size).collect());
        }
        if self.inline == "empty" {
            return Ok(Vec::new());
        }
        Ok(self.text().into_bytes())
    }

    fn texts(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.text().lines().map(|line| line.trim().to_owned()).collect();
        lines.retain(|line| !line.is_empty());
        lines
    }

    fn lines(&self) -> Result<Vec<Line>, String> {
        let numbered = self.body.lines().enumerate().map(|(index, text)| (self.line + 1 + index, text));
        let mut lines =
            numbered.filter(|(_, text)| !text.trim().is_empty() && !text.trim_start().starts_with('#')).peekable();
        read_lines(&mut lines, 0)
    }
}

fn read_lines<'b>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = (usize, &'b str)>>,
    depth: usize,
) -> Result<Vec<Line>, String> {
    let mut read: Vec<Line> = Vec::new();
    while let Some(&(number, text)) = lines.peek() {
        let indent = text.len() - text.trim_start().len();
        if indent < depth {
            break;
        }
        if indent > depth {
            let above = read.last_mut().ok_or_else(|| format!("line {number}: indented under nothing"))?;
            above.below = read_lines(lines, indent)?;
            continue;
        }
        lines.next();
        read.push(Line { number, text: text.trim().to_owned(), below: Vec::new() });
    }
    Ok(read)
}
