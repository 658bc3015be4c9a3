//! What differs between two transcripts, each difference with a name that a case can list. It accepts nothing by itself.

use libtest_mimic::{Failed, Trial};

use crate::support::message::End;
use crate::support::self_check::{check, equal};
use crate::support::transcript::{Seen, Transcript};

pub(crate) struct Difference {
    /// E.g. `response 1 field server`, `origin request 2 body`, `error log 1`; fields by their lowercase names.
    pub(crate) place: String,
    pub(crate) peer: String,
    pub(crate) subject: String,
}

pub(crate) fn compare(peer: &Transcript, subject: &Transcript) -> Vec<Difference> {
    let mut found = Vec::new();
    compare_all("response", &peer.responses, &subject.responses, &mut found);
    for ((name, peer), (_, subject)) in peer.requests.iter().zip(&subject.requests) {
        let label = if name == "origin" { "origin request".to_owned() } else { format!("origin {name} request") };
        compare_all(&label, peer, subject, &mut found);
    }
    compare_lines("access log", &sorted(&peer.access_log), &sorted(&subject.access_log), &mut found);
    compare_lines("error log", &peer.error_log, &subject.error_log, &mut found);
    found
}

/// A request whose connection lingers is logged when that ends, so the order between connections is chance.
fn sorted(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.sort();
    lines
}

fn compare_all(label: &str, peer: &[Seen], subject: &[Seen], found: &mut Vec<Difference>) {
    let starts = |all: &[Seen]| all.iter().map(|seen| seen.start.clone()).collect::<Vec<_>>().join(" | ");
    if peer.len() != subject.len() {
        note(found, format!("{label}s"), &starts(peer), &starts(subject));
    }
    for (index, (peer, subject)) in peer.iter().zip(subject).enumerate() {
        compare_messages(&format!("{label} {}", index + 1), peer, subject, found);
    }
}

fn compare_messages(label: &str, peer: &Seen, subject: &Seen, found: &mut Vec<Difference>) {
    note(found, format!("{label} start"), &peer.start, &subject.start);
    compare_fields(&format!("{label} field"), &peer.fields, &subject.fields, found);
    compare_fields(&format!("{label} trailer"), &peer.trailers, &subject.trailers, found);
    note(found, format!("{label} body"), &peer.body, &subject.body);
    note(found, format!("{label} end"), &format!("{:?}", peer.end), &format!("{:?}", subject.end));
}

type Fields = [(String, String)];

fn compare_fields(label: &str, peer: &Fields, subject: &Fields, found: &mut Vec<Difference>) {
    let before = found.len();
    let mut names: Vec<String> = peer.iter().chain(subject).map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    for name in names {
        note(found, format!("{label} {name}"), &values(peer, &name), &values(subject, &name));
    }
    if found.len() == before {
        let order = |fields: &Fields| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
        note(found, format!("{label} order"), &order(peer), &order(subject));
    }
}

/// The field's lines, with their names as they were written.
fn values(fields: &Fields, lowercase: &str) -> String {
    let mine = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(lowercase));
    mine.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

fn compare_lines(label: &str, peer: &[String], subject: &[String], found: &mut Vec<Difference>) {
    if peer.len() != subject.len() {
        note(found, label.to_owned(), &peer.join("\n"), &subject.join("\n"));
        return;
    }
    for (index, (peer, subject)) in peer.iter().zip(subject).enumerate() {
        note(found, format!("{label} {}", index + 1), peer, subject);
    }
}

fn note(found: &mut Vec<Difference>, place: String, peer: &str, subject: &str) {
    if peer != subject {
        found.push(Difference { place, peer: peer.to_owned(), subject: subject.to_owned() });
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{}", self.place)?;
        writeln!(out, "    nginx:     {}", visible(&self.peer))?;
        write!(out, "    tidegate:  {}", visible(&self.subject))
    }
}

/// Text of which nothing is hidden: emptiness has a word, and spaces at an end stand in quotes.
fn visible(text: &str) -> String {
    if text.is_empty() {
        return "(nothing)".to_owned();
    }
    if text.trim() != text {
        return format!("{text:?}");
    }
    text.replace('\n', "\n               ")
}

/// Checks that the comparison sees what differs, each thing by its name.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        check("equal_transcripts_do_not_differ", equal_transcripts_do_not_differ),
        check("every_difference_is_named", every_difference_is_named),
    ]
}

fn equal_transcripts_do_not_differ() -> Result<(), Failed> {
    equal(compare(&example(), &example()).len(), 0)
}

fn every_difference_is_named() -> Result<(), Failed> {
    let places = |change: fn(&mut Transcript)| {
        let mut changed = example();
        change(&mut changed);
        let found = compare(&example(), &changed);
        found.into_iter().map(|difference| difference.place).collect::<Vec<_>>()
    };
    equal(places(|seen| seen.responses[0].start.push('!')), vec!["response 1 start".to_owned()])?;
    equal(places(|seen| seen.responses[0].fields[0].1.push('!')), vec!["response 1 field a".to_owned()])?;
    equal(places(|seen| seen.responses[0].fields.swap(0, 1)), vec!["response 1 field order".to_owned()])?;
    equal(places(|seen| seen.responses[0].end = End::Cut), vec!["response 1 end".to_owned()])?;
    equal(places(|seen| seen.requests[0].1[0].body.push('!')), vec!["origin request 1 body".to_owned()])?;
    equal(places(|seen| seen.requests[0].1.clear()), vec!["origin requests".to_owned()])?;
    equal(places(|seen| seen.access_log.clear()), vec!["access log".to_owned()])?;
    equal(places(|seen| seen.error_log[0].push('!')), vec!["error log 1".to_owned()])
}

fn example() -> Transcript {
    let field = |name: &str| (name.to_owned(), "value".to_owned());
    let seen = |start: &str| Seen {
        start: start.to_owned(),
        fields: vec![field("A"), field("B")],
        body: "body".to_owned(),
        trailers: Vec::new(),
        end: End::Complete,
        renamed: None,
    };
    Transcript {
        responses: vec![seen("HTTP/1.1 200 OK")],
        requests: vec![("origin".to_owned(), vec![seen("GET / HTTP/1.1")])],
        access_log: vec!["line".to_owned()],
        error_log: vec!["[error] line".to_owned()],
        failures: Vec::new(),
        unnamed: Vec::new(),
        problems: Vec::new(),
    }
}
