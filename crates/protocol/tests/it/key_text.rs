//! Public keys as text: BIP-350's vectors on the crate used, then what must be refused.

use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::key_text::{KeyTextError, TextKind, from_text, looks_like_a_key, to_text};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Bech32m, Hrp};
use proptest::prelude::*;

/// BIP-350, test vectors: valid Bech32m, and invalid ones (characters outside US-ASCII's printable apart, which no `str` here holds).
#[test]
fn bip_350_vectors() {
    let long = "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6";
    let valid = [
        "A1LQFN3A",
        "a1lqfn3a",
        long,
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
        "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
        "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
        "?1v759aa",
    ];
    for text in valid {
        assert!(CheckedHrpstring::new::<Bech32m>(text).is_ok(), "{text}");
        assert!(CheckedHrpstring::new::<Bech32>(text).is_err(), "{text}");
    }
    let invalid = [
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
    ];
    for text in invalid {
        assert!(CheckedHrpstring::new::<Bech32m>(text).is_err(), "{text}");
    }
}

fn sample(kind: TextKind) -> Vec<u8> {
    (0..kind.key_bytes()).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect()
}

#[test]
fn every_kind_comes_back() {
    for kind in TextKind::ALL {
        let key = sample(kind);
        let text = to_text(kind, &key).unwrap();
        assert!(text.starts_with(&format!("{}1", kind.prefix())) && looks_like_a_key(&text));
        assert_eq!(from_text(&text), Ok((kind, key.clone())));
        assert_eq!(to_text(kind, &key[1..]), Err(KeyTextError::Length { kind }));
    }
    assert!(!looks_like_a_key("bwowner.pub") && !looks_like_a_key("owner.pub"));
}

/// E20: any one character changed, dropped or doubled, and any two neighbours exchanged, is refused.
#[test]
fn e20_mistyped_keys_are_refused() {
    for kind in [TextKind::Owner, TextKind::Recipient(Kem::P256)] {
        let text = to_text(kind, &sample(kind)).unwrap();
        from_text(&text).unwrap();
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] = if bytes[i] == b'q' { b'p' } else { b'q' };
            from_text(std::str::from_utf8(&bytes).unwrap()).unwrap_err();
            let dropped = format!("{}{}", &text[..i], &text[i + 1..]);
            from_text(&dropped).unwrap_err();
            from_text(&format!("{}{}", &text[..=i], &text[i..])).unwrap_err();
            let mut bytes = text.clone().into_bytes();
            if i > 0 && bytes[i] != bytes[i - 1] {
                bytes.swap(i, i - 1);
                from_text(std::str::from_utf8(&bytes).unwrap()).unwrap_err();
            }
        }
    }
}

/// E22: upper case, white space, the old checksum, padding bits and wrong lengths have no meaning.
#[test]
fn e22_other_spellings_are_refused() {
    let kind = TextKind::Owner;
    let text = to_text(kind, &sample(kind)).unwrap();
    for bad in [text.to_uppercase(), format!(" {text}"), format!("{text}\n"), text.replacen('b', "B", 1)] {
        assert_eq!(from_text(&bad), Err(KeyTextError::Malformed), "{bad}");
    }
    let hrp = |text| Hrp::parse(text).unwrap();
    let old = bech32::encode_lower::<Bech32>(hrp("bwowner"), &sample(kind)).unwrap();
    assert_eq!(from_text(&old), Err(KeyTextError::Checksum));
    let other = bech32::encode_lower::<Bech32m>(hrp("bwsecret"), &sample(kind)).unwrap();
    assert_eq!(from_text(&other), Err(KeyTextError::Prefix));
    for len in [0, 31, 33, 65] {
        let bad = bech32::encode_lower::<Bech32m>(hrp("bwowner"), &vec![1; len]).unwrap();
        assert_eq!(from_text(&bad), Err(KeyTextError::Length { kind }), "{len}");
    }
    // 32 bytes leave four padding bits: here they are ones, under a right checksum.
    use bech32::{ByteIterExt as _, Fe32IterExt as _};
    let key = sample(kind);
    let mut symbols: Vec<_> = key.iter().copied().bytes_to_fes().collect();
    *symbols.last_mut().unwrap() = bech32::Fe32::try_from(symbols.last().unwrap().to_u8() | 1).unwrap();
    let padded: String = symbols.into_iter().with_checksum::<Bech32m>(&hrp("bwowner")).chars().collect();
    assert!(CheckedHrpstring::new::<Bech32m>(&padded).is_ok());
    assert_eq!(from_text(&padded), Err(KeyTextError::Length { kind }));
    assert!(matches!(from_text(&"q".repeat(2305)), Err(KeyTextError::TooLong { found: 2305 })));
}

proptest! {
    #[test]
    fn any_key_round_trips(which in 0..TextKind::ALL.len(), seed: u8) {
        let kind = TextKind::ALL[which];
        let key: Vec<u8> = sample(kind).iter().map(|b| b ^ seed).collect();
        let text = to_text(kind, &key).unwrap();
        prop_assert!(text.len() <= bailiwick_protocol::key_text::KEY_TEXT_MAX);
        prop_assert_eq!(from_text(&text), Ok((kind, key)));
    }

    #[test]
    fn what_reads_is_the_one_spelling(text in "bw(owner|p256|x25519)1[a-z0-9]{0,80}") {
        if let Ok((kind, key)) = from_text(&text) {
            prop_assert_eq!(to_text(kind, &key).unwrap(), text);
        }
    }
}
