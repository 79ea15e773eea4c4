//! Encodings of proofs.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use ark_serialize::CanonicalSerialize;
use bailiwick_groth16::{PROOF_BYTES, PointError, Proof, ProofError, VerifyError};
use proptest::prelude::*;

use super::circuit::{HONEST, fixture};

/// Where each point is: name, first byte, last byte (its two flag bits are the top ones).
const POINTS: [(char, usize, usize); 3] = [('A', 0, 31), ('B', 32, 95), ('C', 96, 127)];

fn point_error(bytes: &[u8]) -> Option<(char, PointError)> {
    match Proof::from_bytes(bytes) {
        Err(ProofError::Point { point, source }) => Some((point, source)),
        _ => None,
    }
}

#[test]
fn an_honest_proof_is_128_bytes_and_comes_back_unchanged() {
    let bytes = fixture().proof.to_bytes();
    assert_eq!(bytes.len(), PROOF_BYTES);
    assert_eq!(Proof::from_bytes(&bytes).map(|p| p.to_bytes()), Ok(bytes));
}

/// Z14
#[test]
fn z14_trailing_bytes_are_refused() {
    let mut bytes = fixture().proof.to_bytes().to_vec();
    for more in [0, 1, 0xff] {
        bytes.push(more);
        assert!(matches!(Proof::from_bytes(&bytes), Err(ProofError::Length { .. })));
    }
}

/// Z15
#[test]
fn z15_every_truncation_is_refused() {
    let bytes = fixture().proof.to_bytes();
    for len in 0..PROOF_BYTES {
        assert!(
            matches!(Proof::from_bytes(&bytes[..len]), Err(ProofError::Length { found }) if found == len)
        );
    }
}

/// Z16: all 1024 flips; each is refused by the decoder or by the pairing, and some get as far as the pairing.
#[test]
fn z16_no_single_bit_flip_verifies() {
    let f = fixture();
    let mut reached_the_pairing = 0;
    for bit in 0..8 * PROOF_BYTES {
        let mut bytes = f.proof.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(proof) = Proof::from_bytes(&bytes) {
            reached_the_pairing += 1;
            assert_eq!(f.pvk.verify(&HONEST.inputs(), &proof), Err(VerifyError::False), "bit {bit}");
        }
    }
    assert!(reached_the_pairing > 100, "{reached_the_pairing}");
}

/// Z18: the infinity flag over a non-zero coordinate, which `ark-serialize` decodes as infinity.
#[test]
fn z18_infinity_flag_over_a_coordinate_is_refused() {
    for (point, _, last) in POINTS {
        let mut bytes = fixture().proof.to_bytes();
        bytes[last] = (bytes[last] & 0x3f) | 0x40;
        assert_eq!(point_error(&bytes), Some((point, PointError::Identity)));
    }
}

/// A second encoding of a finite point: both flags set, or a sign flag that does not belong to the coordinate.
#[test]
fn z18_flags_that_encode_no_point_are_refused() {
    for (point, _, last) in POINTS {
        let mut bytes = fixture().proof.to_bytes();
        bytes[last] |= 0xc0;
        assert_eq!(point_error(&bytes).map(|(p, _)| p), Some(point));
    }
}

/// Z19
#[test]
fn z19_points_at_infinity_are_refused() {
    for (point, first, last) in POINTS {
        let mut bytes = fixture().proof.to_bytes();
        bytes[first..=last].fill(0);
        bytes[last] = 0x40;
        assert_eq!(point_error(&bytes), Some((point, PointError::Identity)));
    }
}

fn g1_bytes_of_x(x: Fq) -> [u8; 32] {
    x.into_bigint().to_bytes_le().try_into().expect("32 bytes")
}

/// Z20: no point of the curve has this x.
#[test]
fn z20_off_curve_g1_is_refused() {
    let x = (1u64..)
        .map(Fq::from)
        .find(|x| G1Affine::get_ys_from_x_unchecked(*x).is_none())
        .expect("half of them");
    for (point, first, last) in [POINTS[0], POINTS[2]] {
        let mut bytes = fixture().proof.to_bytes();
        bytes[first..=last].copy_from_slice(&g1_bytes_of_x(x));
        assert_eq!(point_error(&bytes), Some((point, PointError::NotInGroup)));
    }
}

/// Z20: x + q in place of x.
#[test]
fn z20_coordinate_at_or_above_the_modulus_is_refused() {
    let mut bytes = fixture().proof.to_bytes();
    bytes[..32].copy_from_slice(&Fq::MODULUS.to_bytes_le());
    assert_eq!(point_error(&bytes), Some(('A', PointError::NotInGroup)));
}

/// Z20: on the twist, outside the subgroup of prime order (its cofactor is about 2^254, so nearly every point is).
#[test]
fn z20_off_subgroup_g2_is_refused() {
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1u64)), false))
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .expect("nearly every one");
    assert!(outside.is_on_curve() && !outside.is_zero());
    let mut bytes = fixture().proof.to_bytes();
    outside.serialize_compressed(&mut bytes[32..96]).expect("64 bytes");
    assert_eq!(point_error(&bytes), Some(('B', PointError::NotInGroup)));
}

/// Z12, Z13 (why proof bytes are never an identity): (−A, −B, C) is another encoding of the same truth.
#[test]
fn z13_sign_flipped_proof_verifies_with_other_bytes() {
    let f = fixture();
    let mut bytes = f.proof.to_bytes();
    bytes[31] ^= 0x80;
    bytes[95] ^= 0x80;
    let flipped = Proof::from_bytes(&bytes).expect("well-formed");
    assert_ne!(flipped.to_bytes(), f.proof.to_bytes());
    assert_eq!(f.pvk.verify(&HONEST.inputs(), &flipped), Ok(()));
}

proptest! {
    /// Decoding never panics, and what decodes encodes back to the same bytes.
    #[test]
    fn any_bytes_decode_canonically_or_not_at_all(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
        if let Ok(proof) = Proof::from_bytes(&bytes) {
            prop_assert_eq!(proof.to_bytes().to_vec(), bytes);
        }
    }
}
