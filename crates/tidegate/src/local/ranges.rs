//! Byte ranges (RFC 9110 §14) as nginx reads them. Not here: the parts of a multipart answer.
//!
//! The number of ranges is bounded by `max_ranges` if it is set, else by the length of a header line; their sum by the
//! length of the file, since nginx answers with the whole file beyond that.

use std::ops::Range;

use super::date;
use super::request::Fields;

/// What to send of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of it, with 200.
    Whole,
    /// These ranges, with 206: at least one, none empty, in the order asked for.
    Parts(Vec<Range<u64>>),
    /// 416.
    Unsatisfiable,
}

/// What a request asks for. `max` is `max_ranges`.
pub(super) fn select(
    fields: &dyn Fields,
    length: u64,
    modified: i64,
    etag: Option<&str>,
    max: Option<usize>,
) -> Selection {
    if max == Some(0) {
        return Selection::Whole;
    }
    let Some(list) = fields.first("range").and_then(byte_ranges) else {
        return Selection::Whole;
    };
    if let Some(validator) = fields.first("if-range")
        && !is_current(validator, modified, etag)
    {
        return Selection::Whole;
    }
    parse(list, length, max)
}

/// What follows `bytes=`; other units are ignored, and so is an empty list.
fn byte_ranges(value: &[u8]) -> Option<&[u8]> {
    let (unit, list) = value.split_at_checked(6)?;
    (unit.eq_ignore_ascii_case(b"bytes=") && !list.is_empty()).then_some(list)
}

/// `If-Range`: an entity tag is compared byte for byte, anything else is a date.
fn is_current(validator: &[u8], modified: i64, etag: Option<&str>) -> bool {
    if validator.len() >= 2 && validator.ends_with(b"\"") {
        etag.map(str::as_bytes) == Some(validator)
    } else {
        date::parse(validator) == Some(modified)
    }
}

fn parse(list: &[u8], length: u64, max: Option<usize>) -> Selection {
    let mut parts = Vec::new();
    let mut sum: u64 = 0;
    for text in list.split(|&byte| byte == b',') {
        let Some(part) = parse_one(text, length) else {
            return Selection::Unsatisfiable;
        };
        if part.is_empty() {
            // Every range of an empty file that starts at its start gives the whole file.
            if part.start == 0 {
                return Selection::Whole;
            }
            continue;
        }
        sum = sum.saturating_add(part.end - part.start);
        parts.push(part);
        if max.is_some_and(|max| parts.len() > max) {
            return Selection::Whole;
        }
    }
    match parts.as_slice() {
        [] => Selection::Unsatisfiable,
        _ if sum > length => Selection::Whole,
        _ => Selection::Parts(parts),
    }
}

/// One range, cut to the file; empty if it lies beyond it. `None` if it is malformed.
fn parse_one(text: &[u8], length: u64) -> Option<Range<u64>> {
    let mut rest = trim_start(text);
    while let Some(shorter) = rest.strip_suffix(b" ") {
        rest = shorter;
    }
    if let Some(suffix) = rest.strip_prefix(b"-") {
        rest = suffix;
        let count = number(&mut rest)?;
        return rest.is_empty().then(|| length.saturating_sub(count)..length);
    }
    let start = number(&mut rest)?;
    let mut rest = trim_start(trim_start(rest).strip_prefix(b"-")?);
    if rest.is_empty() {
        return Some(start..length);
    }
    let end = number(&mut rest)?.saturating_add(1).min(length);
    rest.is_empty().then_some(start..end)
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some(shorter) = text.strip_prefix(b" ") {
        text = shorter;
    }
    text
}

