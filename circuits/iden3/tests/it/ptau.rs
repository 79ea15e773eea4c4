//! Powers of tau: snarkjs's are accepted and prepared alike; each inconsistency and each malformed file has its name.

use std::io::Cursor;

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::BigInt;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use bailiwick_iden3::PointFault;
use bailiwick_iden3::binfile::BinFileError;
use bailiwick_iden3::ptau::{Ptau, PtauError, prepare};

use super::keys::{POWERS, exchanged, part, powers, rng, section, with};

const UNPREPARED: &[u8] = include_bytes!("../vectors/power5_unprepared.ptau");

fn check(bytes: &[u8]) -> Result<(), PtauError> {
    Ptau::open(Cursor::new(bytes))?.check(4, &mut rng())
}

#[test]
fn powers_of_snarkjs_are_accepted() {
    check(POWERS).unwrap();
    powers().check(5, &mut rng()).unwrap();
    assert_eq!((powers().power(), powers().contributions()), (5, 2));
}

#[test]
fn prepared_as_snarkjs_does_byte_for_byte() {
    let mut file = Ptau::open(Cursor::new(UNPREPARED)).unwrap();
    let mut told = Vec::new();
    let out = prepare(&mut file, Cursor::new(Vec::new()), &mut |done, all| told.push((done, all))).unwrap();
    assert_eq!(out.into_inner(), POWERS);
    assert_eq!(told.last(), Some(&(25, 25)));
}

#[test]
fn sequences_that_are_not_powers_are_refused() {
    for (kind, size) in [(2, 64), (3, 128), (4, 64), (5, 64)] {
        let bytes = exchanged(POWERS, kind, [2, 5], size);
        assert!(
            matches!(check(&bytes), Err(PtauError::Inconsistent { section }) if section == kind),
            "{kind}"
        );
    }
    // The last of the longest sequence is used by no circuit of this size, and still checked.
    let bytes = exchanged(POWERS, 2, [61, 62], 64);
    assert!(matches!(check(&bytes), Err(PtauError::Inconsistent { section: 2 })));
}

#[test]
fn sequences_that_do_not_begin_at_the_generator_are_refused() {
    for (kind, size) in [(2, 64), (3, 128)] {
        let second = part(POWERS, kind, size, size);
        let bytes = with(POWERS, kind, 0, &second);
        assert!(matches!(check(&bytes), Err(PtauError::Inconsistent { section }) if section == kind));
    }
}

#[test]
fn beta_in_g2_must_be_beta() {
    let tau2 = part(POWERS, 3, 128, 128);
    let bytes = with(POWERS, 6, 0, &tau2);
    assert!(matches!(check(&bytes), Err(PtauError::Inconsistent { section: 6 })));
}

#[test]
fn a_lagrange_form_of_something_else_is_refused() {
    // The domain of 16 rows begins at point 15 of each section; that of 32 at point 31.
    for (kind, size, first) in [(12, 64, 15), (12, 64, 31), (13, 128, 15), (14, 64, 15), (15, 64, 15)] {
        let bytes = exchanged(POWERS, kind, [first, first + 1], size);
        assert!(
            matches!(check(&bytes), Err(PtauError::Inconsistent { section }) if section == kind),
            "{kind} {first}"
        );
    }
}

/// The last coefficient of the largest domain, past the last power, has its weight too: w^j K on every point changes that coefficient
/// alone, and with K chosen from the file its maker could forge under every key made from it.
#[test]
fn a_lagrange_form_with_a_hidden_last_coefficient_is_refused() {
    let shifted = |by: Fr| {
        let domain = Radix2EvaluationDomain::<Fr>::new(64).unwrap();
        let mut bytes = POWERS.to_vec();
        for (j, w) in domain.elements().enumerate() {
            let at = (63 + j) * 64;
            let moved = point(&part(&bytes, 12, at, 64)) + G1Affine::generator() * (w * by);
            bytes = with(&bytes, 12, at, &stored(moved.into_affine()));
        }
        Ptau::open(Cursor::new(bytes)).unwrap().check(5, &mut rng())
    };
    shifted(Fr::from(0u64)).unwrap();
    assert!(matches!(shifted(Fr::from(1u64)), Err(PtauError::Inconsistent { section: 12 })));
}

