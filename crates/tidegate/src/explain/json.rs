//! Readings as JSON for programs. Not here: what they say.

use serde_json::{Map, Value, json};

use super::groups::{Group, Groups};
use super::plain::manual;
use super::reading::Candidate;

/// Everything that was understood, and how much was not.
pub(super) fn text(groups: &Groups) -> String {
    let readings: Vec<Value> = groups.sorted().into_iter().map(group).collect();
    let value = json!({ "readings": readings, "not_understood": groups.strange });
    format!("{value:#}\n")
}

fn group(group: &Group) -> Value {
    let reading = &group.reading;
    let facts: Map<String, Value> =
        reading.facts.iter().map(|(name, value)| (name.replace(' ', "_"), value.as_str().into())).collect();
    json!({
        "lines": group.lines,
        "vendor": reading.vendor.name(),
        "words": reading.words,
        "meaning": reading.meaning,
        "facts": facts,
        "causes": reading.candidates.iter().map(candidate).collect::<Vec<_>>(),
    })
}

fn candidate(candidate: &Candidate) -> Value {
    let row = candidate.cause.row();
    json!({
        "code": row.code.to_string(),
        "name": row.name,
        "likelihood": candidate.likelihood.word(),
        "why": candidate.why,
        "happened": row.happened,
        "advice": row.advice,
        "status": row.treatment.status,
        "error_type": row.error_type,
        "blame": row.treatment.blame.name(),
        "manual": manual(candidate.cause),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain;

    #[test]
    fn programs_find_what_people_read() {
        let mut groups = Groups::default();
        for line in ["no live upstreams", "???"] {
            groups.add(line, explain(line));
        }
        let value: Value = serde_json::from_str(&text(&groups)).unwrap();
        assert_eq!(value["not_understood"], 1);
        let cause = &value["readings"][0]["causes"][0];
        assert_eq!((&cause["code"], &cause["likelihood"]), (&json!("TG-1201"), &json!("certain")));
        assert_eq!(cause["blame"], "endpoint");
    }
}