/// Takes a number off the front: at least one digit, and no more than a file's length can have.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(count)?;
    *rest = after;
    let value: i64 = str::from_utf8(digits).ok()?.parse().ok()?;
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Pairs;
    use proptest::prelude::*;

    fn ask(range: &str, length: u64, max: Option<usize>) -> Selection {
        select(&Pairs(&[("range", range)]), length, 0, None, max)
    }

    /// Parts by their first byte and the one after their last.
    fn parts(parts: &[(u64, u64)]) -> Selection {
        Selection::Parts(parts.iter().map(|&(start, end)| start..end).collect())
    }

    #[test]
    fn reads_ranges_of_ten_bytes_as_nginx_does() {
        for (range, expected) in [
            ("bytes=0-4", parts(&[(0, 5)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=5-", parts(&[(5, 10)])),
            ("bytes=0-0,-1", parts(&[(0, 1), (9, 10)])),
            ("bytes=20-30,1-2", parts(&[(1, 3)])),
            ("bytes=-100", parts(&[(0, 10)])),
            ("bytes= 0 - 4 , 6 - 7", parts(&[(0, 5), (6, 8)])),
            ("BYTES=0-1", parts(&[(0, 2)])),
            ("bytes=3-4,0-1", parts(&[(3, 5), (0, 2)])),
            ("bytes=0-4,2-6", parts(&[(0, 5), (2, 7)])),
            ("bytes=0-1 ", parts(&[(0, 2)])),
            ("bytes=0-9,0-1", Selection::Whole),
            ("bytes=", Selection::Whole),
            ("items=0-1", Selection::Whole),
            ("bytes=20-", Selection::Unsatisfiable),
            ("bytes=5-2", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=abc", Selection::Unsatisfiable),
            ("bytes=1", Selection::Unsatisfiable),
            ("bytes=0-99999999999999999999", Selection::Unsatisfiable),
            ("bytes=0-1,", Selection::Unsatisfiable),
            ("bytes=,0-1", Selection::Unsatisfiable),
            ("bytes=0-1x", Selection::Unsatisfiable),
            ("bytes=-", Selection::Unsatisfiable),
        ] {
            assert_eq!(ask(range, 10, None), expected, "{range}");
        }
    }

    #[test]
    fn an_empty_file_is_sent_whole() {
        assert_eq!(ask("bytes=0-0", 0, None), Selection::Whole);
        assert_eq!(ask("bytes=-5", 0, None), Selection::Whole);
        assert_eq!(ask("bytes=5-", 0, None), Selection::Unsatisfiable);
    }

    #[test]
    fn too_many_ranges_give_the_whole_file() {
        assert_eq!(ask("bytes=0-1", 10, Some(0)), Selection::Whole);
        assert_eq!(ask("bytes=0-1", 10, Some(1)), parts(&[(0, 2)]));
        assert_eq!(ask("bytes=0-1,3-4", 10, Some(1)), Selection::Whole);
        assert_eq!(ask("bytes=20-21,3-4", 10, Some(1)), parts(&[(3, 5)]));
    }

    #[test]
    fn if_range_wants_the_same_file() {
        let etag = "\"65937d25-a\"";
        let date = "Tue, 02 Jan 2024 03:04:05 GMT";
        for (validator, current) in [
            (etag, true),
            (date, true),
            ("W/\"65937d25-a\"", false),
            ("\"x\"", false),
            ("Tue, 02 Jan 2024 03:04:06 GMT", false),
            ("junk", false),
        ] {
            let fields = [("range", "bytes=0-1"), ("if-range", validator)];
            let expected = if current { parts(&[(0, 2)]) } else { Selection::Whole };
            let got = select(&Pairs(&fields), 10, 1_704_164_645, Some(etag), None);
            assert_eq!(got, expected, "{validator}");
        }
    }

    proptest! {
        #[test]
        fn parts_lie_within_the_file(list in "[0-9, -]{0,40}", length in 0_u64..30) {
            if let Selection::Parts(parts) = ask(&format!("bytes={list}"), length, None) {
                prop_assert!(!parts.is_empty());
                let sum: u64 = parts.iter().map(|part| part.end - part.start).sum();
                prop_assert!(sum <= length);
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= length));
            }
        }

        #[test]
        fn never_panics(list in proptest::collection::vec(any::<u8>(), 0..60), length: u64) {
            let _ = parse(&list, length, None);
        }
    }
}
