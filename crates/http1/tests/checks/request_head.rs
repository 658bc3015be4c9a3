//! Any bytes taken for a request's head. The first byte chooses bounds and flags, the rest is what a client sends.

use http1::{RequestError, RequestHead, RequestLimits, encode, parse_request, request_framing};

use super::{assert_fields_are_clean, cuts, lines};

/// Checks every promise of `parse_request` on these bytes.
pub(crate) fn check(data: &[u8]) {
    let Some((flags, input)) = data.split_first() else { return };
    let limits = limits(*flags);
    let (whole, head) = parse(input, &limits);
    assert_no_split_matters(input, &limits, &whole, &head);
    if let Ok(Some(taken)) = whole {
        assert!(taken > 0 && taken <= input.len());
        assert_head_is_clean(&head, &limits);
        assert_eq!(comparable(&parse(&input[..taken], &limits)), comparable(&(whole, head.clone())));
        assert_written_is_read_back(&head);
    }
    let mut head = head;
    head.salvage(input);
}

fn limits(flags: u8) -> RequestLimits {
    let bound = |bit: u8, small: usize, large: usize| if flags >> bit & 1 == 1 { small } else { large };
    RequestLimits {
        line: bound(0, 24, 512),
        field: bound(1, 24, 512),
        head: bound(2, 48, 2048),
        fields: bound(3, 3, 50),
        underscores: flags >> 4 & 1 == 1,
        ignore_invalid: flags >> 5 & 1 == 0,
    }
}

type Parsed = (Result<Option<usize>, RequestError>, RequestHead);

fn parse(input: &[u8], limits: &RequestLimits) -> Parsed {
    let mut head = RequestHead::default();
    (parse_request(&mut head, input, limits), head)
}

/// Everything that can be seen of a result.
fn comparable((result, head): &Parsed) -> impl PartialEq + std::fmt::Debug + use<> {
    let seen = (head.method.clone(), head.target().to_vec(), head.version, lines(&head.fields));
    let ignored: Vec<Vec<u8>> = head.ignored().map(<[u8]>::to_vec).collect();
    (result.clone(), matches!(result, Ok(Some(_))).then_some((seen, ignored)))
}

/// However the bytes arrive, the first answer is that to all of them.
fn assert_no_split_matters(
    input: &[u8],
    limits: &RequestLimits,
    whole: &Result<Option<usize>, RequestError>,
    head: &RequestHead,
) {
    let mut growing = RequestHead::default();
    for cut in cuts(input.len()) {
        let result = parse_request(&mut growing, &input[..cut], limits);
        if result != Ok(None) {
            assert_eq!(comparable(&(result, growing)), comparable(&(whole.clone(), head.clone())), "cut at {cut}");
            return;
        }
    }
    assert_eq!(*whole, Ok(None));
}

fn assert_head_is_clean(head: &RequestHead, limits: &RequestLimits) {
    assert!(head.has_line() && head.line().len() <= limits.line);
    assert!(head.target().iter().all(|byte| *byte > b' ' && *byte != 0x7f));
    assert!(head.method.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_'));
    assert_fields_are_clean(&head.fields);
    assert!(head.fields.len() + head.ignored().count() <= limits.fields);
    assert!(head.fields.get_all("host").count() <= 1);
}

/// parse∘encode = id, and the framing stays what it was.
fn assert_written_is_read_back(head: &RequestHead) {
    let mut out = Vec::new();
    encode::request_line(&mut out, head.method.as_str().as_bytes(), head.target(), head.version);
    head.fields.iter().for_each(|field| encode::field(&mut out, field.name, field.value));
    encode::end(&mut out);
    let wide = RequestLimits {
        line: 1 << 16,
        field: 1 << 16,
        head: 1 << 20,
        fields: 1 << 16,
        underscores: true,
        ignore_invalid: false,
    };
    let (result, again) = parse(&out, &wide);
    assert_eq!(result, Ok(Some(out.len())), "{}", out.escape_ascii());
    assert_eq!((&again.method, again.target(), again.version), (&head.method, head.target(), head.version));
    assert_eq!(lines(&again.fields), lines(&head.fields));
    assert_eq!(request_framing(&again), request_framing(head));
}
