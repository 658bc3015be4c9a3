//! `tidegate report`: what access and error logs say of failures over time.
//!
//! Data goes one way: `input` gives blocks of bytes, `lines` splits them, `layout` and `json_row` read a line's values, `tally`
//! counts them in bounded memory, `findings` says what follows, and `terminal`, `json` and `html` show it. Not here: what one
//! line means (`explain`), and what a cause is (`policy`).

mod configured;
mod distinct;
mod findings;
mod formats;
mod hash;
mod histogram;
mod html;
mod input;
mod json;
mod json_row;
mod layout;
mod lines;
mod matching;
mod moment;
mod options;
mod progress;
mod route;
mod row;
mod run;
mod runs;
mod sniff;
mod style;
mod tally;
mod terminal;
mod timeline;
mod top;
mod units;
mod wording;

pub(crate) use lines::each_line;
pub(crate) use moment::Moment;
pub(crate) use options::{Options, USAGE, parse};
pub(crate) use style::{Style, printable, wrapped};

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use config::tree::Tree;

use crate::explain::Seen;
use findings::Findings;
use input::Inputs;
use layout::Layout;

/// Formats by what they are called.
type Formats = Vec<(String, Layout)>;

/// Answers. `load` reads a configuration. Returns the exit code.
pub(crate) fn run(options: &Options, load: impl Fn(&Path) -> Tree) -> u8 {
    match report(options, load) {
        Ok(()) => 0,
        Err(message) => {
            eprintln!("tidegate: {message}");
            1
        }
    }
}

fn report(options: &Options, load: impl Fn(&Path) -> Tree) -> Result<(), String> {
    let (logs, formats) = logs_and_formats(options, load)?;
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut inputs = Inputs::default();
    for log in &logs {
        inputs.open(log, &formats, threads).map_err(|error| format!("{log}: {error}"))?;
    }
    if inputs.jobs.is_empty() {
        return Err("no line of these files has a form that is known; --format tells that of an access log, and \
                    `tidegate explain FILE` what lines of other error logs mean"
            .to_owned());
    }
    let Inputs { jobs, sources, size } = inputs;
    let tally = run::count(jobs, size, threads, clock_offset()).map_err(|error| error.to_string())?;
    let findings = Findings::of(tally, sources, options.top);
    if let Some(file) = &options.html {
        std::fs::write(file, html::page(&findings)).map_err(|error| format!("{file}: {error}"))?;
    }
    let mut out = io::stdout().lock();
    let text = match options.json {
        true => json::text(&findings),
        false => terminal::text(&findings, Style::of(out.is_terminal())),
    };
    // A reader that went away wants no more.
    let _ = out.write_all(text.as_bytes());
    Ok(())
}

/// What to read, and the formats that are known beside those that everybody has.
fn logs_and_formats(options: &Options, load: impl Fn(&Path) -> Tree) -> Result<(Vec<String>, Formats), String> {
    let mut formats = Vec::new();
    for format in &options.formats {
        formats.push(("of --format".to_owned(), Layout::new(format).map_err(|why| format!("--format: {why}"))?));
    }
    let mut logs = options.logs.clone();
    if let Some(file) = &options.config {
        std::fs::metadata(file).map_err(|error| format!("{file}: {error}"))?;
        let path = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
        let found = configured::read(&load(&path), path.parent().unwrap_or(Path::new("/")));
        formats.extend(found.formats);
        if logs.is_empty() {
            logs = found.logs.iter().map(|log| log.display().to_string()).collect();
        }
        if logs.is_empty() {
            return Err(format!("{file} names no log that is there"));
        }
    }
    Ok((logs, formats))
}

/// Seconds that this machine's clock is ahead of UTC, for logs that count seconds since 1970.
fn clock_offset() -> i64 {
    i64::from(jiff::Zoned::now().offset().seconds())
}

/// What one access line tells.
pub(crate) struct AccessLine {
    pub(crate) seen: Seen,
    pub(crate) at: String,
    pub(crate) client: String,
    pub(crate) target: String,
    pub(crate) endpoints: String,
}