/// A point as the files have it: both coordinates in Montgomery form, little-endian.
fn point(bytes: &[u8]) -> G1Affine {
    let words = |b: &[u8]| {
        let (words, _) = b.as_chunks::<8>();
        Fq::new_unchecked(BigInt(core::array::from_fn(|i| u64::from_le_bytes(words[i]))))
    };
    G1Affine::new(words(&bytes[..32]), words(&bytes[32..]))
}

fn stored(p: G1Affine) -> Vec<u8> {
    [p.x, p.y].iter().flat_map(|c| c.0.0).flat_map(u64::to_le_bytes).collect()
}

#[test]
fn powers_nobody_contributed_to_are_refused() {
    const FRESH: &[u8] = include_bytes!("../vectors/power5_fresh.ptau");
    assert!(matches!(check(FRESH), Err(PtauError::NoContribution)));
}

/// Powers somebody made alone, with secrets they know and no record: no ceremony.
#[test]
fn powers_without_a_record_of_contributions_are_refused() {
    let alone = with(POWERS, 7, 0, &0u32.to_le_bytes());
    assert_eq!(Ptau::open(Cursor::new(alone.clone())).unwrap().contributions(), 0);
    assert!(matches!(check(&alone), Err(PtauError::NoContribution)));
    check(POWERS).expect("honest twin");
}

#[test]
fn z20_points_outside_their_group_are_refused() {
    let mut off = part(POWERS, 2, 128, 64);
    off[0] ^= 1;
    assert!(matches!(
        check(&with(POWERS, 2, 128, &off)),
        Err(PtauError::Point { section: 2, index: 2, fault: PointFault::OffCurve })
    ));
    assert!(matches!(
        check(&with(POWERS, 4, 64, &[0xff; 32])),
        Err(PtauError::Point { section: 4, index: 1, fault: PointFault::NotReduced })
    ));
    assert!(matches!(
        check(&with(POWERS, 5, 0, &[0; 64])),
        Err(PtauError::Point { section: 5, index: 0, fault: PointFault::Identity })
    ));
}

#[test]
fn another_curve_or_power_is_refused() {
    let byte = part(POWERS, 1, 4, 1)[0] ^ 2;
    assert!(matches!(check(&with(POWERS, 1, 4, &[byte])), Err(PtauError::Curve)));
    assert!(matches!(check(&with(POWERS, 1, 0, &[48])), Err(PtauError::Curve)));
    for power in [0u32, 29, u32::MAX] {
        let bytes = with(POWERS, 1, 36, &power.to_le_bytes());
        assert!(matches!(check(&bytes), Err(PtauError::Power { .. })));
    }
}

#[test]
fn z21_a_power_the_sections_do_not_have_is_refused_on_lengths() {
    for power in [4u32, 6, 28] {
        let bytes = with(&with(POWERS, 1, 36, &power.to_le_bytes()), 1, 40, &28u32.to_le_bytes());
        let result = check(&bytes);
        assert!(matches!(result, Err(PtauError::File(BinFileError::Count { .. }))), "{result:?}");
    }
    let bytes = with(POWERS, 7, 0, &u32::MAX.to_le_bytes());
    assert!(matches!(check(&bytes), Err(PtauError::File(BinFileError::Short { kind: 7, .. }))));
}

#[test]
fn truncated_files_are_refused() {
    for n in (0..POWERS.len()).step_by(997) {
        assert!(matches!(check(&POWERS[..n]), Err(PtauError::File(BinFileError::Truncated { .. }))), "{n}");
    }
    assert!(section(POWERS, 15).end == POWERS.len());
}
