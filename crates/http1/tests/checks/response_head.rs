//! Any bytes taken for a response's head. The first byte chooses bounds, the rest is what an endpoint sends.

use http::Method;
use http1::{ResponseError, ResponseHead, ResponseLimits, encode, parse_response, response_framing};

use super::{assert_fields_are_clean, cuts, lines};

/// Checks every promise of `parse_response` on these bytes.
pub(crate) fn check(data: &[u8]) {
    let Some((flags, input)) = data.split_first() else { return };
    let limits =
        ResponseLimits { head: if flags & 1 == 1 { 64 } else { 2048 }, fields: if flags & 2 == 2 { 3 } else { 50 } };
    let (whole, head) = parse(input, &limits);
    assert_no_split_matters(input, &limits, &whole, &head);
    if let Ok(Some(taken)) = whole {
        assert!(taken > 0 && taken <= input.len() && taken <= limits.head);
        assert_head_is_clean(&head, &limits);
        assert_eq!(comparable(&parse(&input[..taken], &limits)), comparable(&(whole, head.clone())));
        assert_written_is_read_back(&head);
    }
}

type Parsed = (Result<Option<usize>, ResponseError>, ResponseHead);

fn parse(input: &[u8], limits: &ResponseLimits) -> Parsed {
    let mut head = ResponseHead::default();
    (parse_response(&mut head, input, limits), head)
}

fn comparable((result, head): &Parsed) -> impl PartialEq + std::fmt::Debug + use<> {
    let seen = (head.version, head.status, head.reason().to_vec(), lines(&head.fields));
    (result.clone(), matches!(result, Ok(Some(_))).then_some(seen))
}

/// However the bytes arrive, the first answer is that to all of them.
fn assert_no_split_matters(
    input: &[u8],
    limits: &ResponseLimits,
    whole: &Result<Option<usize>, ResponseError>,
    head: &ResponseHead,
) {
    let mut growing = ResponseHead::default();
    for cut in cuts(input.len()) {
        let result = parse_response(&mut growing, &input[..cut], limits);
        if result != Ok(None) {
            assert_eq!(comparable(&(result, growing)), comparable(&(whole.clone(), head.clone())), "cut at {cut}");
            return;
        }
    }
    assert_eq!(*whole, Ok(None));
}

fn assert_head_is_clean(head: &ResponseHead, limits: &ResponseLimits) {
    assert!((100..1000).contains(&head.status));
    assert!(head.reason().iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)));
    assert_fields_are_clean(&head.fields);
    assert!(head.fields.len() <= limits.fields);
}

/// parse∘encode = id, and the framing stays what it was for every method.
fn assert_written_is_read_back(head: &ResponseHead) {
    let mut out = Vec::new();
    encode::status_line(&mut out, head.version, head.status, head.reason());
    head.fields.iter().for_each(|field| encode::field(&mut out, field.name, field.value));
    encode::end(&mut out);
    let (result, again) = parse(&out, &ResponseLimits { head: 1 << 20, fields: 1 << 16 });
    assert_eq!(result, Ok(Some(out.len())), "{}", out.escape_ascii());
    assert_eq!((again.version, again.status, again.reason()), (head.version, head.status, head.reason()));
    assert_eq!(lines(&again.fields), lines(&head.fields));
    for method in [Method::GET, Method::HEAD, Method::CONNECT] {
        if let Ok(framing) = response_framing(head, &method) {
            assert_eq!(response_framing(&again, &method), Ok(framing));
        }
    }
}
