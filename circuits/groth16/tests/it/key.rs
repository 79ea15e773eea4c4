//! Verifying keys: lint, encodings, digest.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_serialize::CanonicalSerialize;
use bailiwick_groth16::{KeyError, PointError, Proof, VERIFYING_KEY_BYTES_MAX, VerifyError, VerifyingKey};

use super::circuit::{HONEST, fixture};

const ALPHA: usize = 0;
const BETA: usize = 32;
const GAMMA: usize = 96;
const DELTA: usize = 160;
const COUNT: usize = 224;
const INPUTS: usize = 232;

fn with(at: usize, point: &impl CanonicalSerialize) -> Vec<u8> {
    let mut bytes = fixture().vk.as_bytes().to_vec();
    point.serialize_compressed(&mut bytes[at..]).expect("fits");
    bytes
}

fn copied(from: usize, to: usize, len: usize) -> Vec<u8> {
    let mut bytes = fixture().vk.as_bytes().to_vec();
    bytes.copy_within(from..from + len, to);
    bytes
}

#[test]
fn an_honest_key_comes_back_unchanged() {
    let vk = &fixture().vk;
    assert_eq!(VerifyingKey::from_bytes(vk.as_bytes()).as_ref(), Ok(vk));
    assert_eq!(vk.inputs(), 4);
    assert_eq!(vk.prepare().digest(), vk.digest());
    assert_ne!(vk.digest().as_bytes(), blake3::hash(vk.as_bytes()).as_bytes(), "the digest is under a label");
}

/// A key as snarkjs makes it has gamma at the generator, and is accepted.
#[test]
fn z08_gamma_at_the_generator_is_accepted() {
    assert!(VerifyingKey::from_bytes(&with(GAMMA, &G2Affine::generator())).is_ok());
}

/// Z07: why it matters: with gamma = delta anyone forges, (alpha, beta, −IC(x)).
#[test]
fn z07_gamma_equal_or_opposite_to_delta_is_refused() {
    assert_eq!(VerifyingKey::from_bytes(&copied(GAMMA, DELTA, 64)), Err(KeyError::GammaEqualsDelta));
    let mut opposite = copied(GAMMA, DELTA, 64);
    opposite[DELTA + 63] ^= 0x80;
    assert_eq!(VerifyingKey::from_bytes(&opposite), Err(KeyError::GammaEqualsDelta));
}

/// Z08
#[test]
fn z08_elements_at_the_generator_are_refused() {
    let g2 = G2Affine::generator();
    assert_eq!(VerifyingKey::from_bytes(&with(DELTA, &g2)), Err(KeyError::DeltaIsGenerator));
    assert_eq!(VerifyingKey::from_bytes(&with(DELTA, &-g2)), Err(KeyError::DeltaIsGenerator));
    assert_eq!(VerifyingKey::from_bytes(&with(BETA, &g2)), Err(KeyError::Generator("beta")));
    assert_eq!(
        VerifyingKey::from_bytes(&with(ALPHA, &G1Affine::generator())),
        Err(KeyError::Generator("alpha"))
    );
}

/// Z08: elements whose secrets must be independent.
#[test]
fn z08_equal_elements_are_refused() {
    assert_eq!(VerifyingKey::from_bytes(&copied(GAMMA, BETA, 64)), Err(KeyError::Equal("beta", "gamma")));
    assert_eq!(VerifyingKey::from_bytes(&copied(DELTA, BETA, 64)), Err(KeyError::Equal("beta", "delta")));
    let two = copied(INPUTS + 32, INPUTS + 96, 32);
    assert_eq!(VerifyingKey::from_bytes(&two), Err(KeyError::Equal("input point", "input point")));
    // The opposite point: the other sign of y. Then (x + t, y + t) and (x, y) are one statement.
    let mut opposite = two;
    opposite[INPUTS + 96 + 31] ^= 0x80;
    assert_eq!(VerifyingKey::from_bytes(&opposite), Err(KeyError::Equal("input point", "input point")));
}

/// Z09
#[test]
fn z09_points_at_infinity_are_refused() {
    let mut places =
        vec![("alpha", ALPHA, 32), ("beta", BETA, 64), ("gamma", GAMMA, 64), ("delta", DELTA, 64)];
    places.extend((0..5).map(|i| ("input point", INPUTS + 32 * i, 32)));
    for (element, at, len) in places {
        let mut bytes = fixture().vk.as_bytes().to_vec();
        bytes[at..at + len].fill(0);
        bytes[at + len - 1] = 0x40;
        let refused = KeyError::Point { element, source: PointError::Identity };
        assert_eq!(VerifyingKey::from_bytes(&bytes), Err(refused));
        bytes[at] = 1;
        assert_eq!(VerifyingKey::from_bytes(&bytes), Err(refused), "infinity flag over a coordinate");
    }
}

