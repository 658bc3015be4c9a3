//! An examination as text: each step in a line or some, the verdict at the end. Not here: what is found.

use std::io::{self, Write};
use std::time::Duration;

use http1::Framing;
use policy::Failure;

use super::facts::{Body, Facts, Idle, Listener, Listening, Reply, Reuse, Tls};
use super::steps::{Step, Told};
use super::verdict::Finding;
use crate::report::{Style, wrapped};

/// The columns: a step's name, what it found, its time.
const NAME: usize = 10;
const WIDTH: usize = 80;

/// Tells the steps as they end, on a terminal also that one is under way.
pub(super) struct Show {
    pub(super) style: Style,
    pub(super) terminal: bool,
}

impl Told for Show {
    fn begins(&mut self, step: Step) {
        if self.terminal {
            put(&format!("{:<NAME$}  …", step.name()));
        }
    }

    fn ended(&mut self, step: Step, facts: &Facts, took: Duration) {
        if self.terminal {
            put("\r\x1b[K");
        }
        put(&self.step(step, &lines(step, facts), took));
    }
}

impl Show {
    /// The lines of a step, its time behind the last.
    fn step(&self, step: Step, lines: &[String], took: Duration) -> String {
        let time = format!("{:.3} s", took.as_secs_f64());
        let broken: Vec<_> = lines.iter().flat_map(|line| wrapped(line, WIDTH - NAME - 2 - 10)).collect();
        let last = broken.len().saturating_sub(1);
        let mut text = String::new();
        for (at, line) in broken.iter().enumerate() {
            let name = if at == 0 { step.name() } else { "" };
            let line = Style::Plain.code(line);
            let behind = if at == last { WIDTH.saturating_sub(NAME + 2 + line.chars().count()) } else { 0 };
            let time = if at == last { format!("{time:>behind$}") } else { String::new() };
            text.push_str(&format!("{name:<NAME$}  {line}{time}\n"));
        }
        text
    }

    /// The end of an examination.
    pub(super) fn verdict(&self, finding: Option<&Finding>) -> String {
        let Some(finding) = finding else { return format!("\n{}\n", self.style.bold("All is well.")) };
        let code = finding.code().map(|code| format!(" ({code})")).unwrap_or_default();
        let title = self.style.red(&format!("{}{code}", finding.name().replace('_', " ")));
        let said = |text: &str| -> String {
            wrapped(text, WIDTH).iter().map(|line| format!("{}\n", self.style.code(line))).collect()
        };
        format!("\n{title}\n{}To change: {}", said(&finding.happened()), said(&finding.change()).trim_start())
    }
}

/// What a step found, line by line; nothing where there is nothing to say.
fn lines(step: Step, facts: &Facts) -> Vec<String> {
    match step {
        Step::Resolve => match &facts.resolved {
            Some(Ok(addresses)) => {
                vec![addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")]
            }
            Some(Err(failure)) => vec![failed(failure)],
            None => Vec::new(),
        },
        Step::Connect => facts
            .connects
            .iter()
            .map(|connect| match &connect.result {
                Ok(_) => format!("{} connected", connect.address),
                Err(failure) => format!("{} {}", connect.address, failed(failure)),
            })
            .collect(),
        Step::Listens => facts.listening.as_ref().map(listening).unwrap_or_default(),
        Step::Tls => match &facts.tls {
            Some(Ok(tls)) => secured(tls),
            Some(Err(failure)) => vec![failed(failure)],
            None => Vec::new(),
        },
        Step::Request => match &facts.reply {
            Some(Ok(reply)) => answered(reply),
            Some(Err(failure)) => vec![failed(failure)],
            None => Vec::new(),
        },
        Step::KeepAlive => kept(facts),
        Step::Versions => vec![match facts.h2c {
            Some(true) => "HTTP/1.1; HTTP/2 too, to who knows it before (h2c)".into(),
            _ => "HTTP/1.1; no HTTP/2 without TLS".into(),
        }],
    }
}

fn failed(failure: &Failure) -> String {
    let seen = failure.evidence().to_string();
    let name = failure.row().name.replace('_', " ");
    if seen.is_empty() { name } else { format!("{name}: {seen}") }
}

fn listening(found: &Listening) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(file) = &found.file {
        lines.push(file.clone());
    }
    match &found.here {
        Some(listener) => lines.push(who(listener)),
        None if found.elsewhere.is_empty() => lines.push("nobody".into()),
        None => {}
    }
    lines.extend(found.elsewhere.iter().map(|(address, listener)| format!("at {address}: {}", who(listener))));
    lines
}

