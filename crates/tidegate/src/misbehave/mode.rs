//! One row of the table of modes. Not here: the rows (`modes`).

use std::time::Duration;

use super::parameters::{Parameters, Words};
use super::script::Script;

/// A way to fail.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// By which it is asked for.
    pub name: &'static str,
    /// One line: what it does.
    pub help: &'static str,
    /// Who does so in the world, or what it is good for.
    pub text: &'static str,
    /// The time that it takes as a parameter, unless told otherwise.
    pub after: Option<Duration>,
    /// What it counts, and how many unless told otherwise.
    pub count: Option<(&'static str, u64)>,
    /// Its bytes, unless told otherwise.
    pub size: Option<usize>,
    /// Only each so-many-th connection, `count`, meets it; the others are answered well.
    pub flaps: bool,
    script: fn(&Parameters) -> Script,
}

impl Mode {
    pub(super) const fn new(
        name: &'static str,
        help: &'static str,
        text: &'static str,
        script: fn(&Parameters) -> Script,
    ) -> Self {
        Self { name, help, text, after: None, count: None, size: None, flaps: false, script }
    }

    pub(super) const fn after(self, milliseconds: u64) -> Self {
        Self { after: Some(Duration::from_millis(milliseconds)), ..self }
    }

    pub(super) const fn count(self, of: &'static str, default: u64) -> Self {
        Self { count: Some((of, default)), ..self }
    }

    pub(super) const fn size(self, bytes: usize) -> Self {
        Self { size: Some(bytes), ..self }
    }

    pub(super) const fn flaps(self) -> Self {
        Self { flaps: true, ..self }
    }

    /// What it does with these parameters.
    pub fn script(&self, parameters: &Parameters) -> Script {
        (self.script)(parameters)
    }

    /// The row's parameters with what was said in their place.
    ///
    /// # Errors
    /// A parameter that changes nothing here.
    pub fn parameters(&self, said: Words) -> Result<Parameters, String> {
        let useless = [
            ("after", said.after.is_some() && self.after.is_none()),
            ("count", said.count.is_some() && self.count.is_none()),
            ("size", said.size.is_some() && self.size.is_none()),
        ];
        match useless.iter().find(|(_, useless)| *useless) {
            Some((name, _)) => Err(format!("mode \"{}\" has no parameter \"{name}\"", self.name)),
            None => Ok(Parameters {
                after: said.after.or(self.after).unwrap_or_default(),
                count: said.count.or(self.count.map(|(_, count)| count)).unwrap_or_default(),
                size: said.size.or(self.size).unwrap_or_default(),
            }),
        }
    }

    /// Its parameters as they are written, with their defaults: `after=1s count=20`.
    pub fn takes(&self) -> String {
        let after = self.after.map(|after| format!("after={}", written(after)));
        let count = self.count.map(|(_, count)| format!("count={count}"));
        let size = self.size.map(|size| format!("size={size}"));
        after.into_iter().chain(count).chain(size).collect::<Vec<_>>().join(" ")
    }
}

fn written(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::misbehave::script::{Answer, Step};

    const ROW: Mode =
        Mode::new("m", "h", "t", |with| Script::open(vec![Step::Wait(with.after), Step::CloseAfter(with.count)]))
            .after(1500)
            .count("requests", 2);

    #[test]
    fn what_is_said_replaces_the_rows_own() {
        let said = Words { count: Some(7), ..Words::default() };
        let parameters = ROW.parameters(said).unwrap();
        let script = ROW.script(&parameters);
        assert_eq!(script.steps, [Step::Wait(Duration::from_millis(1500)), Step::CloseAfter(7)]);
    }

    #[test]
    fn a_parameter_that_changes_nothing_is_refused() {
        let said = Words { size: Some(7), ..Words::default() };
        assert_eq!(ROW.parameters(said).unwrap_err(), "mode \"m\" has no parameter \"size\"");
    }

    #[test]
    fn parameters_are_written_as_they_are_typed() {
        assert_eq!(ROW.takes(), "after=1500ms count=2");
        assert_eq!(Mode::new("n", "", "", |_| Script::answers(Answer::WELL)).takes(), "");
    }
}