/// Z10, Z17: another key's honest proof; and all bit flips of a key.
#[test]
fn z17_no_bit_flip_of_a_key_accepts_a_proof() {
    let f = fixture();
    let honest = f.vk.as_bytes();
    let mut decoded = 0;
    for bit in 0..8 * honest.len() {
        let mut bytes = honest.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(vk) = VerifyingKey::from_bytes(&bytes) {
            decoded += 1;
            assert_ne!(vk.digest(), f.vk.digest(), "bit {bit}");
            assert_eq!(vk.prepare().verify(&HONEST.inputs(), &f.proof), Err(VerifyError::False), "bit {bit}");
        }
    }
    assert!(decoded > 100, "{decoded}");
}

/// Z21: announced lengths far beyond the bytes, and bytes beyond the limit: refused before anything is allocated.
#[test]
fn z21_length_bombs_are_refused() {
    for count in [0u64, 4, 6, 1 << 33, 1 << 60, u64::MAX, (u64::MAX / 32) + 2] {
        let mut bytes = fixture().vk.as_bytes().to_vec();
        bytes[COUNT..COUNT + 8].copy_from_slice(&count.to_le_bytes());
        assert_eq!(VerifyingKey::from_bytes(&bytes), Err(KeyError::Length { found: bytes.len() }), "{count}");
    }
    const { assert!(VERIFYING_KEY_BYTES_MAX < 1 << 20) };
    let mut long = fixture().vk.as_bytes().to_vec();
    let count = (VERIFYING_KEY_BYTES_MAX - INPUTS) / 32 + 1;
    long[COUNT..COUNT + 8].copy_from_slice(&(count as u64).to_le_bytes());
    long.resize(INPUTS + 32 * count, 0);
    assert_eq!(VerifyingKey::from_bytes(&long), Err(KeyError::Length { found: long.len() }));
}

#[test]
fn z21_truncated_and_extended_keys_are_refused() {
    let honest = fixture().vk.as_bytes();
    for len in 0..honest.len() {
        assert!(matches!(VerifyingKey::from_bytes(&honest[..len]), Err(KeyError::Length { .. })), "{len}");
    }
    for more in [1, 32] {
        let longer = [honest, &vec![0; more]].concat();
        assert!(matches!(VerifyingKey::from_bytes(&longer), Err(KeyError::Length { .. })));
    }
}

/// Z07 in full: the forgery that the lint prevents works with `ark-groth16` alone.
#[test]
fn z07_the_forgery_the_lint_prevents() {
    let (alpha, beta, gamma) = (Fr::from(11u64), Fr::from(12u64), Fr::from(13u64));
    let (g1, g2) = (G1Projective::from(G1Affine::generator()), G2Projective::from(G2Affine::generator()));
    let inputs = [g1 * Fr::from(14u64), g1 * Fr::from(15u64)].map(CurveGroup::into_affine);
    let mut bytes = Vec::new();
    (g1 * alpha).into_affine().serialize_compressed(&mut bytes).expect("vec");
    for scalar in [beta, gamma, gamma] {
        (g2 * scalar).into_affine().serialize_compressed(&mut bytes).expect("vec");
    }
    inputs.to_vec().serialize_compressed(&mut bytes).expect("vec");
    assert_eq!(VerifyingKey::from_bytes(&bytes), Err(KeyError::GammaEqualsDelta));

    // The same key with the equation checked by hand: true for any x.
    let x = Fr::from(99u64);
    let ic = inputs[0] + inputs[1] * x;
    let c = (-ic).into_affine();
    let mut proof = Vec::new();
    (g1 * alpha).into_affine().serialize_compressed(&mut proof).expect("vec");
    (g2 * beta).into_affine().serialize_compressed(&mut proof).expect("vec");
    c.serialize_compressed(&mut proof).expect("vec");
    assert!(Proof::from_bytes(&proof).is_ok());
    use ark_ec::pairing::Pairing;
    let left = ark_bn254::Bn254::pairing((g1 * alpha).into_affine(), (g2 * beta).into_affine());
    let right = ark_bn254::Bn254::multi_pairing(
        [(g1 * alpha).into_affine(), ic.into_affine(), c],
        [beta, gamma, gamma].map(|s| (g2 * s).into_affine()),
    );
    assert_eq!(left, right);
}
