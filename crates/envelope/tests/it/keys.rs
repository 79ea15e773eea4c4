//! Recipients and their keys.

use bailiwick_envelope::{
    KeyError, OpenError, Opener, Padding, RecipientPublicKey, RecipientSecretKey, SealError, SealOptions,
    seal, unwrap_requests, verify,
};
use bailiwick_protocol::envelope::{Kem, Role};
use bailiwick_protocol::secret::Secret;

use super::encapsulation::wrap_at;
use super::fixture::{Object, rng};
use super::maker::{Made, Recipe};

/// Every encoding of a point of small order (RFC 7748 section 6.1; the non-canonical ones reduce to these).
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

pub(crate) fn copy(key: &RecipientSecretKey) -> RecipientSecretKey {
    RecipientSecretKey::from_bytes(
        key.kem(),
        Secret::init_with(|b| b.copy_from_slice(key.secret().expose_secret())),
    )
    .unwrap()
}

#[test]
fn each_recipient_opens_and_nobody_else() {
    for anonymous in [false, true] {
        let object = Object::with(vec![1; 40_000], 1, Padding::Padme, anonymous);
        assert_eq!(object.decoded().recipients.iter().all(|r| r.key_id.is_none()), anonymous);
        for reader in [&object.reader, &object.other_reader] {
            let opener = Opener::new(&object.pinned, &object.envelope, &[copy(reader)]).unwrap();
            let mut out = Vec::new();
            opener.open(object.body.as_slice(), &mut out).unwrap();
            assert_eq!(out, object.data);
        }
        for kem in [Kem::X25519, Kem::XWing] {
            let stranger = RecipientSecretKey::generate(kem, &mut rng(77));
            let result = Opener::new(&object.pinned, &object.envelope, &[stranger]);
            assert!(matches!(result, Err(OpenError::NoRecipient)), "{result:?}");
        }
        // Among several, the one that fits is found.
        let keys = [RecipientSecretKey::generate(Kem::XWing, &mut rng(78)), copy(&object.other_reader)];
        Opener::new(&object.pinned, &object.envelope, &keys).unwrap();
    }
}

/// E21: a recipient key of small order is refused before anything is sealed to it, alone or inside X-Wing.
#[test]
fn e21_low_order_recipient_key_is_refused() {
    let good = RecipientSecretKey::generate(Kem::XWing, &mut rng(5)).public();
    for point in SMALL_ORDER {
        let mut point: [u8; 32] = hex::decode(point).unwrap().try_into().unwrap();
        for top_bit in [0, 0x80] {
            point[31] = (point[31] & 0x7f) | top_bit;
            assert_eq!(RecipientPublicKey::from_bytes(Kem::X25519, &point), Err(KeyError::Invalid));
            let mut hybrid = good.as_bytes().to_vec();
            hybrid[1184..].copy_from_slice(&point);
            assert_eq!(RecipientPublicKey::from_bytes(Kem::XWing, &hybrid), Err(KeyError::Invalid));
        }
    }
    assert_eq!(RecipientPublicKey::from_bytes(Kem::XWing, good.as_bytes()), Ok(good));
}

/// Other encodings of the number `point`: with the highest bit set, and where it has one, not reduced modulo 2^255 - 19.
fn aliases(point: [u8; 32]) -> Vec<[u8; 32]> {
    let mut high = point;
    high[31] |= 0x80;
    let mut out = vec![high];
    if point[0] < 19 && point[1..].iter().all(|b| *b == 0) {
        let mut above = [0xff; 32];
        above[0] = 0xed + point[0];
        for highest in [0x7f, 0xff] {
            above[31] = highest;
            out.push(above);
        }
    }
    out
}

/// E21, E22: a key has one encoding. What is sealed to another opens for nobody, and it would stand beside the key it is.
#[test]
fn e21_e22_another_encoding_of_a_recipient_key_is_refused() {
    let good = RecipientSecretKey::generate(Kem::XWing, &mut rng(5)).public();
    let nine = core::array::from_fn(|i| if i == 0 { 9 } else { 0 });
    let mut greatest = [0xff; 32];
    (greatest[0], greatest[31]) = (0xeb, 0x7f);
    let somebody = RecipientSecretKey::generate(Kem::X25519, &mut rng(6)).public();
    let of_somebody: [u8; 32] = somebody.as_bytes().try_into().unwrap();
    for point in [nine, greatest, of_somebody] {
        let hybrid = |classical: &[u8; 32]| [&good.as_bytes()[..1184], classical].concat();
        RecipientPublicKey::from_bytes(Kem::X25519, &point).unwrap();
        RecipientPublicKey::from_bytes(Kem::XWing, &hybrid(&point)).unwrap();
        for alias in aliases(point) {
            let refused = Err(KeyError::NotCanonical);
            assert_eq!(RecipientPublicKey::from_bytes(Kem::X25519, &alias), refused, "{alias:x?}");
            assert_eq!(RecipientPublicKey::from_bytes(Kem::XWing, &hybrid(&alias)), refused, "{alias:x?}");
        }
    }
}

