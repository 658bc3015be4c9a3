//! Which form the lines of a file have, told by its first lines. Not here: how they are read.

use std::sync::Arc;

use super::formats::known;
use super::json_row;
use super::layout::Layout;
use super::row::{Reader, Row};
use crate::explain::nginx::ErrorLine;

/// The form of a file's lines.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// An access log of one format.
    Access(Arc<Layout>),
    /// An access log in JSON.
    Json,
    /// An error log in nginx's form.
    Errors,
}

impl Form {
    /// The form that fits most of the lines. Those in `given` come before those that are known without being told.
    pub(super) fn of(lines: &[&[u8]], given: &[(String, Layout)]) -> Option<(Form, String)> {
        let read_by = |form: &Form| lines.iter().filter(|line| form.fits(line)).count();
        let scored: Vec<_> = candidates(given).map(|(form, name)| (read_by(&form), form, name)).collect();
        let best = scored.iter().map(|(score, ..)| *score).max().filter(|best| *best > 0)?;
        // The more special stand first, and may miss a few lines that others read.
        let good = |score: usize| score * 5 >= best * 4;
        scored.into_iter().find(|(score, ..)| good(*score)).map(|(_, form, name)| (form, name))
    }

    fn fits(&self, line: &[u8]) -> bool {
        match self {
            Form::Errors => ErrorLine::read(line).is_some(),
            access => {
                access.row(line, &mut Reader::default()).is_some_and(|row| row.at.is_some() || row.took.is_some())
            }
        }
    }

    /// The values of an access line.
    pub(super) fn row<'a>(&self, line: &'a [u8], reader: &mut Reader) -> Option<Row<'a>> {
        match self {
            Form::Access(layout) => layout.read(line, reader),
            Form::Json => json_row::read(line, reader),
            Form::Errors => None,
        }
    }
}

fn candidates(given: &[(String, Layout)]) -> impl Iterator<Item = (Form, String)> {
    let access = |layout: &Layout| Form::Access(Arc::new(layout.clone()));
    let given = given.iter().map(move |(name, layout)| (access(layout), format!("log_format {name}")));
    let own = [(Form::Errors, "error log".to_owned()), (Form::Json, "JSON".to_owned())];
    let known = known().iter().map(move |known| (access(&known.layout), known.name.to_owned()));
    given.chain(own).chain(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMBINED: &str = "192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET /a HTTP/1.1\" 502 150 \"-\" \"curl\"";
    const ERROR: &str =
        "2026/11/25 16:39:28 [error] 1#1: *1 no live upstreams while connecting to upstream, client: 192.0.2.1";

    fn name(lines: &[&str], given: &[(&str, &str)]) -> Option<String> {
        let given: Vec<_> =
            given.iter().map(|(name, format)| ((*name).to_owned(), Layout::new(format).unwrap())).collect();
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        Form::of(&lines, &given).map(|(_, name)| name)
    }

    #[test]
    fn the_form_is_that_of_most_lines() {
        assert_eq!(name(&[COMBINED, "a broken line", COMBINED], &[]).as_deref(), Some("combined"));
        assert_eq!(name(&[ERROR, "Stack trace:", ERROR], &[]).as_deref(), Some("error log"));
        let json = r#"{"time":"2026-11-25T16:39:28Z","status":200}"#;
        assert_eq!(name(&[json], &[]).as_deref(), Some("JSON"));
        assert_eq!(name(&["nothing", "known"], &[]), None);
        assert_eq!(name(&[], &[]), None);
    }

    #[test]
    fn a_given_format_comes_first() {
        let given = [(
            "timed",
            "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$r\" \"$a\" $request_time",
        )];
        assert_eq!(name(&[&format!("{COMBINED} 0.012")], &given).as_deref(), Some("log_format timed"));
        assert_eq!(name(&[COMBINED], &given).as_deref(), Some("combined"));
    }
}
