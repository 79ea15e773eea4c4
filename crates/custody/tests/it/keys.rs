//! Keys of custodians and their proofs of possession.

use bailiwick_custody::{
    CUSTODIAN_PUBLIC_KEY_BYTES, CustodianPublicKey, CustodianSecretKey, DealingError, KeyError,
};

use super::case::{Case, exchange, reread, rng};

#[test]
fn public_keys_come_back_as_they_were_made() {
    let secret = CustodianSecretKey::generate(&mut rng(1));
    let public = secret.public();
    assert_eq!(public, secret.public(), "the same every time");
    let bytes = public.to_bytes();
    assert_eq!(CustodianPublicKey::from_bytes(&bytes), Ok(public));
    for n in [0, 32, CUSTODIAN_PUBLIC_KEY_BYTES - 1] {
        assert_eq!(CustodianPublicKey::from_bytes(&bytes[..n]), Err(KeyError::Length { found: n }));
    }
}

/// Whatever bit of the proof, or of what it vouches for, is changed.
#[test]
fn a_key_without_its_proof_of_possession_is_refused() {
    let bytes = CustodianSecretKey::generate(&mut rng(1)).public().to_bytes();
    for at in [32, 63, 64, 95, 96, 127, 128, CUSTODIAN_PUBLIC_KEY_BYTES - 1] {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert_eq!(CustodianPublicKey::from_bytes(&other), Err(KeyError::Possession), "byte {at}");
    }
}

/// A rogue key a·E, made from another's without its secret, has no proof: neither its own nor the other's fits.
#[test]
fn a_key_made_from_anothers_is_refused() {
    use curve25519_dalek::ristretto::CompressedRistretto;
    let bytes = CustodianSecretKey::generate(&mut rng(1)).public().to_bytes();
    let point = CompressedRistretto::from_slice(&bytes[..32]).unwrap().decompress().unwrap();
    let mut rogue = bytes.clone();
    rogue[..32].copy_from_slice((point + point).compress().as_bytes());
    assert_eq!(CustodianPublicKey::from_bytes(&rogue), Err(KeyError::Possession));
}

/// In a dealing, proofs are checked together; the one that fails is named, and nothing makes up for it.
#[test]
fn a_dealing_names_the_custodian_without_proof_of_possession() {
    let case = Case::new(5, 3);
    for i in [0, 4] {
        let key = case.custodians[i].key.to_bytes();
        for at in [64, 96] {
            let (old, mut new) = (&key[64..128], key[64..128].to_vec());
            new[at - 64 + 1] ^= 1;
            let dealing = reread(&exchange(&case.bytes(), old, &new));
            let expected = DealingError::Possession { custodian: format!("Notary {i}") };
            assert_eq!(dealing.verify().unwrap_err(), expected);
        }
    }
    // Two proofs that are each wrong by the same amount in opposite directions do not cancel.
    let (a, b) = (case.custodians[0].key.to_bytes(), case.custodians[1].key.to_bytes());
    let shifted = |key: &[u8], up: bool| {
        let mut out = key[64..128].to_vec();
        out[32] = if up { out[32].wrapping_add(1) } else { out[32].wrapping_sub(1) };
        out
    };
    let bytes = exchange(&case.bytes(), &a[64..128], &shifted(&a, true));
    let bytes = exchange(&bytes, &b[64..128], &shifted(&b, false));
    let expected = DealingError::Possession { custodian: "Notary 0".into() };
    assert_eq!(reread(&bytes).verify().unwrap_err(), expected);
}

#[test]
fn secrets_are_not_printed() {
    let case = Case::new(3, 2);
    let secret = hex::encode(case.keys[0].secret().expose_secret());
    for text in
        [format!("{:?}", case.keys[0]), format!("{:?}", case.dealt.secret), format!("{:?}", case.dealt)]
    {
        assert!(!text.contains(&secret[..8]) && !text.contains("90, 90"), "{text}");
    }
}
