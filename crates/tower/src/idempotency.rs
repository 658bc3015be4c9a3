//! `Idempotency-Key`: by it an application knows a request that comes twice (draft-ietf-httpapi-idempotency-key-header).
//! Not here: which methods need none (`policy::retry::is_idempotent`).

use std::hash::{BuildHasher, RandomState};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The field's name.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Who makes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdempotencyKeys {
    /// The program: a POST without one is not sent twice.
    #[default]
    AsGiven,
    /// This layer gives one to each request that needs it and has none. Only for applications that honour it: others would
    /// act twice.
    Generated,
}

/// Whether a request may be sent twice, after it was given a key if it is to have one.
pub(crate) fn settle(keys: IdempotencyKeys, method: &Method, headers: &mut HeaderMap) -> bool {
    if policy::retry::is_idempotent(method) || headers.contains_key(IDEMPOTENCY_KEY) {
        return true;
    }
    if keys == IdempotencyKeys::AsGiven || *method == Method::CONNECT {
        return false;
    }
    let Ok(value) = HeaderValue::try_from(format!("\"{}\"", key())) else { return false };
    headers.insert(IDEMPOTENCY_KEY, value);
    true
}

/// Random bits from the standard library's hasher, which the system seeds: a key has to be unique, not secret.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// A UUID of version 4 (RFC 9562 §5.4).
fn key() -> String {
    let (high, low) = (random(), random());
    let version = high & 0xffff_ffff_ffff_0fff | 0x4000;
    let variant = low & 0x3fff_ffff_ffff_ffff | 1 << 63;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        version >> 16 & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_uuids_and_differ() {
        let (one, two) = (key(), key());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{one}");
    }

    #[test]
    fn only_what_needs_a_key_gets_one() {
        let mut headers = HeaderMap::new();
        assert!(settle(IdempotencyKeys::Generated, &Method::PUT, &mut headers));
        assert!(headers.is_empty());
        assert!(!settle(IdempotencyKeys::AsGiven, &Method::POST, &mut headers));
        assert!(settle(IdempotencyKeys::Generated, &Method::POST, &mut headers));
        let first = headers[IDEMPOTENCY_KEY].clone();
        assert!(settle(IdempotencyKeys::AsGiven, &Method::POST, &mut headers), "a key that is there counts");
        assert!(settle(IdempotencyKeys::Generated, &Method::POST, &mut headers));
        assert_eq!(headers[IDEMPOTENCY_KEY], first);
    }
}
