//! What can be said beside a mode's name. Not here: what a mode makes of it.

use std::time::Duration;

/// Values for a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters {
    /// How long until it happens.
    pub after: Duration,
    /// How many of what the mode counts.
    pub count: u64,
    /// How many bytes.
    pub size: usize,
}

/// What was said; the rest is as the mode's row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Words {
    /// `after`.
    pub after: Option<Duration>,
    /// `count`.
    pub count: Option<u64>,
    /// `size`.
    pub size: Option<usize>,
}

/// What may be said of a parameter, by its name.
pub(super) const NAMES: [&str; 3] = ["after", "count", "size"];

/// The most of anything that is made in memory at once.
const MOST: usize = 64 << 20;

impl Words {
    /// Takes a parameter in nginx's units: `after` a time, `count` a number, `size` bytes.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |wanted| format!("\"{value}\" is no value for {name}: write {wanted}");
        match name {
            "after" => self.after = Some(config::units::time(value).ok_or_else(|| wrong("a time like 500ms or 2s"))?),
            "count" => {
                let count = value.parse().ok().filter(|count| (1..=MOST as u64).contains(count));
                self.count = Some(count.ok_or_else(|| wrong("a number from 1 on"))?);
            }
            "size" => {
                let size = config::units::size(value).and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|size| (1..=MOST).contains(size));
                self.size = Some(size.ok_or_else(|| wrong("bytes up to 64m, like 600 or 64k"))?);
            }
            _ => return Err(format!("there is no parameter \"{name}\": known are {}", NAMES.join(", "))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_nginx_units() {
        let mut words = Words::default();
        for (name, value) in [("after", "1500ms"), ("count", "3"), ("size", "64k")] {
            words.set(name, value).unwrap();
        }
        let expected = Words { after: Some(Duration::from_millis(1500)), count: Some(3), size: Some(65536) };
        assert_eq!(words, expected);
    }

    #[test]
    fn wrong_values_are_said_with_what_to_write() {
        let said = |name, value| Words::default().set(name, value).unwrap_err();
        assert_eq!(said("after", "soon"), "\"soon\" is no value for after: write a time like 500ms or 2s");
        assert_eq!(said("count", "0"), "\"0\" is no value for count: write a number from 1 on");
        assert_eq!(said("size", "65m"), "\"65m\" is no value for size: write bytes up to 64m, like 600 or 64k");
        assert_eq!(said("x", "1"), "there is no parameter \"x\": known are after, count, size");
    }
}
