//! A request's target as a route: without its query, numbers and ids folded, so that `/orders/17` and `/orders/18` count as
//! one. Not here: the configuration's locations.

use memchr::memchr2;

/// The longest route, in bytes; longer ones are cut.
const MAX_ROUTE: usize = 160;
/// The deepest; what is below is shown as `…`.
const MAX_SEGMENTS: usize = 8;

const NUMBER: &[u8] = b"{n}";
const ID: &[u8] = b"{id}";

/// The route of `target`, in `folded` if it differs from what was written.
pub(super) fn route<'a>(target: &'a [u8], folded: &'a mut Vec<u8>) -> &'a [u8] {
    let path = &target[..memchr2(b'?', b'#', target).unwrap_or(target.len())];
    let path = without_origin(path);
    if stays(path) {
        return path;
    }
    folded.clear();
    for (depth, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if depth > 0 {
            folded.push(b'/');
        }
        if depth > MAX_SEGMENTS || folded.len() + segment.len() > MAX_ROUTE {
            folded.extend_from_slice("…".as_bytes());
            break;
        }
        fold(segment, folded);
    }
    folded
}

/// Nothing is folded where no digit is; most paths are short.
fn stays(path: &[u8]) -> bool {
    let shallow =
        |path: &[u8]| path.len() <= MAX_SEGMENTS || path.iter().filter(|byte| **byte == b'/').count() <= MAX_SEGMENTS;
    path.len() <= MAX_ROUTE && !path.iter().fold(false, |any, byte| any | byte.is_ascii_digit()) && shallow(path)
}

/// `http://host/path` is asked of proxies: the path counts.
fn without_origin(path: &[u8]) -> &[u8] {
    let rest = path.strip_prefix(b"http://").or_else(|| path.strip_prefix(b"https://"));
    match rest {
        Some(rest) => &rest[memchr::memchr(b'/', rest).unwrap_or(rest.len())..],
        None => path,
    }
}

/// A whole segment that is a number or an id becomes one word; otherwise its parts are looked at, between `.`, `-`, `_`.
fn fold(segment: &[u8], into: &mut Vec<u8>) {
    if !segment.is_empty() && segment.iter().all(u8::is_ascii_digit) {
        return into.extend_from_slice(NUMBER);
    }
    if is_id(segment) {
        return into.extend_from_slice(ID);
    }
    let is_mark = |byte: &u8| matches!(byte, b'.' | b'-' | b'_' | b'~' | b':' | b',' | b'=');
    for piece in segment.split_inclusive(is_mark) {
        let (part, mark) = match piece.split_last() {
            Some((last, part)) if is_mark(last) => (part, &piece[part.len()..]),
            _ => (piece, &b""[..]),
        };
        match part {
            part if part.len() >= 4 && part.iter().all(u8::is_ascii_digit) => into.extend_from_slice(NUMBER),
            part if is_hexadecimal(part) && part.len() >= 8 => into.extend_from_slice(ID),
            part => into.extend_from_slice(part),
        }
        into.extend_from_slice(mark);
    }
}

/// A UUID, a hash, or a long word of letters and digits as ids are made of.
fn is_id(segment: &[u8]) -> bool {
    let is_uuid = segment.len() == 36
        && segment.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid || (segment.len() >= 8 && is_hexadecimal(segment)) || is_random(segment)
}

/// Hexadecimal, with digits and letters both.
fn is_hexadecimal(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
        && text.iter().any(u8::is_ascii_digit)
        && (text.iter().any(u8::is_ascii_alphabetic) || text.len() >= 16)
}

/// Words of a language have few digits and few changes of case.
fn is_random(text: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'%' | b'=' | b'+');
    text.len() >= 20
        && text.iter().all(fits)
        && text.iter().filter(|byte| byte.is_ascii_digit()).count() >= 3
        && !text.contains(&b'-')
        && !text.contains(&b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str) -> String {
        let mut folded = Vec::new();
        String::from_utf8_lossy(route(target.as_bytes(), &mut folded)).into_owned()
    }

    #[test]
    fn numbers_and_ids_are_folded() {
        let cases = [
            ("/", "/"),
            ("/about?x=1", "/about"),
            ("/orders/17", "/orders/{n}"),
            ("/orders/17/items/4#a", "/orders/{n}/items/{n}"),
            ("/u/550e8400-e29b-41d4-a716-446655440000", "/u/{id}"),
            ("/commit/0a1b2c3d4e", "/commit/{id}"),
            ("/assets/app.3f2a9c8b77.js", "/assets/app.{id}.js"),
            ("/report-2026-11-25.pdf", "/report-{n}-11-25.pdf"),
            ("/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "/t/{id}"),
            ("http://example.org/x/12", "/x/{n}"),
            ("http://example.org", ""),
        ];
        for (target, route) in cases {
            assert_eq!(of(target), route, "{target}");
        }
    }

    #[test]
    fn names_with_a_few_digits_stay() {
        for target in ["/api/v1/users", "/jquery-3.6.0.min.js", "/h264", "/deadbeef", "/covid19-information", "*"] {
            assert_eq!(of(target), target);
        }
    }

    #[test]
    fn what_is_long_or_deep_is_cut() {
        assert_eq!(of("/a/b/c/d/e/f/g/h/i/j"), "/a/b/c/d/e/f/g/h/…");
        let long = of(&format!("/x/{}", "y".repeat(10_000)));
        assert_eq!(long, "/x/…");
    }

    #[test]
    fn any_bytes_have_a_route() {
        for byte in 0..=255u8 {
            let mut folded = Vec::new();
            let target = [b'/', byte, b'1', byte];
            assert!(route(&target, &mut folded).len() <= MAX_ROUTE + 8);
        }
    }
}
