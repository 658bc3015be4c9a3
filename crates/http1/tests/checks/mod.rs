//! What must hold for any bytes at all: each check takes bytes and panics where a promise is broken. They are called with
//! drawn bytes (`properties.rs`), with the committed corpus (`corpus.rs`) and by the fuzz targets of `fuzz/`.
//! Not here: what any particular message means, which is `rfc9112/`'s.

pub(crate) mod chunked_body;
pub(crate) mod reference;
pub(crate) mod request_head;
pub(crate) mod response_head;

/// Lengths of prefixes at which a message is looked at before it is whole: all of them, or for long ones some.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    let step = length / 200 + 1;
    (0..length).step_by(step).chain([length])
}

/// Field lines in a form that can be compared, values without blanks around them.
fn lines(fields: &http1::Fields) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.iter().map(|field| (field.name.to_vec(), field.value.trim_ascii().to_vec())).collect()
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What RFC 9110 §5.1 and §5.5 say of every field; and that each is found by its name and written as lines are.
fn assert_fields_are_clean(fields: &http1::Fields) {
    for kept in [|_: &[u8]| true, |name: &[u8]| name.len().is_multiple_of(2)] {
        let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
        fields.write(&mut at_once, |field| kept(field.name));
        fields.iter().filter(|field| kept(field.name)).for_each(|field| http1::encode::line(&mut one_by_one, field));
        assert_eq!(at_once, one_by_one);
    }
    for field in fields.iter() {
        let name = String::from_utf8_lossy(field.name);
        let same = |other: &http1::Field<'_>| other.name.eq_ignore_ascii_case(field.name);
        assert_eq!(fields.get(&name.to_ascii_uppercase()), fields.iter().find(same).map(|first| first.value));
        assert!(!field.name.is_empty() && field.name.iter().all(|byte| is_tchar(*byte)));
        assert!(field.value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)));
    }
}
