//! Points that may not stand anywhere: not canonical, of small order, the identity, in two places.

use bailiwick_custody::{
    CUSTODIAN_PUBLIC_KEY_BYTES, CustodianPublicKey, Dealing, DealingError, KeyError, PointError,
    RefusedRelease, ReleaseError, Request, SealingKeyError, release,
};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;

use super::by_hand::seal_at;
use super::case::{Case, exchange, reread, rng};
use super::release::opened;

/// RFC 9496, appendix A.2, one or more of each group; then points of small order of edwards25519.
const BAD: [&str; 20] = [
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
    "de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b",
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
    "d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

const IDENTITY: [u8; 32] = [0; 32];

fn bad() -> impl Iterator<Item = [u8; 32]> {
    BAD.iter().map(|t| hex::decode(t).unwrap().try_into().unwrap())
}

/// With `old` exchanged, reading fails with `expected` for bad points and with `identity` for the identity.
fn refused(case: &Case, old: &[u8; 32], expected: &'static str, identity: &'static str) {
    for point in bad() {
        let found = Dealing::from_bytes(&exchange(&case.bytes(), old, &point));
        assert_eq!(found, Err(CodecError::Invalid(expected)), "{}", hex::encode(point));
    }
    let found = Dealing::from_bytes(&exchange(&case.bytes(), old, &IDENTITY));
    assert_eq!(found, Err(CodecError::Invalid(identity)));
}

#[test]
fn keys_of_custodians_are_decoded_strictly() {
    let case = Case::new(3, 2);
    refused(
        &case,
        case.custodians[1].key.point(),
        "custodian: key is no canonical point",
        "custodian: key is the identity",
    );
}

#[test]
fn the_ephemeral_key_is_decoded_strictly() {
    let case = Case::new(3, 2);
    refused(
        &case,
        case.dealt.dealing.ephemeral(),
        "custody dealing: D is no canonical point",
        "custody dealing: D is the identity",
    );
}

#[test]
fn encrypted_shares_are_decoded_strictly() {
    let case = Case::new(3, 2);
    let share = *case.dealt.dealing.encrypted_shares().nth(2).unwrap();
    refused(&case, &share, "encrypted share: no canonical point", "encrypted share: the identity");
}

#[test]
fn custodian_key_files_are_decoded_strictly() {
    let good = Case::new(3, 2).custodians[0].key.to_bytes();
    assert_eq!(good.len(), CUSTODIAN_PUBLIC_KEY_BYTES);
    for point in bad() {
        let mut key = good.clone();
        key[..32].copy_from_slice(&point);
        assert_eq!(CustodianPublicKey::from_bytes(&key), Err(KeyError::Point(PointError::NotCanonical)));
    }
    let mut key = good.clone();
    key[..32].copy_from_slice(&IDENTITY);
    assert_eq!(CustodianPublicKey::from_bytes(&key), Err(KeyError::Point(PointError::Identity)));
    CustodianPublicKey::from_bytes(&good).unwrap();
}

/// The commitment of a proof of possession is a point, too.
#[test]
fn commitments_of_possession_are_decoded_strictly() {
    let good = Case::new(3, 2).custodians[0].key.to_bytes();
    for point in bad().chain([IDENTITY]) {
        let mut key = good.clone();
        key[64..96].copy_from_slice(&point);
        assert_eq!(CustodianPublicKey::from_bytes(&key), Err(KeyError::Possession));
    }
}

/// X25519 points of small order (RFC 7748 section 6.1): whatever is sealed to one, anyone opens.
#[test]
fn requesters_with_keys_of_small_order_are_refused() {
    let case = Case::new(3, 2);
    for low in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let key = hex::decode(low).unwrap();
        assert!(Request::new(&case.verified(), Kem::X25519, &key, &mut rng(3)).is_err(), "{low}");
    }
}

/// The X25519 half of a custodian's X-Wing key: what is sealed to it would hang on the other half alone.
#[test]
fn custodians_with_kem_keys_of_small_order_are_refused() {
    use bailiwick_custody::CustodianSecretKey;

    let good = CustodianSecretKey::generate(&mut rng(4)).public().to_bytes();
    CustodianPublicKey::from_bytes(&good).unwrap();
    let mut low = good;
    let half = low.len() - 32;
    low[half..].fill(0);
    // Its proof of possession is over the key as it was: that is seen first, and either is enough.
    assert_eq!(CustodianPublicKey::from_bytes(&low), Err(KeyError::Possession));
    assert!(Request::new(&Case::new(3, 2).verified(), Kem::XWing, &low[128..], &mut rng(3)).is_err());
}

