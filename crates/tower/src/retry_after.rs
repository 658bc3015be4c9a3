//! `Retry-After` of an answer. Not here: how it is read (`policy::retry_after`), whether it is waited for.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use policy::retry_after::parse;

/// How long the answer asks to wait. A date counts from the answer's own `Date`, so that clocks need not agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = text(RETRY_AFTER)?;
    let said = text(DATE).and_then(|date| parse(date, Duration::ZERO));
    let now = said.or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok());
    parse(value, now.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(http::HeaderName, &'static str)]) -> Option<Duration> {
        retry_after(&fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        const NOW: &str = "Tue, 24 Nov 2026 10:00:00 GMT";
        assert_eq!(of(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(of(&[(RETRY_AFTER, "Tue, 24 Nov 2026 10:00:09 GMT"), (DATE, NOW)]), Some(Duration::from_secs(9)));
        assert_eq!(of(&[(RETRY_AFTER, "Tue, 24 Nov 2026 09:00:00 GMT"), (DATE, NOW)]), Some(Duration::ZERO));
        for nothing in ["-1", "soon", "1.5", ""] {
            assert_eq!(of(&[(RETRY_AFTER, nothing)]), None, "{nothing}");
        }
        assert_eq!(of(&[]), None);
    }
}
