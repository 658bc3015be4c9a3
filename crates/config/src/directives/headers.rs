//! The headers module's `add_header`. Not here: `expires` and `add_trailer`, which are not supported yet.

use super::shorthand::{LEVELS, Row, between, custom};
use crate::build::{Build, Level, Line};
use crate::model::AddHeader;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("add_header", LEVELS, between(2, 3), add_header)
            .repeats()
            .syntax("name value [always]")
            .help("Adds a field to answers.")
            .manual("It is added to answers with status 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308, and to all with `always`. A value that comes to nothing adds nothing. If a level has any add_header, it inherits none: repeat those that are wanted."),
    ]
}

fn add_header(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let always = match line.words().get(2) {
        None => false,
        Some(word) if word.text == "always" => true,
        Some(word) => return build.invalid_parameter(word),
    };
    let header = AddHeader {
        name: line.word(0).text.as_str().into(),
        value: build.word_template(line.word(1)),
        always,
    };
    let earlier = if line.first {
        &[][..]
    } else {
        &level.settings.add_headers[..]
    };
    level.settings.add_headers = earlier.iter().cloned().chain([header]).collect();
}
