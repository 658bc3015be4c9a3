//! One line of an access log as values, borrowed from the line; and how each value is read. Not here: which part of a line
//! is which value (`layout`, `json_row`).

use memchr::memchr;

use super::moment::{Memo, Moment};

/// What a line says of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) at: Option<Moment>,
    pub(super) client: &'a [u8],
    /// The target as the client sent it.
    pub(super) target: &'a [u8],
    /// The status that the client got; 0 if the line has none.
    pub(super) status: u16,
    pub(super) bytes: u64,
    /// Microseconds from the request's first byte to the answer's last.
    pub(super) took: Option<u64>,
    /// The endpoints that were tried, as `$upstream_addr` lists them.
    pub(super) endpoints: &'a [u8],
    /// The code of a failure, or our name of it.
    pub(super) failure: &'a [u8],
    /// HAProxy's termination state, or Envoy's flags.
    pub(super) state: &'a [u8],
}

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Skip,
    Time,
    Client,
    /// `GET /target HTTP/1.1`.
    Request,
    Target,
    Status,
    Bytes,
    Took(Unit),
    Endpoints,
    Failure,
    State,
}

/// What a duration is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    /// A whole number is in milliseconds, one with a fraction in seconds.
    SecondsOrWholeMilliseconds,
    Nanoseconds,
}

impl Field {
    /// What nginx's variable of this name holds; `Skip` for those that no question here needs. The last few are no
    /// variables: formats of others are written with them.
    pub(super) fn of_variable(name: &str) -> Self {
        match name {
            "time_local" | "time_iso8601" | "msec" => Field::Time,
            "remote_addr" | "proxy_protocol_addr" => Field::Client,
            "request" => Field::Request,
            "request_uri" | "uri" => Field::Target,
            "status" => Field::Status,
            "body_bytes_sent" | "bytes_sent" => Field::Bytes,
            "request_time" => Field::Took(Unit::Seconds),
            "upstream_addr" => Field::Endpoints,
            "failure_code" | "failure" => Field::Failure,
            "took_ms" => Field::Took(Unit::Milliseconds),
            "state" => Field::State,
            _ => Field::Skip,
        }
    }

    /// Whether nginx may write several values here, with `, ` and ` : ` between them.
    pub(super) fn is_list(name: &str) -> bool {
        name.starts_with("upstream_")
    }
}

/// Reads values; one for each stream of lines.
#[derive(Debug, Default)]
pub(super) struct Reader {
    memo: Memo,
    /// Seconds that this machine's clock is ahead of UTC, for logs that count seconds since 1970.
    offset: i64,
}

impl Reader {
    /// `offset` is how many seconds this machine's clock is ahead of UTC.
    pub(super) fn new(offset: i64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Puts the text of a part into its row. False if it cannot be such a value.
    pub(super) fn set<'a>(&mut self, row: &mut Row<'a>, field: Field, text: &'a [u8]) -> bool {
        match field {
            Field::Skip => {}
            Field::Time => {
                row.at = self.time(text);
                return row.at.is_some();
            }
            Field::Client if memchr(b' ', text).is_some() => return false,
            Field::Client => row.client = text,
            Field::Request => row.target = target_of(text),
            Field::Target => row.target = text,
            Field::Status => match status(text) {
                Some(status) => row.status = status,
                None => return false,
            },
            Field::Bytes => row.bytes = whole(leading_digits(text)).unwrap_or(0),
            Field::Took(unit) => row.took = duration(text, unit),
            Field::Endpoints => row.endpoints = absent_is_empty(text),
            Field::Failure if row.failure.is_empty() => row.failure = absent_is_empty(text),
            Field::Failure => {}
            Field::State => row.state = absent_is_empty(text),
        }
        true
    }

    fn time(&mut self, text: &[u8]) -> Option<Moment> {
        let offset = self.offset;
        match text {
            [_, _, b'/', ..] => self.memo.read(text, Moment::from_clf),
            [_, _, _, _, b'-' | b'/', ..] => self.memo.read(text, Moment::from_stamp),
            _ => self.memo.read(text, |text| Moment::from_epoch(text, offset)),
        }
    }
}

fn absent_is_empty(text: &[u8]) -> &[u8] {
    if text == b"-" { b"" } else { text }
}