/// Reads a line of an access log in any form that is known.
pub(crate) fn access_line(line: &str) -> Option<AccessLine> {
    let (form, _) = sniff::Form::of(&[line.as_bytes()], &[])?;
    let mut reader = row::Reader::default();
    let row = form.row(line.as_bytes(), &mut reader)?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some(AccessLine {
        seen: Seen { status: row.status, took: row.took, answered: false },
        at: row.at.map(|at| at.to_string()).unwrap_or_default(),
        client: text(row.client),
        target: text(row.target),
        endpoints: text(row.endpoints),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::row::Reader;
    use super::sniff::Form;
    use super::tally::Tally;
    use super::top::Merge;
    use super::*;

    /// All that is done with a log, from its first lines to every form of the report.
    fn told(log: &[u8]) -> Option<[String; 3]> {
        let lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
        let (form, _) = Form::of(&lines, &[])?;
        let mut halves = [Tally::default(), Tally::default()];
        let mut reader = Reader::default();
        for (at, line) in lines.iter().enumerate() {
            halves[at % 2].take(&form, line, &mut reader);
        }
        let [mut tally, other] = halves;
        tally.merge(other);
        let findings = Findings::of(tally, Vec::new(), 10);
        Some([terminal::text(&findings, Style::Coloured), json::text(&findings), html::page(&findings)])
    }

    const LINES: [&str; 6] = [
        "192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET /a/1?x HTTP/1.1\" 502 150 \"-\" \"curl\"\n",
        "192.0.2.1 - - [25/Nov/9999:16:39:28 +0000] \"GET /a/1?x HTTP/1.1\" 200 150 \"-\" \"curl\"\n",
        "2026/11/25 16:39:28 [error] 1#1: *1 no live upstreams while connecting to upstream, client: 192.0.2.1, upstream: \"http://b/\"\n",
        "{\"time\":\"2026-11-25T16:39:28Z\",\"status\":502,\"request_time\":1e9,\"failure_code\":\"TG-2001\",\"uri\":\"/\"}\n",
        "0001/01/01 00:00:00 [crit] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream\n",
        "{\"ts\":-1,\"status\":504,\"duration\":99999999999999999999,\"response_flags\":\"UF\"}\n",
    ];

    proptest! {
        #[test]
        fn any_bytes_are_a_log_without_harm(log in proptest::collection::vec(any::<u8>(), 0..400)) {
            told(&log);
        }

        #[test]
        fn broken_lines_of_any_form_are_told_of_without_harm(
            lines in proptest::collection::vec((0..LINES.len(), 0usize..140, any::<u8>(), any::<bool>()), 0..12),
        ) {
            let mut log = Vec::new();
            for (line, at, byte, is_broken) in lines {
                let start = log.len();
                log.extend_from_slice(LINES[line].as_bytes());
                let place = start + at.min(LINES[line].len() - 2);
                if is_broken && byte != b'\n' {
                    log[place] = byte;
                }
            }
            told(&log);
        }
    }

    #[test]
    fn millions_of_places_are_told_of_as_a_few() {
        let mut tally = Tally::default();
        let (form, _) = Form::of(&[LINES[0].trim_end().as_bytes()], &[]).unwrap();
        for n in 0..100_000u32 {
            let line = format!(
                "2001:db8::{n:x} - - [25/Nov/2026:{:02}:{:02}:00 +0000] \"GET /p{} HTTP/1.1\" 502 1 \"-\" \"-\"",
                n / 6_000,
                n / 100 % 60,
                "abcdefghij"
                    .repeat(1 + n as usize % 3)
                    .bytes()
                    .map(|b| char::from(b'a' + (u32::from(b) * n % 26) as u8))
                    .collect::<String>()
            );
            tally.take(&form, line.as_bytes(), &mut Reader::default());
        }
        let findings = Findings::of(tally, Vec::new(), 10);
        assert_eq!((findings.requests, findings.failed), (100_000, 100_000));
        assert!(
            matches!(findings.clients, top::Count::About(count) if count.abs_diff(100_000) < 5_000),
            "{:?}",
            findings.clients
        );
        assert!(findings.series.points.len() <= 240 * 4 && findings.busy_clients.len() <= 10);
    }
}
