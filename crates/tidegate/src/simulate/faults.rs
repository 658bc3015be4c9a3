//! What goes wrong in a simulation, when, and where. Not here: what an endpoint makes of it (`endpoint`).

use std::time::Duration;

/// The words for faults, as `--fault` has them.
const KINDS: [&str; 5] = ["kill", "slow", "overload", "flap", "hang"];

/// A flapping endpoint is up for so long, and then down for as long.
const FLAP: Duration = Duration::from_secs(1);

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Connections are refused, and those that are open are reset.
    Dead,
    /// Answers take so many times as long.
    Slow(f64),
    /// Connections are taken, and nothing is answered until it is over.
    Hung,
    /// So many times as many requests come.
    Overload(f64),
}

/// One span of one fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// The part of the endpoints that it meets, 0 to 1.
    share: f64,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Fault {
    /// Whether it meets endpoint `index` of so many: the first ones are met.
    pub(super) fn meets(&self, index: usize, endpoints: usize) -> bool {
        index < (self.share * endpoints as f64).ceil() as usize
    }

    pub(super) fn lasts_at(&self, at: Duration) -> bool {
        self.from <= at && at < self.to
    }
}

/// Reads `kill=30%@10s..20s`. A fault that comes and goes is several.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Fault>, String> {
    let (what, when) = text.split_once('@').ok_or_else(|| format!("fault \"{text}\" says no time: {text}@10s..20s"))?;
    let (from, to) = when.split_once("..").and_then(|(from, to)| Some((time(from)?, time(to)?))).unzip();
    let (from, to) = from
        .zip(to)
        .filter(|(from, to)| from < to)
        .ok_or_else(|| format!("\"{when}\" is no span of time: write 10s..20s"))?;
    let (word, value) = what.split_once('=').map_or((what, None), |(word, value)| (word, Some(value)));
    let fault = |kind, share| Fault { kind, share, from, to };
    Ok(match word {
        "kill" => vec![fault(Kind::Dead, share(value)?)],
        "hang" => vec![fault(Kind::Hung, share(value)?)],
        "flap" => flapping(fault(Kind::Dead, share(value)?)),
        "overload" => vec![fault(Kind::Overload(times(value)?), 1.0)],
        "slow" => {
            let (factor, part) = value.and_then(|value| value.split_once('/')).unzip();
            vec![fault(Kind::Slow(times(factor.or(value))?), share(part)?)]
        }
        other => return Err(format!("unknown fault \"{other}\": there are {}", KINDS.join(", "))),
    })
}

/// Down first, and up every other second.
fn flapping(whole: Fault) -> Vec<Fault> {
    let starts = std::iter::successors(Some(whole.from), |from| Some(*from + 2 * FLAP));
    let spans = starts.take_while(|from| *from < whole.to);
    spans.map(|from| Fault { from, to: (from + FLAP).min(whole.to), ..whole }).collect()
}

/// `30%`; all where nothing is said.
fn share(value: Option<&str>) -> Result<f64, String> {
    let Some(value) = value else { return Ok(1.0) };
    let percent = value.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.map(|percent| percent / 100.0).ok_or_else(|| format!("\"{value}\" is no share of the endpoints: write 30%"))
}

/// `10x`.
fn times(value: Option<&str>) -> Result<f64, String> {
    let number = value.and_then(|value| value.strip_suffix('x')).and_then(|number| number.parse::<f64>().ok());
    let number = number.filter(|number| (0.01..=1000.0).contains(number));
    number.ok_or_else(|| format!("\"{}\" is no factor from 0.01x to 1000x", value.unwrap_or_default()))
}

/// A time in nginx's units, above zero or zero itself.
pub(super) fn time(text: &str) -> Option<Duration> {
    config::units::time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_say_what_where_and_when() {
        let [slow] = parse("slow=10x/30%@1s..2s").unwrap()[..] else { panic!("one fault") };
        assert_eq!((slow.kind, slow.from, slow.to), (Kind::Slow(10.0), Duration::from_secs(1), Duration::from_secs(2)));
        assert_eq!([0, 2, 3].map(|index| slow.meets(index, 10)), [true, true, false]);
        assert!(parse("kill@1s..2s").unwrap()[0].meets(9, 10), "all, where no share is said");
        assert_eq!(parse("flap=10%@0..3500ms").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_fault_is_said() {
        for text in ["kill=30%", "kill=30@1s..2s", "kill@2s..1s", "slow@1s..2s", "slow=0x@1s..2s", "burn@1s..2s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
