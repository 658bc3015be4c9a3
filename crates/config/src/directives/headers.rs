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
            .manual(
                "It is added to answers with status 200, 201, 204, 206, 301, 302, 303, 304, \
                 307 and 308, and to all with `always`. A value that comes to nothing adds \
                 nothing. If a level has any add_header, it inherits none: repeat those that \
                 are wanted.",
            )
            .differs("A line break that variables bring in becomes a space."),
    ]
}

fn add_header(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    let always = match line.words().get(2) {
        None => false,
        Some(word) if word.text == "always" => true,
        Some(word) => return build.invalid_parameter(word),
    };
    let header =
        AddHeader { name: line.word(0).text.as_str().into(), value: build.word_template(line.word(1)), always };
    let earlier = if line.first { &[][..] } else { &level.settings.add_headers[..] };
    level.settings.add_headers = earlier.iter().cloned().chain([header]).collect();
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, first_location, in_server};

    #[test]
    fn lines_of_one_level_add_up() {
        let location = first_location("location / { add_header A 1; add_header B 2 always; }");
        let added = location.settings.add_headers;
        assert_eq!(added.iter().map(|each| each.always).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn the_third_word_is_always_or_nothing() {
        let loaded = in_server("add_header A 1 often;");
        assert_eq!(errors(&loaded), ["invalid parameter \"often\""]);
    }
}
