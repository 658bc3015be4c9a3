//! HTTP dates (RFC 9110 §5.6.7) as seconds since 1970. Not here: the clock.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time as `Tue, 02 Jan 2024 03:04:05 GMT`.
pub fn format(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    let weekday = DAYS[days.rem_euclid(7) as usize];
    let month = MONTHS[month - 1];
    format!("{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT", second / 3600, second / 60 % 60, second % 60)
}

/// Reads any of the three forms of an HTTP date; `None` if it is none of them.
///
/// As in nginx, the weekday and the time zone are not looked at.
pub fn parse(text: &[u8]) -> Option<i64> {
    let mark = text.iter().position(|byte| matches!(byte, b',' | b' '))?;
    let asctime = text.get(mark) == Some(&b' ');
    let mut rest = Cursor(text.get(mark + 1..)?);
    rest.spaces();
    let (year, month, day, second) = if asctime {
        let month = rest.month()?;
        rest.spaces();
        let day = rest.digits(1, 2)?;
        rest.byte(b' ')?;
        let second = rest.time()?;
        rest.byte(b' ')?;
        (rest.digits(4, 4)?, month, day, second)
    } else {
        let day = rest.digits(2, 2)?;
        let separator = rest.separator()?;
        let month = rest.month()?;
        rest.byte(separator)?;
        let year = match separator {
            b' ' => rest.digits(4, 4)?,
            _ => rest.short_year()?,
        };
        rest.byte(b' ')?;
        (year, month, day, rest.time()?)
    };
    (day <= month_length(year, month)).then(|| days(year, month, day) * 86_400 + second)
}

/// What is left to read; every method takes something off its front, or fails.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn spaces(&mut self) {
        while let [b' ', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[wanted])?;
        Some(())
    }

    fn separator(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        matches!(first, b' ' | b'-').then_some(first)
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let value = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        (count >= least).then(|| value(digits))
    }

    /// The month's number, 1 to 12.
    fn month(&mut self) -> Option<i64> {
        let (name, rest) = self.0.split_at_checked(3)?;
        self.0 = rest;
        let index = MONTHS.iter().position(|month| month.as_bytes() == name)?;
        i64::try_from(index + 1).ok()
    }

    fn short_year(&mut self) -> Option<i64> {
        let year = self.digits(2, 2)?;
        Some(year + if year < 70 { 2000 } else { 1900 })
    }

    /// `03:04:05` as seconds of the day.
    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(2, 2)?;
        self.byte(b':')?;
        let minute = self.digits(2, 2)?;
        self.byte(b':')?;
        let second = self.digits(2, 2)?;
        (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
    }
}

fn month_length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date in the Gregorian calendar. Years are counted from March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

/// Year, month (1 to 12) and day of a number of days since 1970: the inverse of [`days`].
fn civil(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_three_forms() {
        for text in [
            "Tue, 02 Jan 2024 03:04:05 GMT",
            "Tue, 02 Jan 2024 03:04:05 PST",
            "Tuesday, 02-Jan-24 03:04:05 GMT",
            "Tue Jan  2 03:04:05 2024",
            "x,02 Jan 2024 03:04:05",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(1_704_164_645), "{text}");
        }
        assert_eq!(parse(b"Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "junk",
            "1704164645",
            "Tue, 2 Jan 2024 03:04:05 GMT",
            "Tue, 30 Feb 2024 03:04:05 GMT",
            "Tue, 29 Feb 2023 03:04:05 GMT",
            "Tue, 02 Xxx 2024 03:04:05 GMT",
            "Tue, 02 Jan 2024 24:04:05 GMT",
            "Tue, 02 Jan 2024 03:04:60 GMT",
            "Tue, 02 Jan 2024 03:04",
            "Tue, 02-Jan 2024 03:04:05 GMT",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_time_reads_back(seconds in -62_000_000_000_i64..253_402_300_800) {
            prop_assert_eq!(parse(format(seconds).as_bytes()), Some(seconds));
        }

        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&text);
        }
    }
}
