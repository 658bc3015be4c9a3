//! Median, spread and ratios of a few rounds. Arithmetic only: where the numbers come from is the
//! caller's affair.

/// The middle of some values and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` when there are no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
        Some(Self { median: (lower + upper) / 2.0, min: *sorted.first()?, max: *sorted.last()? })
    }

    /// The ratios of `values` to `reference`, paired by position: rounds that follow each other in
    /// the rotation saw the same machine, so that what slows both cancels. Rounds in which one of
    /// the two was not measured (0) do not count.
    pub(crate) fn of_ratios(values: &[f64], reference: &[f64]) -> Option<Self> {
        let pairs = values.iter().zip(reference);
        let measured = pairs.filter(|(value, reference)| **value > 0.0 && **reference > 0.0);
        Self::of(measured.map(|(value, reference)| value / reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, min: f64, max: f64) -> Option<Spread> {
        Some(Spread { median, min, max })
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        assert_eq!(Spread::of([9.0, 1.0, 4.0]), spread(4.0, 1.0, 9.0));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(Spread::of([8.0, 1.0, 4.0, 2.0]), spread(3.0, 1.0, 8.0));
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of_ratios(&[1.0], &[]), None);
    }

    #[test]
    fn ratios_pair_the_rounds_and_do_not_divide_the_medians() {
        // The second round was disturbed for both: the ratio does not show it.
        let ratios = Spread::of_ratios(&[10.0, 40.0, 11.0], &[20.0, 80.0, 20.0]);
        assert_eq!(ratios, spread(0.5, 0.5, 0.55));
    }

    #[test]
    fn rounds_that_were_not_measured_are_left_out() {
        assert_eq!(Spread::of_ratios(&[1.0, 3.0, 0.0], &[0.0, 2.0, 2.0]), spread(1.5, 1.5, 1.5));
    }
}
