//! Times as logs write them, as seconds of the wall clock that wrote them. Not here: time zones (a log is read as its
//! machine's clock showed it, so that lines of its access log and its error log stand beside each other), and the present.

use std::fmt;

/// Seconds since 1970 on the wall of the machine that wrote the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(pub(crate) i64);

pub(crate) const DAY: i64 = 86_400;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

impl Moment {
    /// `25/Nov/2026:16:39:28 +0000`, as `$time_local` writes it, with anything behind the seconds.
    pub(crate) fn from_clf(text: &[u8]) -> Option<Self> {
        let [d1, d2, b'/', m1, m2, m3, b'/', year @ ..] = text.get(..11)? else { return None };
        let month = MONTHS.iter().position(|name| **name == [*m1, *m2, *m3])? as u32 + 1;
        let day = number(&[*d1, *d2])?;
        let [b':', clock @ ..] = text.get(11..)? else { return None };
        Self::new(number(year)?, month, day, clock)
    }

    /// `2026/11/25 16:39:28`, the stamp of nginx's error log; also with `-` in place of `/`, and with `T`.
    pub(crate) fn from_stamp(text: &[u8]) -> Option<Self> {
        let [year @ .., b'/' | b'-', m1, m2, b'/' | b'-', d1, d2] = text.get(..10)? else { return None };
        let [b' ' | b'T' | b't', clock @ ..] = text.get(10..)? else { return None };
        Self::new(number(year)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?, clock)
    }

    /// `1795421350.123`, seconds since 1970 in UTC. `offset` is this clock's, in seconds.
    pub(crate) fn from_epoch(text: &[u8], offset: i64) -> Option<Self> {
        let whole = text.split(|byte| *byte == b'.').next()?;
        if whole.len() > 12 {
            return None;
        }
        let seconds = std::str::from_utf8(whole).ok()?.parse::<i64>().ok()?;
        Some(Self(seconds + offset))
    }

    fn new(year: u32, month: u32, day: u32, clock: &[u8]) -> Option<Self> {
        let [h1, h2, b':', m1, m2, b':', s1, s2] = clock.get(..8)? else { return None };
        let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        fits.then(|| Self(days_from_civil(i64::from(year), month, day) * DAY + seconds))
    }

    /// Year, month and day.
    pub(crate) fn date(self) -> (i64, u32, u32) {
        civil_from_days(self.0.div_euclid(DAY))
    }

    /// `16:39:28`.
    pub(crate) fn clock(self) -> String {
        let second = self.0.rem_euclid(DAY);
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}

/// `2026-11-25 16:39:28`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02} {}", self.clock())
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| Some(number * 10 + char::from(*byte).to_digit(10)?))
}

/// Days since 1970-01-01 of the Gregorian calendar, counting years from March so that leap days come last.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A reader of one form of time that knows the last one: lines of one second follow each other.
#[derive(Debug, Default)]
pub(super) struct Memo {
    text: Vec<u8>,
    moment: Option<Moment>,
}

impl Memo {
    /// `read(text)`, or what it was if the text is that of the last call.
    pub(super) fn read(&mut self, text: &[u8], read: impl Fn(&[u8]) -> Option<Moment>) -> Option<Moment> {
        if self.text != text || self.moment.is_none() {
            self.text.clear();
            self.text.extend_from_slice(text);
            self.moment = read(text);
        }
        self.moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_means_the_same_moment() {
        let moment = Moment(1_795_624_768);
        assert_eq!(Moment::from_clf(b"25/Nov/2026:16:39:28 +0100"), Some(moment));
        assert_eq!(Moment::from_stamp(b"2026/11/25 16:39:28 [error]"), Some(moment));
        assert_eq!(Moment::from_stamp(b"2026-11-25T16:39:28+00:00"), Some(moment));
        assert_eq!(Moment::from_epoch(b"1795624768.123", 0), Some(moment));
        assert_eq!(moment.to_string(), "2026-11-25 16:39:28");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, date) in [(0, (1970, 1, 1)), (-1, (1969, 12, 31)), (11_016, (2000, 2, 29)), (19_782, (2024, 2, 29))]
        {
            assert_eq!(civil_from_days(days), date);
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
        }
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "25/Nov/2026", "25/Nox/2026:16:39:28", "2x/Nov/2026:16:39:28 +0000", "25/Nov/2026:24:39:28 "] {
            assert_eq!(Moment::from_clf(text.as_bytes()), None, "{text}");
        }
        for text in ["2026/11/25", "2026/13/25 16:39:28", "2026/11/2516:39:28", "9999999999999.1"] {
            assert_eq!(Moment::from_stamp(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Moment::from_epoch(b"9999999999999", 0), None);
    }

    #[test]
    fn a_memo_reads_again_when_the_text_differs() {
        let mut memo = Memo::default();
        let mut read = |text: &str| memo.read(text.as_bytes(), Moment::from_clf).map(|moment| moment.clock());
        assert_eq!(read("25/Nov/2026:16:39:28 +0000").as_deref(), Some("16:39:28"));
        assert_eq!(read("25/Nov/2026:16:39:28 +0000").as_deref(), Some("16:39:28"));
        assert_eq!(read("25/Nov/2026:16:39:29 +0000").as_deref(), Some("16:39:29"));
        assert_eq!(read("-"), None);
    }
}
