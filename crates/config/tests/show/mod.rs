//! A configuration in compact form: what differs from the defaults, in Rust's debug notation with templates as
//! `` `text` ``. Not here: what is right.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};

use config::Loaded;
use config::model::{Config, Location, Server, Settings};
use config::tree::{Span, Tree};

/// What is said, then what it means.
pub(crate) fn loaded(loaded: &Loaded) -> String {
    let mut out = String::new();
    for said in &loaded.diagnostics {
        let _ = writeln!(out, "{}{}: {}", said.severity.word(), place(&loaded.tree, said.span), said.message);
        if let Some((span, what)) = &said.related {
            let _ = writeln!(out, "    at{}: {what}", place(&loaded.tree, *span));
        }
        if let Some(help) = &said.help {
            let _ = writeln!(out, "    help: {help}");
        }
    }
    if let Some(config) = &loaded.config {
        out.push_str(&meaning(config));
    }
    out
}

/// ` LINE:COLUMN`, with the file's name in front if it is not the main one; nothing for what has no place.
fn place(tree: &Tree, span: Span) -> String {
    let Some((file, place)) = tree.file(span).zip(tree.position(span)) else { return String::new() };
    let name = file.path.strip_prefix("/etc/nginx").unwrap_or(&file.path).display().to_string();
    let name = if name == "nginx.conf" { String::new() } else { format!("{name}:") };
    format!(" {name}{}:{}", place.line, place.column)
}

fn meaning(config: &Config) -> String {
    let default = config::load_text("events {} http { }");
    let default = default.config.expect("an empty http block is right");
    let mut out = String::new();
    out.push_str(&differences("main: ", &config.main, &default.main));
    for format in config.log_formats.iter().skip(1) {
        let _ = writeln!(out, "{}", compact(format));
    }
    for map in &config.maps {
        let _ = writeln!(out, "{}", compact(map));
    }
    for upstream in &config.upstreams {
        let _ = writeln!(out, "{}", compact(upstream));
    }
    out.push_str(&settings("http: ", &config.http, &default.http));
    for each in &config.servers {
        server(&mut out, each, &config.http);
    }
    out
}

fn server(out: &mut String, server: &Server, http: &Settings) {
    let names: Vec<String> = server.names.iter().map(|name| name.text()).collect();
    let _ = writeln!(out, "server {names:?}");
    for listen in &server.listens {
        let _ = writeln!(out, "  {}", compact(listen));
    }
    let default = config::load_text("events {} http { server { } }");
    let default = default.config.expect("an empty server is right");
    if let Some(default) = default.servers.first() {
        let found = differences("  ", &server.settings, &default.settings);
        out.push_str(&found);
    }
    location(out, &server.root, http, 1);
    for named in &server.named {
        location(out, named, &server.root.settings, 2);
    }
}

fn location(out: &mut String, location: &Location, outer: &Settings, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}{}", compact(&location.pattern));
    for set in &location.sets {
        let _ = writeln!(out, "{indent}  set: {}", compact(set));
    }
    if let Some(answer) = &location.answer {
        let _ = writeln!(out, "{indent}  return: {}", compact(answer));
    }
    if location.internal {
        let _ = writeln!(out, "{indent}  internal");
    }
    out.push_str(&settings(&format!("{indent}  "), &location.settings, outer));
    for child in &location.children {
        self::location(out, child, &location.settings, depth + 1);
    }
}

/// The settings that differ from those around, the proxy's one by one.
fn settings(lead: &str, found: &Settings, outer: &Settings) -> String {
    let mut out: String = differences(lead, found, outer)
        .lines()
        .filter(|line| !line.starts_with(&format!("{lead}proxy: ")))
        .filter(|line| !line.starts_with(&format!("{lead}types: ")))
        .map(|line| format!("{line}\n"))
        .collect();
    if found.types != outer.types {
        let sorted: BTreeMap<_, _> = found.types.by_extension.iter().collect();
        let _ = writeln!(out, "{lead}types: {sorted:?}");
    }
    out.push_str(&differences(&format!("{lead}proxy."), &*found.proxy, &*outer.proxy));
    out
}

/// The fields of a struct that differ from another's, a line each.
fn differences<T: Debug>(lead: &str, found: &T, outer: &T) -> String {
    fields(found)
        .iter()
        .zip(fields(outer))
        .filter(|(found, outer)| *found != outer)
        .map(|(found, _)| format!("{lead}{found}\n"))
        .collect()
}

/// A struct's fields as `name: value`, by their indentation in the long debug form.
fn fields<T: Debug>(value: &T) -> Vec<String> {
    let text = format!("{value:#?}");
    let mut fields: Vec<String> = Vec::new();
    let inner = text.lines().skip(1).filter(|line| line.starts_with("    "));
    for line in inner {
        let body = line.trim();
        match fields.last_mut() {
            Some(last) if line.starts_with("     ") || body.starts_with(['}', ']', ')']) => {
                last.push(' ');
                last.push_str(body);
            }
            _ => fields.push(body.to_owned()),
        }
    }
    fields.iter().map(|field| tidy(field)).collect()
}

/// The short debug form with templates as their text.
fn compact<T: Debug>(value: &T) -> String {
    tidy(&format!("{value:?}"))
}

fn tidy(text: &str) -> String {
    let text = text.trim_end_matches(',');
    templates(text)
        .replace(", ]", "]")
        .replace(", }", " }")
        .replace(", )", ")")
        .replace("[ ", "[")
        .replace("( ", "(")
        .replace(",]", "]")
}

/// Replaces each `Template { source: "…", parts: […] }` by its source between backquotes.
fn templates(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("Template { source: \"") {
        let (source, after) = quoted(after);
        out.push_str(before);
        let _ = write!(out, "`{source}`");
        rest = after_brace(after);
    }
    out.push_str(rest);
    out
}

/// The text up to the closing quote, and what follows it.
fn quoted(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        if c == '"' && !escaped {
            return (&text[..place], &text[place + 1..]);
        }
        escaped = c == '\\' && !escaped;
    }
    (text, "")
}

/// What follows the brace that closes the one we are in; braces in quotes do not count.
fn after_brace(text: &str) -> &str {
    let mut depth = 1;
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}', '"']) {
        let (found, after) = (rest.as_bytes()[place], &rest[place + 1..]);
        rest = match found {
            b'"' => quoted(after).1,
            b'{' => {
                depth += 1;
                after
            }
            _ => {
                depth -= 1;
                after
            }
        };
        if depth == 0 {
            return rest;
        }
    }
    rest
}
