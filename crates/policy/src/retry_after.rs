//! `Retry-After` (RFC 9110 §10.2.3): seconds, or a date in one of the three forms of §5.6.7.
//! Not here: how long is waited in the end ([`crate::backoff`]).

use std::time::Duration;

/// How long after `now` the value asks to wait; zero for a date that has passed, nothing for what is neither seconds nor a
/// date. `now` counts from the beginning of 1970, UTC; the answer's own `Date` is best, as clocks differ.
pub fn parse(value: &str, now: Duration) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Some(date(value, now)?.saturating_sub(now))
}

/// A date, from the beginning of 1970. What lies before that counts as its beginning: both have passed.
fn date(value: &str, now: Duration) -> Option<Duration> {
    let words: Vec<&str> = value.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let (year, month, day, time) = match words[..] {
        [weekday, day, month, year, time, "GMT"] if weekday.ends_with(',') => (year, month, day, time),
        [_, month, day, time, year] => (year, month, day, time),
        _ => return None,
    };
    let (month, day) = (month_number(month)?, number(day, 1..=31)?);
    let days = days_since_1970(full_year(year, now)?, month, day);
    let seconds = days * 86_400 + seconds_of_day(time)?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| digits && range.contains(value))
}

fn month_number(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.iter().zip(1..).find_map(|(month, number)| (*month == name).then_some(number))
}

/// A leap second is the last second of its day.
fn seconds_of_day(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let (hours, minutes) = (number(parts.next()?, 0..=23)?, number(parts.next()?, 0..=59)?);
    let seconds = number(parts.next()?, 0..=60)?.min(59);
    parts.next().is_none().then_some(hours * 3600 + minutes * 60 + seconds)
}

/// A year of two digits is the one that lies nearest: at most fifty years ahead of `now` (RFC 9110 §5.6.7).
fn full_year(year: &str, now: Duration) -> Option<i64> {
    let number = number(year, 0..=9999)?;
    match year.len() {
        4 => Some(number),
        2 => {
            let this = 1970 + i64::try_from(now.as_secs()).ok()? / 31_556_952;
            Some(this - 49 + (number - (this - 49)).rem_euclid(100))
        }
        _ => None,
    }
}

/// Days of the Gregorian calendar: years begin in March, so that the day that may be missing comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(784_111_777);

    #[test]
    fn days_are_counted_across_leap_years() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(2000, 2, 29), 11_016);
        assert_eq!(days_since_1970(2100, 3, 1), 47_541);
        assert_eq!(days_since_1970(1969, 12, 31), -1);
    }

    #[test]
    fn years_of_two_digits_are_the_nearest() {
        let year = |text| full_year(text, NOW);
        assert_eq!([year("94"), year("44"), year("45"), year("00")], [Some(1994), Some(2044), Some(1945), Some(2000)]);
    }

    #[test]
    fn a_wait_beyond_all_bounds_stays_one() {
        assert_eq!(parse("99999999999999999999999", NOW), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(parse("Thu, 01 Jan 1960 00:00:00 GMT", NOW), Some(Duration::ZERO));
    }
}
