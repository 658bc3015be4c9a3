//! Whether an answer that broke off can be continued, what is asked for then, and whether the answer to that is the rest.
//! Only bytes that the endpoints themselves call the same are put together: a strong entity tag (RFC 9110 §8.8.3) and a
//! range (§14). Not here: asking, and passing the bytes on.

use std::ops::RangeInclusive;

use http::{Method, StatusCode};

/// An answer is continued so often at the most.
pub const MOST_RESUMPTIONS: u32 = 5;

/// What of an answer's head matters here.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The status.
    pub status: StatusCode,
    /// `ETag`.
    pub etag: Option<&'a [u8]>,
    /// `Accept-Ranges`.
    pub accept_ranges: Option<&'a [u8]>,
    /// `Content-Range`.
    pub content_range: Option<&'a [u8]>,
    /// How long its body says it is.
    pub length: Option<u64>,
}

/// An answer that can be continued where it breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    etag: Box<[u8]>,
    /// Which bytes of the whole it has.
    bytes: RangeInclusive<u64>,
    total: u64,
    left: u32,
}

impl Resume {
    /// What it takes to continue the answer to such a request; nothing where that cannot be done.
    pub fn of(method: &Method, head: &Head<'_>) -> Option<Self> {
        let etag = head.etag.filter(|etag| *method == Method::GET && is_strong(etag))?;
        let length = head.length.filter(|length| *length > 0)?;
        let (bytes, total) = match head.status {
            StatusCode::OK if accepts_bytes(head.accept_ranges?) => (0..=length - 1, length),
            StatusCode::PARTIAL_CONTENT => content_range(head.content_range?)?,
            _ => return None,
        };
        let whole = bytes.end() - bytes.start() + 1 == length;
        whole.then(|| Self { etag: etag.into(), bytes, total, left: MOST_RESUMPTIONS })
    }

    /// What to ask for when so many bytes of the answer have come: the values of `Range` and of `If-Range`. Nothing when all
    /// are there, or when it was continued too often already.
    pub fn ask(&mut self, come: u64) -> Option<(String, &[u8])> {
        let from = self.from(come)?;
        self.left = self.left.checked_sub(1)?;
        Some((format!("bytes={from}-{}", self.bytes.end()), &self.etag))
    }

    /// Whether this is the head of the rest, when so many bytes have come.
    pub fn is_continued_by(&self, come: u64, head: &Head<'_>) -> bool {
        let Some(from) = self.from(come) else { return false };
        let rest = from..=*self.bytes.end();
        head.status == StatusCode::PARTIAL_CONTENT
            && head.etag == Some(&self.etag)
            && head.length == Some(rest.end() - rest.start() + 1)
            && head.content_range.and_then(content_range) == Some((rest, self.total))
    }

    fn from(&self, come: u64) -> Option<u64> {
        self.bytes.start().checked_add(come).filter(|from| self.bytes.contains(from))
    }
}

/// `"…"`, not `W/"…"`, which only means the same.
fn is_strong(etag: &[u8]) -> bool {
    matches!(etag, [b'"', within @ .., b'"'] if !within.contains(&b'"'))
}

fn accepts_bytes(units: &[u8]) -> bool {
    units.split(|byte| *byte == b',').any(|unit| unit.trim_ascii().eq_ignore_ascii_case(b"bytes"))
}

