//! `--mode path`: each request chooses its mode, `/MODE?after=1s&count=2`. Not here: what modes do.

use super::mode::Mode;
use super::modes;
use super::parameters::Words;
use super::script::{Answer, Body, Door, Script, Step};

/// What a target asks for: the mode's name, and what is done. A target that asks for nothing is told what it can ask for.
pub(super) fn chosen(target: &str) -> (&'static str, Script) {
    match read(target) {
        Ok((mode, script)) => (mode.name, script),
        Err(why) => ("path", Script::open(vec![Step::Request(None), Step::Answer(told(&why)), Step::From(0)])),
    }
}

fn read(target: &str) -> Result<(&'static Mode, Script), String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mode = modes::find(path.trim_matches('/'))?;
    let mut words = Words::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        words.set(name, value)?;
    }
    let script = mode.script(&mode.parameters(words)?);
    if script.door != Door::Open || mode.flaps {
        return Err(format!("mode \"{}\" begins before the request: start a server of its own for it", mode.name));
    }
    Ok((mode, script))
}

/// What is wrong with a request, and what there is to ask for.
fn told(why: &str) -> Answer {
    let modes: String = modes::all().map(|mode| format!("/{}  {}\n", mode.name, mode.help)).collect();
    Answer { body: Body::Text(format!("{why}\n\n{modes}")), ..Answer::status(404) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_path_names_the_mode_and_its_parameters() {
        let (mode, script) = chosen("/delayed?after=20ms");
        assert_eq!(mode, "delayed");
        assert!(script.steps.contains(&Step::Wait(Duration::from_millis(20))));
        assert_eq!(chosen("/well").0, "well");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let said = |target: &str| read(target).map(|(mode, _)| mode.name).unwrap_err();
        assert_eq!(said("/delayd"), "there is no mode \"delayd\": did you mean \"delayed\"?");
        assert_eq!(said("/well?count=3"), "mode \"well\" has no parameter \"count\"");
        let refuse = "mode \"refuse\" begins before the request: start a server of its own for it";
        assert_eq!(said("/refuse"), refuse);
    }
}