/// Another encoding of a requester's key: what is sealed to it would open for nobody, and a record would name another key.
#[test]
fn requesters_with_keys_in_another_encoding_are_refused() {
    let case = Case::new(3, 2);
    for kem in [Kem::X25519, Kem::XWing] {
        let secret = Secret::init_with(|b| b.fill(9));
        let good = bailiwick_envelope::RecipientSecretKey::from_bytes(kem, secret).unwrap();
        let mut key = good.public().as_bytes().to_vec();
        let asked = Request::new(&case.verified(), kem, &key, &mut rng(3)).unwrap();
        *key.last_mut().unwrap() |= 0x80;
        assert!(Request::new(&case.verified(), kem, &key, &mut rng(3)).is_err(), "{kem:?}");
        // Asked in spite of that, by another program.
        let answered = |request: &Request| release(&case.verified(), request, &case.keys[0], &mut rng(4));
        answered(&asked).unwrap();
        assert_eq!(answered(&Request { key, ..asked }), Err(RefusedRelease::Requester(SealingKeyError)));
    }
}

/// A release whose encapsulated key is `enc`, and whose ciphertext is the one that belongs to it.
fn checked_at(enc: [u8; 32]) -> Result<(), ReleaseError> {
    let mut case = Case::new(3, 2);
    let (verified, request) = (case.verified(), case.request());
    let honest = opened(&mut case, 1, &request);
    seal_at(&request, &case.requester, enc, 2, &honest).check(&verified, &request, &case.requester).map(drop)
}

const NINE: [u8; 32] = {
    let mut nine = [0; 32];
    nine[0] = 9;
    nine
};

/// Anybody opens what is sealed with an encapsulated key of small order.
#[test]
fn releases_with_encapsulated_keys_of_small_order_are_refused() {
    assert_eq!(checked_at(NINE), Ok(()));
    for low in [[0; 32], core::array::from_fn(|i| u8::from(i == 0))] {
        assert_eq!(checked_at(low), Err(ReleaseError::Sealed { custodian: "Notary 1".into() }));
    }
}

/// Another encoding of an encapsulated key makes another release of the same, that opens.
#[test]
fn releases_with_encapsulated_keys_in_another_encoding_are_refused() {
    assert_eq!(checked_at(NINE), Ok(()));
    let mut high = NINE;
    high[31] = 0x80;
    assert_eq!(checked_at(high), Err(ReleaseError::Sealed { custodian: "Notary 1".into() }));
}

/// P-256 keys as SP 800-56A section 5.6.2.3.3 wants them: uncompressed, on the curve, not the identity.
#[test]
fn requesters_with_keys_that_are_not_on_p256_are_refused() {
    let case = Case::new(3, 2);
    // The generator (SEC 2 version 2, section 2.4.2).
    let good = hex::decode(concat!(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ))
    .unwrap();
    let asked = |key: &[u8]| Request::new(&case.verified(), Kem::P256, key, &mut rng(3));
    let request = asked(&good).unwrap();
    assert_eq!(Request::from_bytes(&request.to_bytes()).unwrap(), request);
    let mut off = good.clone();
    off[64] ^= 1;
    let compressed = [&[3], &good[1..33]].concat();
    for bad in [&off[..], &compressed, &[0; 65], &[0], &good[..64], &[&good[..], &[0]].concat()] {
        assert!(asked(bad).is_err(), "{}", hex::encode(bad));
    }
}

#[test]
fn two_custodians_with_one_key_are_refused() {
    let case = Case::new(3, 2);
    let mut dealing = case.dealt.dealing.clone();
    dealing.custodians[2].key = dealing.custodians[0].key;
    let expected = DealingError::DuplicateKey { first: "Notary 0".into(), second: "Notary 2".into() };
    assert_eq!(dealing.verify().unwrap_err(), expected);
}

/// An honest dealer draws every point at random.
#[test]
fn one_point_in_two_places_is_refused() {
    let case = Case::new(3, 2);
    let shares: Vec<[u8; 32]> = case.dealt.dealing.encrypted_shares().copied().collect();
    let base = curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED.0;
    for (old, new) in [
        (&shares[0], &shares[1]),
        (&shares[0], case.dealt.dealing.ephemeral()),
        (&shares[2], case.custodians[1].key.point()),
        (case.dealt.dealing.ephemeral(), case.custodians[1].key.point()),
        (case.dealt.dealing.ephemeral(), &base),
        (&shares[1], &base),
        (case.custodians[1].key.point(), &base),
        (case.custodians[1].key.point(), case.dealt.dealing.ephemeral()),
    ] {
        let dealing = reread(&exchange(&case.bytes(), old, new));
        assert_eq!(dealing.verify().unwrap_err(), DealingError::DuplicatePoint);
    }
}