fn who(listener: &Listener) -> String {
    let mut text = match &listener.process {
        None => "a process that may not be seen".to_owned(),
        Some(process) => format!("{} (pid {})", process.name, process.id),
    };
    if let Some(home) = listener.process.as_ref().and_then(|process| process.home.as_ref()) {
        text.push_str(&format!(", {home}"));
    }
    if listener.waiting > 0 {
        text.push_str(&format!(", {} waiting to be accepted", listener.waiting));
    }
    text
}

fn secured(tls: &Tls) -> Vec<String> {
    let alpn = tls.alpn.as_ref().map_or("no ALPN".into(), |protocol| format!("ALPN {protocol}"));
    let mut lines = vec![format!("{}, {alpn}", tls.version)];
    for (at, certificate) in tls.chain.iter().enumerate() {
        let names = if at == 0 { format!(" for {}", certificate.names.join(", ")) } else { String::new() };
        lines.push(format!("{}{names}, until {}, by {}", certificate.subject, certificate.expires, certificate.issuer));
    }
    match &tls.refused {
        Some(failure) => lines.push(failed(failure)),
        None => lines.push("certificate is good".into()),
    }
    if tls.needs_name {
        lines.push("needs the name in the handshake: `proxy_ssl_server_name on`".into());
    }
    lines
}

fn answered(reply: &Reply) -> Vec<String> {
    let mut lines = vec![format!("{} {} {}", reply.version, reply.status, http1::encode::reason(reply.status))];
    let largest = reply.largest.as_ref().map(|(name, size)| format!(", the largest {name} with {size}"));
    lines.push(format!("head of {} bytes, {} fields{}", reply.head, reply.fields, largest.unwrap_or_default()));
    if reply.interim > 0 {
        lines.push(format!("{} interim answers before it", reply.interim));
    }
    let by = match reply.framing {
        Framing::Empty => "no body",
        Framing::Length(_) => "by Content-Length",
        Framing::Chunked => "in chunks",
        Framing::Close => "up to the close",
    };
    lines.push(match &reply.body {
        Body::Whole(bytes) => format!("body of {bytes} bytes, {by}"),
        Body::Streams(bytes) => format!("a stream: {bytes} bytes so far, {by}"),
        Body::Broken(failure) => failed(failure),
    });
    if reply.surplus > 0 {
        lines.push(format!("{} bytes behind its end", reply.surplus));
    }
    lines
}

fn kept(facts: &Facts) -> Vec<String> {
    let announces = facts.reply.as_ref().and_then(|reply| reply.as_ref().ok()?.announces);
    let announces = match announces {
        Some(time) => format!("announces {} s", time.as_secs()),
        None => "announces nothing".into(),
    };
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    vec![match (facts.reuse, facts.idle) {
        (Some(Reuse::Ended), _) => "the second request on a connection gets no answer".into(),
        (Some(Reuse::Answered(408)), _) => "the second request on a connection gets 408".into(),
        (_, Some(Idle::Closed { after, .. })) => format!("closes after {}, {announces}", seconds(after)),
        (_, Some(Idle::Open { after })) => format!("still open after {}, {announces}", seconds(after)),
        (_, Some(Idle::Spoke { bytes })) => format!("{bytes} bytes that nobody asked for"),
        (_, None) => "the second request was answered, the connection ends behind it".into(),
    }]
}

pub(super) fn put(text: &str) {
    let mut out = io::stdout().lock();
    // A reader that is gone wants no more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Cause;

    const SHOW: Show = Show { style: Style::Plain, terminal: false };

    #[test]
    fn a_step_is_its_name_what_it_found_and_its_time() {
        let one = SHOW.step(Step::Connect, &["127.0.0.1:1 connected".into()], Duration::from_millis(3));
        assert_eq!(one, format!("connect     127.0.0.1:1 connected{:>47}\n", "0.003 s"));
        let two = SHOW.step(Step::Connect, &["a".into(), "b".into()], Duration::ZERO);
        assert!(two.starts_with("connect     a\n            b ") && two.ends_with("0.000 s\n"), "{two}");
        assert!(two.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn nothing_found_is_nothing_said() {
        assert_eq!(SHOW.step(Step::Listens, &[], Duration::ZERO), "");
    }

    #[test]
    fn the_verdict_says_what_to_change() {
        let text = SHOW.verdict(Some(&Finding::Cause(Failure::new(Cause::ConnectRefused))));
        assert!(text.starts_with("\nconnect refused (TG-2001)\n") && text.contains("\nTo change: "), "{text}");
        assert_eq!(SHOW.verdict(None), "\nAll is well.\n");
    }
}
