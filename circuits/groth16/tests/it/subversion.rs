//! Keys made by someone hostile: every group of elements changed in turn, and found.

use std::io::Cursor;

use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use bailiwick_groth16::{Inconsistency, ProvingKey, ProvingKeyError, Transcript, setup};
use bailiwick_protocol::ids::PkDigest;

use super::circuit::{fixture, rng};

/// Rewrites the point at byte `at` of the proving key's file to a multiple of itself and reads the file again.
fn with_point_changed<P: AffineRepr<ScalarField = Fr>>(at: usize) -> Result<ProvingKey, ProvingKeyError> {
    with_point_times::<P>(at, Fr::from(5u64))
}

fn with_point_times<P: AffineRepr<ScalarField = Fr>>(
    at: usize,
    scale: Fr,
) -> Result<ProvingKey, ProvingKeyError> {
    let f = fixture();
    let mut bytes = Vec::new();
    f.key.write_to(&mut bytes).expect("vec");
    let point = P::deserialize_uncompressed(&bytes[at..]).expect("a point");
    (point * scale).into_affine().serialize_uncompressed(&mut bytes[at..]).expect("fits");
    let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
    h.update(&bytes);
    ProvingKey::read_from(&mut Cursor::new(&bytes), &PkDigest(h.finalize().into()), &f.shape())
}

fn verdict(key: &ProvingKey) -> Result<(), Inconsistency> {
    key.check(&fixture().matrices, &fixture().transcript, &mut rng(99))
}

#[test]
fn an_honest_key_is_consistent_and_its_transcript_survives_bytes() {
    let f = fixture();
    assert_eq!(verdict(&f.key), Ok(()));
    let mut bytes = Vec::new();
    f.transcript.write_to(&mut bytes).expect("vec");
    assert_eq!(Transcript::read_from(&mut bytes.as_slice(), &f.shape()).expect("reads"), f.transcript);
    assert!(Transcript::read_from(&mut [bytes.as_slice(), &[0]].concat().as_slice(), &f.shape()).is_err());
    assert!(Transcript::read_from(&mut &bytes[..bytes.len() - 1], &f.shape()).is_err());
}

/// File layout: 48 bytes of header; alpha (64), beta, gamma, delta (128 each), count and 5 input points;
/// beta and delta in G1; then A, B (G1), B (G2), H, L, each with its count. 7 variables, domain 8.
#[test]
fn every_changed_element_is_found() {
    use ark_bn254::G2Affine;
    let inputs = 48 + 64 + 3 * 128 + 8;
    let beta_g1 = inputs + 5 * 64;
    let a = beta_g1 + 2 * 64 + 8;
    let b_g1 = a + 7 * 64 + 8;
    let b_g2 = b_g1 + 7 * 64 + 8;
    let h = b_g2 + 7 * 128 + 8;
    let l = h + 7 * 64 + 8;
    let g1 = |at| verdict(&with_point_changed::<G1Affine>(at).expect("well-formed")).err();
    let g2 = |at| verdict(&with_point_changed::<G2Affine>(at).expect("well-formed")).err();
    assert_eq!(g1(48), Some(Inconsistency::Query("input")), "alpha");
    assert_eq!(g2(48 + 64), Some(Inconsistency::TwoGroups("beta")));
    assert_eq!(g2(48 + 64 + 128), Some(Inconsistency::Query("input")), "gamma");
    for i in 0..5 {
        assert_eq!(g1(inputs + 64 * i), Some(Inconsistency::Query("input")));
    }
    assert_eq!(g1(beta_g1), Some(Inconsistency::TwoGroups("beta")));
    assert_eq!(g1(a + 64), Some(Inconsistency::Query("A")));
    // Variable 2 is y, the only one besides the constant in B.
    assert_eq!(g1(b_g1 + 2 * 64), Some(Inconsistency::Query("B in G1")));
    assert_eq!(g2(b_g2 + 2 * 128), Some(Inconsistency::Query("B in G2")));
    assert_eq!(g1(h), Some(Inconsistency::Query("H")));
    assert_eq!(g1(h + 6 * 64), Some(Inconsistency::Query("H")));
    assert_eq!(g1(l), Some(Inconsistency::Query("L")));
    assert_eq!(g1(l + 64), Some(Inconsistency::Query("L")));
}

