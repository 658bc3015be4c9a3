//! Conditional requests (RFC 9110 §13) as nginx judges them. Not here: `If-Range`, which belongs to ranges.

use config::model::IfModifiedSince;

use super::date;
use super::request::Fields;

/// What the conditions say about a representation that would be sent with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

/// Judges a request's conditions. `modified` is in seconds since 1970.
///
/// nginx demands that `If-Modified-Since` and `If-None-Match` agree on 304, where RFC 9110 has the latter decide alone.
pub(super) fn judge(fields: &dyn Fields, modified: i64, etag: Option<&str>, rule: IfModifiedSince) -> Verdict {
    if let Some(value) = fields.first("if-unmodified-since")
        && date::parse(value) < Some(modified)
    {
        return Verdict::Failed;
    }
    if let Some(value) = fields.first("if-match")
        && !lists(value, etag, false)
    {
        return Verdict::Failed;
    }
    let since = fields.first("if-modified-since");
    let none_match = fields.first("if-none-match");
    if since.is_none() && none_match.is_none() {
        return Verdict::Send;
    }
    let changed = since.is_some_and(|value| is_modified(value, modified, rule));
    let other = none_match.is_some_and(|value| !lists(value, etag, true));
    if changed || other { Verdict::Send } else { Verdict::NotModified }
}

fn is_modified(value: &[u8], modified: i64, rule: IfModifiedSince) -> bool {
    let since = date::parse(value);
    match rule {
        IfModifiedSince::Off => true,
        IfModifiedSince::Exact => since != Some(modified),
        IfModifiedSince::Before => since < Some(modified),
    }
}

/// Whether a list of entity tags has this one. `*` stands for any; a weak comparison ignores `W/`.
fn lists(list: &[u8], etag: Option<&str>, weak: bool) -> bool {
    if list == b"*" {
        return true;
    }
    let Some(etag) = etag.map(str::as_bytes) else {
        return false;
    };
    let etag = strip_weak(etag, weak);
    list.split(|&byte| byte == b',').any(|entry| {
        let entry = entry.trim_ascii();
        strip_weak(entry, weak) == etag
    })
}

fn strip_weak(etag: &[u8], weak: bool) -> &[u8] {
    match etag.strip_prefix(b"W/") {
        Some(rest) if weak => rest,
        _ => etag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Pairs;

    const MODIFIED: i64 = 1_704_164_645;
    const DATE: &str = "Tue, 02 Jan 2024 03:04:05 GMT";
    const ETAG: &str = "\"65937d25-a\"";

    fn verdict(rule: IfModifiedSince, fields: &[(&str, &str)]) -> Verdict {
        judge(&Pairs(fields), MODIFIED, Some(ETAG), rule)
    }

    #[test]
    fn judges_single_conditions_as_nginx_does() {
        let weak = format!("W/{ETAG}");
        let last = format!("\"x\", {ETAG}");
        let first = format!("{ETAG} , \"y\"");
        let torn = format!("{ETAG}x");
        for (name, value, expected) in [
            ("if-none-match", ETAG, Verdict::NotModified),
            ("if-none-match", &weak, Verdict::NotModified),
            ("if-none-match", "*", Verdict::NotModified),
            ("if-none-match", &last, Verdict::NotModified),
            ("if-none-match", &first, Verdict::NotModified),
            ("if-none-match", &torn, Verdict::Send),
            ("if-none-match", "\"x\"", Verdict::Send),
            ("if-modified-since", DATE, Verdict::NotModified),
            ("if-modified-since", "junk", Verdict::Send),
            ("if-match", ETAG, Verdict::Send),
            ("if-match", "*", Verdict::Send),
            ("if-match", &weak, Verdict::Failed),
            ("if-match", "\"x\"", Verdict::Failed),
            ("if-unmodified-since", DATE, Verdict::Send),
            ("if-unmodified-since", "junk", Verdict::Failed),
            ("if-unmodified-since", "Thu, 02 Jan 2020 03:04:05 GMT", Verdict::Failed),
        ] {
            let got = verdict(IfModifiedSince::Exact, &[(name, value)]);
            assert_eq!(got, expected, "{name}: {value}");
        }
    }

    #[test]
    fn both_conditions_must_agree_on_304() {
        for (since, none_match, expected) in
            [(DATE, ETAG, Verdict::NotModified), (DATE, "\"x\"", Verdict::Send), ("junk", ETAG, Verdict::Send)]
        {
            let fields = [("if-modified-since", since), ("if-none-match", none_match)];
            assert_eq!(verdict(IfModifiedSince::Exact, &fields), expected);
        }
    }

    #[test]
    fn if_modified_since_follows_its_setting() {
        let later = [("if-modified-since", "Thu, 02 Jan 2025 03:04:05 GMT")];
        let earlier = [("if-modified-since", "Mon, 02 Jan 2023 03:04:05 GMT")];
        for (rule, on_later, on_earlier) in [
            (IfModifiedSince::Exact, Verdict::Send, Verdict::Send),
            (IfModifiedSince::Before, Verdict::NotModified, Verdict::Send),
            (IfModifiedSince::Off, Verdict::Send, Verdict::Send),
        ] {
            assert_eq!(verdict(rule, &later), on_later, "{rule:?}");
            assert_eq!(verdict(rule, &earlier), on_earlier, "{rule:?}");
        }
        let same = [("if-modified-since", DATE)];
        assert_eq!(verdict(IfModifiedSince::Off, &same), Verdict::Send);
    }

    #[test]
    fn without_an_entity_tag_only_a_star_matches() {
        let rule = IfModifiedSince::Exact;
        for (value, expected) in [("\"x\"", Verdict::Failed), ("*", Verdict::Send)] {
            let fields = [("if-match", value)];
            assert_eq!(judge(&Pairs(&fields), MODIFIED, None, rule), expected);
        }
    }
}
