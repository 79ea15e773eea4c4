//! Fingerprints as words: the first 132 bits, eleven a word, over the English list of BIP-39 (2,048 words that differ in their
//! first four letters). Nobody finds a second key with all twelve words of a given one; comparing only a few of them is worth only those.

use anyhow::bail;

/// Words of a fingerprint.
const WORDS: usize = 12;

/// The words of a fingerprint.
pub(crate) fn of(fingerprint: &[u8; 32]) -> String {
    let list = bip39::Language::English.word_list();
    let word = |i: usize| {
        let index = (11 * i..11 * (i + 1))
            .fold(0, |n, bit| n << 1 | usize::from(fingerprint[bit / 8] >> (7 - bit % 8) & 1));
        list[index]
    };
    (0..WORDS).map(word).collect::<Vec<_>>().join(" ")
}

/// Whether `text`, 64 hexadecimal digits or all twelve words, is this fingerprint.
pub(crate) fn same(fingerprint: &[u8; 32], text: &str) -> anyhow::Result<bool> {
    let parts: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    match parts.as_slice() {
        [digits] if digits.len() == 64 => Ok(*digits == hex::encode(fingerprint)),
        words if words.len() == WORDS => Ok(words.join(" ") == of(fingerprint)),
        _ => bail!("a fingerprint is 64 hexadecimal digits or {WORDS} words"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against BIP-39 itself: its words are eleven bits each, too (the last of twelve holds a checksum there).
    #[test]
    fn the_words_are_those_of_bip_39() {
        let mut fingerprint = [0; 32];
        fingerprint[..16].copy_from_slice(&[0x7f; 16]);
        // BIP-39 test vector 2: 16 bytes of 7f.
        assert!(
            of(&fingerprint)
                .starts_with("legal winner thank year wave sausage worth useful legal winner thank")
        );
        assert!(of(&[0xff; 32]).ends_with("zoo zoo zoo") && of(&[0; 32]).starts_with("abandon abandon"));
    }

    #[test]
    fn words_and_digits_are_compared_whole() {
        let fingerprint = *blake3::hash(b"x").as_bytes();
        let words = of(&fingerprint);
        assert!(same(&fingerprint, &words).unwrap());
        assert!(same(&fingerprint, &words.to_uppercase()).unwrap());
        assert!(same(&fingerprint, &hex::encode(fingerprint)).unwrap());
        let mut other = fingerprint;
        other[16] ^= 0x10;
        assert!(!same(&other, &words).unwrap());
        assert!(!same(&other, &hex::encode(fingerprint)).unwrap());
        same(&fingerprint, words.rsplit_once(' ').unwrap().0).unwrap_err();
        same(&fingerprint, "").unwrap_err();
    }
}