/// Reads the key's file with the bytes `range` set to zero.
fn with_zeros(range: core::ops::Range<usize>) -> Result<ProvingKey, ProvingKeyError> {
    let f = fixture();
    let mut bytes = Vec::new();
    f.key.write_to(&mut bytes).expect("vec");
    assert!(bytes[range.clone()].iter().any(|b| *b != 0));
    bytes[range].fill(0);
    let mut h = blake3::Hasher::new_derive_key("bailiwick/v1/proving-key-digest");
    h.update(&bytes);
    ProvingKey::read_from(&mut Cursor::new(&bytes), &PkDigest(h.finalize().into()), &f.shape())
}

/// Z20: y = 0 in the verifying key inside the file. Its compressed form, x and a sign, is that of a good point, but
/// prover and pairing would use this one: refused, and no panic.
#[test]
fn z20_a_verifying_key_with_another_y_is_refused() {
    let (alpha, beta, gamma, delta) = (48, 48 + 64, 48 + 64 + 128, 48 + 64 + 256);
    let input = delta + 128 + 8;
    for at in [alpha, input, input + 4 * 64] {
        assert!(matches!(with_zeros(at + 32..at + 64), Err(ProvingKeyError::Malformed)));
    }
    for at in [beta, gamma, delta] {
        assert!(matches!(with_zeros(at + 64..at + 128), Err(ProvingKeyError::Malformed)));
    }
}

/// Z20: a query point off its curve is refused when the key is read: its multiples need not hide anything.
#[test]
fn z20_query_points_off_the_curve_are_refused_when_read() {
    let beta_g1 = 48 + 64 + 3 * 128 + 8 + 5 * 64;
    let a = beta_g1 + 2 * 64 + 8;
    let b_g1 = a + 7 * 64 + 8;
    let b_g2 = b_g1 + 7 * 64 + 8;
    let h = b_g2 + 7 * 128 + 8;
    let l = h + 7 * 64 + 8;
    // Variable 2 is y, the only one besides the constant in B.
    for at in [beta_g1, beta_g1 + 64, a + 64, b_g1 + 2 * 64, h, h + 6 * 64, l, l + 64] {
        assert!(matches!(with_zeros(at + 32..at + 64), Err(ProvingKeyError::OffCurve)), "byte {at}");
    }
    let at = b_g2 + 2 * 128;
    assert!(matches!(with_zeros(at + 64..at + 128), Err(ProvingKeyError::OffCurve)));
}

/// Without delta in G1, A is the same in every proof of one witness: such a key is not even read.
#[test]
fn a_key_that_would_not_blind_is_refused_when_read() {
    let delta_g2 = 48 + 64 + 256;
    let delta_g1 = delta_g2 + 128 + 8 + 5 * 64 + 64;
    assert!(with_point_times::<G1Affine>(delta_g1, Fr::from(1u64)).is_ok());
    for scale in [0u64, 2].map(Fr::from) {
        let refused = with_point_times::<G1Affine>(delta_g1, scale);
        assert!(matches!(refused, Err(ProvingKeyError::Delta)));
    }
    let refused = with_point_times::<ark_bn254::G2Affine>(delta_g2, Fr::from(2u64));
    assert!(matches!(refused, Err(ProvingKeyError::Delta)));
}

#[test]
fn a_transcript_of_another_set_up_or_that_is_no_sequence_of_powers_is_found() {
    let f = fixture();
    let (_, other) = setup(&f.matrices, &mut rng(1234), &mut |_| ()).expect("set-up");
    assert_eq!(f.key.check(&f.matrices, &other, &mut rng(3)), Err(Inconsistency::Query("A")));
    let mut bytes = Vec::new();
    f.transcript.write_to(&mut bytes).expect("vec");
    for power in 0..8 {
        let mut changed = bytes.clone();
        let at = 8 + 64 * power;
        let point = G1Affine::deserialize_uncompressed(&changed[at..]).expect("a point");
        (point * Fr::from(2u64)).into_affine().serialize_uncompressed(&mut changed[at..]).expect("fits");
        let changed = Transcript::read_from(&mut changed.as_slice(), &f.shape()).expect("points");
        assert_eq!(
            f.key.check(&f.matrices, &changed, &mut rng(3)),
            Err(Inconsistency::Powers),
            "power {power}"
        );
    }
    let smaller = f.matrices.without(&[0]);
    assert_eq!(f.key.check(&smaller, &f.transcript, &mut rng(3)), Err(Inconsistency::Circuit));
}
