//! The table of modes, in groups. Not here: how a script is played.

mod body;
mod connecting;
mod ends;
mod framing;
mod head;
mod keepalive;
mod protocols;
mod sending;
mod silence;
mod statuses;

use super::mode::Mode;

/// Modes of one kind.
#[derive(Debug)]
pub struct Group {
    /// What they have in common.
    pub heading: &'static str,
    /// The modes.
    pub rows: &'static [Mode],
}

/// Every mode.
pub const GROUPS: [Group; 11] = [
    Group { heading: "Connecting", rows: connecting::ROWS },
    Group { heading: "Silence", rows: silence::ROWS },
    Group { heading: "The connection ends", rows: ends::ROWS },
    Group { heading: "The head of the answer", rows: head::ROWS },
    Group { heading: "The length of the answer", rows: framing::ROWS },
    Group { heading: "The body of the answer", rows: body::ROWS },
    Group { heading: "Other protocols", rows: protocols::ROWS },
    Group { heading: "While the request is sent", rows: sending::ROWS },
    Group { heading: "Connections that are kept", rows: keepalive::ROWS },
    Group { heading: "Statuses", rows: statuses::ERRORS },
    Group { heading: "All is well", rows: statuses::WELL },
];

/// Every mode, group by group.
pub fn all() -> impl Iterator<Item = &'static Mode> {
    GROUPS.iter().flat_map(|group| group.rows)
}

/// The mode of this name.
///
/// # Errors
/// There is none, perhaps one with a name like it.
pub fn find(name: &str) -> Result<&'static Mode, String> {
    all().find(|mode| mode.name == name).ok_or_else(|| {
        let near = config::suggest::nearest(name, all().map(|mode| mode.name));
        let hint = near.map(|near| format!(": did you mean \"{near}\"?"));
        format!("there is no mode \"{name}\"{}", hint.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::misbehave::parameters::Words;
    use crate::misbehave::script::{Door, Step};

    #[test]
    fn there_are_many_and_each_name_is_one_word_that_a_path_can_be() {
        let mut names: Vec<_> = all().map(|mode| mode.name).collect();
        let count = names.len();
        assert!(count >= 40, "{count}");
        let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-0123456789".contains(&byte));
        assert!(names.iter().all(plain), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn each_says_what_it_does_in_a_line_and_why_in_a_sentence() {
        for mode in all() {
            assert!(mode.help.len() <= 72 && !mode.help.ends_with('.'), "{}", mode.name);
            assert!(mode.text.ends_with('.'), "{}", mode.name);
        }
    }

    #[test]
    fn no_two_do_the_same() {
        let script = |mode: &Mode| (mode.script(&mode.parameters(Words::default()).unwrap()), mode.flaps);
        let scripts: Vec<_> = all().map(|mode| (mode.name, script(mode))).collect();
        for (at, (name, script)) in scripts.iter().enumerate() {
            let twin = scripts.iter().skip(at + 1).find(|(_, other)| other == script);
            assert!(twin.is_none(), "{name} does the same as {twin:?}");
        }
    }

    #[test]
    fn a_parameter_of_a_row_changes_what_it_does() {
        let one_more = Words { after: Some(std::time::Duration::from_millis(1)), count: Some(7), size: Some(9) };
        for mode in all().filter(|mode| !mode.takes().is_empty() && !mode.flaps) {
            let said = Words {
                after: one_more.after.filter(|_| mode.after.is_some()),
                count: one_more.count.filter(|_| mode.count.is_some()),
                size: one_more.size.filter(|_| mode.size.is_some()),
            };
            let script = |words| mode.script(&mode.parameters(words).unwrap());
            assert_ne!(script(said), script(Words::default()), "{}", mode.name);
        }
    }

    #[test]
    fn who_lets_nobody_in_has_no_steps() {
        for mode in all() {
            let script = mode.script(&mode.parameters(Words::default()).unwrap());
            assert_eq!(script.steps.is_empty(), script.door != Door::Open, "{}", mode.name);
        }
    }

    #[test]
    fn a_loop_waits_for_a_request_each_time_round() {
        for mode in all() {
            let steps = mode.script(&mode.parameters(Words::default()).unwrap()).steps;
            if let Some(Step::From(at)) = steps.last() {
                let waits = |step: &Step| matches!(step, Step::Head | Step::Request(_) | Step::Uninvited);
                assert!(steps.iter().skip(*at).any(waits), "{}", mode.name);
            }
        }
    }

    #[test]
    fn a_mistyped_name_gets_a_hint() {
        assert_eq!(find("refuses").unwrap_err(), "there is no mode \"refuses\": did you mean \"refuse\"?");
        assert_eq!(find("xyz").unwrap_err(), "there is no mode \"xyz\"");
    }
}
