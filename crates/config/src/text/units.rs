//! Numbers with units, as nginx's `ngx_parse.c` reads them. Not here: what is said of one that is wrong.

use std::time::Duration;

/// The largest number of any kind: nginx's on 64 bits.
const MAX: u64 = i64::MAX.unsigned_abs();

/// How exact a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Milliseconds: units from `w` to `ms`.
    Milliseconds,
    /// Seconds: units from `y` to `s`.
    Seconds,
}

/// A unit of time: its place in the order in which units may follow each other, and its length in milliseconds. A space
/// after a number stands for seconds, and nothing but a number without a unit may follow it.
const UNITS: [(&str, u8, u64); 9] = [
    ("y", 1, 365 * DAY),
    ("M", 2, 30 * DAY),
    ("w", 3, 7 * DAY),
    ("d", 4, DAY),
    ("h", 5, 60 * 60 * SECOND),
    ("ms", 8, 1),
    ("m", 6, 60 * SECOND),
    ("s", SECONDS, SECOND),
    (" ", LAST, SECOND),
];
const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;
const SECONDS: u8 = 7;
const LAST: u8 = 9;

/// `500ms`, `60`, `1h30m`, `1d 12h`: units from long to short, each once; seconds where none is written.
pub(crate) fn time(text: &str, resolution: Resolution) -> Option<Duration> {
    // Where milliseconds count there are no years and months.
    let (mut place, second) = match resolution {
        Resolution::Milliseconds => (2, SECOND),
        Resolution::Seconds => (0, 1),
    };
    let mut total = 0;
    let mut rest = text;
    loop {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let value = if number.is_empty() { 0 } else { count(number)? };
        if after.is_empty() {
            total = sum(total, value, second)?;
            break;
        }
        let (unit, next, length) = UNITS.into_iter().find(|(unit, ..)| after.starts_with(unit))?;
        let bound = if next == LAST { SECONDS } else { next };
        if place >= bound || (resolution == Resolution::Seconds && length < SECOND) {
            return None;
        }
        place = next;
        total = sum(total, value, length * second / SECOND)?;
        rest = after.strip_prefix(unit)?.trim_start_matches(' ');
    }
    text.contains(|c: char| c.is_ascii_digit()).then(|| match resolution {
        Resolution::Milliseconds => Duration::from_millis(total),
        Resolution::Seconds => Duration::from_secs(total),
    })
}

fn sum(total: u64, value: u64, length: u64) -> Option<u64> {
    total.checked_add(value.checked_mul(length)?).filter(|total| *total <= MAX)
}

/// `512`, `8k`, `1m`: bytes that fit into memory.
pub(crate) fn size(text: &str) -> Option<u64> {
    scaled(text, &[('k', 10), ('m', 20)])
}

/// `512`, `8k`, `1m`, `2g`: bytes of a body or a file.
pub(crate) fn offset(text: &str) -> Option<u64> {
    scaled(text, &[('k', 10), ('m', 20), ('g', 30)])
}

fn scaled(text: &str, units: &[(char, u32)]) -> Option<u64> {
    let unit = units.iter().find(|(unit, _)| text.ends_with([*unit, unit.to_ascii_uppercase()]));
    let (digits, shift) = match unit {
        Some((_, shift)) => (text.get(..text.len() - 1)?, *shift),
        None => (text, 0),
    };
    count(digits)?.checked_mul(1 << shift).filter(|bytes| *bytes <= MAX)
}

/// Digits alone.
pub(crate) fn count(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn milliseconds(text: &str) -> Option<u128> {
        time(text, Resolution::Milliseconds).map(|time| time.as_millis())
    }

    fn seconds(text: &str) -> Option<u64> {
        time(text, Resolution::Seconds).map(|time| time.as_secs())
    }

    #[test]
    fn a_time_without_a_unit_is_in_seconds() {
        assert_eq!(milliseconds("60"), Some(60_000));
        assert_eq!(seconds("60"), Some(60));
        assert_eq!(milliseconds("1m30"), Some(90_000));
    }

    #[test]
    fn units_go_from_long_to_short() {
        assert_eq!(milliseconds("1h30m"), Some(5_400_000));
        assert_eq!(milliseconds("1w2d3h4m5s6ms"), Some(788_645_006));
        assert_eq!(milliseconds("1d 12h"), Some(129_600_000));
        assert_eq!(milliseconds("30m1h"), None);
        assert_eq!(milliseconds("1h1h"), None);
    }

    #[test]
    fn years_and_months_are_for_seconds_and_ms_is_not() {
        assert_eq!(seconds("1y1M"), Some(34_128_000));
        assert_eq!(milliseconds("1y"), None);
        assert_eq!(milliseconds("1M"), None);
        assert_eq!(seconds("500ms"), None);
        assert_eq!(milliseconds("500ms"), Some(500));
    }

    #[test]
    fn a_space_after_a_number_stands_for_seconds() {
        assert_eq!(milliseconds("30 20"), Some(50_000));
        assert_eq!(milliseconds(" 1"), Some(1000));
        assert_eq!(milliseconds("1 h"), None);
    }

    #[test]
    fn a_time_has_a_digit_and_nothing_strange() {
        for text in ["", "s", "h", " ", "-1", "1x", "1.5s", "+1", "1S", "one", "1hx"] {
            assert_eq!((milliseconds(text), seconds(text)), (None, None), "{text:?}");
        }
        assert_eq!(milliseconds("1hm"), Some(3_600_000), "nginx takes it too");
    }

    #[test]
    fn a_time_that_is_too_large_is_none() {
        assert_eq!(seconds("9223372036854775807"), Some(9_223_372_036_854_775_807));
        assert_eq!(seconds("9223372036854775808"), None);
        assert_eq!(milliseconds("9223372036854775807"), None);
        assert_eq!(seconds("999999999999999y"), None);
        assert_eq!(seconds("9223372036854775807s1"), None);
    }

    #[test]
    fn sizes_and_offsets_have_their_units() {
        assert_eq!(size("512"), Some(512));
        assert_eq!(size("8k"), size("8K"));
        assert_eq!(size("1m"), Some(1 << 20));
        assert_eq!(size("1g"), None);
        assert_eq!(offset("1g"), Some(1 << 30));
        assert_eq!(offset("2G"), Some(2 << 30));
        for text in ["", "k", "1kk", "-1", "1 k", "1t", "9223372036854775808", "9007199254740992k"] {
            assert_eq!((size(text), offset(text)), (None, None), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none(text in "[0-9yMwdhms kKgG]{0,24}|\\PC{0,8}") {
            let _ = (milliseconds(&text), seconds(&text), size(&text), offset(&text), count(&text));
        }
    }
}
