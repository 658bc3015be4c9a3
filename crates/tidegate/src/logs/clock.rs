//! The time as logs and fields write it, formatted once a second. Not here: timeouts, which use `Instant`.

use std::cell::{Ref, RefCell};
use std::fmt::{self, Write};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The present in every form that is written. One thread's own: each form costs a formatting at most once a second.
///
/// Local forms use the zone that `TZ` or the system named when the process first asked.
#[derive(Default)]
pub struct Clock {
    stamps: RefCell<Stamps>,
}

impl Clock {
    /// A clock that has formatted nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `2026/11/23 08:09:10`: the stamp of error-log lines, local time.
    pub fn error_stamp(&self) -> Ref<'_, str> {
        Ref::map(self.now(), |stamps| stamps.error_log.as_str())
    }

    /// `23/Nov/2026:08:09:10 +0000`: `$time_local`.
    pub fn time_local(&self) -> Ref<'_, str> {
        Ref::map(self.now(), |stamps| stamps.local.as_str())
    }

    /// `2026-11-23T08:09:10+00:00`: `$time_iso8601`.
    pub fn time_iso8601(&self) -> Ref<'_, str> {
        Ref::map(self.now(), |stamps| stamps.iso8601.as_str())
    }

    /// `Mon, 23 Nov 2026 08:09:10 GMT`: the `Date` field (IMF-fixdate, RFC 9110 §5.6.7).
    pub fn http_date(&self) -> Ref<'_, str> {
        Ref::map(self.now(), |stamps| stamps.http.as_str())
    }

    /// `1795421350.123`: `$msec`.
    pub fn msec(&self) -> Msec {
        Msec(since_epoch())
    }

    fn now(&self) -> Ref<'_, Stamps> {
        let second = since_epoch().as_secs();
        if self.stamps.borrow().second != Some(second) {
            self.stamps.borrow_mut().format(second, zone());
        }
        self.stamps.borrow()
    }
}

/// The local time so long ago: `08:09:10`, with the date in front if it was another day.
pub fn time_before(span: Duration) -> String {
    shown_before(Zoned::now().with_time_zone(zone().clone()), span)
}

fn shown_before(now: Zoned, span: Duration) -> String {
    let then = now.checked_sub(span).unwrap_or_else(|_| now.clone());
    let format = if then.date() == now.date() { "%H:%M:%S" } else { "%Y/%m/%d %H:%M:%S" };
    then.strftime(format).to_string()
}

/// Seconds and milliseconds since 1970, shown as `1795421350.123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Msec(Duration);

impl fmt::Display for Msec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// One second in every form.
#[derive(Debug, Default)]
struct Stamps {
    second: Option<u64>,
    error_log: String,
    local: String,
    iso8601: String,
    http: String,
}

impl Stamps {
    fn format(&mut self, second: u64, zone: &TimeZone) {
        // A clock set beyond the year 9999 shows 1970: wrong, and not a reason to end the process.
        let time = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
        let time = time.unwrap_or(Timestamp::UNIX_EPOCH);
        let local = time.to_zoned(zone.clone());
        let utc = time.to_zoned(TimeZone::UTC);
        put(&mut self.error_log, &local, "%Y/%m/%d %H:%M:%S");
        put(&mut self.local, &local, "%d/%b/%Y:%H:%M:%S %z");
        put(&mut self.iso8601, &local, "%Y-%m-%dT%H:%M:%S%:z");
        put(&mut self.http, &utc, "%a, %d %b %Y %H:%M:%S GMT");
        self.second = Some(second);
    }
}

fn put(text: &mut String, time: &Zoned, format: &str) {
    text.clear();
    // Writing to a String cannot fail, and the formats above are known to be good (tested).
    let _ = write!(text, "{}", time.strftime(format));
}

/// The zone of the process.
fn zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(TimeZone::system)
}

/// A clock set before 1970 counts as 1970.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let now = Timestamp::from_second(1_795_421_350).unwrap().to_zoned(TimeZone::UTC);
        assert_eq!(shown_before(now.clone(), Duration::from_secs(70)), "08:08:00");
        assert_eq!(shown_before(now, Duration::from_secs(86_400)), "2026/11/22 08:09:10");
    }

    fn stamps_at(second: u64, zone: &str) -> Stamps {
        let mut stamps = Stamps::default();
        stamps.format(second, &TimeZone::posix(zone).unwrap());
        stamps
    }

    #[test]
    fn writes_each_form_as_nginx_does() {
        let stamps = stamps_at(1_795_421_350, "UTC0");
        assert_eq!(stamps.error_log, "2026/11/23 08:09:10");
        assert_eq!(stamps.local, "23/Nov/2026:08:09:10 +0000");
        assert_eq!(stamps.iso8601, "2026-11-23T08:09:10+00:00");
        assert_eq!(stamps.http, "Mon, 23 Nov 2026 08:09:10 GMT");
    }

    #[test]
    fn local_forms_follow_the_zone_and_the_date_field_does_not() {
        let stamps = stamps_at(1_795_421_350, "XXX4:30");
        assert_eq!(stamps.error_log, "2026/11/23 03:39:10");
        assert_eq!(stamps.local, "23/Nov/2026:03:39:10 -0430");
        assert_eq!(stamps.iso8601, "2026-11-23T03:39:10-04:30");
        assert_eq!(stamps.http, "Mon, 23 Nov 2026 08:09:10 GMT");
    }

    #[test]
    fn days_of_one_digit_keep_their_zero() {
        assert_eq!(stamps_at(0, "UTC0").http, "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_time_beyond_the_calendar_does_not_panic() {
        assert_eq!(stamps_at(u64::MAX, "UTC0").local, "01/Jan/1970:00:00:00 +0000");
    }

    #[test]
    fn milliseconds_have_three_digits() {
        assert_eq!(Msec(Duration::from_millis(1_007)).to_string(), "1.007");
    }

    #[test]
    fn a_clock_tells_the_present() {
        let clock = Clock::new();
        let before = clock.msec().0.as_secs();
        let shown = clock.http_date().to_string();
        let after = clock.msec().0.as_secs();
        assert!((before..=after).any(|second| stamps_at(second, "UTC0").http == shown));
    }
}
