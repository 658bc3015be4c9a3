//! A fast hash of short keys: multiply and fold. Not here: tables; and nothing that must withstand more than a seed does.

/// Odd constants without a pattern (digits of π and e).
const A: u64 = 0x243f_6a88_85a3_08d3;
const B: u64 = 0xb7e1_5162_8aed_2a6b;

/// A number that differs for most keys that differ.
pub(super) fn hash(key: &[u8], seed: u64) -> u64 {
    let mut state = seed ^ (key.len() as u64).wrapping_mul(A);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), A);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(fold(state ^ u64::from_le_bytes(last), B), A)
}

/// Both halves of a product, so that every bit of the factors counts in every bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn short_keys_that_differ_hash_differently() {
        let keys = (0..100_000u32).map(|n| format!("/api/orders/{n}"));
        let hashes: HashSet<u64> = keys.map(|key| hash(key.as_bytes(), 7)).collect();
        assert_eq!(hashes.len(), 100_000);
    }

    #[test]
    fn length_and_seed_count() {
        assert_ne!(hash(b"\0", 1), hash(b"\0\0", 1));
        assert_ne!(hash(b"a", 1), hash(b"a", 2));
        assert_ne!(hash(b"", 1), hash(b"\0", 1));
    }
}
