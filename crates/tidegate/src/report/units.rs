//! Numbers as people read them. Not here: colours and lines (`style`).

/// `1.2 GB`: decimal units.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "";
    for next in UNITS {
        value /= 1000.0;
        unit = next;
        if value < 999.5 {
            break;
        }
    }
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12 ms`, `1.20 s`, `60.0 s`.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{:.1} ms", micros as f64 / 1e3),
        1_000..9_950 => format!("{:.1} ms", micros as f64 / 1e3),
        9_950..999_500 => format!("{:.0} ms", micros as f64 / 1e3),
        999_500..9_995_000 => format!("{:.2} s", micros as f64 / 1e6),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// `0.29 %`: two digits that count.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        p if p < 0.01 => "< 0.01 %".to_owned(),
        p if p < 10.0 => format!("{p:.2} %"),
        p => format!("{p:.0} %"),
    }
}

/// `2 h 5 min`, `8 s`.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, 0, _) => format!("{hours} h"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (1, 0, _, _) => "1 day".to_owned(),
        (days, 0, _, _) => format!("{days} days"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}

/// `1 line`, `2 lines`.
pub(super) fn plural(count: u64, name: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {name}{ending}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_read_them() {
        assert_eq!(
            [0, 999, 1_000, 12_345, 999_600, 2_000_000_000].map(size),
            ["0 B", "999 B", "1.0 kB", "12 kB", "1.0 MB", "2.0 GB"]
        );
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [150, 5_000, 12_300, 1_200_000, 60_000_000].map(duration),
            ["0.1 ms", "5.0 ms", "12 ms", "1.20 s", "60.0 s"]
        );
        assert_eq!([0.0, 0.000_01, 0.0029, 0.5].map(percent), ["0 %", "< 0.01 %", "0.29 %", "50 %"]);
        assert_eq!(
            [8, 60, 125, 7_500, 90_000, 86_400, 7 * 86_400].map(span),
            ["8 s", "1 min", "2 min 5 s", "2 h 5 min", "1 d 1 h", "1 day", "7 days"]
        );
        assert_eq!([1, 2_000].map(|count| plural(count, "line")), ["1 line", "2,000 lines"]);
    }
}