/// E21, E22: likewise the encapsulated key, of an entry that opens for whoever takes it as it is.
#[test]
fn e21_e22_another_encoding_of_an_encapsulated_key_is_refused() {
    let nine = core::array::from_fn(|i| if i == 0 { 9 } else { 0 });
    for kem in [Kem::X25519, Kem::XWing] {
        opens_at(kem, nine, true);
        for alias in aliases(nine) {
            opens_at(kem, alias, false);
        }
    }
}

/// Whether an object opens whose entry has this X25519 part, with the ciphertext that belongs to it.
fn opens_at(kem: Kem, point: [u8; 32], expected: bool) {
    let made = Made::new(&Recipe::new(7, 10, &[kem]));
    let reader = &made.readers[0];
    let envelope =
        made.resigned(|e| e.recipients[0] = wrap_at(e, reader, Role::FileKey, &made.file_key, point));
    let key = RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = reader.secret)).unwrap();
    let result = Opener::new(&made.envelope.owner, &envelope, &[key]);
    assert_eq!(result.is_ok(), expected, "{kem:?} {point:x?}: {result:?}");
    assert_eq!(matches!(result, Err(OpenError::NoRecipient)), !expected, "{kem:?} {point:x?}");
    // Nor is an agent asked.
    let public =
        RecipientSecretKey::from_bytes(kem, Secret::init_with(|b| *b = reader.secret)).unwrap().public();
    let envelope = verify(&made.envelope.owner, &envelope).unwrap();
    assert_eq!(unwrap_requests(&envelope, &public).len(), usize::from(expected), "{kem:?} {point:x?}");
}

/// E21: an encapsulated key of small order, signed by the owner, opens nothing, though the ciphertext is one for the secret of zeros.
#[test]
fn e21_low_order_encapsulated_key_is_refused() {
    for kem in [Kem::X25519, Kem::XWing] {
        for point in SMALL_ORDER {
            opens_at(kem, hex::decode(point).unwrap().try_into().unwrap(), false);
        }
    }
}

/// E21 beside it: ML-KEM coefficients at or above the modulus (FIPS 203 section 7.2) and wrong lengths.
#[test]
fn malformed_public_keys_are_refused() {
    let good = RecipientSecretKey::generate(Kem::XWing, &mut rng(5)).public();
    let mut wide = good.as_bytes().to_vec();
    wide[..3].copy_from_slice(&[0xff; 3]);
    assert_eq!(RecipientPublicKey::from_bytes(Kem::XWing, &wide), Err(KeyError::Invalid));
    for (kem, len) in
        [(Kem::XWing, 1215), (Kem::XWing, 32), (Kem::X25519, 31), (Kem::X25519, 1216), (Kem::X25519, 0)]
    {
        let found = RecipientPublicKey::from_bytes(kem, &vec![9; len]);
        assert_eq!(found, Err(KeyError::Length { found: len, expected: RecipientPublicKey::len(kem) }));
    }
}

#[test]
fn secret_keys_are_never_printed() {
    let key = RecipientSecretKey::from_bytes(Kem::X25519, Secret::init_with(|b| *b = [0xab; 32])).unwrap();
    let text = format!("{key:?} {key:#?}");
    assert!(!text.contains("171") && !text.to_lowercase().contains("abab"), "{text}");
}

#[test]
fn fingerprint_depends_on_mechanism_and_key() {
    let a =
        RecipientSecretKey::from_bytes(Kem::X25519, Secret::init_with(|b| *b = [1; 32])).unwrap().public();
    let b =
        RecipientSecretKey::from_bytes(Kem::X25519, Secret::init_with(|b| *b = [2; 32])).unwrap().public();
    assert_ne!(a.fingerprint(), b.fingerprint());
    assert_eq!(a.key_id(), a.fingerprint()[..8]);
    let input = [&0x0020u16.to_le_bytes()[..], a.as_bytes()].concat();
    assert_eq!(a.fingerprint(), blake3::derive_key("bailiwick/v1/fingerprint", &input));
}

#[test]
fn nobody_too_many_and_twice_are_refused_before_writing() {
    let object = Object::new(10, 1);
    let key = object.reader.public();
    let envelope = object.decoded();
    let try_with = |recipients: &[RecipientPublicKey]| {
        let options = SealOptions {
            owner: object.pinned,
            object: envelope.object,
            unit: envelope.unit,
            recipients,
            passphrase: None,
            anonymous: false,
            metadata: object.metadata.clone(),
            padding: Padding::Padme,
        };
        let mut body = Vec::new();
        let result = seal(&b"data"[..], &mut body, &options, &mut rng(1)).map(|_| ());
        assert_eq!(body.is_empty(), result.is_err(), "written although refused");
        result
    };
    assert!(matches!(try_with(&[]), Err(SealError::NoRecipient)));
    assert!(matches!(try_with(&[key.clone(), key.clone()]), Err(SealError::DuplicateRecipient { .. })));
    let many: Vec<_> =
        (0..65).map(|i| RecipientSecretKey::generate(Kem::X25519, &mut rng(i)).public()).collect();
    assert!(matches!(try_with(&many), Err(SealError::TooManyRecipients { found: 65 })));
    try_with(&many[..64]).unwrap();
}
