//! The gate: what tidegate's CPU for a small GET may be, beside nginx and the forwarder.

use super::contender::Contender;
use super::results::Results;
use super::statistics::Spread;

/// The highest allowed median ratio of tidegate's CPU a request to each reference's.
const LIMITS: [(Contender, f64); 2] = [(Contender::Nginx, 1.0), (Contender::Forwarder, 1.3)];

/// Prints each ratio and its limit, and says whether all hold. A ratio that could not be measured
/// does not.
pub(crate) fn judge(results: &Results) -> bool {
    let verdicts = LIMITS.map(|(reference, limit)| {
        let mut ratios = results.cases.iter().map(|case| case.cpu_ratio(Contender::Tidegate, reference));
        let ratio = ratios.next().flatten();
        println!("{}", sentence(reference, limit, ratio));
        holds(limit, ratio)
    });
    verdicts.iter().all(|holds| *holds)
}

fn holds(limit: f64, ratio: Option<Spread>) -> bool {
    ratio.is_some_and(|ratio| ratio.median <= limit)
}

fn sentence(reference: Contender, limit: f64, ratio: Option<Spread>) -> String {
    let subject = format!("gate: tidegate's CPU for a small GET, limit {limit:.2} × {}'s:", reference.name());
    match ratio {
        Some(Spread { median, min, max }) => {
            let verdict = if holds(limit, ratio) { "holds" } else { "EXCEEDED" };
            format!("{subject} {median:.3} ({min:.3}–{max:.3}), {verdict}")
        }
        None => format!("{subject} not measured, EXCEEDED"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(median: f64) -> Option<Spread> {
        Some(Spread { median, min: 0.5, max: 2.0 })
    }

    #[test]
    fn the_median_decides_up_to_the_limit_itself() {
        assert!(holds(1.0, ratio(1.0)));
        assert!(!holds(1.0, ratio(1.001)));
    }

    #[test]
    fn what_was_not_measured_does_not_pass() {
        assert!(!holds(1.0, None));
        assert!(sentence(Contender::Nginx, 1.0, None).contains("not measured"));
    }

    #[test]
    fn the_sentence_has_ratio_limit_and_verdict() {
        let sentence = sentence(Contender::Forwarder, 1.3, ratio(1.25));
        assert!(sentence.contains("1.30 × forwarder's: 1.250 (0.500–2.000), holds"), "{sentence}");
    }
}