/// `bytes FIRST-LAST/TOTAL`; a total that is not known is nothing to check against.
fn content_range(value: &[u8]) -> Option<(RangeInclusive<u64>, u64)> {
    let (unit, rest) = str::from_utf8(value).ok()?.trim().split_once(' ')?;
    let (range, total) = rest.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, total) = (number(first)?, number(last)?, number(total)?);
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < total).then_some((first..=last, total))
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: Head<'_> = Head {
        status: StatusCode::OK,
        etag: Some(b"\"a\""),
        accept_ranges: Some(b"bytes"),
        content_range: None,
        length: Some(1000),
    };
    const PART: Head<'_> = Head {
        status: StatusCode::PARTIAL_CONTENT,
        accept_ranges: None,
        content_range: Some(b"bytes 100-299/1000"),
        length: Some(200),
        ..WHOLE
    };

    fn of(head: &Head<'_>) -> Option<Resume> {
        Resume::of(&Method::GET, head)
    }

    #[test]
    fn the_rest_is_asked_for_by_range_on_the_condition_that_it_is_still_the_same() {
        let mut whole = of(&WHOLE).unwrap();
        assert_eq!(whole.ask(400), Some(("bytes=400-999".into(), b"\"a\"".as_slice())));
        let mut part = of(&PART).unwrap();
        assert_eq!(part.ask(50), Some(("bytes=150-299".into(), b"\"a\"".as_slice())));
    }

    #[test]
    fn only_answers_that_name_their_bytes_and_take_ranges_can_be_continued() {
        assert!(Resume::of(&Method::HEAD, &WHOLE).is_none());
        assert!(Resume::of(&Method::POST, &WHOLE).is_none());
        for broken in [
            Head { etag: None, ..WHOLE },
            Head { etag: Some(b"W/\"a\""), ..WHOLE },
            Head { etag: Some(b"a"), ..WHOLE },
            Head { accept_ranges: None, ..WHOLE },
            Head { accept_ranges: Some(b"none"), ..WHOLE },
            Head { length: None, ..WHOLE },
            Head { length: Some(0), ..WHOLE },
            Head { status: StatusCode::CREATED, ..WHOLE },
            Head { content_range: None, ..PART },
            Head { content_range: Some(b"bytes 100-299/*"), ..PART },
            Head { content_range: Some(b"bytes 100-298/1000"), ..PART },
            Head { content_range: Some(b"bytes +100-299/1000"), ..PART },
        ] {
            assert_eq!(of(&broken), None, "{broken:?}");
        }
    }

    #[test]
    fn only_the_very_rest_continues_an_answer() {
        let whole = of(&WHOLE).unwrap();
        let rest = Head { content_range: Some(b"bytes 400-999/1000"), length: Some(600), ..PART };
        assert!(whole.is_continued_by(400, &rest));
        for other in [
            WHOLE,
            Head { etag: Some(b"\"b\""), ..rest },
            Head { etag: None, ..rest },
            Head { length: Some(599), ..rest },
            Head { length: None, ..rest },
            Head { content_range: Some(b"bytes 400-999/1001"), ..rest },
            Head { content_range: Some(b"bytes 399-999/1000"), ..rest },
            Head { content_range: Some(b"lines 400-999/1000"), ..rest },
        ] {
            assert!(!whole.is_continued_by(400, &other), "{other:?}");
        }
    }

    #[test]
    fn it_is_not_continued_for_ever_and_not_beyond_its_end() {
        let mut whole = of(&WHOLE).unwrap();
        assert_eq!(whole.ask(1000), None);
        for _ in 0..MOST_RESUMPTIONS {
            assert!(whole.ask(1).is_some());
        }
        assert_eq!(whole.ask(1), None);
    }

    proptest! {
        #[test]
        fn no_head_makes_it_panic(etag: Vec<u8>, ranges: Vec<u8>, range in "[bytes 0-9/-]{0,40}", length: u64, come: u64) {
            let head = Head {
                status: StatusCode::PARTIAL_CONTENT,
                etag: Some(&etag),
                accept_ranges: Some(&ranges),
                content_range: Some(range.as_bytes()),
                length: Some(length),
            };
            for head in [head, Head { etag: Some(b"\"a\""), ..head }, Head { status: StatusCode::OK, ..head }] {
                if let Some(mut resume) = of(&head) {
                    resume.ask(come);
                    resume.is_continued_by(come, &head);
                }
            }
        }
    }
}
