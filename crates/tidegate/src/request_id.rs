//! `$request_id`: 16 random bytes in hexadecimal. Not here: any use of it.

/// A new identifier, unguessable enough to tell requests apart across machines; it is no secret.
pub(crate) fn make() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let (high, low) = (RandomState::new().hash_one(0u8), RandomState::new().hash_one(1u8));
    let mut text = [0; 32];
    for (at, digit) in text.iter_mut().enumerate() {
        let half = if at < 16 { high } else { low };
        let nibble = (half >> (60 - 4 * (at % 16))) & 0xf;
        *digit = b"0123456789abcdef"[nibble as usize];
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_are_hexadecimal_and_differ() {
        let (a, b) = (super::make(), super::make());
        assert!(a.iter().all(u8::is_ascii_hexdigit));
        assert_ne!(a, b);
    }
}