/// What stands between the first space and the last word of a request line; nothing in what is none.
pub(super) fn target_of(request: &[u8]) -> &[u8] {
    let Some(space) = memchr(b' ', request) else { return b"" };
    let rest = &request[space + 1..];
    match memchr(b' ', rest) {
        Some(end) => &rest[..end],
        None => rest,
    }
}

/// Three digits.
fn status(text: &[u8]) -> Option<u16> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        // No answer was sent.
        b"-" | b"0" | b"-1" => Some(0),
        _ => None,
    }
}

fn leading_digits(text: &[u8]) -> &[u8] {
    &text[..text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())]
}

fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Microseconds in a number such as `0.005`; behind it a word such as `ms` may stand. The last of a list counts.
fn duration(text: &[u8], unit: Unit) -> Option<u64> {
    let digits = leading_digits(text);
    let rest = &text[digits.len()..];
    let whole_part = whole(digits)?;
    let (scale, places) = match unit {
        Unit::Seconds => (1_000_000, 6),
        Unit::SecondsOrWholeMilliseconds if rest.starts_with(b".") => (1_000_000, 6),
        Unit::Milliseconds | Unit::SecondsOrWholeMilliseconds => (1_000, 3),
        Unit::Nanoseconds => return Some(whole_part / 1_000),
    };
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        for at in 0..places {
            let digit = after.get(at).filter(|byte| byte.is_ascii_digit()).map_or(0, |byte| u64::from(byte - b'0'));
            fraction = fraction * 10 + digit;
            if digit == 0 && after.get(at).is_none_or(|byte| !byte.is_ascii_digit()) {
                fraction *= 10u64.pow(places as u32 - 1 - at as u32);
                break;
            }
        }
    }
    whole_part.checked_mul(scale)?.checked_add(fraction)
}

/// Each endpoint of a list such as `10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80`.
pub(super) fn each_endpoint(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let parts = list.split(|byte| matches!(byte, b',' | b' '));
    parts.filter(|part| !part.is_empty() && *part != b":" && *part != b"-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_any_unit() {
        let cases = [
            ("0.005", Unit::Seconds, Some(5_000)),
            ("60.000", Unit::Seconds, Some(60_000_000)),
            ("1", Unit::Seconds, Some(1_000_000)),
            ("0.0001239", Unit::Seconds, Some(123)),
            ("1.", Unit::Seconds, Some(1_000_000)),
            ("1.05", Unit::Seconds, Some(1_050_000)),
            ("12", Unit::Milliseconds, Some(12_000)),
            ("12ms", Unit::Milliseconds, Some(12_000)),
            ("12.5", Unit::Milliseconds, Some(12_500)),
            ("1234567", Unit::Nanoseconds, Some(1_234)),
            ("-", Unit::Seconds, None),
            ("", Unit::Seconds, None),
            ("-1", Unit::Milliseconds, None),
            ("99999999999999999999", Unit::Seconds, None),
            ("18446744073709551615", Unit::Seconds, None),
        ];
        for (text, unit, micros) in cases {
            assert_eq!(duration(text.as_bytes(), unit), micros, "{text}");
        }
    }

    #[test]
    fn statuses_are_three_digits_or_none() {
        assert_eq!(
            ["502", "000", "-", "0"].map(|text| status(text.as_bytes())),
            [Some(502), Some(0), Some(0), Some(0)]
        );
        assert_eq!(["50", "5022", "", "5x2"].map(|text| status(text.as_bytes())), [None; 4]);
    }

    #[test]
    fn a_request_line_has_a_target_if_it_is_one() {
        let of = |text: &str| String::from_utf8_lossy(target_of(text.as_bytes())).into_owned();
        assert_eq!(of("GET /a?b HTTP/1.1"), "/a?b");
        assert_eq!(of("GET /a"), "/a");
        assert_eq!(of("\\x16\\x03\\x01"), "");
        assert_eq!(of(""), "");
    }

    #[test]
    fn a_list_of_endpoints_is_taken_apart() {
        let list: Vec<_> = each_endpoint(b"10.0.0.1:80, unix:/run/a : [::1]:3").collect();
        assert_eq!(list, [&b"10.0.0.1:80"[..], b"unix:/run/a", b"[::1]:3"]);
        assert_eq!(each_endpoint(b"-").count(), 0);
    }
}
