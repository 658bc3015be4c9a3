//! Bytes and text: nginx takes any bytes, words here are `String`s. A byte that is not UTF-8 is carried as a private-use
//! character, U+10FF80 to U+10FFFF, and becomes the same byte again where a value leaves the configuration. Nothing is
//! lost: those characters themselves are carried byte by byte. Not here: saying that a file is not UTF-8.

use std::borrow::Cow;

/// The character that carries byte 0; only 0x80 to 0xFF are ever carried.
const CARRIER: u32 = 0x0010_FF00;

/// Bytes as text.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match carried(character) {
                None => text.push(character),
                Some(_) => carry(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        carry(&mut text, chunk.invalid());
    }
    text
}

fn carry(text: &mut String, bytes: &[u8]) {
    text.extend(bytes.iter().filter_map(|byte| char::from_u32(CARRIER + u32::from(*byte))));
}

/// The byte that a character carries.
pub(crate) fn carried(character: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(character).checked_sub(CARRIER)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

/// The bytes that a text was made from.
pub(crate) fn written(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(|character| carried(character).is_some()) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match carried(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_is_utf8_stays_as_it_is() {
        assert_eq!(text_of("é ü 漢".as_bytes()), "é ü 漢");
        assert!(matches!(written("é"), Cow::Borrowed(_)));
    }

    #[test]
    fn other_bytes_are_carried() {
        let text = text_of(b"caf\xe9");
        assert_eq!(text, "caf\u{10FFE9}");
        assert_eq!(&*written(&text), b"caf\xe9");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(bytes: Vec<u8>) {
            let text = text_of(&bytes);
            prop_assert_eq!(&*written(&text), &*bytes);
        }

        #[test]
        fn not_even_the_carriers_themselves(text in "[\u{10FF00}-\u{10FFFF}a\u{7f}-\u{ff}]{0,8}") {
            let carried = text_of(text.as_bytes());
            prop_assert_eq!(&*written(&carried), text.as_bytes());
        }
    }
}
